"""Date patterns of Joda-Time: reading them and printing with them.

The functions of AWS Data Pipeline format with Joda-Time, in English
(https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html). The letters look
like those of other libraries and do not mean the same: ``YYYY`` is the year of the era and not of
the week, ``DD`` the day of the year. Nothing here needs more than the standard library, since
templates of DAGs print with it too.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from updraft.datapipeline.zone_names import zone_id, zone_name
from updraft.errors import UpdraftError

_LETTER_RUN = re.compile(r"([A-Za-z])\1*")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NUMBERS: Mapping[str, Callable[[datetime], int]] = {
    "y": lambda instant: instant.year,
    "Y": lambda instant: instant.year,
    "C": lambda instant: instant.year // 100,
    "x": lambda instant: instant.isocalendar().year,
    "w": lambda instant: instant.isocalendar().week,
    "e": lambda instant: instant.isoweekday(),
    "M": lambda instant: instant.month,
    "D": lambda instant: instant.timetuple().tm_yday,
    "d": lambda instant: instant.day,
    "H": lambda instant: instant.hour,
    "k": lambda instant: instant.hour or 24,
    "K": lambda instant: instant.hour % 12,
    "h": lambda instant: instant.hour % 12 or 12,
    "m": lambda instant: instant.minute,
    "s": lambda instant: instant.second,
}
_LETTERS = frozenset(_NUMBERS) | frozenset("GaEzZS")
# From so many repetitions on, a text is written out, and a zone by its id.
_WRITTEN_OUT = 4
_SHORT_TEXT = 3
_TWO_DIGITS = 2
# More digits of a fraction than these, Joda-Time can't compute (18 in all, 3 of them for the unit).
_MOST_FRACTION_DIGITS = 15


class DatePatternError(UpdraftError):
    """A text is no date pattern."""


@dataclass(frozen=True, slots=True)
class PatternLetters:
    """A letter of a pattern, as often as it is repeated."""

    letter: str
    count: int


@dataclass(frozen=True, slots=True)
class PatternText:
    """A part of a pattern that is printed as it stands."""

    text: str


PatternPart = PatternLetters | PatternText


@lru_cache(maxsize=256)
def parse_pattern(pattern: str) -> tuple[PatternPart, ...]:
    """Cut a pattern into its parts, as Joda-Time does.

    A quote that is never closed quotes the rest; two in a row are one, in quotes and outside.

    :param pattern: such as ``YYYY-MM-dd'T'HH:mm``.
    :returns: its parts in order.
    :raises DatePatternError: when it is empty or has a letter that means nothing.
    """
    parts: list[PatternPart] = []
    position = 0
    while position < len(pattern):
        run = _LETTER_RUN.match(pattern, position)
        if run is None:
            text, position = _quoted(pattern, position)
            if text:
                parts.append(PatternText(text))
            continue
        if run[1] not in _LETTERS:
            raise DatePatternError(
                f"{run[1]!r} in the date pattern {pattern!r} is no letter of Joda-Time; "
                "put text in single quotes"
            )
        parts.append(PatternLetters(run[1], len(run[0])))
        position = run.end()
    if not parts:
        raise DatePatternError(f"The date pattern {pattern!r} prints nothing")
    return tuple(parts)


def format_instant(instant: datetime, pattern: str) -> str:
    """Print an instant as Joda-Time does, in English.

    :param instant: with a time zone.
    :param pattern: a pattern of Joda-Time.
    :returns: the text.
    :raises DatePatternError: when the pattern is not valid.
    """
    return "".join(
        part.text if isinstance(part, PatternText) else _print(part, instant)
        for part in parse_pattern(pattern)
    )


def _quoted(pattern: str, position: int) -> tuple[str, int]:
    """Read what is not letters up to the next letter outside of quotes."""
    text: list[str] = []
    inside = False
    while position < len(pattern):
        character = pattern[position]
        if character == "'":
            if pattern.startswith("''", position):
                text.append("'")
                position += 1
            else:
                inside = not inside
        elif not inside and _LETTER_RUN.match(character):
            break
        else:
            text.append(character)
        position += 1
    return "".join(text), position


def _print(part: PatternLetters, instant: datetime) -> str:
    letter, count = part.letter, part.count
    if letter == "S":
        return _fraction(instant, count)
    if letter in "zZ":
        return _zone(letter, count, instant)
    if letter not in _NUMBERS or (letter == "M" and count >= _SHORT_TEXT):
        return _text(letter, instant, written_out=count >= _WRITTEN_OUT)
    number = _NUMBERS[letter](instant)
    if letter in "yYx" and count == _TWO_DIGITS:
        number %= 100
    return str(number).zfill(count)


def _text(letter: str, instant: datetime, *, written_out: bool) -> str:
    if letter == "G":
        return "AD"
    if letter == "a":
        return "AM" if instant.hour < 12 else "PM"  # noqa: PLR2004 - noon
    name = _MONTHS[instant.month - 1] if letter == "M" else _DAYS[instant.weekday()]
    return name if written_out else name[:3]


def _zone(letter: str, count: int, instant: datetime) -> str:
    if letter == "z":
        name = zone_name(instant, written_out=count >= _WRITTEN_OUT)
    elif count >= _SHORT_TEXT:
        name = zone_id(instant)
    else:
        return _offset(instant, "" if count == 1 else ":")
    return name or _offset(instant, ":")


def _offset(instant: datetime, separator: str) -> str:
    seconds = int((instant.utcoffset() or timedelta()).total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{separator}{rest // 60:02}"


def _fraction(instant: datetime, count: int) -> str:
    milliseconds = instant.microsecond // 1000
    if not milliseconds:
        return "0" * count
    digits = min(count, _MOST_FRACTION_DIGITS)
    return f"{milliseconds:03}".ljust(digits, "0")[:digits]
