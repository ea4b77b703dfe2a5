"""Parquet files that lose nothing.

Each attribute has a column of a fitting type. What does not fit its column exactly, and what has no
column, goes to the last one, ``_other_attributes``, as DynamoDB JSON. The metadata of a column says
which of DynamoDB's types it holds, so that reading restores sets, numbers and binary values.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from updraft.dynamodb.formats.base import Item, ItemRecord, RejectedRecord
from updraft.dynamodb.formats.json_lines import malformed_item
from updraft.dynamodb.formats.lossless_json import dump_json
from updraft.dynamodb.formats.options import check_options, texts_option
from updraft.dynamodb.formats.parquet_columns import (
    Column,
    arrow_schema,
    infer_columns,
    parse_schema,
)
from updraft.dynamodb.formats.parquet_reading import read_records
from updraft.dynamodb.formats.sampling import Sample
from updraft.dynamodb.formats.written_pieces import WrittenPieces

if TYPE_CHECKING:
    import pyarrow as pa

_OPTIONS = frozenset({"schema"})
_SAMPLED_ITEMS = 10_000
_ROW_GROUP_ROWS = 10_000
_ROW_GROUP_BYTES = 8 * 1024**2


class ParquetFormat:
    """Columnar files, compressed with Zstandard, in groups of at most 10,000 rows.

    :param key_types: type (S, N or B) of each key attribute, the partition key first.
    :param options: ``schema`` maps attributes to ``string``, ``int64``, ``double``,
        ``decimal(p,s)``, ``number`` (text of any number), ``bool``, ``binary``, ``null``,
        ``string_set``, ``number_set``, ``binary_set``, ``map`` or ``list`` (both DynamoDB JSON);
        without it the first 10,000 items of each file decide.
    """

    name = "PARQUET"
    position_noun = "row"
    file_suffix = ".parquet"
    maximum_items_per_file = 1_000_000

    def __init__(self, key_types: Mapping[str, str], options: Mapping[str, Any]) -> None:
        check_options(self.name, options, _OPTIONS)
        self._key_types = dict(key_types)
        schema = texts_option(options, "schema")
        self._columns = parse_schema(schema, key_types) if schema else None

    def encode(self, items: Iterable[Item]) -> Iterator[bytes]:
        """Write one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.encode`."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns = self._columns
        if columns is None:
            sample = Sample(items, _SAMPLED_ITEMS)
            columns = infer_columns(sample.items, self._key_types)
            items = sample.all_items()
        schema = arrow_schema(columns)
        output = WrittenPieces()
        group = _RowGroup(columns)
        with pq.ParquetWriter(
            pa.PythonFile(output, mode="w"), schema, compression="zstd", write_page_checksum=True
        ) as file:
            for item in items:
                group.add(item)
                if group.full:
                    file.write_table(group.take(schema))
                    yield output.take()
            if group.rows:
                file.write_table(group.take(schema))
        yield output.take()

    def decode(self, stream: BinaryIO, source: str) -> Iterator[ItemRecord | RejectedRecord]:
        """Read one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.decode`."""
        return read_records(stream, source)


class _RowGroup:
    """Rows that wait to be written together."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._names = frozenset(column.name for column in columns)
        self._start()

    def _start(self) -> None:
        self.rows = 0
        self._bytes = 0
        self._values: list[list[Any]] = [[] for _ in self._columns]
        self._others: list[str | None] = []
        self._plan = [
            (column.name, column.type.type_key, column.type.convert, values.append)
            for column, values in zip(self._columns, self._values, strict=True)
        ]

    @property
    def full(self) -> bool:
        """Whether it is time to write the rows."""
        return self.rows >= _ROW_GROUP_ROWS or self._bytes >= _ROW_GROUP_BYTES

    def add(self, item: Item) -> None:
        """Add an item.

        :param item: the item.
        :raises ItemFormatError: when it is none.
        """
        try:
            self._add(item)
        except (AttributeError, TypeError) as error:
            raise malformed_item(item, error) from error

    def _add(self, item: Item) -> None:
        fitting = 0
        size = 0
        misfits: list[str] = []
        for name, type_key, convert, append in self._plan:
            value = item.get(name)
            if value is None:
                append(None)
                continue
            try:
                if len(value) != 1:
                    raise TypeError(value)
                payload = value[type_key]
                cell = payload if convert is None else convert(payload)
            except (KeyError, ValueError):
                append(None)
                misfits.append(name)
            else:
                append(cell)
                fitting += 1
                size += _size(cell)
        others = None
        if fitting < len(item):
            names = self._names
            rest = {k: v for k, v in item.items() if k not in names or k in misfits}
            others = dump_json(rest).decode()
            size += len(others)
        self._others.append(others)
        self._bytes += size
        self.rows += 1

    def take(self, schema: "pa.Schema") -> "pa.Table":
        """Take the rows away.

        :param schema: the schema of the file.
        :returns: the rows as a table.
        :raises ItemFormatError: when an item is none.
        """
        import pyarrow as pa

        arrays = []
        for field, values in zip(schema, [*self._values, self._others], strict=True):
            try:
                arrays.append(pa.array(values, field.type))
            except (pa.ArrowException, TypeError, ValueError) as error:
                raise malformed_item({field.name: {}}, error) from error
        table = pa.table(arrays, schema=schema)
        self._start()
        return table


def _size(cell: Any) -> int:
    if type(cell) is str or type(cell) is bytes:
        return len(cell)
    return sum(map(len, cell)) if type(cell) is list else 8
