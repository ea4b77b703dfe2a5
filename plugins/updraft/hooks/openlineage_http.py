"""Access to an HTTP endpoint of OpenLineage, such as Marquez or a proxy of it, as a catalog."""

import re
from functools import cached_property
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit, urlunsplit

from updraft.compat import BaseHook
from updraft.errors import ArgumentError
from updraft.lineage.catalog import (
    CatalogAccessError,
    CatalogUnavailableError,
    EventRefusedError,
)

if TYPE_CHECKING:
    import requests

DEFAULT_ENDPOINT = "api/v1/lineage"
"""Path of the HTTP transport of OpenLineage's client, unless the URL has one of its own."""

_TIMEOUT = (5, 30)  # seconds to connect, and to wait for bytes
_TRY_AGAIN = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_NO_ACCESS = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    }
)
_LONGEST_ANSWER = 200  # characters of an answer that a message shows


class HttpCatalog:
    """An HTTP endpoint of OpenLineage as a target of the forwarder.

    The client token goes along as ``Idempotency-Key``. An endpoint that does not know the header
    takes the same event again as an update of the same run, which the run id makes harmless.

    :param url: URL of the endpoint; without a path, that of OpenLineage's client is added.
    :param api_key: sent as bearer token.
    :raises ArgumentError: when the URL is not one of HTTP.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        parts = _parts(url)
        if (
            parts is None
            or parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.username
        ):
            raise ArgumentError(
                f"{_without_secrets(url)!r} is no URL of an OpenLineage endpoint; it looks like "
                f"https://marquez.example.com/{DEFAULT_ENDPOINT}, and a key is given apart from it"
            )
        path = parts.path.strip("/") or DEFAULT_ENDPOINT
        self._url = urlunsplit((parts.scheme, parts.netloc, f"/{path}", parts.query, ""))
        self._shown = _without_secrets(self._url)
        self._api_key = api_key
        self._host = parts.hostname

    @property
    def name(self) -> str:
        """Name of the endpoint's checkpoint."""
        host = re.sub(r"[^A-Za-z0-9_-]+", "-", self._host)
        return f"http-{host}-{sha256(self._url.encode()).hexdigest()[:8]}"

    def post(self, event: bytes, client_token: str) -> str | None:
        """Deliver one event.

        :param event: OpenLineage run event, UTF-8 JSON.
        :param client_token: the same for the same event, however often it is sent.
        :returns: the token, as endpoints give no ids; ``None`` if the endpoint had it already.
        :raises CatalogUnavailableError: on throttling, server errors and broken connections.
        :raises EventRefusedError: when the endpoint finds fault with the event.
        :raises CatalogAccessError: when key or URL are at fault.
        """
        import requests  # noqa: PLC0415 - not while a DAG is parsed

        headers = {"Content-Type": "application/json", "Idempotency-Key": client_token}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        try:
            answer = self._session.post(
                self._url, data=event, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            # What urllib3 says of its retries, of which there are none here, hides the reason.
            reason = getattr(error.args[0] if error.args else None, "reason", error)
            raise CatalogUnavailableError(f"{self._shown} is out of reach: {reason}") from error
        status = answer.status_code
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return client_token
        if status == HTTPStatus.CONFLICT:
            return None
        said = f"{self._shown} says {status}: {answer.text[:_LONGEST_ANSWER]}".rstrip(": \n")
        if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise CatalogUnavailableError(said)
        if status in _NO_ACCESS or status < HTTPStatus.BAD_REQUEST:
            raise CatalogAccessError(f"{said}; check the URL and the key")
        raise EventRefusedError(f"the event was refused: {said}")

    @cached_property
    def _session(self) -> "requests.Session":
        import requests  # noqa: PLC0415 - not while a DAG is parsed

        return requests.Session()


def http_catalog(conn_id: str) -> HttpCatalog:
    """Make the catalog that an Airflow connection describes.

    :param conn_id: a connection of type HTTP: host, with or without schema and port, the key as
        password, and if it is another than OpenLineage's the path as ``endpoint`` in the extras.
    :returns: the catalog.
    :raises ArgumentError: when the connection describes none.
    """
    connection = BaseHook.get_connection(conn_id)
    host = connection.host or ""
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    if connection.port and not urlsplit(host).port:
        host = f"{host.rstrip('/')}:{connection.port}"
    path = str(connection.extra_dejson.get("endpoint", "")).strip("/")
    return HttpCatalog(f"{host.rstrip('/')}/{path}" if path else host, connection.password)


def _parts(url: str) -> SplitResult | None:
    """Take a URL apart; None if it has brackets or a port that no URL can have."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # looked at only when it is asked for
    except ValueError:
        return None
    return parts


def _without_secrets(url: str) -> str:
    """Leave out of a URL what may be one: a password, and a query with a key in it."""
    parts = _parts(url)
    if parts is None:
        return url.rpartition("@")[2].partition("?")[0]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
