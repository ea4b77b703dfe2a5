"""What the operators that copy DynamoDB tables have in common."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.table import TableReference
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.links import S3PrefixLink
from updraft.operators.template_arguments import given
from updraft.resource_owner import ResourceOwner

_NAMESPACE = uuid.UUID("0f2b4d6e-6a55-5c0e-9d0a-6f1f2c7f3b11")
_POOL = 40  # connections: more than any engine has threads


class DynamoDBTableOperator(AwsOperator[DynamoDBClientHook]):
    """Base of the operators that work on one table and one prefix in S3.

    :param table_name: name or ARN of the table. (templated)
    :param s3_uri: ``s3://bucket/prefix``. (templated)
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the table; by default that of the table's ARN, then that of the
        connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts, a pooled connection for each thread).
    """

    aws_hook_class = DynamoDBClientHook
    template_fields: Sequence[str] = aws_template_fields("table_name", "s3_uri")
    operator_extra_links = (S3PrefixLink(),)
    ui_color = "#d9e6f7"

    def __init__(self, *, table_name: str, s3_uri: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table_name = table_name
        self.s3_uri = s3_uri

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        region = self.region_name or TableReference.parse(self.table_name).region
        return {**self.s3_hook_parameters, "region_name": region}

    @property
    def s3_hook_parameters(self) -> dict[str, Any]:
        """Arguments of the hook for S3; botocore finds the bucket's region by itself."""
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def parse_table(self) -> TableReference:
        """Check the name of the table.

        :returns: its parts.
        :raises UpdraftError: when it is none, or contradicts the region.
        """
        table = TableReference.parse(self.table_name)
        table.check_region(self.region_name)
        return table

    def persist_link(self, context: Context, location: S3Prefix) -> None:
        """Give the task its link to the prefix in the AWS console.

        :param context: context of the task instance.
        :param location: the prefix.
        """
        try:
            S3PrefixLink.persist(
                context=context,
                operator=self,
                region_name=self.hook.conn_region_name,
                aws_partition=self.hook.conn_partition,
                bucket=location.bucket,
                prefix=location.prefix,
            )
        except Exception as error:  # noqa: BLE001 - a convenience must not fail the task
            self.log.warning("The task has no link to the AWS console: %s", error)


def client_configuration(overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make the configuration of the clients for DynamoDB and S3.

    :param overrides: arguments of botocore's ``Config`` that win.
    :returns: arguments of botocore's ``Config``: standard retries, ten attempts, a pooled
        connection for each thread.
    """
    own = {
        "retries": {"mode": "standard", "total_max_attempts": 10},
        "max_pool_connections": _POOL,
    }
    return {**own, **(overrides or {})}


def copy_identity(*parts: object) -> str:
    """Identify a copy of a table across its attempts.

    :param parts: what makes it the same copy; they can be written as JSON.
    :returns: a UUID, the same for the same parts.
    """
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))


def task_identity(context: Context) -> str:
    """Identify a task instance across its attempts.

    :param context: context of the task instance.
    :returns: a UUID, the same for the same environment, DAG, task, map index and run.
    """
    return ResourceOwner.of(context).token()


def prefix_argument(argument: str, uri: str | None) -> S3Prefix | None:
    """Read an argument that may name a prefix.

    :param argument: name of the argument, for the error message.
    :param uri: its value.
    :returns: the prefix, ``None`` if it was not given.
    :raises UpdraftError: when it is no S3 URI.
    """
    uri = given(uri)
    if uri is None:
        return None
    try:
        return S3Prefix.parse(uri)
    except UpdraftError:
        raise ArgumentError(
            f"{argument}: {uri!r} is not an S3 URI; it looks like s3://bucket/prefix"
        ) from None


def options_argument(value: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    """Read the options of a format.

    :param value: the options, or their JSON if a template made them.
    :returns: the options.
    :raises UpdraftError: when it is neither.
    """
    if isinstance(value, str):
        try:
            value = json.loads(given(value) or "{}")
        except ValueError:
            raise ArgumentError(f"format_options: {value!r} is no JSON object") from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentError(f"format_options: {value!r} is no mapping such as {{'delimiter': ';'}}")
    return value


def throughput_ratio(argument: str, value: float | str) -> float:
    """Check a share of a table's capacity.

    :param argument: name of the operator's argument.
    :param value: its value, a number or, from a template, its text.
    :returns: the number.
    :raises UpdraftError: when it is no number above 0 and at most 1.
    """
    try:
        ratio = float(value)
    except (TypeError, ValueError):
        ratio = 0.0
    if not 0 < ratio <= 1:
        raise ArgumentError(
            f"{argument}: {value!r} is not a number above 0 and at most 1, such as 0.25"
        )
    return ratio
