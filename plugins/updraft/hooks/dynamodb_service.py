"""Opens DynamoDB with the connection of a hook."""

from collections.abc import Callable

from updraft.aws.connection import ClientConnection
from updraft.aws.dynamodb_service import open_dynamodb
from updraft.dynamodb.service import DynamoDBService
from updraft.hooks.clients import connected_client
from updraft.hooks.dynamodb import DynamoDBClientHook


def dynamodb_service(
    hook: DynamoDBClientHook,
    *,
    sleep: Callable[[float], None],
    on_throttled: Callable[[], None],
    throttling_patience: float = 0.0,
    raw: bool | None = None,
) -> DynamoDBService:
    """Open DynamoDB with the connection of a hook.

    :param hook: the hook.
    :param sleep: waits a number of seconds between two attempts; what it raises ends the call.
    :param on_throttled: called for each response that says that capacity is exceeded.
    :param throttling_patience: seconds for which a call that is throttled is repeated beyond what
        botocore's rules allow.
    :param raw: ``True`` insists on raw JSON and ``False`` on the client.
    :returns: the service, see :func:`updraft.aws.dynamodb_service.open_dynamodb`.
    :raises ServiceError: when the connection does not lead to a client.
    :raises UpdraftError: when raw JSON is insisted on and not possible.
    """
    client = connected_client(hook)
    connection = ClientConnection(
        client=client,
        session=hook.get_session(region_name=client.meta.region_name),
        verify=hook.verify,
        make_client=lambda config: hook.get_client_type(
            region_name=hook.region_name, config=hook.config.merge(config)
        ),
    )
    return open_dynamodb(
        connection,
        sleep=sleep,
        on_throttled=on_throttled,
        throttling_patience=throttling_patience,
        raw=raw,
    )
