"""Texts of fields as the values they stand for, by the slot of the field.

The slots are those of the guide ("Simple Data Types"). Texts with expressions have no value until
the pipeline runs, and stay texts.
"""

import math
import re
from datetime import UTC, datetime

from updraft.datapipeline.object_types import FieldType, Slot
from updraft.datapipeline.periods import Period, PeriodError, parse_period
from updraft.errors import UpdraftError

TypedValue = str | int | float | bool | datetime | Period
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_WORDS_FOR_PERIODS = {"ondemand_period"}
# The guide shows one of these in startDateTime without the signs of an expression.
_DATE_FUNCTION = re.compile(r"makeDate(?:Time)?\([\d\s,]*\)")
# The table of Ec2Resource has a number there, all examples and definitions have a period.
_PERIODS_IN_PRACTICE = {"terminateAfter"}
_ADVICE: dict[Slot, str] = {
    "boolean": "Write true or false",
    "datetime": "Write it in UTC as in 2024-02-29T23:59:59",
    "double": "Write it as in 0.25",
    "enumeration": "Choose one of these",
    "integer": "Write it in digits, such as 3",
    "period": "Write a number and minutes, hours, days, weeks, months or years",
}


class TypedValueError(UpdraftError):
    """A text does not fit the slot of its field.

    :param message: what is wrong, one sentence that does not quote the text.
    :param advice: what to do.
    """

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


def typed_value(name: str, field_type: FieldType, text: str) -> TypedValue:
    """Read the text of a field.

    :param name: the field, for the message.
    :param field_type: what the reference says about it.
    :param text: the text.
    :returns: the value; the text itself for slots of text, and when it has an expression.
    :raises TypedValueError: when the text does not fit.
    """
    slot = field_type.slot
    if "#{" in text or slot in {"string", "ref"}:
        return text
    value = _READERS[slot](text.strip())
    if value is None and name in _PERIODS_IN_PRACTICE:
        value = _period(text.strip())
    if value is None:
        raise TypedValueError(f"{name} takes {_KINDS[slot]}", _ADVICE[slot])
    return value


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _double(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _date_time(text: str) -> datetime | str | None:
    if _DATE_FUNCTION.fullmatch(text):
        return text
    if not _DATE_TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def _period(text: str) -> Period | str | None:
    if text.lower() in _WORDS_FOR_PERIODS:
        return text
    try:
        return parse_period(text)
    except PeriodError:
        return None


def _word(text: str) -> str:
    return text


_READERS = {
    "boolean": _boolean,
    "datetime": _date_time,
    "double": _double,
    "enumeration": _word,
    "integer": _integer,
    "period": _period,
}
_KINDS: dict[Slot, str] = {
    "boolean": "true or false",
    "datetime": "a date with a time",
    "double": "a number",
    "enumeration": "a word",
    "integer": "a whole number from 0 up",
    "period": "a period",
}
