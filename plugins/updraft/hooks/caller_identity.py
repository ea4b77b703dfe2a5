"""Which account and region of AWS a connection leads to."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.dynamodb.service_errors import explained
from updraft.hooks.clients import connected_client

_QUICK: Mapping[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 2,
    "retries": {"total_max_attempts": 1},
}


class CallerIdentity(NamedTuple):
    """Where the calls of a connection go.

    :param partition: such as ``aws``.
    :param region: such as ``eu-west-1``.
    :param account: twelve digits.
    """

    partition: str
    region: str
    account: str


@cache
def caller_identity(aws_conn_id: str | None, region_name: str | None = None) -> CallerIdentity:
    """Ask AWS for the account, once in a process and for a few seconds at most.

    :param aws_conn_id: the connection, None for the environment of the worker.
    :param region_name: the region, None for that of the connection.
    :returns: where its calls go.
    :raises ServiceError: when AWS gives no answer.
    """
    from botocore.config import Config

    hook = AwsBaseHook(
        aws_conn_id=aws_conn_id,
        region_name=region_name,
        client_type="sts",
        config=Config(**_QUICK),
    )
    client = connected_client(hook)
    with explained("sts:GetCallerIdentity", "the connection"):
        account = str(client.get_caller_identity()["Account"])
    return CallerIdentity(hook.conn_partition, hook.conn_region_name, account)
