"""S3 with the connection of a hook."""

from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from updraft.hooks.clients import connected_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def s3_client(**hook_parameters: Any) -> "S3Client":
    """Make a client for S3.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :returns: the client of the provider's hook.
    :raises ServiceError: when the connection does not lead to a client.
    """
    client: S3Client = connected_client(S3Hook(**hook_parameters))
    return client
