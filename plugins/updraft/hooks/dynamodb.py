"""DynamoDB as it speaks on the wire."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook


class DynamoDBClientHook(AwsBaseHook):
    """Makes boto3's low-level DynamoDB client.

    The provider's ``DynamoDBHook`` wraps the resource interface, whose client turns every number
    into a ``Decimal`` and every set into a Python set. A copy of a table needs the values as they
    are, and spends most of its time on such conversions.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "dynamodb"
        super().__init__(*args, **kwargs)
