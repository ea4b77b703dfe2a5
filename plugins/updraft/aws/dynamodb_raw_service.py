"""Calls DynamoDB in its own JSON, without turning it into Python values and back."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from updraft.aws.dynamodb_responses import (
    json_object,
    plain_content,
    shown,
    verify_checksum,
)
from updraft.aws.dynamodb_retries import StandardRetries
from updraft.aws.signed_requests import SignedRequestSender

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.exceptions import ClientError
    from botocore.model import OperationModel

_PROTOCOL = "json"
_FIRST_ERROR_STATUS = 300


@dataclass(frozen=True)
class _Operation:
    """What is the same for all calls of an operation.

    :param model: botocore's model of it.
    :param headers: the headers that name it.
    :param tokens: members of the input that make a repeated call safe; a caller may omit them.
    """

    model: "OperationModel"
    headers: Mapping[str, str]
    tokens: tuple[str, ...]


class RawDynamoDBService:
    """Speaks the JSON 1.0 protocol, see :class:`updraft.dynamodb.service.DynamoDBService`.

    boto3 spends most of its CPU time on copies of each value: it checks, serializes and parses
    item by item in Python. The wire format already is what export and import want.

    .. seealso:: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html

    :param client: the client that this stands in for; its model and exceptions are used.
    :param sender: signs and sends.
    :param retries: decides on another attempt.
    """

    def __init__(
        self, client: "BaseClient", sender: SignedRequestSender, retries: StandardRetries
    ) -> None:
        from botocore.parsers import create_parser

        self._client = client
        self._service_model = client.meta.service_model
        self._sender = sender
        self._retries = retries
        self._operations: dict[str, _Operation] = {}
        self._parser = create_parser(_PROTOCOL)

    @property
    def region(self) -> str:
        """Region that is called."""
        return self._client.meta.region_name

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation, see :meth:`updraft.dynamodb.service.DynamoDBService.call`."""
        from botocore.exceptions import BotoCoreError

        known = self._operations.get(operation) or self._prepare(operation)
        body = _encoded(request, known.tokens)
        context: dict[str, Any] = {}
        attempt = 0
        while True:
            attempt += 1
            response: AWSResponse | None = None
            parsed: dict[str, Any] = {}
            failure: BotoCoreError | None = None
            try:
                response = self._sender.send(operation, known.headers, body)
                if response.status_code < _FIRST_ERROR_STATUS:
                    verify_checksum(response)
                    output = json_object(plain_content(response), operation)
                    self._retries.release(context, response)
                    return output
                parsed = self._parsed_error(known.model, response)
            except BotoCoreError as error:
                failure = error
            answer = None if response is None else (response, parsed)
            if self._retries.wait(known.model, attempt, context, response=answer, error=failure):
                continue
            if failure is not None:
                raise failure
            raise self._refusal(operation, parsed, attempt)

    def _prepare(self, operation: str) -> _Operation:
        metadata: Any = self._service_model.metadata
        model = self._service_model.operation_model(operation)
        known = _Operation(
            model=model,
            headers={
                "X-Amz-Target": f"{metadata['targetPrefix']}.{operation}",
                "Content-Type": f"application/x-amz-json-{metadata['jsonVersion']}",
            },
            tokens=tuple(model.idempotent_members),
        )
        self._operations[operation] = known
        return known

    def _parsed_error(self, operation: "OperationModel", response: "AWSResponse") -> dict[str, Any]:
        """Let botocore parse an error, and the members that the model gives it."""
        from botocore.exceptions import HTTPClientError
        from botocore.parsers import ResponseParserError

        raw: dict[str, Any] = {
            "headers": response.headers,
            "status_code": response.status_code,
            "body": plain_content(response),
            "context": {"operation_name": operation.name},
        }
        # The stubs of botocore do not know that the shape of an error's output does not matter.
        output_shape: Any = operation.output_shape
        try:
            parsed: dict[str, Any] = self._parser.parse(raw, output_shape)
            code = parsed.get("Error", {}).get("Code")
            shape = None if code is None else self._service_model.shape_for_error_code(code)
            if shape is not None:
                parsed.update(self._parser.parse(raw, shape))
        except (AttributeError, TypeError, ValueError, ResponseParserError) as error:
            # The parser takes for granted that JSON is what a service would send.
            raise HTTPClientError(
                error=f"the refusal of {operation.name} cannot be read, {error}: "
                f"{shown(raw['body'])}"
            ) from error
        return parsed

    def _refusal(self, operation: str, parsed: dict[str, Any], attempts: int) -> "ClientError":
        """Make the exception that the client would raise."""
        parsed.setdefault("ResponseMetadata", {})["RetryAttempts"] = attempts - 1
        exceptions: Any = self._client.exceptions
        refusal: ClientError = exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)
        return refusal


def _encoded(request: Mapping[str, Any], tokens: tuple[str, ...]) -> bytes:
    missing = {token: str(uuid.uuid4()) for token in tokens if token not in request}
    if missing:
        request = {**request, **missing}
    try:
        return orjson.dumps(request, default=_as_dict)
    except orjson.JSONEncodeError:
        # Half a surrogate pair is no UTF-8. As an escape it reaches DynamoDB, which says so.
        return json.dumps(request, default=_as_dict).encode()


def _as_dict(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(
        f"{value!r} is no part of a request to DynamoDB; binary values are base64 text in one"
    )
