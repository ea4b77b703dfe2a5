"""Makes the client of a hook, or says in one sentence why there is none."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.compat import AirflowException
from updraft.dynamodb.service_errors import ServiceError


def connected_client(hook: AwsBaseHook) -> Any:
    """Return the client of a hook.

    Here a connection shows what it lacks: a region, a profile, the right to assume its role.

    :param hook: the hook; it keeps its client.
    :returns: the low-level client, to be given the type of its service.
    :raises ServiceError: when the connection does not lead to a client.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return hook.get_conn()
    except (AirflowException, BotoCoreError, ClientError, ValueError) as error:
        source = f"connection {hook.aws_conn_id!r}" if hook.aws_conn_id else "AWS environment"
        reason = str(error).rstrip(".")
        raise ServiceError(
            f"The {source} does not lead to a client for {hook.client_type}: {reason}. Check its "
            "region, profile, role and endpoint; without a connection of that name, the AWS_* "
            "variables of the worker count."
        ) from error
