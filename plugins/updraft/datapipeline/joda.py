"""Date patterns: from Joda-Time's letters to ``strftime``'s directives.

The functions of AWS Data Pipeline format with Joda-Time
(https://www.joda.org/joda-time/apidocs/org/joda/time/format/DateTimeFormat.html), in English and
in UTC. The two languages overlap but do not agree, and a pattern that means something slightly
different would write to the wrong place unnoticed. So what ``strftime`` can't say exactly is
refused. Unpadded numbers use ``%-d`` and its kin, which the C libraries of Linux and macOS have.
"""

import re

from updraft.errors import UpdraftError

_TOKEN = re.compile(r"(?P<letters>([A-Za-z])\2*)|(?P<quoted>'(?:[^']|'')*')|(?P<other>[^A-Za-z'])")

# Joda's letter, and for each number of repetitions the directive that prints the same.
_EXACT: dict[str, dict[int, str]] = {
    "y": {1: "%Y", 2: "%y", 3: "%Y", 4: "%Y"},
    "Y": {1: "%Y", 2: "%y", 3: "%Y", 4: "%Y"},
    "x": {1: "%G", 2: "%g", 3: "%G", 4: "%G"},
    "C": {1: "%C", 2: "%C"},
    "M": {1: "%-m", 2: "%m", 3: "%b"},
    "w": {1: "%-V", 2: "%V"},
    "D": {1: "%-j", 3: "%j"},
    "d": {1: "%-d", 2: "%d"},
    "e": {1: "%u"},
    "H": {1: "%-H", 2: "%H"},
    "h": {1: "%-I", 2: "%I"},
    "m": {1: "%-M", 2: "%M"},
    "s": {1: "%-S", 2: "%S"},
}
# Letters whose text does not grow beyond a number of repetitions.
_TEXTS: dict[str, tuple[tuple[int, str], ...]] = {
    "G": ((1, "AD"),),
    "a": ((1, "%p"),),
    "E": ((1, "%a"), (4, "%A")),
    "M": ((4, "%B"),),
    "z": ((1, "UTC"), (4, "Coordinated Universal Time")),
    "Z": ((1, "+0000"), (2, "+00:00"), (3, "UTC")),
}
_WHY_NOT = {
    "S": "fractions of a second",
    "K": "hours counted from 0 to 11",
    "k": "hours counted from 1 to 24",
}


class UntranslatablePatternError(UpdraftError):
    """A date pattern says something that ``strftime`` can't."""


def joda_to_strftime(pattern: str) -> str:
    """Translate a date pattern.

    The result is meant for instants in UTC between the years 1000 and 9999.

    :param pattern: Joda-Time pattern such as ``YYYY-MM-dd-HH-mm-ss``.
    :returns: the ``strftime`` format that prints the same for every instant.
    :raises UntranslatablePatternError: when there is none, or the pattern is not valid.
    """
    if not pattern:
        raise UntranslatablePatternError("The date pattern is empty")
    if "\0" in pattern:  # where the text would end for strftime
        raise UntranslatablePatternError(f"The date pattern {pattern!r} has a character of code 0")
    directives: list[str] = []
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if match is None:
            raise UntranslatablePatternError(
                f"A quote is never closed in the date pattern {pattern!r}"
            )
        position = match.end()
        if match["letters"]:
            directives.append(_directive(match["letters"], pattern))
        elif match["quoted"]:
            # Two quotes in a row are one literal quote, inside of quotes and outside.
            inner = match["quoted"][1:-1].replace("''", "'") or "'"
            directives.append(inner.replace("%", "%%"))
        else:
            directives.append(match["other"].replace("%", "%%"))
    return "".join(directives)


def _directive(letters: str, pattern: str) -> str:
    letter, count = letters[0], len(letters)
    exact = _EXACT.get(letter, {}).get(count)
    if exact is not None:
        return exact
    fitting = [text for at_least, text in _TEXTS.get(letter, ()) if count >= at_least]
    if fitting:
        return fitting[-1]
    if letter not in _EXACT and letter not in _WHY_NOT:
        raise UntranslatablePatternError(
            f"{letter!r} in the date pattern {pattern!r} is no letter of Joda-Time"
        )
    meaning = _WHY_NOT.get(letter, f"{letters!r} with {count} digits")
    raise UntranslatablePatternError(
        f"The date pattern {pattern!r} asks for {meaning}, which strftime can't print"
    )
