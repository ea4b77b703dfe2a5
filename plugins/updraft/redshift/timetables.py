"""A table of times at which a cluster is paused, resumed or resized, in a time zone of people."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from updraft.choices import require_choice, unknown_choice
from updraft.errors import UpdraftError
from updraft.redshift.capacity_goal import (
    PAUSE,
    RESIZE,
    RESUME,
    CapacityGoal,
    WantedSize,
    wanted_size,
)
from updraft.redshift.clusters import AVAILABLE, PAUSED

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))

_FIELDS = ("at", "action", "days", "node_type", "number_of_nodes", "classic")
_SIZE_FIELDS = ("node_type", "number_of_nodes", "classic")
_AT = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAYS_BACK = 8  # one more than a week, so that each entry has happened


@dataclass(frozen=True)
class TimetableEntry:
    """One line of a timetable.

    :param at: time of day.
    :param action: :data:`PAUSE`, :data:`RESUME` or :data:`RESIZE`.
    :param days: days of the week, Monday is 0.
    :param size: size after a resize.
    :param classic: whether it is a classic resize.
    """

    at: time
    action: str
    days: frozenset[int] = EVERY_DAY
    size: WantedSize | None = None
    classic: bool = False

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Read a line.

        :param values: ``at`` as ``22:00``, ``action``, ``days`` as ``mon-fri`` or ``mon,wed`` (by
            default all), and for a resize ``number_of_nodes``, ``node_type`` and ``classic``.
        :returns: the line.
        :raises UpdraftError: when something is wrong.
        """
        if not isinstance(values, Mapping):
            raise UpdraftError(f'timetable: {values!r} is no line such as {{"at": "22:00", …}}')
        for name in values:
            if name not in _FIELDS:
                raise unknown_choice("timetable", name, _FIELDS)
        at = _AT.fullmatch(str(values.get("at")))
        if at is None:
            raise UpdraftError(f"timetable: at is {values.get('at')!r}, not a time such as 22:00")
        action = values.get("action")
        require_choice("timetable: action", action, (PAUSE, RESUME, RESIZE))
        size = wanted_size(values.get("node_type"), values.get("number_of_nodes"))
        classic = values.get("classic", False)
        if not isinstance(classic, bool):
            raise UpdraftError(f"timetable: classic is {classic!r}, neither true nor false")
        if action == RESIZE and size is None:
            raise UpdraftError(f"timetable: the resize at {at[0]} has no number_of_nodes")
        if action != RESIZE and any(values.get(name) for name in _SIZE_FIELDS):
            raise UpdraftError(f"timetable: the {action} at {at[0]} has a size; a resize is meant?")
        return cls(
            time(int(at[1]), int(at[2])), str(action), _days(values.get("days")), size, classic
        )

    def __str__(self) -> str:
        size = ""
        if self.size is not None:
            parts = (self.size.nodes and f"{self.size.nodes} nodes", self.size.node_type)
            size = " to " + " of ".join(str(part) for part in parts if part)
        return f"{self.action}{size} at {self.at:%H:%M}"


@dataclass(frozen=True)
class Due:
    """What a timetable says for a moment.

    :param since: when its latest line came due.
    :param goal: what the cluster shall be like since then.
    :param classic: whether a resize is a classic one.
    """

    since: datetime
    goal: CapacityGoal
    classic: bool


@dataclass(frozen=True)
class Timetable:
    """All lines.

    :param entries: the lines.
    :param zone: time zone of their times.
    """

    entries: tuple[TimetableEntry, ...]
    zone: ZoneInfo

    @classmethod
    def parse(cls, lines: object, time_zone: str) -> Self:
        """Read a timetable.

        :param lines: its lines, see :meth:`TimetableEntry.parse`.
        :param time_zone: name of the time zone, such as ``Europe/Berlin``.
        :returns: the timetable.
        :raises UpdraftError: when something is wrong.
        """
        if not isinstance(lines, Sequence) or isinstance(lines, str) or not lines:
            raise UpdraftError("timetable: it has no lines")
        table = cls(tuple(TimetableEntry.parse(line) for line in lines), read_zone(time_zone))
        for number, entry in enumerate(table.entries):
            for other in table.entries[:number]:
                same_kind = (entry.action == RESIZE) == (other.action == RESIZE)
                if entry.at == other.at and entry.days & other.days and same_kind:
                    raise UpdraftError(f"timetable: {other} and {entry} are at the same time")
        return table

    def due(self, now: datetime) -> Due | None:
        """Say what the cluster shall be like.

        State and size are those of the latest lines about them, of the eight days before at most.
        The size does not count while the cluster shall be paused.

        :param now: an aware time.
        :returns: what it shall be like; None when no line has come due.
        """
        state, size, classic, since = None, None, False, None
        for moment, entry in sorted(self._past(now), key=lambda each: each[0]):
            since = moment
            if entry.action == RESIZE:
                size, classic = entry.size, entry.classic
            else:
                state = PAUSED if entry.action == PAUSE else AVAILABLE
        if since is None:
            return None
        goal = CapacityGoal(state, None if state == PAUSED else size, if_paused="skip")
        return Due(since, goal, classic)

    def _past(self, now: datetime) -> Iterator[tuple[datetime, TimetableEntry]]:
        today = now.astimezone(self.zone).date()
        for back in range(_DAYS_BACK, -1, -1):
            day = today - timedelta(days=back)
            for entry in self.entries:
                if day.weekday() not in entry.days:
                    continue
                # A time that the change to summer time leaves out comes an hour later; of a time
                # that there is twice, the first one counts.
                moment = datetime.combine(day, entry.at, self.zone).astimezone(UTC)
                if moment <= now:
                    yield moment, entry


def read_zone(time_zone: str) -> ZoneInfo:
    """Read the name of a time zone.

    :param time_zone: such as ``Europe/Berlin``.
    :returns: the time zone.
    :raises UpdraftError: when there is none of that name.
    """
    try:
        return ZoneInfo(time_zone)
    except (KeyError, OSError, TypeError, ValueError):
        raise UpdraftError(
            f"time_zone: {time_zone!r} is no time zone such as Europe/Berlin or UTC"
        ) from None


def _days(value: object) -> frozenset[int]:
    if value in (None, "", "daily"):
        return EVERY_DAY
    found: set[int] = set()
    for part in str(value).lower().split(","):
        first, _, last = part.strip().partition("-")
        for name in (first, last or first):
            require_choice("timetable: days", name, DAYS)
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(found)
