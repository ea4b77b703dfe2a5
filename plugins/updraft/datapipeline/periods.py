"""Periods such as ``12 hours``: how often, how long, how late."""

import re
from dataclasses import dataclass
from datetime import timedelta

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
