"""Finding out what a request asks for, by botocore's models and moto's routers over them."""

import re
from typing import Any
from urllib.parse import parse_qs

from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from include.local.gateway.calls import ANONYMOUS, Call
from include.local.gateway.credential_scope import CredentialScope
from include.local.gateway.http import Environ, read_body
from include.local.gateway.service_index import services_signed_as

_S3_CONTROL_PATH = "/v20180820/"
_FORM = "application/x-www-form-urlencoded"
_JSON_TARGET = re.compile(r"[\w.]+\.(?P<operation>\w+)")


def identify(environ: Environ, scope: CredentialScope | None) -> tuple[Call, Request]:
    """Find out what a request asks for.

    :param environ: WSGI environment of the request. Its body is read and replaced by a copy,
        except for S3, where it can be large and says nothing about the operation.
    :param scope: what the signature says, None for an unsigned request.
    :returns: the call, and the request as moto's parsers take it.
    """
    scope = scope or ANONYMOUS
    streams = scope.service == "s3" and "HTTP_TRANSFER_ENCODING" not in environ
    body = b"" if streams else read_body(environ)
    request = Request(environ)
    if not streams:
        # Read once with the cache on: the form parser would otherwise use the stream up.
        request.get_data(cache=True)
    call = _best_match(scope, request, body)
    if not streams:
        environ["wsgi.input"].seek(0)
    return call, request


def _best_match(scope: CredentialScope, request: Request, body: bytes) -> Call:
    services = services_signed_as(scope.service)
    if scope.service == "s3" and request.raw_path.startswith(_S3_CONTROL_PATH):
        services = ("s3control",)
    for service in services:
        call = _match(service, scope, request)
        if call is not None:
            return call
    return _unmatched(services, scope, request, body)


def _match(service: str, scope: CredentialScope, request: Request) -> Call | None:
    model = get_service_model(service)
    if _has_other_version(model, request):
        return None
    try:
        protocol = determine_request_protocol(model, request.content_type)
        operation, path_parameters = get_service_router(service).match(request)
    except (HTTPException, NotImplementedError):
        return None
    return Call(
        scope=scope,
        service=service,
        operation=str(operation.name),
        protocol=protocol,
        model=model,
        operation_model=operation,
        path_parameters=path_parameters,
    )


def _has_other_version(model: Any, request: Request) -> bool:
    """Tell apart services that share signing name and operations, such as ELB and ELBv2."""
    if model.protocol not in {"query", "ec2"}:
        return False
    version = request.values.get("Version")
    return version is not None and version != model.api_version


def _unmatched(
    services: tuple[str, ...], scope: CredentialScope, request: Request, body: bytes
) -> Call:
    """Describe a request that fits no model as well as it can be."""
    operation: str | None = None
    protocol = None
    target = _JSON_TARGET.fullmatch(request.headers.get("X-Amz-Target", ""))
    if target is not None:
        operation, protocol = target["operation"], "json"
    elif (request.content_type or "").startswith(_FORM):
        action = parse_qs(body.decode("utf-8", "replace")).get("Action")
        if action:
            operation, protocol = action[0], "query"
    if not services:
        return Call(scope, scope.service, operation, protocol)
    model = get_service_model(services[0])
    return Call(scope, services[0], operation, str(model.protocol), model)
