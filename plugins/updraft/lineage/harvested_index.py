"""Remembers which events were harvested, so that a log can be read as often as one likes.

One object in the outbox for each hour of event times holds twelve bytes of the digest of each::

    harvested/dt=2026-11-22/hh=20.digests

Logs are about in the order of time, so only the last few hours are in memory.
"""

import re
from collections import OrderedDict
from hashlib import sha256

from updraft.lineage.outbox import ObjectMissingError, Outbox, OutboxError

_WIDTH = 12  # bytes: no two of the events that an outbox will ever have share them
_MOST_HOURS = 6
_MOST_DIGESTS = 500_000
_HOUR = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2})", re.ASCII)


class HarvestedIndex:
    """The digests of harvested events.

    :param outbox: where they are kept.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._hours: OrderedDict[str, set[bytes]] = OrderedDict()
        self._new: dict[str, set[bytes]] = {}

    def add(self, body: bytes, event_time: object) -> bool:
        """Remember an event.

        :param body: the event as it was logged.
        :param event_time: its time as it says; in RFC 3339, if it is valid.
        :returns: whether it was not harvested before.
        """
        hour = _hour(event_time)
        digests = self._load(hour)
        digest = sha256(body).digest()[:_WIDTH]
        if digest in digests:
            return False
        digests.add(digest)
        self._new.setdefault(hour, set()).add(digest)
        return True

    def save(self) -> None:
        """Write down what is new, beside what another harvester has written meanwhile."""
        while self._new:
            hour, digests = self._new.popitem()
            together = self._read(hour) | digests
            self._outbox.write(_name(hour), b"".join(sorted(together)))

    @property
    def is_full(self) -> bool:
        """Whether it is time to :meth:`save` and :meth:`shrink`."""
        return len(self._hours) > _MOST_HOURS or sum(map(len, self._hours.values())) > _MOST_DIGESTS

    def shrink(self) -> None:
        """Forget the hours that were not used lately; what is new has to be saved before."""
        while self.is_full and len(self._hours) > 1:
            self._hours.popitem(last=False)

    def _load(self, hour: str) -> set[bytes]:
        if hour not in self._hours:
            self._hours[hour] = self._read(hour)
        self._hours.move_to_end(hour)
        return self._hours[hour]

    def _read(self, hour: str) -> set[bytes]:
        try:
            kept = self._outbox.read(_name(hour))
        except ObjectMissingError:
            return set()
        if len(kept) % _WIDTH:
            raise OutboxError(
                f"{_name(hour)} in {self._outbox.uri} is damaged; delete it, and events of that "
                f"hour that are harvested again are stored again"
            )
        return {kept[at : at + _WIDTH] for at in range(0, len(kept), _WIDTH)}


def _hour(event_time: object) -> str:
    match = _HOUR.match(event_time) if isinstance(event_time, str) else None
    return f"dt={match[1]}/hh={match[2]}" if match else "unknown"


def _name(hour: str) -> str:
    return f"harvested/{hour}.digests"
