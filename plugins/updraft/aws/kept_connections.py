"""botocore's HTTP session without what it does anew for each request to the same address."""

import socket
import ssl
from http.client import HTTPException
from queue import Empty, Full
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.awsrequest import AWSResponse  # noqa: TID253 - whoever imports it has loaded botocore
from botocore.exceptions import (  # noqa: TID253 - see above
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import URLLib3Session, mask_proxy_url  # noqa: TID253 - see above
from urllib3 import exceptions
from urllib3.util import Retry
from urllib3.util.connection import is_connection_dropped

from updraft.aws.http_exchange import exchange, is_plain_target

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSRequest

_NO_RETRY = Retry(False)


class _ReadResponse(AWSResponse):
    """A response that has been read, with headers that are found under any spelling."""

    def __init__(self, url: str, status: int, headers: Any, content: bytes) -> None:
        none: Any = {}
        super().__init__(url, status, none, None)
        self.headers = headers
        self._read = content

    @property
    def content(self) -> bytes:
        """The content, with the compression that it was sent with."""
        return self._read


class KeptConnectionsSession(URLLib3Session):
    """Sends requests to one address, as botocore's session does.

    The first request goes through botocore's own code, which finds the proxy and prepares the
    certificates of a pool of connections. The pool opens connections; requests on one that is open
    go over it at once. That takes a third of the CPU time of botocore's way for a request with a
    small response. Responses are read as a whole, which suits JSON.

    Arguments are those of botocore's session.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._pool: Any = None
        self._proxy_url: str | None = None
        self._target = ""
        self._reaches_server = False

    def send(self, request: "AWSRequest | AWSPreparedRequest") -> AWSResponse:
        """Send a request and read the response.

        :param request: the request; its URL is the same each time.
        :returns: the response with its content.
        :raises botocore.exceptions.BotoCoreError: when there is no complete response.
        """
        pool, url = self._pool, str(request.url)
        if pool is None:
            response = super().send(request)
            self._keep_pool(url)
            return response
        try:
            connection = self._open_connection(pool, request) if self._reaches_server else None
            if connection is not None:
                return self._exchange(pool, connection, request)
            answer = pool.urlopen(
                request.method,
                self._target,
                body=request.body,
                headers=request.headers,
                retries=_NO_RETRY,
                assert_same_host=False,
                decode_content=False,
            )
        except Exception as error:  # noqa: BLE001 - as botocore does
            self._raise(error, request, url)
        return _ReadResponse(url, answer.status, answer.headers, answer.data)

    def _open_connection(self, pool: Any, request: "AWSRequest | AWSPreparedRequest") -> Any:
        """Take a connection that is open out of the pool, ``None`` if the pool has to open one."""
        connections = pool.pool
        is_simple = request.method == "POST" and isinstance(request.body, bytes)
        if not is_simple or "Host" not in request.headers or connections is None:
            return None
        try:
            connection = connections.get(block=False)
        except Empty:
            return None
        if connection is not None and connection.sock and not is_connection_dropped(connection):
            return connection
        _put_back(connections, connection)
        return None

    def _exchange(
        self, pool: Any, connection: Any, request: "AWSRequest | AWSPreparedRequest"
    ) -> AWSResponse:
        headers: Any = request.headers
        body: Any = request.body
        reusable = False
        try:
            found = exchange(connection.sock, self._target, headers, body)
            reusable = not found.last
        finally:
            if not reusable:
                connection.close()
            _put_back(pool.pool, connection)
        return _ReadResponse(str(request.url), found.status, found.headers, found.content)

    def close(self) -> None:
        """Close the connections; a later request makes new ones."""
        self._pool = None
        super().close()

    def _keep_pool(self, url: str) -> None:
        # The stubs of botocore leave out what is not public.
        self._proxy_url = self._proxy_config.proxy_url_for(url)  # type: ignore[attr-defined]
        self._target = self._get_request_target(url, self._proxy_url)  # type: ignore[attr-defined]
        manager = self._get_connection_manager(url, self._proxy_url)  # type: ignore[attr-defined]
        # A proxy that is sent the whole URL also wants headers of its own, which the pool has.
        self._reaches_server = is_plain_target(self._target)
        self._pool = manager.connection_from_url(url)

    def _raise(
        self, error: Exception, request: "AWSRequest | AWSPreparedRequest", url: str
    ) -> NoReturn:
        """Raise what botocore's own session would raise in place of an error further below."""
        if isinstance(error, exceptions.SSLError | ssl.SSLError):
            raise SSLError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.NewConnectionError | socket.gaierror):
            raise EndpointConnectionError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.ProxyError):
            raise ProxyConnectionError(proxy_url=mask_proxy_url(self._proxy_url or ""), error=error)
        if isinstance(error, exceptions.ConnectTimeoutError):
            raise ConnectTimeoutError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.ReadTimeoutError | TimeoutError):
            raise ReadTimeoutError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.ProtocolError | HTTPException | OSError):
            raise ConnectionClosedError(error=error, request=request, endpoint_url=url)
        raise HTTPClientError(error=error)


def _put_back(connections: Any, connection: Any) -> None:
    """Put a connection back into the pool; one that is closed is opened anew by the pool."""
    try:
        if connections is not None:
            connections.put(connection, block=False)
            return
    except Full:
        pass
    if connection is not None:
        connection.close()
