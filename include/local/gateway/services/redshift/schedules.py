"""Schedules of scheduled actions: ``at(…)`` and ``cron(…)``, in UTC.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/APIReference/API_ScheduledAction.html,
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html
"""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

_EXPRESSION = re.compile(r"(at|cron)\((.*)\)", re.DOTALL)
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_MOST_DAYS = 366 * 5


class ScheduleError(Exception):
    """An expression is wrong; the text says how."""


class Schedule:
    """When an action happens.

    :param expression: such as ``at(2030-01-02T03:04:05)`` or ``cron(15 7 ? * MON-FRI *)``.
    :raises ScheduleError: when it is none.
    """

    def __init__(self, expression: str) -> None:
        match = _EXPRESSION.fullmatch(expression.strip())
        if match is None:
            raise ScheduleError(f"{expression!r} is neither at(yyyy-mm-ddThh:mm:ss) nor cron(…)")
        self._once: datetime | None = None
        if match[1] == "at":
            try:
                self._once = datetime.strptime(match[2], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
            except ValueError:
                raise ScheduleError(
                    f"{match[2]!r} is not of the form yyyy-mm-ddThh:mm:ss"
                ) from None
            return
        fields = match[2].split()
        if len(fields) != 6:  # noqa: PLR2004 - minutes, hours, two kinds of days, months, years
            raise ScheduleError(f"cron needs six fields, {match[2]!r} has {len(fields)}")
        minute, hour, self._day, month, self._weekday, year = (one.upper() for one in fields)
        self._minutes = _numbers(minute, 0, 59)
        self._hours = _numbers(hour, 0, 23)
        self._months = _numbers(month, 1, 12, _MONTHS, 1)
        self._years = _numbers(year, 1970, 2199)
        if (self._day == "?") == (self._weekday == "?"):
            raise ScheduleError("One of day of month and day of week must be ?, the other must not")
        list(self._days_of(2024, 2))  # complains now rather than when it is due

    @property
    def happens_once(self) -> bool:
        """Whether it is an ``at``."""
        return self._once is not None

    def after(self, moment: datetime) -> Iterator[datetime]:
        """List when it happens.

        :param moment: an aware time; only later ones are listed.
        :returns: the times, first to last.
        """
        if self._once is not None:
            if self._once > moment:
                yield self._once
            return
        day = moment.astimezone(UTC).date()
        for _ in range(_MOST_DAYS):
            if self._has(day):
                for hour in self._hours:
                    for minute in self._minutes:
                        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                        if at > moment:
                            yield at
            day += timedelta(days=1)

    def _has(self, day: date) -> bool:
        return (
            day.year in self._years
            and day.month in self._months
            and day.day in set(self._days_of(day.year, day.month))
        )

    def _days_of(self, year: int, month: int) -> Iterator[int]:
        last = calendar.monthrange(year, month)[1]
        if self._day != "?":
            if self._day == "L":
                yield last
            elif self._day.endswith("W"):
                raise ScheduleError("The local stack does not know W in a cron expression")
            else:
                yield from (day for day in _numbers(self._day, 1, 31) if day <= last)
            return
        for day in range(1, last + 1):
            weekday = (date(year, month, day).weekday() + 1) % 7 + 1  # Sunday is 1
            if self._is_weekday(weekday, day, last):
                yield day

    def _is_weekday(self, weekday: int, day: int, last: int) -> bool:
        text = self._weekday
        if "#" in text:
            name, _, nth = text.partition("#")
            return weekday in _numbers(name, 1, 7, _DAYS, 1) and (day - 1) // 7 + 1 == int(nth)
        if text.endswith("L") and len(text) > 1:
            return weekday in _numbers(text[:-1], 1, 7, _DAYS, 1) and day + 7 > last
        return weekday in _numbers(text.replace("L", "7"), 1, 7, _DAYS, 1)


def _numbers(
    text: str, least: int, most: int, names: list[str] | None = None, first: int = 0
) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        bounds, _, step = part.partition("/")
        low, _, high = bounds.partition("-")
        try:
            every = int(step) if step else 1
            if bounds in {"*", "?"}:
                begin, end = least, most
            else:
                begin = _number(low, names, first)
                end = _number(high, names, first) if high else (most if step else begin)
        except ValueError:
            raise ScheduleError(f"{part!r} is not valid in a cron expression") from None
        if not least <= begin <= end <= most or every < 1:
            raise ScheduleError(f"{part!r} is not between {least} and {most}")
        found |= set(range(begin, end + 1, every))
    return sorted(found)


def _number(text: str, names: list[str] | None, first: int) -> int:
    if names is not None and text in names:
        return names.index(text) + first
    return int(text)
