"""Date patterns of Joda-Time in the words of ``strftime`` and of pendulum.

The three languages overlap but do not agree, and a pattern that means something slightly different
would write to the wrong place unnoticed. So only what prints the same for every instant in UTC
between the years 1000 and 9999 is translated. Unpadded numbers use ``%-d`` and its kin, which the
C libraries of Linux and macOS have.
"""

import itertools
import re

from updraft.datapipeline.joda import PatternPart, PatternText, parse_pattern

# Joda's letter, and for each number of repetitions the directive that prints the same.
_STRFTIME: dict[str, dict[int, str]] = {
    "y": {1: "%Y", 2: "%y", 3: "%Y", 4: "%Y"},
    "Y": {1: "%Y", 2: "%y", 3: "%Y", 4: "%Y"},
    "x": {1: "%G", 2: "%g", 3: "%G", 4: "%G"},
    "C": {1: "%C", 2: "%C"},
    "M": {1: "%-m", 2: "%m", 3: "%b", 4: "%B"},
    "w": {1: "%-V", 2: "%V"},
    "D": {1: "%-j", 3: "%j"},
    "d": {1: "%-d", 2: "%d"},
    "e": {1: "%u"},
    "E": {1: "%a", 2: "%a", 3: "%a", 4: "%A"},
    "H": {1: "%-H", 2: "%H"},
    "h": {1: "%-I", 2: "%I"},
    "m": {1: "%-M", 2: "%M"},
    "s": {1: "%-S", 2: "%S"},
    "a": {1: "%p", 2: "%p"},
    "G": {1: "AD"},
    "z": {1: "UTC", 2: "UTC", 3: "UTC"},
    "Z": {1: "+0000", 2: "+00:00"},
}
# Only numbers: what pendulum writes in letters depends on the language that is set.
_PENDULUM: dict[str, dict[int, str]] = {
    "y": {4: "YYYY"},
    "Y": {4: "YYYY"},
    "M": {1: "M", 2: "MM"},
    "D": {1: "DDD", 3: "DDDD"},
    "d": {1: "D", 2: "DD"},
    "e": {1: "E"},
    "H": {1: "H", 2: "HH"},
    "h": {1: "h", 2: "hh"},
    "m": {1: "m", 2: "mm"},
    "s": {1: "s", 2: "ss"},
    "S": {1: "S", 2: "SS", 3: "SSS"},
}
_ABOUT_ZONES = {"z", "Z"}
_SPECIAL_IN_PENDULUM = re.compile(r"[A-Za-z\[\]\\]")


def joda_to_strftime(pattern: str) -> str | None:
    """Translate a date pattern for ``strftime``.

    :param pattern: Joda-Time pattern such as ``YYYY-MM-dd-HH-mm-ss``.
    :returns: the format that prints the same, none when there is none.
    :raises DatePatternError: when the pattern is not valid.
    """
    words = [_word(part, _STRFTIME) for part in parse_pattern(pattern)]
    # For the C library, a text ends at a character of code 0.
    return None if None in words or "\0" in pattern else "".join(filter(None, words))


def joda_to_pendulum(pattern: str) -> str | None:
    """Translate a date pattern for the ``format`` of pendulum.

    :param pattern: Joda-Time pattern such as ``YYYY-MM-dd-HH-mm-ss``.
    :returns: the format that prints the same, none when there is none.
    :raises DatePatternError: when the pattern is not valid.
    """
    parts = parse_pattern(pattern)
    words = [_word(part, _PENDULUM) for part in parts]
    if None in words or _runs_together(words):
        return None
    return "".join(filter(None, words))


def names_zone(pattern: str) -> bool:
    """Tell whether a date pattern prints the time zone.

    :param pattern: Joda-Time pattern.
    :returns: true when a part of it depends on the zone alone.
    :raises DatePatternError: when the pattern is not valid.
    """
    return any(
        not isinstance(part, PatternText) and part.letter in _ABOUT_ZONES
        for part in parse_pattern(pattern)
    )


def _word(part: PatternPart, words: dict[str, dict[int, str]]) -> str | None:
    if not isinstance(part, PatternText):
        return words.get(part.letter, {}).get(part.count)
    if words is _STRFTIME:
        return part.text.replace("%", "%%")
    return None if _SPECIAL_IN_PENDULUM.search(part.text) else part.text


def _runs_together(words: list[str | None]) -> bool:
    """Tell whether two tokens in a row would be read as one other."""
    pairs = itertools.pairwise(words)
    return any(left and right and left[-1] == right[0] for left, right in pairs)
