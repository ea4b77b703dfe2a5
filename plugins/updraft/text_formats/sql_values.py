"""Values of databases as text."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from updraft.errors import PermanentError


def text_of(value: object) -> str | None:
    """Write a value as a database would read it.

    Numbers keep all their digits and have no exponent if they are decimals; times are ISO 8601 with
    a space in place of the ``T``; booleans are ``true`` and ``false``; bytes are hexadecimal
    digits; arrays and JSON are JSON.

    :param value: what a driver gave for a column.
    :returns: its text, ``None`` for NULL.
    :raises PermanentError: when it has none.
    """
    if value is None or isinstance(value, str):
        return value
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    raise PermanentError(
        f"there is no text for a value of the type {type(value).__module__}."
        f"{type(value).__qualname__}; cast the column to a text in the query"
    )


def _duration(value: timedelta) -> str:
    """Write hours, minutes and seconds, as MySQL's TIME and PostgreSQL's interval are read."""
    sign = "-" if value < timedelta() else ""
    seconds, microseconds = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    fraction = f".{microseconds:06}" if microseconds else ""
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _json(value: object) -> str:
    return json.dumps(value, default=text_of, ensure_ascii=False, separators=(",", ":"))


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    ((int, float, UUID), str),
    (Decimal, lambda value: format(value, "f")),
    (datetime, lambda value: value.isoformat(sep=" ")),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, _duration),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).hex()),
    ((list, tuple, Mapping), _json),
)
