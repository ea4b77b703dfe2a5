"""An HTTP server that answers DynamoDB requests by a script, over real connections."""

import gzip
import json
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

ERROR_PREFIX = "com.amazonaws.dynamodb.v20120810#"


class SeenRequest(NamedTuple):
    """A request as it arrived.

    :param path: its target.
    :param headers: its headers, names in lower case.
    :param body: its content.
    """

    path: str
    headers: Mapping[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Plays one step of the script per request; the last step stays."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "ScriptedServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        step = self.server.next_step(
            SeenRequest(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        )
        step(self)

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""

    def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


Step = Callable[[Handler], None]


class ScriptedServer(ThreadingHTTPServer):
    """The server.

    :param script: what to answer, request by request.
    """

    daemon_threads = True

    def __init__(self, script: Sequence[Step]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self._script = list(script)
        self._lock = threading.Lock()
        self.seen: list[SeenRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_step(self, request: SeenRequest) -> Step:
        with self._lock:
            step = self._script[min(len(self.seen), len(self._script) - 1)]
            self.seen.append(request)
            return step

    def handle_error(self, *_: object) -> None:
        """Clients that hang up are part of the script."""


@contextmanager
def serve(script: Sequence[Step], tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    with ScriptedServer(script) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def output(members: Mapping[str, Any], **headers: str) -> Step:
    content = json.dumps(members).encode()
    return lambda handler: handler.answer(
        200, content, {"x-amz-crc32": str(zlib.crc32(content)), **headers}
    )


def error(code: str, message: str = "said so", status: int = 400, **members: Any) -> Step:
    content = json.dumps({"__type": ERROR_PREFIX + code, "message": message, **members}).encode()
    return lambda handler: handler.answer(
        status, content, {"x-amz-crc32": str(zlib.crc32(content)), "x-amzn-RequestId": "R-1"}
    )


def page(status: int, content: bytes, **headers: str) -> Step:
    return lambda handler: handler.answer(status, content, headers)


def wrong_checksum(members: Mapping[str, Any]) -> Step:
    return output(members, **{"x-amz-crc32": "1"})


def gzipped(members: Mapping[str, Any]) -> Step:
    content = gzip.compress(json.dumps(members).encode())
    return page(
        200, content, **{"Content-Encoding": "gzip", "x-amz-crc32": str(zlib.crc32(content))}
    )


def cut(members: Mapping[str, Any]) -> Step:
    content = json.dumps(members).encode()

    def step(handler: Handler) -> None:
        handler.answer(200, content[:-5], {"Content-Length": str(len(content))})
        handler.close_connection = True

    return step


def reset(handler: Handler) -> None:
    """Break the connection instead of answering."""
    # A linger time of zero makes the kernel send RST rather than FIN.
    handler.connection.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
    )
    handler.close_connection = True
    handler.connection.close()


def late(seconds: float, then: Step) -> Step:
    def step(handler: Handler) -> None:
        time.sleep(seconds)
        then(handler)

    return step


THROTTLED = error("ProvisionedThroughputExceededException")
DONE = output({"UnprocessedItems": {}})
WRITE = {"RequestItems": {"t": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}]}}
"""A request to which ``DONE`` is the answer."""

ATTEMPTS = 3
"""Attempts of the services and clients that the fixtures make."""
