"""Calls DynamoDB through boto3's client, where its own JSON cannot be spoken directly."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from updraft.aws.dynamodb_responses import json_object, verify_checksum
from updraft.aws.dynamodb_retries import StandardRetries
from updraft.aws.dynamodb_value_conversion import FROM_CLIENT, TO_CLIENT, ValueConversion

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.exceptions import BotoCoreError
    from botocore.model import OperationModel

_FIRST_ERROR_STATUS = 300


class ClientDynamoDBService:
    """Translates for boto3, see :class:`updraft.dynamodb.service.DynamoDBService`.

    :param client: a client of its own, set to one attempt per call. Handlers are added to it.
    :param retries: decides on another attempt in place of the client.
    """

    def __init__(self, client: "BaseClient", retries: StandardRetries) -> None:
        self._client = client
        self._retries = retries
        self._requests = ValueConversion(TO_CLIENT)
        self._responses = ValueConversion(FROM_CLIENT)
        service = client.meta.service_model.service_id.hyphenize()
        # What a handler of this event returns is the time that botocore waits by itself.
        needs_retry: Any = self._needs_retry
        client.meta.events.register(f"needs-retry.{service}", needs_retry)
        client.meta.events.register(f"after-call.{service}", self._after_call)

    @property
    def region(self) -> str:
        """Region that is called."""
        return self._client.meta.region_name

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation, see :meth:`updraft.dynamodb.service.DynamoDBService.call`.

        :raises botocore.exceptions.ParamValidationError: when a binary value is no base64 text, or
            boto3 finds something else wrong with the request.
        """
        from botocore import xform_name

        model = self._client.meta.service_model.operation_model(operation)
        method = getattr(self._client, xform_name(operation))
        output = method(**self._requests.of(model.input_shape, request))
        del output["ResponseMetadata"]
        converted: dict[str, Any] = self._responses.of(model.output_shape, output)
        return converted

    def _needs_retry(
        self,
        *,
        response: "tuple[AWSResponse, dict[str, Any]] | None",
        operation: "OperationModel",
        attempts: int,
        caught_exception: Exception | None,
        request_dict: dict[str, Any],
        **_: object,
    ) -> float | None:
        """Wait before the next attempt; botocore itself waits no more."""
        if response is not None and caught_exception is None:
            caught_exception = _damage(response[0], operation.name)
            # The client, which is set to one attempt, takes every error for that of the last one.
            response[1].get("ResponseMetadata", {}).pop("MaxAttemptsReached", None)
        again = self._retries.wait(
            operation,
            attempts,
            request_dict["context"],
            response=response,
            error=caught_exception,
        )
        return 0 if again else None

    def _after_call(
        self,
        *,
        http_response: "AWSResponse",
        model: "OperationModel",
        context: dict[str, Any],
        **_: object,
    ) -> None:
        damage = _damage(http_response, model.name)
        if damage is not None:
            raise damage
        self._retries.release(context, http_response)


def _damage(response: "AWSResponse", operation: str) -> "BotoCoreError | None":
    """Find out whether botocore takes a damaged response for a good one."""
    from botocore.exceptions import BotoCoreError

    if response.status_code >= _FIRST_ERROR_STATUS:
        return None
    try:
        verify_checksum(response)
        json_object(response.content, operation)
    except BotoCoreError as error:
        return error
    return None
