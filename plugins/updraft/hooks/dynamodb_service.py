"""Chooses how DynamoDB is called."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from updraft.dynamodb.service import DynamoDBService
from updraft.errors import UpdraftError
from updraft.hooks.clients import connected_client
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_client_service import ClientDynamoDBService
from updraft.hooks.dynamodb_raw_service import RawDynamoDBService
from updraft.hooks.dynamodb_retries import StandardRetries
from updraft.hooks.signed_requests import SignedRequestSender

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

_SIGNATURE = "v4"


def dynamodb_service(
    hook: DynamoDBClientHook,
    *,
    sleep: Callable[[float], None],
    on_throttled: Callable[[], None],
    raw: bool | None = None,
) -> DynamoDBService:
    """Open DynamoDB with the connection of a hook.

    Requests go out as raw JSON, which costs a fraction of boto3's CPU time. Where that is not
    possible they go through boto3's client, and the log says why. Both repeat calls by botocore's
    standard rules, as often as the hook's configuration says.

    :param hook: the hook.
    :param sleep: waits a number of seconds between two attempts; what it raises ends the call.
    :param on_throttled: called for each response that says that capacity is exceeded.
    :param raw: ``True`` insists on raw JSON and ``False`` on the client.
    :returns: the service; it serves any number of threads.
    :raises ServiceError: when the connection does not lead to a client.
    :raises UpdraftError: when raw JSON is insisted on and not possible.
    """
    client: BaseClient = connected_client(hook)
    obstacle = "it was asked for" if raw is False else _obstacle(client)
    if obstacle is None:
        return _raw_service(hook, client, sleep, on_throttled)
    if raw:
        raise UpdraftError(f"DynamoDB cannot be called with raw JSON: {obstacle}")
    log.info("DynamoDB is called through boto3's client, which needs more CPU time: %s", obstacle)
    return _client_service(hook, client, sleep, on_throttled)


def _raw_service(
    hook: DynamoDBClientHook,
    client: "BaseClient",
    sleep: Callable[[float], None],
    on_throttled: Callable[[], None],
) -> DynamoDBService:
    retries = StandardRetries(client, sleep=sleep, on_throttled=on_throttled)
    return RawDynamoDBService(client, SignedRequestSender(client, hook), retries)


def _client_service(
    hook: DynamoDBClientHook,
    client: "BaseClient",
    sleep: Callable[[float], None],
    on_throttled: Callable[[], None],
) -> DynamoDBService:
    from botocore.config import Config

    retries = StandardRetries(client, sleep=sleep, on_throttled=on_throttled)
    mode: Literal["adaptive", "standard"]
    mode = "adaptive" if _retry_mode(client) == "adaptive" else "standard"
    one_attempt = Config(retries={"mode": mode, "total_max_attempts": 1})
    own_client = hook.get_client_type(
        region_name=hook.region_name, config=hook.config.merge(one_attempt)
    )
    return ClientDynamoDBService(own_client, retries)


def _obstacle(client: "BaseClient") -> str | None:
    """Say what keeps requests from going out as raw JSON."""
    if _retry_mode(client) == "adaptive":
        return "the retry mode adaptive limits the rate inside the client"
    signature = _signature(client)
    if signature != _SIGNATURE:
        return f"requests are to be signed with {signature!r} instead of {_SIGNATURE!r}"
    return None


def _retry_mode(client: "BaseClient") -> str | None:
    config: Any = client.meta.config
    mode: str | None = config.retries.get("mode")
    return mode


def _signature(client: "BaseClient") -> object:
    """Ask as the client does before it signs; handlers of this event put in their own signers."""
    service = client.meta.service_model
    config: Any = client.meta.config
    events: Any = client.meta.events
    _, chosen = events.emit_until_response(
        f"choose-signer.{service.service_id.hyphenize()}.Scan",
        signing_name=service.signing_name,
        region_name=client.meta.region_name,
        signature_version=config.signature_version,
        context={},
    )
    return config.signature_version if chosen is None else chosen
