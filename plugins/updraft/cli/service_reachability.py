"""Asks DynamoDB and S3 a first question, so that a person soon learns if nobody answers.

A copy of a table repeats its calls patiently, since an hour's work should outlive a minute without
network. Whoever mistyped a region would wait that long for the error.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from updraft.cli.shell_report import waiting
from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.hooks.clients import connected_client
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service
from updraft.hooks.s3 import s3_client

if TYPE_CHECKING:
    from rich.console import Console

FIRST_CALL: Mapping[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
"""Arguments of botocore's ``Config``: two attempts, each of so many seconds."""


def require_services(
    console: "Console",
    table: str,
    bucket: str,
    *,
    region: str | None,
    parameters: Mapping[str, Any],
) -> None:
    """Check that the services of a copy answer, whatever they say.

    What they say is for the copy itself, which asks again and knows what it means.

    :param console: where it is shown that an answer is waited for.
    :param table: name or ARN of the table.
    :param bucket: name of the bucket.
    :param region: region of the table, ``None`` for that of the AWS configuration.
    :param parameters: connection, verification and botocore configuration of the hooks.
    :raises ServiceError: when one of them cannot be reached, or the configuration leads to none.
    """
    parameters = {**parameters, "config": {**(parameters.get("config") or {}), **FIRST_CALL}}
    hook = DynamoDBClientHook(region_name=region, **parameters)
    dynamodb = dynamodb_service(hook, sleep=time.sleep, on_throttled=lambda: None)
    _require_answer(
        console,
        "DynamoDB",
        connected_client(hook).meta.endpoint_url,
        lambda: dynamodb.call("DescribeTable", {"TableName": table}),
    )
    s3 = s3_client(**parameters)
    _require_answer(console, "S3", s3.meta.endpoint_url, lambda: s3.head_bucket(Bucket=bucket))


def _require_answer(
    console: "Console", service: str, endpoint: str, ask: Callable[[], object]
) -> None:
    # Whoever gets here has made a client, which has loaded botocore.
    from botocore.exceptions import ConnectionError as ConnectionFailedError
    from botocore.exceptions import HTTPClientError

    try:
        with waiting(console, f"Asking {service} at {endpoint}"), explained("call", service):
            ask()
    except ServiceError as error:
        if isinstance(error.__cause__, (ConnectionFailedError, HTTPClientError)):
            raise ServiceError(
                f"{service} cannot be reached at {endpoint}: {str(error.__cause__).rstrip('.')}. "
                "Check the network, the proxy and the region, and AWS_ENDPOINT_URL or the "
                "endpoint_url of the profile if one is set."
            ) from error
