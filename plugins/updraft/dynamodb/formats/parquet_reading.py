"""Reads Parquet files, those of Updraft and those of others."""

import base64
import json
import math
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

from updraft.dynamodb.formats.base import (
    AttributeValue,
    ItemFormatError,
    ItemRecord,
    RejectedRecord,
)
from updraft.dynamodb.formats.canonical_numbers import canonical_number
from updraft.dynamodb.formats.lossless_json import parse_json
from updraft.dynamodb.formats.parquet_columns import TYPE_KEY
from updraft.dynamodb.formats.sampling import OTHER_ATTRIBUTES
from updraft.dynamodb.formats.value_errors import InvalidValueError
from updraft.dynamodb.formats.wire_values import TYPE_KEYS, WireReader

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_BYTES = 4 * 1024**2
_BATCH_ROWS = 5_000
_BUFFER_BYTES = 1024**2
_READER = WireReader({key: key for key in TYPE_KEYS})

_Read = Callable[[Any], AttributeValue]


def read_records(stream: BinaryIO, source: str) -> Iterator[ItemRecord | RejectedRecord]:
    """Read the rows of a file.

    :param stream: its content, seekable.
    :param source: its URI.
    :returns: the items and what is none.
    :raises ItemFormatError: when it is no Parquet file, damaged, or has a column of a type that
        DynamoDB does not have.
    """
    import pyarrow as pa

    number = 0
    rows = _rows(stream, source)
    while True:
        try:
            row = next(rows, None)
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # reading failed, not what was read
            place = f"row {number + 1}: the Parquet file is damaged" if number else "no Parquet"
            raise ItemFormatError(f"{source}: {place} ({error})") from error
        if row is None:
            return
        number += 1
        values, reads = row
        try:
            item = _item(values, reads)
        except InvalidValueError as error:
            reason = f"{source}, row {number}: {error}"
            content = json.dumps(values, default=str, ensure_ascii=False).encode(errors="replace")
            yield RejectedRecord(number, reason, content)
        else:
            yield ItemRecord(number, item)


def _rows(stream: BinaryIO, source: str) -> Iterator[tuple[dict[str, Any], Mapping[str, _Read]]]:
    """Return the values of each row that are there, with what reads them."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(
        stream, buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True
    ) as file:
        reads = _column_reads(file.schema_arrow, source)
        names = list(reads)
        rows = max(_batch_rows(file.metadata), 1)
        for batch in file.iter_batches(batch_size=rows, use_threads=False):
            columns = [_values(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                row = {
                    name: value
                    for name, value in zip(names, values, strict=True)
                    if value is not None
                }
                yield row, reads


def _values(column: "pa.Array") -> list[Any]:
    """Return the values of a column; Python's own times have no nanoseconds, so those are text."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        texts = column.cast(pa.string()).to_pylist()
        return [text and text.replace(" ", "T").replace("Z", "+00:00") for text in texts]
    values: list[Any] = column.to_pylist()
    return values


def _batch_rows(metadata: Any) -> int:
    """Return how many rows to read at once, so that large rows do not fill the memory."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    largest = max((g.total_byte_size / max(g.num_rows, 1) for g in groups), default=1.0)
    return int(min(_BATCH_ROWS, _BATCH_BYTES / max(largest, 1.0)))


def _item(row: Mapping[str, Any], reads: Mapping[str, _Read]) -> dict[str, AttributeValue]:
    item: dict[str, AttributeValue] = {}
    for name, value in row.items():
        if name == OTHER_ATTRIBUTES:
            continue
        try:
            item[name] = reads[name](value)
        except InvalidValueError as error:
            raise error.below(name) from None
    others = row.get(OTHER_ATTRIBUTES)
    if others is None:
        return item
    rest = _READER.item(parse_json(others.encode()))
    twice = item.keys() & rest.keys()
    if twice:
        raise InvalidValueError(f"{OTHER_ATTRIBUTES} repeats a column", min(twice))
    return item | rest


def _column_reads(schema: "pa.Schema", source: str) -> dict[str, _Read]:
    reads: dict[str, _Read] = {}
    for field in schema:
        if field.name in reads:
            raise ItemFormatError(f"{source}: two columns have the name {field.name!r}")
        if not field.name:
            raise ItemFormatError(f"{source}: a column has no name")
        try:
            reads[field.name] = _read_of_field(field)
        except _UnknownTypeError as error:
            raise ItemFormatError(
                f"{source}: the column {field.name!r} has the type {error}, which has no "
                "counterpart in DynamoDB; convert it to text or numbers before the import"
            ) from None
    return reads


class _UnknownTypeError(Exception):
    """DynamoDB has nothing like a type of Arrow."""


def _read_of_field(field: "pa.Field") -> _Read:
    import pyarrow as pa

    if field.name == OTHER_ATTRIBUTES:
        if not pa.types.is_string(field.type) and not pa.types.is_large_string(field.type):
            raise _UnknownTypeError(field.type)
        return _text
    written = (field.metadata or {}).get(TYPE_KEY, b"").decode(errors="replace")
    if written in _OWN_READS:
        arrow_types, read = _OWN_READS[written]
        if any(str(field.type).startswith(name) for name in arrow_types):
            return read
    return _read_of_type(field.type)


def _read_of_type(kind: "pa.DataType") -> _Read:
    """Choose what reads the values of a type of Arrow."""
    import pyarrow as pa

    is_a = pa.types
    if is_a.is_dictionary(kind):
        return _read_of_type(kind.value_type)
    if is_a.is_struct(kind):
        return _read_of_struct(kind)
    if is_a.is_map(kind):
        return _read_of_map(kind)
    if is_a.is_list(kind) or is_a.is_large_list(kind) or is_a.is_fixed_size_list(kind):
        return _read_of_list(kind)
    reads: list[tuple[Callable[[pa.DataType], bool], _Read]] = [
        (is_a.is_string, _text),
        (is_a.is_large_string, _text),
        (is_a.is_boolean, lambda value: {"BOOL": value}),
        (is_a.is_integer, _number),
        (is_a.is_floating, _number),
        (is_a.is_decimal, _number),
        (is_a.is_binary, _binary),
        (is_a.is_large_binary, _binary),
        (is_a.is_fixed_size_binary, _binary),
        (is_a.is_temporal, _time),
        (is_a.is_null, lambda _: {"NULL": True}),
    ]
    for matches, read in reads:
        if matches(kind) and not is_a.is_duration(kind) and not is_a.is_interval(kind):
            return read
    raise _UnknownTypeError(kind)


def _read_of_member(kind: "pa.DataType") -> _Read:
    import pyarrow as pa

    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        raise _UnknownTypeError(kind)  # only whole columns can be made text by Arrow
    return _read_of_type(kind)


def _text(value: str) -> AttributeValue:
    return {"S": value}


def _binary(value: bytes) -> AttributeValue:
    return {"B": base64.b64encode(value).decode("ascii")}


def _time(value: Any) -> AttributeValue:
    return {"S": value if isinstance(value, str) else value.isoformat()}


def _number(value: Any) -> AttributeValue:
    if isinstance(value, str):
        return {"N": value}
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidValueError("DynamoDB has no such number", value)
    text = format(value, "f") if isinstance(value, Decimal) else repr(value)
    return {"N": canonical_number(text)}


def _read_of_struct(kind: "pa.DataType") -> _Read:
    reads = {field.name: _read_of_member(field.type) for field in kind}

    def read(value: Mapping[str, Any]) -> AttributeValue:
        return {"M": {name: reads[name](v) for name, v in value.items() if v is not None}}

    return read


def _read_of_map(kind: "pa.DataType") -> _Read:
    import pyarrow as pa

    if not pa.types.is_string(kind.key_type):
        raise _UnknownTypeError(kind)
    read_member = _read_of_member(kind.item_type)

    def read(value: list[tuple[str, Any]]) -> AttributeValue:
        members = {name: read_member(v) if v is not None else {"NULL": True} for name, v in value}
        if len(members) < len(value):
            raise InvalidValueError("one map names a member twice", value)
        return {"M": members}

    return read


def _read_of_list(kind: "pa.DataType") -> _Read:
    read_member = _read_of_member(kind.value_type)

    def read(value: list[Any]) -> AttributeValue:
        # A null keeps its place, or those after it would move up.
        return {"L": [read_member(v) if v is not None else {"NULL": True} for v in value]}

    return read


def _of_json(type_key: str) -> _Read:
    return lambda text: _READER.value({type_key: parse_json(text.encode())})


def _set_of(type_key: str) -> _Read:
    def read(members: list[Any]) -> AttributeValue:
        if None in members:
            raise InvalidValueError("a set has no null", members)
        if type_key == "BS":
            return {"BS": [base64.b64encode(member).decode("ascii") for member in members]}
        return {type_key: members}

    return read


_TEXT_LISTS = ("list<item: string>", "list<element: string>")
_BINARY_LISTS = ("list<item: binary>", "list<element: binary>")
_OWN_READS: dict[str, tuple[tuple[str, ...], _Read]] = {
    "S": (("string",), _text),
    "N": (("string", "int64", "double", "decimal128"), _number),
    "B": (("binary",), _binary),
    "BOOL": (("bool",), lambda value: {"BOOL": value}),
    "NULL": (("bool",), lambda value: {"NULL": value}),
    "SS": (_TEXT_LISTS, _set_of("SS")),
    "NS": (_TEXT_LISTS, _set_of("NS")),
    "BS": (_BINARY_LISTS, _set_of("BS")),
    "M": (("string",), _of_json("M")),
    "L": (("string",), _of_json("L")),
}
"""What reads the columns that Updraft wrote, by DynamoDB's type, with the types they have.

A tool that rewrites a file may keep the metadata and change the type.
"""
