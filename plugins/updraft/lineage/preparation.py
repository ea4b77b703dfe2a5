"""Makes of stored events what a catalog takes: valid, named as it knows them, small enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from updraft.lineage.catalog import EventRefusedError
from updraft.lineage.catalog_names import rename_event
from updraft.lineage.merging import merge
from updraft.lineage.outbox import EventKey
from updraft.lineage.trimming import trim
from updraft.lineage.validation import InvalidEventError, check
from updraft.lineage.wire_format import client_token, decode, encode

Event = dict[str, Any]


class StoredEvent(NamedTuple):
    """An event as it was read from the outbox.

    :param name: name of the object.
    :param key: what the name says.
    :param body: its content.
    :param event: the content, valid and renamed.
    """

    name: str
    key: EventKey
    body: bytes
    event: Event

    @property
    def has_datasets(self) -> bool:
        """Whether it says what the run has read or written."""
        return bool(self.event.get("inputs") or self.event.get("outputs"))


class NotRunEventError(Exception):
    """An event is about a job or a dataset only."""


@dataclass
class Posting:
    """What is sent for one or several stored events.

    :param pieces: content and client token of each request.
    :param removed: what had to be left out, in words.
    """

    pieces: list[tuple[bytes, str]]
    removed: list[str] = field(default_factory=list)


def understand(body: bytes, rename: Callable[[Event], None] = rename_event) -> Event:
    """Decode, validate and rename an event.

    :param body: the event as it is stored.
    :param rename: changes the names of its datasets in place.
    :returns: the event.
    :raises InvalidEventError: when it is not valid.
    :raises NotRunEventError: when it has no run.
    """
    event = decode(body)
    if "run" not in event and ("job" in event or "dataset" in event):
        raise NotRunEventError
    try:
        check(event)
        rename(event)
        encode(event)
    except RecursionError:
        raise InvalidEventError("the event is nested too deeply") from None
    return event


def posting(
    stored: Sequence[StoredEvent], limit: int | None, event_type: str | None = None
) -> Posting:
    """Make what is sent for events of the same run and type.

    The client token is that of the first event alone, so that the catalog recognises it whether or
    not it came with others.

    :param stored: the events in the order of the outbox.
    :param limit: how many bytes an event may have; ``None`` for no limit.
    :param event_type: the type that they are sent with, if it is another.
    :returns: the requests.
    :raises EventRefusedError: when the event can't be made small enough.
    """
    changes = {"eventType": event_type} if event_type else {}
    first = {**stored[0].event, **changes}
    whole = encode(first)
    token = client_token(first, whole)
    if len(stored) > 1:
        whole = encode(merge([{**one.event, **changes} for one in stored]))
    if limit is None or len(whole) <= limit:
        return Posting([(whole, token)])
    trimmed = trim(decode(whole), limit)
    bodies = [encode(piece) for piece in trimmed.events]
    largest = max(map(len, bodies))
    if largest > limit:
        raise EventRefusedError(
            f"the event has {len(whole):,} bytes, and {largest:,} without all that can be left "
            f"out; the catalog takes {limit:,}"
        )
    tokens = [token] if len(bodies) == 1 else [client_token(first, body) for body in bodies]
    return Posting(list(zip(bodies, tokens, strict=True)), trimmed.removed)
