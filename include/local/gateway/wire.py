"""Between plain Python and the wire: parameters in, results and errors out.

moto's parsers and serializers know every protocol of AWS; botocore's models say which one, and
with which names.
"""

import json
import warnings
from typing import Any
from xml.sax.saxutils import escape

from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request
from moto.core.serialize import get_serializer_class

from include.local.gateway.calls import Call
from include.local.gateway.constraints import violations
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.http import HttpResponse

# moto warns about error codes that are in no service model; ours are in none on purpose.
warnings.filterwarnings("ignore", message=".*does not match an error shape.*")


def answer(operation: Operation, call: Call, request: Request) -> HttpResponse:
    """Answer a call by a handler's function.

    :param operation: the function.
    :param call: the call, matched to an operation of the service.
    :param request: the request, its body readable.
    :returns: the result in the service's protocol.
    :raises AwsError: from the function, or when parameters violate the service's model.
    """
    parser = PROTOCOL_PARSERS[call.protocol](call.operation_model, map_type=dict)
    try:
        parsed = parser.parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.get_data(),
                "url_path": request.path,
                "url_params": call.path_parameters,
            }
        )
    except (RequestParserError, ValueError, TypeError) as error:
        raise AwsError("ValidationException", f"The request can't be read: {error}") from error
    shape = call.operation_model.input_shape
    parameters = {
        name: value
        for name, value in parsed.items()
        if value is not None and not (value == [] and _is_in_query_string(shape, name))
    }
    found = list(violations(shape, parameters)) if shape is not None else []
    if found:
        errors = "error" if len(found) == 1 else "errors"
        message = f"{len(found)} validation {errors} detected: {'; '.join(found)}"
        raise AwsError("ValidationException", message)
    result = operation(
        OperationRequest(
            operation=str(call.operation),
            parameters=parameters,
            region=call.scope.region,
            access_key=call.scope.access_key,
        )
    )
    serializer = get_serializer_class(call.service, call.protocol)(call.operation_model)
    response = serializer.serialize(result)
    body, headers = _encoded(response["body"]), _pairs(response["headers"])
    return HttpResponse(int(response["status_code"]), body, headers)


def _is_in_query_string(shape: Any, name: str) -> bool:
    """Tell whether a parameter stands in the URL, where an empty list is an absent one."""
    return bool(shape.members[name].serialization.get("location") == "querystring")


def render(error: AwsError, call: Call) -> HttpResponse:
    """Put an error into the protocol of the service.

    :param error: the error.
    :param call: the call that it answers.
    :returns: the response, with the status of the service's model, else that of the error.
    """
    if call.model is not None:
        try:
            serializer = get_serializer_class(call.service, call.protocol)
        except KeyError:  # a protocol that moto can't write, such as Smithy's CBOR
            return _generic(error, "json")
        operation = call.operation_model or OperationModel({}, call.model)
        response = serializer(operation).serialize(error)
        modelled = {shape.error_code: shape for shape in call.model.error_shapes}
        status = response["status_code"] if error.code in modelled else error.status
        return HttpResponse(int(status), _encoded(response["body"]), _pairs(response["headers"]))
    return _generic(error, call.protocol or "json")


def _generic(error: AwsError, protocol: str) -> HttpResponse:
    if protocol == "query":
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
            f"<Message>{escape(error.message)}</Message></Error>"
            "<RequestId>local-stack</RequestId></ErrorResponse>"
        )
        return HttpResponse(error.status, body.encode(), [("Content-Type", "text/xml")])
    body = json.dumps({"__type": error.code, "message": error.message})
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("X-Amzn-Errortype", error.code)]
    return HttpResponse(error.status, body.encode(), headers)


def _encoded(body: str | bytes | None) -> bytes:
    return body if isinstance(body, bytes) else (body or "").encode()


def _pairs(headers: dict[str, str]) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in headers.items()]
