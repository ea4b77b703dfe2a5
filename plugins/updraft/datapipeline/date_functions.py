"""The functions on dates: what they compute, as Joda-Time does it.

They map over lists. Nothing here needs more than the standard library: templates of DAGs compute
with it too. Source: guide, "Date and Time Functions"; for ``inTimeZone`` and ``plusPeriod`` older
editions and an example.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from updraft.datapipeline.expression_values import (
    Scalar,
    Value,
    ValueProblemError,
    as_instant,
    as_text,
    as_utc,
    as_whole_number,
    map_lists,
)
from updraft.datapipeline.joda import format_instant
from updraft.datapipeline.periods import parse_period, shift_by_months
from updraft.datapipeline.zone_names import find_zone

# Longer shifts leave the years that dates have.
_FARTHEST = 10_000 * 366 * 24 * 60
_LENGTHS = {"minutes": 1, "hours": 60, "days": 24 * 60, "weeks": 7 * 24 * 60}
_MONTHS = {"months": 1, "years": 12}


def call_function(name: str, *arguments: Value) -> Value:
    """Call a function of the expression language.

    :param name: such as ``minusDays``.
    :param arguments: as many as it takes; of a list, it is called for each item.
    :returns: its result.
    :raises UpdraftError: when an argument is not what it takes.
    """
    compute = _FUNCTIONS.get(name)
    if compute is None:
        raise ValueProblemError(f"There is no function {name!r}")
    try:
        return map_lists(compute, *arguments)
    except OverflowError:
        raise ValueProblemError(f"The result of {name}() is not a date any more") from None


def shift(instant: datetime, count: int, unit: str) -> datetime:
    """Move an instant by a number of units.

    In a time zone, minutes and hours are those that pass, all others those of the calendar on the
    wall; a time that the clocks skip moves forward with them, and one that they show twice is the
    first of both, unless it did not move at all.

    :param instant: with a time zone.
    :param count: how many, negative for the past.
    :param unit: ``minutes``, ``hours``, ``days``, ``weeks``, ``months`` or ``years``.
    :returns: the other instant; a day that its month does not have becomes the last one.
    :raises ValueProblemError: when it is beyond the years that dates have.
    """
    if abs(count) > _FARTHEST:
        raise ValueProblemError(f"A date can't be shifted by {count} {unit}")
    if count == 0:
        return instant
    try:
        if unit in {"minutes", "hours"}:
            moved = instant.astimezone(UTC) + timedelta(minutes=count * _LENGTHS[unit])
            return moved.astimezone(instant.tzinfo)
        if unit in _LENGTHS:
            wall = instant + timedelta(minutes=count * _LENGTHS[unit])
        else:
            wall = shift_by_months(instant, count * _MONTHS[unit])
        return _on_the_clock(wall.replace(fold=0))
    except (OverflowError, ValueError):
        raise ValueProblemError(f"{as_text(instant)} can't be shifted by {count} {unit}") from None


def period_at(instant: Value, start: Value, period: Value, later: Value = 0) -> datetime:
    """Find the period of a schedule that an instant is in; templates call it for data nodes.

    :param instant: the instant.
    :param start: when the first period begins.
    :param period: how long each is, such as ``1 hour``.
    :param later: how many periods after that one.
    :returns: when that period begins, in UTC.
    :raises UpdraftError: when an argument is not what it should be.
    """
    anchor = as_utc(start)
    length = parse_period(as_text(period))
    number = length.number_at(anchor, as_utc(instant))
    return length.after(anchor, number + as_whole_number(later))


def _on_date(compute: Callable[[datetime], Scalar]) -> Callable[..., Scalar]:
    return lambda instant: compute(as_instant(instant))


def _shift(sign: int, unit: str) -> Callable[..., Scalar]:
    return lambda instant, count: shift(as_instant(instant), sign * as_whole_number(count), unit)


def _on_the_clock(wall: datetime) -> datetime:
    """Move a time that the clocks of its zone skip to where they go on."""
    return wall.astimezone(UTC).astimezone(wall.tzinfo)


def _midnight(instant: datetime) -> datetime:
    wall = instant.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return _on_the_clock(wall)


def _first_of_month(instant: datetime) -> datetime:
    wall = instant.replace(day=1, fold=0)
    again = wall.replace(fold=1)
    # Of a time that the clocks show twice, it is the one with the offset there was.
    same = again.utcoffset() == instant.utcoffset()
    return _on_the_clock(again if same and _on_the_clock(again) == again else wall)


def _sunday(instant: datetime) -> datetime:
    return shift(instant, -(instant.isoweekday() % 7), "days")


def _format(instant: Scalar, pattern: Scalar) -> str:
    return format_instant(as_instant(instant), as_text(pattern))


def _in_time_zone(instant: Scalar, zone: Scalar) -> datetime:
    return as_instant(instant).astimezone(find_zone(as_text(zone)))


def _plus_period(instant: Scalar, text: Scalar) -> datetime:
    period = parse_period(as_text(text))
    return shift(as_instant(instant), period.count, period.unit)


def _make_date(
    year: Scalar, month: Scalar, day: Scalar, hour: Scalar = 0, minute: Scalar = 0
) -> datetime:
    parts = map(as_whole_number, (year, month, day, hour, minute))
    try:
        return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]  # these are five
    except ValueError as error:
        raise ValueProblemError(f"There is no such date: {error}") from None


_FUNCTIONS: Mapping[str, Callable[..., Scalar]] = {
    "year": _on_date(lambda instant: instant.year),
    "month": _on_date(lambda instant: instant.month),
    "day": _on_date(lambda instant: instant.day),
    "dayOfYear": _on_date(lambda instant: instant.timetuple().tm_yday),
    "hour": _on_date(lambda instant: instant.hour),
    "minute": _on_date(lambda instant: instant.minute),
    "midnight": _on_date(_midnight),
    "yesterday": _on_date(lambda instant: shift(instant, -1, "days")),
    "sunday": _on_date(_sunday),
    "firstOfMonth": _on_date(_first_of_month),
    **{
        f"{word}{unit.capitalize()}": _shift(sign, unit)
        for word, sign in (("plus", 1), ("minus", -1))
        for unit in (*_LENGTHS, *_MONTHS)
    },
    "format": _format,
    "inTimeZone": _in_time_zone,
    "plusPeriod": _plus_period,
    "makeDate": _make_date,
    "makeDateTime": _make_date,
}
FUNCTION_NAMES = tuple(_FUNCTIONS)
