"""The outbox: a durable store with one object per lineage event.

A task writes its events there and is done; delivering them to a catalog is somebody else's
work. Where objects live is up to the subclass, which provides four operations on named
objects. What they mean is settled here, so that every store has the same layout::

    events/dt=2026-11-22/hh=20/20261122T200712289126Z-<run id>-START-1f0c88aa.json
    checkpoints/<reader>.json
    dead-letters/dt=2026-11-22/hh=20/20261122T200712289126Z-<run id>-START-1f0c88aa.json

The names of events sort by the time at which they were written.
"""

import base64
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Self

from updraft.errors import UpdraftError

EVENTS = "events/"
DEAD_LETTERS = "dead-letters/"
CHECKPOINTS = "checkpoints/"

_TIME_FORMAT = "%Y%m%dT%H%M%S%fZ"
_FILE_NAME = re.compile(
    r"(?P<time>\d{8}T\d{12}Z)-(?P<run_id>[A-Za-z0-9_-]+)-(?P<event_type>[A-Z]+)"
    r"-(?P<digest>[0-9a-f]{8})\.json"
)
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class OutboxError(UpdraftError):
    """The outbox cannot be read or written."""


class ObjectMissingError(OutboxError):
    """An object that was asked for is not in the outbox."""


@dataclass(frozen=True)
class EventKey:
    """Name of one event in the outbox.

    :param written_at: when the event was put into the outbox, UTC, to the microsecond.
    :param run_id: OpenLineage run id; ``job`` or ``dataset`` for events that have no run.
    :param event_type: ``START``, ``RUNNING``, ``COMPLETE``, ``ABORT``, ``FAIL`` or ``OTHER``.
    :param digest: first eight hexadecimal digits of the SHA-256 of the event's bytes.
    """

    written_at: datetime
    run_id: str
    event_type: str
    digest: str

    @classmethod
    def for_event(
        cls, body: bytes, *, run_id: str, event_type: str, written_at: datetime | None = None
    ) -> Self:
        """Name an event.

        :param body: the event as it will be stored.
        :param run_id: OpenLineage run id; characters that no file name should have become ``_``.
        :param event_type: OpenLineage event type.
        :param written_at: time zone aware; now if omitted.
        :returns: the key; the same content at the same time gets the same key.
        """
        return cls(
            written_at=(written_at or datetime.now(UTC)).astimezone(UTC),
            run_id=_UNSAFE.sub("_", run_id)[:64] or "unknown",
            event_type=re.sub(r"[^A-Z]", "", event_type.upper()) or "OTHER",
            digest=sha256(body).hexdigest()[:8],
        )

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Read a key from the name of an object.

        :param name: name of the object, with or without its directories.
        :returns: the key, or ``None`` if the object is not an event that Updraft has written.
        """
        match = _FILE_NAME.fullmatch(name.rpartition("/")[2])
        if match is None:
            return None
        try:
            written_at = datetime.strptime(match["time"], _TIME_FORMAT).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(written_at, match["run_id"], match["event_type"], match["digest"])

    @property
    def identity(self) -> str:
        """What stays the same when one event is written twice: run, type and content."""
        return f"{self.run_id}-{self.event_type}-{self.digest}"

    @property
    def path(self) -> str:
        """Name of the object below ``events/`` or ``dead-letters/``."""
        time = _time_text(self.written_at)
        return f"{_partition(self.written_at)}/{time}-{self.identity}.json"

    def __str__(self) -> str:
        return EVENTS + self.path


@dataclass(frozen=True)
class DeadLetter:
    """An event that will not be delivered, with the reason.

    :param event_name: name under which the event is stored in the outbox.
    :param reason: why it was refused, in words.
    :param refused_at: when, UTC.
    :param body: the event, byte for byte.
    """

    event_name: str
    reason: str
    refused_at: datetime
    body: bytes

    def to_json(self) -> bytes:
        """Serialise the letter; bytes that are not UTF-8 are kept as Base64."""
        document: dict[str, str] = {
            "event_name": self.event_name,
            "reason": self.reason,
            "refused_at": self.refused_at.isoformat(),
        }
        try:
            document["event"] = self.body.decode()
        except UnicodeDecodeError:
            document["event_base64"] = base64.b64encode(self.body).decode()
        return json.dumps(document, indent=2).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read a letter back.

        :param text: what :meth:`to_json` gave.
        :returns: the letter.
        :raises OutboxError: when the text is not a dead letter.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            body = (
                document["event"].encode()
                if "event" in document
                else base64.b64decode(document["event_base64"])
            )
            refused_at = datetime.fromisoformat(document["refused_at"])
            return cls(document["event_name"], document["reason"], refused_at, body)
        except (ValueError, KeyError, TypeError) as error:
            raise OutboxError(f"not a dead letter: {error!r} in {text[:80]!r}") from error


class Outbox(ABC):
    """Operations on an outbox; a subclass says how objects are stored.

    :param uri: where the outbox lives, as messages shall name it.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @abstractmethod
    def write(self, name: str, body: bytes) -> None:
        """Store an object durably, as a whole or not at all; replace one of the same name."""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return an object.

        :raises ObjectMissingError: when there is none of that name.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove an object if it is there."""

    @abstractmethod
    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Iterate over the names that begin with `prefix` and sort behind `after`, in order."""

    def put_event(self, body: bytes, key: EventKey) -> None:
        """Store an event under its key."""
        self.write(str(key), body)

    def put_events(self, events: Sequence[tuple[EventKey, bytes]]) -> None:
        """Store many events; when it returns, all of them are stored.

        :param events: key and content of each.
        :raises OutboxError: when one cannot be stored; others may be.
        """
        for key, body in events:
            self.put_event(body, key)

    def event_names(self, since: datetime | None = None) -> Iterator[str]:
        """Iterate over stored events in the order of their keys.

        Names that no :class:`EventKey` has come along: the reader decides what to say of them.

        :param since: leave out what was written earlier; from the first event if omitted.
        :returns: names for :meth:`read`; never held in memory all at once.
        """
        if since is None:
            return self.names(EVENTS)
        return self.names(EVENTS, after=f"{EVENTS}{_partition(since)}/{_time_text(since)}")

    def load_checkpoint(self, reader: str) -> bytes | None:
        """Return what the named reader saved last, or ``None`` on its first run."""
        try:
            return self.read(f"{CHECKPOINTS}{reader}.json")
        except ObjectMissingError:
            return None

    def save_checkpoint(self, reader: str, document: bytes) -> None:
        """Save how far the named reader has come."""
        self.write(f"{CHECKPOINTS}{reader}.json", document)

    def put_dead_letter(self, letter: DeadLetter) -> str:
        """Store a dead letter beside the events.

        :param letter: the event and the reason; a second letter for the same event replaces
            the first.
        :returns: name of the letter for :meth:`read`.
        """
        name = DEAD_LETTERS + letter.event_name.removeprefix(EVENTS)
        self.write(name, letter.to_json())
        return name

    def dead_letter_names(self) -> Iterator[str]:
        """Iterate over the names of all dead letters, oldest event first."""
        return self.names(DEAD_LETTERS)


def _partition(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("dt=%Y-%m-%d/hh=%H")


def _time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_TIME_FORMAT)
