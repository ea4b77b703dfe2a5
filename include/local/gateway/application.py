"""The WSGI application: sorts requests and answers them."""

import json
import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from moto.core.request import Request

from include.local.gateway import credential_scope, dynamodb_backend
from include.local.gateway.calls import Call
from include.local.gateway.errors import FAILED, AwsError, not_implemented
from include.local.gateway.http import Environ, HttpResponse
from include.local.gateway.identification import identify
from include.local.gateway.moto_backend import MotoBackend
from include.local.gateway.pretences import reason_to_refuse
from include.local.gateway.registry import Registry
from include.local.gateway.services.dynamodb.handler import DynamoDBHandler
from include.local.gateway.wire import answer, render

_LOG = logging.getLogger(__name__)

# Neither can be the name of a bucket: underscores are not allowed there, and moto reserves its own.
HEALTH_PATH = "/_local/health"
_MOTO_PATH = "/moto-api/"


class Gateway:
    """Dispatches by credential scope.

    :param registry: handlers of our own.
    :param dynamodb: DynamoDB, with ministack behind it.
    :param moto: everything else.
    :param identity: told to whoever asks for the health, so that the one who started the gateway
        knows that it is the right one that answers.
    """

    def __init__(
        self, registry: Registry, dynamodb: DynamoDBHandler, moto: MotoBackend, identity: str
    ) -> None:
        self._registry = registry
        self._dynamodb = dynamodb
        self._moto = moto
        self._identity = identity

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request (WSGI)."""
        response = self._respond(environ)
        headers = [
            (name, value) for name, value in response.headers if name.lower() != "content-length"
        ]
        # moto tells the size of an object in the header of its answer to HEAD, which has no body.
        length = str(len(response.body))
        if environ["REQUEST_METHOD"] == "HEAD":
            length = response.header("Content-Length") or "0"
        if response.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            headers.append(("Content-Length", length))
        start_response(response.status_line, headers)
        return [response.body]

    def _respond(self, environ: Environ) -> HttpResponse:
        path = environ.get("PATH_INFO", "")
        scope = credential_scope.of_request(environ)
        if scope is None and path == HEALTH_PATH:
            return self._health()
        control = self._registry.control(path) if scope is None else None
        if control is not None:
            return control.respond(environ)
        if scope is None and path.startswith(_MOTO_PATH):
            return self._moto.respond_to_control(environ)
        call, request = identify(environ, scope)
        try:
            return self._answer(call, request, environ)
        except AwsError as error:
            _LOG.info("%s: %s: %s", call, error.code, error.message)
            return render(error, call)
        except Exception as error:  # noqa: BLE001 - a server answers whatever happens
            _LOG.exception("The gateway failed on %s", call)
            message = (
                f"The gateway failed on {call}: {error!r}. "
                "The traceback is in its log (`updraft local logs gateway`)."
            )
            return render(AwsError(FAILED, message, HTTPStatus.NOT_IMPLEMENTED), call)

    def _answer(self, call: Call, request: Request, environ: Environ) -> HttpResponse:
        operation = self._registry.find(call.service, call.operation)
        if operation is not None:
            return answer(operation, call, request)
        reason = reason_to_refuse(call, _known_body(call, request))
        if reason is not None:
            raise not_implemented(call, reason)
        if call.service in dynamodb_backend.SERVICES:
            return self._dynamodb.front.respond(call, environ)
        return self._moto.respond(call, environ)

    def _health(self) -> HttpResponse:
        body = {"identity": self._identity, "own": self._registry.describe()}
        headers = [("Content-Type", "application/json")]
        return HttpResponse(HTTPStatus.OK, json.dumps(body).encode(), headers)

    def close(self) -> None:
        """Close handlers and connections."""
        self._registry.close()


def _known_body(call: Call, request: Request) -> bytes:
    """Give the body where it has been read already; that of S3 stays on the connection."""
    if call.service == "s3":
        return b""
    body: bytes = request.get_data()
    return body
