"""Splits CSV files into rows, and goes on after a row that is malformed."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.formats.text_lines import MAXIMUM_LINE_BYTES, numbered_lines


@dataclass(frozen=True)
class Row:
    """A row of a file.

    :param line: number of the line in which it begins, from 1.
    :param cells: its cells, empty when it is malformed.
    :param content: its text when it is malformed.
    :param error: what is wrong with it.
    """

    line: int
    cells: list[str]
    content: bytes = b""
    error: str | None = None

    def as_json(self) -> bytes:
        """Render the row.

        :returns: a JSON array of its cells; the text itself of a malformed row.
        """
        return self.content or json.dumps(self.cells, ensure_ascii=False).encode()


class RowReader:
    """Reads rows.

    :param stream: the file as it is stored.
    :param source: its URI.
    :param delimiter: what separates cells.
    """

    def __init__(self, stream: BinaryIO, source: str, delimiter: str) -> None:
        self._lines = numbered_lines(stream, source)
        self._source = source
        self._delimiter = delimiter
        self._line = 0
        self._raw: list[bytes] = []

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows that are not empty."""
        # The limit holds for the whole process and is too low for items; it only ever grows.
        if csv.field_size_limit() < MAXIMUM_LINE_BYTES:
            csv.field_size_limit(MAXIMUM_LINE_BYTES)
        reader = csv.reader(self._text(), delimiter=self._delimiter, strict=True)
        while True:
            self._raw.clear()
            first = self._line + 1
            try:
                cells = next(reader, None)
            except UnicodeDecodeError as error:
                yield Row(first, [], b"\n".join(self._raw), f"the row is no UTF-8 ({error})")
                reader = csv.reader(self._text(), delimiter=self._delimiter, strict=True)
                continue
            except csv.Error as error:
                self._refuse_endless(first, error)
                yield Row(first, [], b"\n".join(self._raw), f"the row is no CSV ({error})")
                continue
            if cells is None:
                return
            if cells:
                yield Row(first, cells)

    def _text(self) -> Iterator[str]:
        for number, line in self._lines:
            self._line = number
            self._raw.append(line)
            yield line.decode() + "\n"

    def _refuse_endless(self, first: int, error: csv.Error) -> None:
        """Refuse a file with a quote that never ends: all the rest of it is one cell."""
        if "field larger than" in str(error):
            raise ItemFormatError(
                f"{self._source}, line {first}: a cell has more than {MAXIMUM_LINE_BYTES:,} "
                "characters; is a closing quotation mark missing?"
            ) from error
