"""Chooses how DynamoDB is called."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from updraft.aws.connection import ClientConnection
from updraft.aws.dynamodb_client_service import ClientDynamoDBService
from updraft.aws.dynamodb_raw_service import RawDynamoDBService
from updraft.aws.dynamodb_retries import StandardRetries
from updraft.aws.signed_requests import SignedRequestSender
from updraft.dynamodb.service import DynamoDBService
from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

_SIGNATURE = "v4"


def open_dynamodb(
    connection: ClientConnection,
    *,
    sleep: Callable[[float], None],
    on_throttled: Callable[[], None],
    throttling_patience: float = 0.0,
    raw: bool | None = None,
) -> DynamoDBService:
    """Open DynamoDB.

    Requests go out as raw JSON, which costs a fraction of boto3's CPU time. Where that is not
    possible they go through boto3's client, and the log says why. Both repeat calls by botocore's
    standard rules, as often as the client's configuration says.

    :param connection: the client and where it comes from.
    :param sleep: waits a number of seconds between two attempts; what it raises ends the call.
    :param on_throttled: called for each response that says that capacity is exceeded.
    :param throttling_patience: seconds for which a call that is throttled is repeated beyond what
        botocore's rules allow.
    :param raw: ``True`` insists on raw JSON and ``False`` on the client.
    :returns: the service; it serves any number of threads.
    :raises UpdraftError: when raw JSON is insisted on and not possible.
    """
    obstacle = "it was asked for" if raw is False else _obstacle(connection.client)
    if obstacle is not None and raw:
        raise UpdraftError(f"DynamoDB cannot be called with raw JSON: {obstacle}")
    retries = StandardRetries(
        connection.client,
        sleep=sleep,
        on_throttled=on_throttled,
        throttling_patience=throttling_patience,
    )
    if obstacle is None:
        return RawDynamoDBService(connection.client, SignedRequestSender(connection), retries)
    log.info("DynamoDB is called through boto3's client, which needs more CPU time: %s", obstacle)
    return _client_service(connection, retries)


def _client_service(connection: ClientConnection, retries: StandardRetries) -> DynamoDBService:
    from botocore.config import Config

    mode: Literal["adaptive", "standard"]
    mode = "adaptive" if _retry_mode(connection.client) == "adaptive" else "standard"
    one_attempt = Config(retries={"mode": mode, "total_max_attempts": 1})
    return ClientDynamoDBService(connection.make_client(one_attempt), retries)


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
