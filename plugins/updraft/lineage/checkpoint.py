"""How far a reader of the outbox has come.

Writers are not in step: clocks differ, and an event may show up after younger ones. A reader
therefore starts some time before its position and remembers what it has settled in between.

A checkpoint is text, a JSON value a line: first its version and the position, then an event that is
settled or a run each. Half a million lines are no rarity after a backlog, so they are read and
written one by one.
"""

import base64
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from updraft.lineage.open_runs import OpenRuns
from updraft.lineage.outbox import EventKey, OutboxError
from updraft.lineage.settled_events import SettledEvents

_VERSION = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(hours=1)  # at most, among the machines that forward


@dataclass
class Checkpoint:
    """Position of a reader and what it has settled around it.

    :param position: every event written up to then was settled when the position was set;
        ``None`` before the first.
    :param settled: which events are settled, for copies that are not behind the window.
    :param runs: the runs that have started and not ended.
    """

    position: datetime | None = None
    settled: SettledEvents = field(default_factory=SettledEvents)
    runs: OpenRuns = field(default_factory=OpenRuns)

    def start(self, overlap: timedelta) -> datetime | None:
        """Say from when on to read.

        :param overlap: how late an event may appear.
        :returns: the position less the overlap, or ``None`` for the first event.
        """
        return None if self.position is None else self.position - overlap

    def is_settled(self, key: EventKey) -> bool:
        """Tell whether this very object is done with."""
        return _moment(key.written_at) in self.settled.moments(_fingerprint(key.identity)) or bool(
            self.settled.moments(_fingerprint(key.path))
        )

    def has_copy(self, key: EventKey, within: timedelta) -> bool:
        """Tell whether the same event, written at about the same time, is delivered.

        Copies that lie further apart are no accident: somebody wants the event sent again.

        :param key: the event.
        :param within: how far apart the times of two copies may be.
        """
        moment = _moment(key.written_at)
        others = self.settled.moments(_fingerprint(key.identity))
        return any(abs(moment - other) <= _microseconds(within) for other in others)

    def settle(self, key: EventKey) -> None:
        """Remember that the event is delivered or rightly left out, copies included."""
        self.settled.add(_fingerprint(key.identity), _moment(key.written_at))

    def settle_object(self, key: EventKey) -> None:
        """Remember that this object needs no more attention, while a copy of it would."""
        self.settled.add(_fingerprint(key.path), _moment(key.written_at))

    def advance(self, to: datetime, overlap: timedelta) -> None:
        """Move the position forward and forget what is behind the window.

        :param to: time up to which everything is settled. A writer whose clock is ahead does
            not carry the position into the future, where it would hide other events.
        :param overlap: width of the window.
        """
        to = min(to, datetime.now(UTC))
        if self.position is None or to > self.position:
            self.position = to
        self.runs.forget(self.position - overlap)
        self.settled.forget(_moment(self.position - overlap))

    def merge(self, other: Self, overlap: timedelta) -> None:
        """Take over what another reader with the same name has achieved in the meantime."""
        self.settled.merge(other.settled)
        self.runs.merge(other.runs)
        if other.position is not None:
            self.advance(other.position, overlap)

    def to_json(self) -> bytes:
        """Serialise the checkpoint."""
        text = io.BytesIO()
        for line in self._lines():
            text.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        return text.getvalue()

    def _lines(self) -> Iterator[Any]:
        yield {
            "version": _VERSION,
            "position": self.position.isoformat() if self.position else None,
        }
        for fingerprint, moments in self.settled:
            yield "settled", fingerprint, moments
        yield from self.runs.rows()

    @classmethod
    def from_json(cls, text: bytes, where: str) -> Self:
        """Read a checkpoint back.

        :param text: what :meth:`to_json` gave.
        :param where: name of the object, for the message.
        :returns: the checkpoint.
        :raises OutboxError: when the text is damaged or from another version of Updraft.
        """
        lines = io.BytesIO(text)
        try:
            head = json.loads(next(lines, b""))
            version = head["version"]
            checkpoint = cls(_position(head["position"]))
            if version == _VERSION:
                for line in lines:
                    checkpoint._add(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise OutboxError(
                f"the checkpoint {where} cannot be read ({error}); delete it to read the outbox "
                f"from its first event again"
            ) from error
        if version != _VERSION:
            raise OutboxError(
                f"the checkpoint {where} has version {version!r}, this Updraft knows {_VERSION}; "
                f"use the Updraft that wrote it, or delete it to start from the first event"
            )
        return checkpoint

    def _add(self, row: Sequence[Any]) -> None:
        kind, name, known = row
        if kind != "settled":
            self.runs.add(row)
            return
        for moment in known:
            self.settled.add(str(name), int(moment))


def _position(text: str | None) -> datetime | None:
    if text is None:
        return None
    position = datetime.fromisoformat(text)
    if position.tzinfo is None:
        raise ValueError(f"its position {text} has no time zone")
    # Nothing would be forwarded until then, and nobody be told.
    if not _EPOCH <= position <= datetime.now(UTC) + _CLOCKS_DIFFER:
        raise ValueError(f"its position {text} is not between 1970 and now")
    return position


def _moment(time: datetime) -> int:
    return _microseconds(time - _EPOCH)


def _microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _fingerprint(text: str) -> str:
    # 96 bits: short in the checkpoint, and no two events in a window will ever share them.
    digest = sha256(text.encode()).digest()[:12]
    return base64.urlsafe_b64encode(digest).decode()
