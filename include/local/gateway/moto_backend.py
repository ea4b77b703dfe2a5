"""moto inside the gateway: whatever nobody else answers.

moto's own server would answer an operation it lacks with an HTML page and status 500, which the
SDKs retry and then fail to read. Here such an operation becomes a clear error.
"""

import logging
import os
from http import HTTPStatus
from typing import Any

from include.local.gateway.calls import Call
from include.local.gateway.credential_scope import CredentialScope
from include.local.gateway.errors import FAILED, AwsError, not_implemented
from include.local.gateway.handlers import ACCOUNT_ID
from include.local.gateway.http import Environ, HttpResponse, run_application

_LOG = logging.getLogger(__name__)
_UNROUTED = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}


class MotoBackend:
    """moto's server application, without its server."""

    def __init__(self) -> None:
        # Read by moto at the time of each use: Regions and account are not the local stack's
        # business, and all services must agree on the account.
        os.environ["MOTO_ALLOW_NONEXISTENT_REGION"] = "true"
        os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT_ID
        os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
        from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - after its environment
            DomainDispatcherApplication,
            create_backend_app,
        )

        self._application: Any = DomainDispatcherApplication(create_backend_app)

    def respond(self, call: Call, environ: Environ) -> HttpResponse:
        """Let moto answer.

        :param call: what the request asks for.
        :param environ: the request, its body unread or rewound.
        :returns: moto's answer.
        :raises AwsError: when moto has no such service or operation, or fails.
        """
        if call.service != "s3":
            environ["HTTP_AUTHORIZATION"] = _authorization(call.scope)
            if not self._has_backend(environ):
                raise not_implemented(call)
        elif _is_form(environ):
            # curl and urllib call any body a form; moto would take it apart and store nothing.
            environ["CONTENT_TYPE"] = "binary/octet-stream"
        try:
            response = run_application(self._application, environ)
        except NotImplementedError as error:
            raise not_implemented(call) from error
        except AwsError:  # from the connection, and not from moto
            raise
        except Exception as error:
            _LOG.exception("moto failed on %s", call)
            message = (
                f"moto failed on {call}: {error!r}. "
                "The traceback is in the gateway's log (`updraft local logs gateway`)."
            )
            raise AwsError(FAILED, message, HTTPStatus.NOT_IMPLEMENTED) from error
        if call.service != "s3" and _is_unrouted(response):
            raise not_implemented(call)
        return response

    def respond_to_control(self, environ: Environ) -> HttpResponse:
        """Let moto's own interface answer: ``/moto-api/reset`` and its like.

        :param environ: the request.
        :returns: moto's answer.
        """
        return run_application(self._application, environ)

    def _has_backend(self, environ: Environ) -> bool:
        host = self._application.infer_service_region_host(environ, environ.get("PATH_INFO", ""))
        return host is None or self._application.get_backend_for_host(host) is not None


def _authorization(scope: CredentialScope) -> str:
    """Write the scope where and how moto looks for it.

    That of a presigned request stands in the query, SigV4a's has no Region, and moto stumbles
    over an access key with slashes.
    """
    access_key = scope.access_key.replace("/", "-")
    credential = f"{access_key}/20000101/{scope.region}/{scope.service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"


def _is_form(environ: Environ) -> bool:
    content_type = str(environ.get("CONTENT_TYPE", ""))
    is_upload = environ["REQUEST_METHOD"] == "PUT"
    return is_upload and content_type.startswith("application/x-www-form-urlencoded")


def _is_unrouted(response: HttpResponse) -> bool:
    """Whether an answer is Flask's own page for a path that moto has no rule for."""
    content_type = response.header("Content-Type") or ""
    return response.status in _UNROUTED and content_type.startswith("text/html")
