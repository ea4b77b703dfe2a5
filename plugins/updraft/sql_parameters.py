"""Parameters in SQL: finds them outside strings, comments and quoted names, and rewrites them.

Legacy SqlActivity marks a parameter with ``?``, the Amazon Redshift Data API with ``:name``, and
drivers of other databases as PEP 249 lists (https://peps.python.org/pep-0249/#paramstyle).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from updraft.errors import UpdraftError
from updraft.sql_lineage.scanning import Kind, Word, words

PARAMETER_NAME = re.compile(r"[0-9a-zA-Z_]+", re.ASCII)
"""What the Data API takes for a name,
https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_SqlParameter.html."""


class Place(NamedTuple):
    """Where a parameter stands.

    :param name: its name, empty for a question mark.
    :param start: offset of its first character.
    :param end: offset behind its last character.
    """

    name: str
    start: int
    end: int


def named_places(sql: str) -> list[Place]:
    """Find the parameters ``:name``.

    :param sql: one statement or several.
    :returns: where they stand, in order; a cast, ``::date``, is none.
    """
    return list(_named(list(words(sql))))


def positional_places(sql: str) -> list[Place]:
    """Find the parameters ``?``.

    :param sql: one statement or several.
    :returns: where they stand, in order.
    """
    return [Place("", word.start, word.end) for word in words(sql) if _is_sign(word, "?")]


def replaced(sql: str, texts: Mapping[str, str]) -> str:
    """Write other text in the place of some named parameters.

    :param sql: one statement or several.
    :param texts: text by name; it is written as it is, so it must be SQL that is safe.
    :returns: the SQL with it; parameters of other names stay.
    """
    return _rewritten(sql, named_places(sql), lambda _, place: texts.get(place.name))


def with_names(sql: str, arguments: Sequence[object]) -> tuple[str, dict[str, object]]:
    """Turn question marks into named parameters.

    :param sql: one statement or several, which take their arguments in order.
    :param arguments: the values, one for each question mark.
    :returns: the SQL with ``:argument_1`` and so on, and the values by name.
    :raises UpdraftError: when there are more or fewer values than question marks, or named
        parameters besides.
    """
    places = positional_places(sql)
    if len(places) != len(arguments):
        raise UpdraftError(
            f"the SQL has {_counted(len(places), 'question mark')} for parameters and "
            f"{_counted(len(arguments), 'argument')}; each takes one, in order. Question marks in "
            "strings, comments and quoted names don't count"
        )
    taken = {place.name.lower() for place in named_places(sql)}
    prefix = "argument_"
    while any(name.startswith(prefix) for name in taken):
        prefix = f"_{prefix}"
    names = [f"{prefix}{number}" for number in range(1, len(arguments) + 1)]
    text = _rewritten(sql, places, lambda index, _: f":{names[index]}")
    return text, dict(zip(names, arguments, strict=True))


def with_style(
    sql: str,
    style: str,
    numbers: Sequence[int] | None = None,
    *,
    doubles_percent: bool = True,
) -> str:
    """Turn question marks into the parameters of a driver, for databases other than Redshift.

    :param sql: one statement or several.
    :param style: the ``paramstyle`` of the driver: ``qmark``, ``format``, ``pyformat``,
        ``numeric`` or ``named``. For ``pyformat`` and ``named`` the names are ``argument_1`` and so
        on; the others take a sequence.
    :param numbers: the number in the name of each question mark, where several have one value.
    :param doubles_percent: whether a driver of the style ``format`` or ``pyformat`` reads two
        percent signs as one, as PEP 249 leaves open; pymssql does not.
    :returns: the SQL. Percent signs are doubled where the driver reads them.
    :raises UpdraftError: when the style is none of these.
    """
    marks: dict[str, Callable[[int], str]] = {
        "qmark": lambda _: "?",
        "format": lambda _: "%s",
        "pyformat": lambda number: f"%(argument_{number})s",
        "numeric": lambda number: f":{number}",
        "named": lambda number: f":argument_{number}",
    }
    if style not in marks:
        raise UpdraftError(f"{style!r} is no paramstyle; there are {', '.join(marks)}")
    plain = style in {"qmark", "numeric", "named"} or not doubles_percent
    escape = str if plain else _percent_doubled
    parts, at = [], 0
    for number, place in enumerate(positional_places(sql), start=1):
        mark = marks[style](numbers[number - 1] if numbers else number)
        parts += [escape(sql[at : place.start]), _apart(sql, place, mark)]
        at = place.end
    return "".join([*parts, escape(sql[at:])])


def _percent_doubled(text: str) -> str:
    return text.replace("%", "%%")


def _named(found: Sequence[Word]) -> Iterator[Place]:
    for index, (colon, word) in enumerate(pairwise(found)):
        if not _is_sign(colon, ":") or word.kind is not Kind.WORD or word.start != colon.end:
            continue
        before = found[index - 1] if index else None
        if before is not None and _is_sign(before, ":") and before.end == colon.start:
            continue  # a cast
        name = PARAMETER_NAME.match(word.text)
        if name is not None:
            yield Place(name[0], colon.start, word.start + name.end())


def _is_sign(word: Word, sign: str) -> bool:
    return word.kind is Kind.SIGN and word.text == sign


def _rewritten(sql: str, places: Sequence[Place], text: Callable[[int, Place], str | None]) -> str:
    parts, at = [], 0
    for index, place in enumerate(places):
        new = text(index, place)
        if new is not None:
            parts += [sql[at : place.start], _apart(sql, place, new)]
            at = place.end
    return "".join([*parts, sql[at:]])


def _apart(sql: str, place: Place, text: str) -> str:
    """Keep what is written in the place of a parameter from growing into its neighbours."""
    before, after = sql[: place.start][-1:], sql[place.end :][:1]
    return f"{_gap(before)}{text}{_gap(after)}"


def _gap(neighbour: str) -> str:
    return " " if neighbour.isalnum() or (neighbour and neighbour in ":'\"_$#@?%") else ""


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
