"""What all formats of rows have in common."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from updraft.errors import PermanentError

Value = str | None
"""A column of a row; ``None`` stands for NULL."""


class Record(NamedTuple):
    """A row that was read.

    :param number: which one of its file it is, from 1.
    :param values: its columns.
    """

    number: int
    values: tuple[Value, ...]


class RowFormat(Protocol):
    """Reads rows from text and writes them as text, neither of which is ever there as a whole."""

    def read(self, texts: Iterable[str]) -> Iterator[Record]:
        """Read rows.

        :param texts: pieces of a text, cut anywhere.
        :returns: its rows.
        :raises RowError: when something is no row.
        """

    def write(self, rows: Iterable[Sequence[Value]]) -> Iterator[str]:
        """Write rows.

        :param rows: the rows.
        :returns: for each row its text, with what ends it.
        :raises RowError: when the format has no text for a row.
        """


class RowError(PermanentError):
    """A row can't be read or written."""
