"""botocore's HTTP session without what it does anew for each request to the same address."""

import socket
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

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSRequest
    from urllib3 import BaseHTTPResponse

_NO_RETRY = Retry(False)


class _ReadResponse(AWSResponse):
    """A response that has been read, with the headers as urllib3 has them: under any spelling."""

    def __init__(self, url: str, answer: "BaseHTTPResponse") -> None:
        no_headers: Any = {}
        super().__init__(url, answer.status, no_headers, answer)
        self.headers: Any = answer.headers
        self._read = answer.data

    @property
    def content(self) -> bytes:
        """The content, with the compression that it was sent with."""
        return self._read


class KeptConnectionsSession(URLLib3Session):
    """Sends requests to one address, as botocore's session does.

    The first request goes through botocore's own code, which finds the proxy and prepares the
    certificates of a pool of connections. The following ones use this pool at once: that halves the
    CPU time of a request with a small response. They are read as a whole, which suits JSON.

    Arguments are those of botocore's session.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._pool: Any = None
        self._proxy_url: str | None = None
        self._target = ""

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
        return _ReadResponse(url, answer)

    def close(self) -> None:
        """Close the connections; a later request makes new ones."""
        self._pool = None
        super().close()

    def _keep_pool(self, url: str) -> None:
        # The stubs of botocore leave out what is not public.
        self._proxy_url = self._proxy_config.proxy_url_for(url)  # type: ignore[attr-defined]
        self._target = self._get_request_target(url, self._proxy_url)  # type: ignore[attr-defined]
        manager = self._get_connection_manager(url, self._proxy_url)  # type: ignore[attr-defined]
        self._pool = manager.connection_from_url(url)

    def _raise(
        self, error: Exception, request: "AWSRequest | AWSPreparedRequest", url: str
    ) -> NoReturn:
        """Raise what botocore's own session would raise in place of an error of urllib3."""
        if isinstance(error, exceptions.SSLError):
            raise SSLError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.NewConnectionError | socket.gaierror):
            raise EndpointConnectionError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.ProxyError):
            raise ProxyConnectionError(proxy_url=mask_proxy_url(self._proxy_url or ""), error=error)
        if isinstance(error, exceptions.ConnectTimeoutError):
            raise ConnectTimeoutError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.ReadTimeoutError):
            raise ReadTimeoutError(endpoint_url=url, error=error)
        if isinstance(error, exceptions.ProtocolError):
            raise ConnectionClosedError(error=error, request=request, endpoint_url=url)
        raise HTTPClientError(error=error)
