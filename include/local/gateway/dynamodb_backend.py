"""DynamoDB and its Streams, forwarded to ministack.

ministack checks what DynamoDB checks (digits of numbers, sizes of batches) where moto does not,
and keeps its tables across restarts. It pins its own botocore and serves on its own port, so it
is a process beside the gateway.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

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
        body = read_body(environ)
        return self._send(environ["REQUEST_METHOD"], url, body, headers)

    def call(self, operation: str, parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Call an operation of DynamoDB for the gateway's own purposes.

        :param operation: name of the operation, such as ``Scan``.
        :param parameters: its input as DynamoDB's JSON has it, binary values as base64 text.
        :param region: Region of the table.
        :returns: its output in the same form.
        :raises AwsError: with DynamoDB's code when the call is refused; when ministack does not
            answer.
        """
        credential = f"local/20000101/{region}/dynamodb/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, "
            "SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        }
        body = json.dumps(parameters).encode()
        response = self._send("POST", f"{self._endpoint_url}/", body, headers)
        answer: dict[str, Any] = json.loads(response.body)
        if response.status != HTTPStatus.OK:
            code = str(answer.get("__type", "InternalServerError")).rpartition("#")[2]
            message = str(answer.get("message") or answer.get("Message") or "")
            raise AwsError(code, message, response.status)
        return answer

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        try:
            response = self._pool.request(
                method, url, body=body, headers=headers, decode_content=False
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
