"""Lineage events as bytes: read from the outbox, written for the catalog, and their token."""

import json
from hashlib import sha256
from typing import Any

from updraft.lineage.validation import InvalidEventError


def decode(body: bytes) -> dict[str, Any]:
    """Decode a stored event.

    :param body: UTF-8 JSON.
    :returns: the event.
    :raises InvalidEventError: when the bytes are not a JSON object.
    """
    try:
        event = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidEventError(f"not JSON: {error}") from error
    if not isinstance(event, dict):
        raise InvalidEventError(f"not a JSON object but {type(event).__name__}")
    return event


def encode(event: dict[str, Any]) -> bytes:
    """Encode an event for the catalog: equal events become equal bytes.

    :param event: the event, as :func:`decode` gave it.
    :returns: UTF-8 JSON.
    :raises InvalidEventError: when a number is too large for a float, which JSON cannot say.
    """
    try:
        text = json.dumps(
            event, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False
        )
    except ValueError as error:
        raise InvalidEventError(f"a number is beyond what JSON can carry: {error}") from error
    return text.encode("utf-8", "backslashreplace")


def client_token(event: dict[str, Any], body: bytes) -> str:
    """Derive the idempotency token of an event.

    :param event: a valid run event.
    :param body: the event as it will be posted.
    :returns: 64 hexadecimal digits.
    """
    head = f"{event['run']['runId']}|{event.get('eventType', '')}|{event['eventTime']}|"
    return sha256(head.encode() + body).hexdigest()


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
