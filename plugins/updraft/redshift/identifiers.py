"""Names of tables and columns of Amazon Redshift: read, checked and quoted.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from updraft.errors import UpdraftError

DEFAULT_SCHEMA = "public"
MOST_BYTES = 127
"""Longest name, in bytes of UTF-8."""

_PART = r'(?:"(?:[^"\0]|"")+"|[^\W\d][\w$]*)'
_IDENTIFIER = re.compile(_PART)
_NAME = re.compile(rf"{_PART}(?:\.{_PART})*")


@dataclass(frozen=True, slots=True)
class TableName:
    """Name of a table as it stands in the catalog.

    :param schema: its schema.
    :param table: its own name.
    """

    schema: str
    table: str

    @property
    def sql(self) -> str:
        """The name as SQL, with its schema and in quotes."""
        return f"{quoted(self.schema)}.{quoted(self.table)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


def quoted(name: str) -> str:
    """Write a name so that it is one identifier whatever stands in it.

    :param name: the name.
    :returns: it in double quotes, and those in it doubled.
    :raises UpdraftError: when no identifier can be so.
    """
    _check(name)
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def parse_table(argument: str, text: object, default_schema: str = DEFAULT_SCHEMA) -> TableName:
    """Read the name of a table.

    :param argument: name of the argument, for the error message.
    :param text: ``table`` or ``schema.table``; a part with other characters than letters, digits,
        ``_`` and ``$`` stands in double quotes.
    :param default_schema: schema of a name without one.
    :returns: the name, in lower case as Redshift keeps it.
    :raises UpdraftError: when it is no such name.
    """
    stripped = text.strip() if isinstance(text, str) else ""
    if not _NAME.fullmatch(stripped):
        raise UpdraftError(
            f"{argument}: {text!r} is no name of a table; it looks like orders or sales.orders, "
            'and other characters than letters, digits, _ and $ need double quotes: sales."a-b"'
        )
    parts = [_folded(argument, part) for part in _IDENTIFIER.findall(stripped)]
    if len(parts) == 1:
        parts.insert(0, default_schema)
    if len(parts) > 2:  # noqa: PLR2004 - schema and table
        raise UpdraftError(
            f"{argument}: {text!r} has more than schema and table; the database is an argument of "
            "its own"
        )
    return TableName(*parts)


def parse_schema(argument: str, text: object) -> str:
    """Read the name of a schema.

    :param argument: name of the argument, for the error message.
    :param text: the name; empty or ``None`` for ``public``.
    :returns: the name, in lower case as Redshift keeps it.
    :raises UpdraftError: when it is none.
    """
    return _single(argument, text, "a schema") if text else DEFAULT_SCHEMA


def parse_columns(argument: str, value: Sequence[str] | str | None) -> tuple[str, ...]:
    """Read a list of columns.

    :param argument: name of the argument, for the error message.
    :param value: the names, their JSON, or names with commas between them; a name with other
        characters than letters, digits, ``_`` and ``$`` stands in double quotes.
    :returns: the names, in lower case as Redshift keeps them.
    :raises UpdraftError: when one is no name, or comes twice.
    """
    names = tuple(_single(argument, one, "a column") for one in text_list(argument, value))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UpdraftError(f"{argument}: {twice[0]!r} comes twice")
    return names


def text_list(argument: str, value: Sequence[str] | str | None) -> list[str]:
    """Read a list of texts, as an argument or a template gives it.

    :param argument: name of the argument, for the error message.
    :param value: the texts, their JSON, or texts with commas between them outside quotes.
    :returns: the texts.
    :raises UpdraftError: when it is something else.
    """
    if value is None:
        return []
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            try:
                value = json.loads(text)
            except ValueError as error:
                raise UpdraftError(f"{argument}: {text!r} is no list in JSON: {error}") from None
        else:
            pieces = re.findall(r'(?:"(?:[^"]|"")*"|[^,"]|")+|,', text)
            return [piece.strip() for piece in pieces if piece != ","]
    if not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise UpdraftError(f"{argument}: {value!r} is no list of texts")
    return list(value)


def _single(argument: str, text: object, what: str) -> str:
    stripped = text.strip() if isinstance(text, str) else ""
    if not _IDENTIFIER.fullmatch(stripped):
        raise UpdraftError(
            f"{argument}: {text!r} is no name of {what}; other characters than letters, digits, "
            '_ and $ stand in double quotes: "unit price"'
        )
    return _folded(argument, stripped)


def _folded(argument: str, part: str) -> str:
    name = part[1:-1].replace('""', '"') if part.startswith('"') else part
    try:
        _check(name)
    except UpdraftError as error:
        raise UpdraftError(f"{argument}: {error}") from None
    return name.lower()


def _check(name: str) -> None:
    if not name or "\0" in name:
        raise UpdraftError(f"{name[:40]!r} is no name: it is empty or has a NUL character")
    if len(name.encode(errors="replace")) > MOST_BYTES:
        raise UpdraftError(f"{name[:40]!r}… is longer than {MOST_BYTES} bytes")
