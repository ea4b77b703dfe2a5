"""Makes the client of a hook, or says in one sentence why there is none."""

from collections.abc import Callable, Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.compat import AirflowException
from updraft.dynamodb.service_errors import ServiceError

ONE_ATTEMPT: Mapping[str, Any] = {"retries": {"mode": "standard", "total_max_attempts": 1}}
"""Arguments of botocore's ``Config`` for calls that must not be repeated after a lost answer."""


def without_retries(hook_parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Let botocore make each call once.

    A call that it repeats after a lost answer would begin its work a second time.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :returns: a copy for a hook of its own.
    """
    config = {**(hook_parameters.get("config") or {}), **ONE_ATTEMPT}
    return {**hook_parameters, "config": config}


def connected_client(hook: AwsBaseHook, make: Callable[[], Any] | None = None) -> Any:
    """Return the client of a hook.

    Here a connection shows what it lacks: a region, a profile, the right to assume its role.

    :param hook: the hook; it keeps its client.
    :param make: makes another client of it.
    :returns: the low-level client, to be given the type of its service.
    :raises ServiceError: when the connection does not lead to a client.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return make() if make is not None else hook.get_conn()
    except (AirflowException, BotoCoreError, ClientError, ValueError) as error:
        source = f"connection {hook.aws_conn_id!r}" if hook.aws_conn_id else "AWS environment"
        reason = str(error).rstrip(".")
        raise ServiceError(
            f"The {source} does not lead to a client for {hook.client_type}: {reason}. Check its "
            "region, profile, role and endpoint; without a connection of that name, the AWS_* "
            "variables of the worker count."
        ) from error
