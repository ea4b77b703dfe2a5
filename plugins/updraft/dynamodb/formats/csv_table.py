"""CSV files that lose nothing.

The header names the attributes. A cell holds text as it is, and every other value as DynamoDB JSON,
``{"N":"1.5"}``, unless its column is declared to hold plain values of that type. An empty cell
stands for an attribute that the item does not have. What is in no column goes to the last one,
``_other_attributes``. So files for DynamoDB's own import are read in the same way, with all values
outside the key as text:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
"""

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from updraft.choices import unknown_choice
from updraft.dynamodb.formats.base import Item, ItemFormatError, ItemRecord, RejectedRecord
from updraft.dynamodb.formats.compression import COMPRESSION_SUFFIXES, compressed
from updraft.dynamodb.formats.csv_cells import (
    PLAIN_TYPES,
    decode_cell,
    decode_others,
    encode_cell,
    encode_others,
)
from updraft.dynamodb.formats.csv_rows import RowReader
from updraft.dynamodb.formats.json_lines import malformed_item
from updraft.dynamodb.formats.options import (
    check_options,
    compression_option,
    names_option,
    texts_option,
)
from updraft.dynamodb.formats.sampling import OTHER_ATTRIBUTES, Sample, column_names
from updraft.dynamodb.formats.text_lines import excerpt, joined
from updraft.dynamodb.formats.value_errors import InvalidValueError
from updraft.errors import ArgumentError

_OPTIONS = frozenset({"attribute_types", "columns", "compression", "delimiter"})
_SAMPLED_ITEMS = 1_000
_BYTE_ORDER_MARK = "\ufeff"


class CsvFormat:
    """Tables of text, one item per row.

    :param key_types: type (S, N or B) of each key attribute, the partition key first; key columns
        hold plain values of these types.
    :param options: ``delimiter`` is one character, a comma by default. ``columns`` lists the
        columns; without it they are the attributes of the file's first 1,000 items, and
        ``_other_attributes``. Files that are read may then lack a header.
        ``attribute_types`` maps attributes to ``S``, ``N``, ``BOOL`` or ``B`` (base64): their
        columns hold plain values of that type. ``compression`` is ``NONE`` (default), ``GZIP`` or
        ``ZSTD``; when reading, the name of the file tells it.
    """

    name = "CSV"
    position_noun = "line"
    maximum_items_per_file = 1_000_000

    def __init__(self, key_types: Mapping[str, str], options: Mapping[str, Any]) -> None:
        check_options(self.name, options, _OPTIONS)
        self._key_types = dict(key_types)
        self._columns = _columns_option(options, key_types)
        self._plain_types = _attribute_types_option(options) | self._key_types
        self._delimiter = _delimiter_option(options)
        self._compression = compression_option(options, "NONE", COMPRESSION_SUFFIXES)
        self.file_suffix = ".csv" + COMPRESSION_SUFFIXES[self._compression]

    def encode(self, items: Iterable[Item]) -> Iterator[bytes]:
        """Write one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.encode`."""
        return compressed(joined(self._lines(items)), self._compression)

    def decode(self, stream: BinaryIO, source: str) -> Iterator[ItemRecord | RejectedRecord]:
        """Read one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.decode`.

        The position of a record is the line in which its row begins.
        """
        rows = RowReader(stream, source, self._delimiter)
        header: _Header | None = None
        for row in rows:
            if header is None:
                if row.error is not None:
                    raise ItemFormatError(f"{source}, line {row.line}: {row.error}")
                header = self._header(row.cells, source)
                if header.is_given_by_file:
                    continue
            try:
                if row.error is not None:
                    raise InvalidValueError(row.error, row.content)  # noqa: TRY301 - one handler
                item = header.item(row.cells)
            except InvalidValueError as error:
                reason = f"{source}, line {row.line}: {error}"
                yield RejectedRecord(row.line, reason, row.as_json())
            else:
                yield ItemRecord(row.line, item)

    def _lines(self, items: Iterable[Item]) -> Iterator[bytes]:
        if self._columns is None:
            sample = Sample(items, _SAMPLED_ITEMS)
            columns = column_names(sample.items(), self._key_types)
            items = sample.all_items()
        else:
            columns = self._columns
        output = _Lines()
        # Lines end with a line feed; see _Lines for the terminator here.
        writer = csv.writer(output, delimiter=self._delimiter, lineterminator="\r\n")
        others = [] if self._columns else [OTHER_ATTRIBUTES]
        writer.writerow([*columns, *others])
        first = output.line
        # A reader drops one byte order mark, so one that belongs to a name needs another.
        yield (_BYTE_ORDER_MARK + first if first.startswith(_BYTE_ORDER_MARK) else first).encode()
        typed_columns = [(name, self._plain_types.get(name, "S")) for name in columns]
        names = frozenset(columns)
        for item in items:
            try:
                row = [
                    encode_cell(item[name], plain_type) if name in item else ""
                    for name, plain_type in typed_columns
                ]
                rest = self._rest(item, names, row)
                writer.writerow(row if self._columns else [*row, encode_others(rest)])
                yield output.line.encode()
            except (AttributeError, TypeError, ValueError, csv.Error) as error:
                raise malformed_item(item, error) from error

    def _rest(self, item: Item, names: frozenset[str], row: Sequence[str]) -> dict[str, Any]:
        if len(item) == len(row) - row.count(""):
            return {}
        rest = {name: value for name, value in item.items() if name not in names}
        if rest and self._columns:
            name = next(iter(rest))
            key = {key: item.get(key) for key in self._key_types}
            raise ItemFormatError(
                f"the item with the key {excerpt(key)} has the attribute {name!r}, which is not "
                "among the columns; add it to them, or leave the option columns away"
            )
        return rest

    def _header(self, cells: Sequence[str], source: str) -> "_Header":
        if self._columns is not None and set(cells) != set(self._columns):
            return _Header(self._columns, self._plain_types, is_given_by_file=False)
        twice = next((name for name in cells if cells.count(name) > 1), None)
        if twice is not None:
            raise ItemFormatError(f"{source}, line 1: the header names {twice!r} twice")
        if "" in cells:
            raise ItemFormatError(f"{source}, line 1: a column of the header has no name")
        missing = next((name for name in self._key_types if name not in cells), None)
        if missing is not None:
            near = difflib.get_close_matches(missing, cells, n=1)
            hint = f"; is it {near[0]!r}?" if near else "."
            raise ItemFormatError(
                f"{source}, line 1: the header has no column for the key attribute {missing!r}"
                f"{hint} It has {excerpt(list(cells))}. Check the option delimiter; the columns of "
                "a file without header belong in the option columns."
            )
        return _Header(cells, self._plain_types, is_given_by_file=True)


class _Header:
    """The columns of a file that is read."""

    def __init__(
        self, columns: Sequence[str], plain_types: Mapping[str, str], *, is_given_by_file: bool
    ) -> None:
        self._columns = [(name, plain_types.get(name, "S")) for name in columns]
        self.is_given_by_file = is_given_by_file

    def item(self, cells: Sequence[str]) -> Item:
        """Read a row.

        :param cells: its cells.
        :returns: the item.
        :raises InvalidValueError: when it is none.
        """
        if len(cells) != len(self._columns):
            raise InvalidValueError(
                f"the row has {len(cells)} cells for {len(self._columns)} columns", cells
            )
        item: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for (name, plain_type), cell in zip(self._columns, cells, strict=True):
            if not cell:
                continue
            if name == OTHER_ATTRIBUTES:
                others = decode_others(cell)
                continue
            try:
                item[name] = decode_cell(cell, plain_type)
            except InvalidValueError as error:
                raise error.below(name) from None
        twice = item.keys() & others.keys()
        if twice:
            raise InvalidValueError(f"{OTHER_ATTRIBUTES} repeats a column", min(twice))
        return item | others


class _Lines:
    """Takes what a CSV writer writes, and ends lines with a line feed alone.

    The writer quotes cells with the characters of its line terminator. So it has to believe in
    both, or a carriage return within a cell would end the row for readers.
    """

    line = ""

    def write(self, line: str) -> int:
        self.line = line[:-2] + "\n"
        return len(line)


def _columns_option(
    options: Mapping[str, Any], key_types: Mapping[str, str]
) -> tuple[str, ...] | None:
    columns = names_option(options, "columns")
    if columns is None:
        return None
    if OTHER_ATTRIBUTES in columns:
        raise ArgumentError(
            f"columns: {OTHER_ATTRIBUTES!r} is the column that files without this option have"
        )
    for name in key_types:
        if name not in columns:
            raise ArgumentError(f"columns: the key attribute {name!r} is missing")
    return columns


def _attribute_types_option(options: Mapping[str, Any]) -> dict[str, str]:
    types = texts_option(options, "attribute_types")
    for name, type_key in types.items():
        if type_key not in PLAIN_TYPES:
            raise unknown_choice(f"attribute_types, {name}", type_key, PLAIN_TYPES)
    return types


def _delimiter_option(options: Mapping[str, Any]) -> str:
    delimiter = options.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n{}\ufeff':
        raise ArgumentError(
            f"delimiter: {delimiter!r} is not one character such as ',', ';', '|' or a tabulator"
        )
    return delimiter
