"""Columns of staged data, as data formats of a definition list them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from updraft.errors import UpdraftError

_COLUMN = re.compile(r"\s*`?(?P<name>\w+)`?\s+(?P<type>\S.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    :param name: its name.
    :param type: its type in Hive's words, upper case.
    """

    name: str
    type: str


def parse_columns(texts: Sequence[str]) -> tuple[Column, ...]:
    """Read columns.

    A value may list several columns with commas between them (guide, "TSV").

    :param texts: values such as ``name STRING``.
    :returns: the columns in order.
    :raises UpdraftError: when one is no name with a type.
    """
    columns: list[Column] = []
    for text in texts:
        for part in _split(text):
            match = _COLUMN.fullmatch(part)
            if match is None:
                raise UpdraftError(f"the column {part.strip()!r} is no name with a type")
            columns.append(Column(match["name"], match["type"].upper()))
    return tuple(columns)


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets, which belong to types such as ``DECIMAL(10,2)``."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "(<") - (character in ")>")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
