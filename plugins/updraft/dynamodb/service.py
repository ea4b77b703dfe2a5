"""DynamoDB's interface as the data path sees it."""

from collections.abc import Mapping
from typing import Any, Protocol

THROTTLING_PATIENCE = 900.0
"""Seconds for which a copy waits for a table that throttles every call, before it gives up."""


class DynamoDBService(Protocol):
    """Calls operations of DynamoDB with requests and responses in the service's own JSON.

    Binary values are base64 text and numbers are strings in both, unlike with boto3's client.
    """

    @property
    def region(self) -> str:
        """Region that is called."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation.

        Calls that fail for a moment are repeated with growing pauses; safe in several threads.

        :param operation: its name in the API, such as ``BatchWriteItem``.
        :param request: members of its input.
        :returns: members of its output.
        :raises botocore.exceptions.ClientError: when the service refuses.
        :raises botocore.exceptions.BotoCoreError: when it cannot be reached.
        """
