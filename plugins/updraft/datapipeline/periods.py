"""Periods such as ``12 hours``: how often, how long, how late."""

import calendar
import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta

from updraft.errors import UpdraftError

_PERIOD = re.compile(r"\s*(\d{1,6})\s*(minute|hour|day|week|month|year)s?\s*", re.IGNORECASE)


class PeriodError(UpdraftError):
    """A text is not a period."""


@dataclass(frozen=True, slots=True)
class Period:
    """A number of units of time; months and years are calendar steps of varying length.

    :param count: how many, at least 1.
    :param unit: ``minutes``, ``hours``, ``days``, ``weeks``, ``months`` or ``years``.
    """

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit if self.count != 1 else self.unit[:-1]}"

    @property
    def duration(self) -> timedelta | None:
        """The period as a fixed length, none for months and years."""
        if self.unit in {"months", "years"}:
            return None
        return timedelta(**{self.unit: self.count})

    @property
    def months(self) -> int | None:
        """The period as a number of months, none where it has a fixed length."""
        return {"months": self.count, "years": 12 * self.count}.get(self.unit)

    def after(self, anchor: datetime, number: int) -> datetime:
        """Tell when the periods from an instant on begin.

        Months are counted from the anchor, so that the 31st is the last day of a short month and
        the 31st again after it.

        :param anchor: when the first period begins.
        :param number: how many periods later, negative for earlier.
        :returns: when that period begins.
        :raises OverflowError: when it is beyond the years that dates have.
        """
        if self.months is not None:
            return shift_by_months(anchor, number * self.months)
        return anchor + number * timedelta(**{self.unit: self.count})

    def number_at(self, anchor: datetime, instant: datetime) -> int:
        """Tell in which of the periods an instant is.

        :param anchor: when the period of number 0 begins.
        :param instant: the instant.
        :returns: the number of the last period that begins by then, negative before the anchor.
        """
        if self.months is None:
            return (instant - anchor) // timedelta(**{self.unit: self.count})
        months = (instant.year - anchor.year) * 12 + instant.month - anchor.month
        number = months // self.months
        # Within its month, the instant may come before the day and time that the period begins.
        return number - 1 if self.after(anchor, number) > instant else number


def parse_period(text: str) -> Period:
    """Read a period (guide, "Pipeline Expressions and Functions", simple data types).

    :param text: for example ``1 Day`` or ``15 minutes``; case and plural don't matter.
    :returns: the period.
    :raises PeriodError: when it is not a positive number and a unit.
    """
    match = _PERIOD.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise PeriodError(f"{text!r} is not a period; it looks like '15 minutes' or '1 day'")
    return Period(int(match[1]), f"{match[2].lower()}s")


def shift_by_months(instant: datetime, months: int) -> datetime:
    """Move an instant by the calendar.

    :param instant: the instant.
    :param months: how many months, negative for the past.
    :returns: the same day and time of another month, or the last day when it has no such day.
    :raises OverflowError: when it is beyond the years that dates have.
    """
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError(f"There is no year {year}")
    last = calendar.monthrange(year, month + 1)[1]
    return instant.replace(year=year, month=month + 1, day=min(instant.day, last))
