"""DynamoDB and its Streams, forwarded to ministack.

ministack checks what DynamoDB checks (digits of numbers, sizes of batches) where moto does not,
and keeps its tables across restarts. It pins its own botocore and serves on its own port, so it
is a process beside the gateway.
"""

from http import HTTPStatus

import urllib3

from include.local.gateway.errors import AwsError
from include.local.gateway.http import HOP_BY_HOP, Environ, HttpResponse, read_body

SERVICES = frozenset({"dynamodb", "dynamodbstreams"})

_CONNECTIONS = 32
_DROPPED_FROM_REQUEST = HOP_BY_HOP | {"host", "content-length", "expect"}
# The server of the gateway writes these itself.
_DROPPED_FROM_RESPONSE = HOP_BY_HOP | {"content-length", "date", "server"}


class DynamoDBBackend:
    """A pool of kept-alive connections to ministack.

    :param endpoint_url: where ministack listens, such as ``http://127.0.0.1:4566``.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url.rstrip("/")
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, retries=False)

    def respond(self, environ: Environ) -> HttpResponse:
        """Forward a request.

        :param environ: the request, its body readable.
        :returns: ministack's answer.
        :raises AwsError: when ministack does not answer.
        """
        headers = {
            name[5:].replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        headers = {
            name: value
            for name, value in headers.items()
            if name.lower() not in _DROPPED_FROM_REQUEST
        }
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        query = environ.get("QUERY_STRING")
        url = f"{self._endpoint_url}{environ['PATH_INFO']}{f'?{query}' if query else ''}"
        try:
            response = self._pool.request(
                environ["REQUEST_METHOD"],
                url,
                body=read_body(environ),
                headers=headers,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            message = (
                f"ministack, which stands in for DynamoDB, does not answer at {self._endpoint_url}"
                f" ({error}); see `updraft local logs dynamodb`."
            )
            raise AwsError("ServiceUnavailable", message, HTTPStatus.SERVICE_UNAVAILABLE) from error
        kept = [
            (name, value)
            for name, value in response.headers.items()
            if name.lower() not in _DROPPED_FROM_RESPONSE
        ]
        return HttpResponse(response.status, response.data, kept)

    def close(self) -> None:
        """Drop the connections."""
        self._pool.clear()
