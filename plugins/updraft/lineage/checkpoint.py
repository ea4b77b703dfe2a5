"""How far a reader of the outbox has come.

Writers are not in step: clocks differ, and an event may show up after younger ones. A reader
therefore starts some time before its position and remembers what it has settled in between.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Self

from updraft.lineage.outbox import EventKey, OutboxError

_VERSION = 1


@dataclass
class Checkpoint:
    """Position of a reader and what it has settled around it.

    :param position: every event written up to then was settled when the position was set;
        ``None`` before the first.
    :param settled: fingerprint of an event to the time at which it was written, microseconds
        since 1970, for events younger than the window.
    """

    position: datetime | None = None
    settled: dict[str, int] = field(default_factory=dict)

    def start(self, overlap: timedelta) -> datetime | None:
        """Say from when on to read.

        :param overlap: how late an event may appear.
        :returns: the position less the overlap, or ``None`` for the first event.
        """
        return None if self.position is None else self.position - overlap

    def is_settled(self, key: EventKey) -> bool:
        """Tell whether the event, or another copy of it, is done with."""
        return _fingerprint(key) in self.settled

    def settle(self, key: EventKey) -> None:
        """Remember that the event is delivered, dead-lettered or rightly left out."""
        moment = int(key.written_at.timestamp() * 1_000_000)
        fingerprint = _fingerprint(key)
        self.settled[fingerprint] = max(moment, self.settled.get(fingerprint, 0))

    def advance(self, to: datetime, overlap: timedelta) -> None:
        """Move the position forward and forget what is behind the window.

        :param to: time up to which everything is settled. A writer whose clock is ahead does
            not carry the position into the future, where it would hide other events.
        :param overlap: width of the window.
        """
        to = min(to, datetime.now(UTC))
        if self.position is None or to > self.position:
            self.position = to
        floor = int((self.position - overlap).timestamp() * 1_000_000)
        self.settled = {name: at for name, at in self.settled.items() if at >= floor}

    def merge(self, other: Self, overlap: timedelta) -> None:
        """Take over what another reader with the same name has achieved in the meantime."""
        for fingerprint, moment in other.settled.items():
            self.settled[fingerprint] = max(moment, self.settled.get(fingerprint, 0))
        if other.position is not None:
            self.advance(other.position, overlap)

    def to_json(self) -> bytes:
        """Serialise the checkpoint."""
        position = self.position.isoformat() if self.position else None
        document = {"version": _VERSION, "position": position, "settled": self.settled}
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, text: bytes, where: str) -> Self:
        """Read a checkpoint back.

        :param text: what :meth:`to_json` gave.
        :param where: name of the object, for the message.
        :returns: the checkpoint.
        :raises OutboxError: when the text is damaged or from a later version of Updraft.
        """
        try:
            document = json.loads(text)
            version = document["version"]
            position = document["position"]
            checkpoint = cls(
                datetime.fromisoformat(position) if position else None,
                {str(name): int(at) for name, at in document["settled"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
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


def _fingerprint(key: EventKey) -> str:
    # 96 bits: short in the checkpoint, and no two events in a window will ever share them.
    digest = sha256(key.identity.encode()).digest()[:12]
    return base64.urlsafe_b64encode(digest).decode()
