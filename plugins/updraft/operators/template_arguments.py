"""Reads arguments that a template has made, which are texts whatever they mean."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pendulum

from updraft.datapipeline.periods import PeriodError, parse_period
from updraft.errors import ArgumentError


def given(value: str | None) -> str | None:
    """Read an argument that a template may have left empty.

    :param value: the argument; a template over a missing parameter renders as ``None`` or nothing.
    :returns: the argument, ``None`` if it was not given.
    """
    return None if value in {None, "", "None"} else value


def truth(argument: str, value: object) -> bool:
    """Read an argument that is true or false.

    :param argument: name of the argument, for the error message.
    :param value: its value.
    :returns: whether it is true.
    :raises UpdraftError: when it is neither.
    """
    answer = {"true": True, "false": False}.get(str(value).lower())
    if answer is None:
        raise ArgumentError(f"{argument}: {value!r} is neither True nor False")
    return answer


def duration(argument: str, value: timedelta | float | str) -> timedelta:
    """Read an argument that is a length of time.

    :param argument: name of the argument, for the error message.
    :param value: the length, a number of minutes, which may be a text, or a period as Data Pipeline
        writes it, such as ``2 hours``.
    :returns: the length.
    :raises UpdraftError: when it is neither.
    """
    if isinstance(value, timedelta):
        return value
    try:
        return timedelta(minutes=float(value))
    except (OverflowError, TypeError, ValueError):
        length = _period(str(value))
    if length is None:
        raise ArgumentError(
            f"{argument}: {value!r} is neither a number of minutes nor a period such as '2 hours'"
        )
    return length


def _period(text: str) -> timedelta | None:
    try:
        return parse_period(text).duration
    except PeriodError:
        return None


def texts(argument: str, value: object) -> list[str]:
    """Read an argument that is a list of texts, which may be empty themselves.

    :param argument: name of the argument, for the error message.
    :param value: the list or its JSON, or nothing.
    :returns: the texts.
    :raises UpdraftError: when it is anything else.
    """
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError):
            value = json.loads(value)
    if value is None or value == "":
        return []
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise ArgumentError(f"{argument}: {value!r} is no list of texts")
    return list(value)


def time_argument(argument: str, value: datetime | str | None) -> datetime | None:
    """Read an argument that is a time.

    :param argument: name of the argument, for the error message.
    :param value: the time, or its text in ISO 8601; one without a zone is in UTC.
    :returns: the time, ``None`` if it was not given.
    :raises UpdraftError: when it is no time.
    """
    if value is None or isinstance(value, datetime):
        return value
    text = given(value)
    if text is None:
        return None
    try:
        # Exact, so that 10:00 alone is not that time of whichever day it is read.
        parsed: object = pendulum.parse(text, exact=True)
    except (TypeError, ValueError):
        parsed = None
    if isinstance(parsed, datetime):
        return parsed
    if isinstance(parsed, date):
        return datetime(parsed.year, parsed.month, parsed.day, tzinfo=UTC)
    raise ArgumentError(f"{argument}: {value!r} is no time such as 2026-11-23T04:00:00Z")


def number_argument(argument: str, value: float | str) -> float:
    """Read an argument that is a number from 0 on.

    :param argument: name of the argument, for the error message.
    :param value: the number, or its text.
    :returns: the number.
    :raises ArgumentError: when it is none.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ArgumentError(f"{argument}: {value!r} is no number from 0 on")
    return number
