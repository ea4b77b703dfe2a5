"""The little HTTP vocabulary that the parts of the gateway share."""

import io
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Environ = MutableMapping[str, Any]
WsgiApplication = Callable[..., Iterable[bytes]]

# Headers that concern one connection and are made anew for the next (RFC 9110, section 7.6.1).
HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"}
)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete answer.

    :param status: status code, such as 200.
    :param body: the body, unencoded.
    :param headers: name and value of each header, in order.
    """

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status_line(self) -> str:
        """Status code and its phrase, as WSGI wants them."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"

    def header(self, name: str) -> str | None:
        """Look up a header.

        :param name: its name, in any case.
        :returns: its first value, None when it is absent.
        """
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


def read_body(environ: Environ) -> bytes:
    """Take the body off the connection and leave a copy for whoever reads the request next.

    :param environ: WSGI environment; its stream and length are replaced, so that a body that
        came in chunks looks like one of known length.
    :returns: the body.
    """
    stream = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        body: bytes = stream.read()
        del environ["HTTP_TRANSFER_ENCODING"]
    else:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = stream.read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.input_terminated"] = True
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def run_application(application: WsgiApplication, environ: Environ) -> HttpResponse:
    """Let a WSGI application answer a request in full.

    :param application: the application.
    :param environ: the request.
    :returns: its answer.
    :raises Exception: whatever the application raises.
    """
    started: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None
    ) -> Callable[[bytes], None]:
        started.append((status, headers))
        return written.append

    chunks = application(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    # An object of many megabytes comes in one piece; joining would copy it.
    body = written[0] if len(written) == 1 else b"".join(written)
    return HttpResponse(int(status.split(" ", 1)[0]), body, list(headers))
