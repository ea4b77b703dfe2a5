"""Reads JSON, Avro, Parquet and ORC as COPY does."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
from pyarrow import orc, parquet

from include.local.gateway.services.redshift_engine.field_values import FieldError, TargetColumn
from include.local.gateway.services.redshift_engine.text_files import Line
from include.local.gateway.services.redshift_engine.tokens import SqlError

_STEP = re.compile(r"\.(?P<name>[\w$-]+)|\[(?P<index>\d+)\]|\[['\"](?P<key>[^'\"]*)['\"]\]")
_ABSENT = object()


def read_paths(body: bytes) -> list[list[str | int]]:
    """Read a file of JSON paths.

    :param body: its content.
    :returns: the steps of each path.
    :raises SqlError: when it is none.
    """
    try:
        texts = json.loads(body)["jsonpaths"]
        return [_steps(str(text)) for text in texts]
    except (ValueError, KeyError, TypeError) as error:
        raise SqlError(f"Invalid JSONPath file: {error}") from error


def _steps(text: str) -> list[str | int]:
    if not text.startswith("$"):
        raise SqlError(f"Invalid JSONPath format: supported notations are 'dot-notation' and "
                       f"'bracket-notation': {text}")  # fmt: skip
    steps: list[str | int] = []
    position = 1
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise SqlError(f"Invalid JSONPath format: {text}")
        if step["index"] is not None:
            steps.append(int(step["index"]))
        else:
            steps.append(step["name"] or step["key"])
        position = step.end()
    return steps


def read_json(
    body: bytes,
    columns: Sequence[TargetColumn],
    paths: Sequence[Sequence[str | int]] | None,
    *,
    ignore_case: bool = False,
    whole: bool = False,
) -> Iterator[Line]:
    """Read objects of JSON that follow one another.

    :param body: content of the file.
    :param columns: where the values go.
    :param paths: path of each column's value; None takes members with the names of the columns.
    :param ignore_case: whether names of members may be written large.
    :param whole: whether the objects go into the one column as they are.
    :returns: a line for each object.
    """
    text = body.decode(errors="surrogateescape").removeprefix("\ufeff")
    # Numbers keep the form that they have in the file.
    decoder = json.JSONDecoder(parse_float=_Number, parse_int=_Number)
    position, number = 0, 1
    while True:
        begin = _skip(text, position)
        number += text.count("\n", position, begin)
        if begin >= len(text):
            return
        try:
            value, position = decoder.raw_decode(text, begin)
        except ValueError as error:
            raw = text[begin:].split("\n", 1)[0]
            yield Line(number, raw, error=FieldError(1216, f"Invalid JSON: {error}", None, raw))
            end = text.find("\n", begin)
            position = len(text) if end < 0 else end
            continue
        raw = text[begin:position]
        if whole:
            yield Line(number, raw, [_text(value)], typed=True)
        elif isinstance(value, dict) or (isinstance(value, list) and paths is not None):
            yield Line(number, raw, _members(value, columns, paths, ignore_case), typed=True)
        else:
            reason = "Invalid JSON: an object is expected"
            yield Line(number, raw, error=FieldError(1216, reason, None, raw))
        number += raw.count("\n")


class _Number(str):
    """A number of JSON as it is written."""

    __slots__ = ()


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _members(
    value: Any,
    columns: Sequence[TargetColumn],
    paths: Sequence[Sequence[str | int]] | None,
    ignore_case: bool,
) -> list[str | None]:
    if paths is not None:
        return [_text(_follow(value, path)) for path in paths]
    if ignore_case:
        value = {str(name).lower(): item for name, item in value.items()}
    return [_text(value.get(column.name, _ABSENT)) for column in columns]


def _follow(value: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return value


def _text(value: Any) -> str | None:
    if value is _ABSENT or value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return _written(value)
    return str(value)


def _written(value: Any) -> str:
    """Write JSON with numbers as they were read."""
    if isinstance(value, dict):
        items = (f"{json.dumps(str(key))}:{_written(item)}" for key, item in value.items())
        return "{" + ",".join(items) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(item) for item in value) + "]"
    if isinstance(value, _Number):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def read_avro(
    body: bytes, columns: Sequence[TargetColumn], paths: Sequence[Sequence[str | int]] | None
) -> Iterator[Line]:
    """Read an Avro container file.

    :param body: its content.
    :param columns: where the values go.
    :param paths: path of each column's value; None takes fields with the names of the columns.
    :returns: a line for each record.
    :raises SqlError: when it is none.
    """
    try:
        for number, record in enumerate(fastavro.reader(io.BytesIO(body)), start=1):
            if not isinstance(record, dict):
                raise SqlError("Avro files have to hold records")
            yield Line(
                number,
                str(record),
                [_text_of(one) for one in _avro_fields(record, columns, paths)],
                typed=True,
            )
    except (ValueError, EOFError, KeyError) as error:
        raise SqlError(f"Invalid AVRO file found. Error: {error}") from error


def _avro_fields(
    record: dict[str, Any],
    columns: Sequence[TargetColumn],
    paths: Sequence[Sequence[str | int]] | None,
) -> list[Any]:
    if paths is not None:
        return [_follow(record, path) for path in paths]
    return [record.get(column.name) for column in columns]


def _text_of(value: Any) -> str | None:  # noqa: PLR0911 - one type after the other
    if value is _ABSENT or value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    if isinstance(value, float):
        return repr(value)
    return str(value)


_KINDS = {
    "int2": pa.types.is_integer,
    "int4": pa.types.is_integer,
    "int8": pa.types.is_integer,
    "float4": pa.types.is_floating,
    "float8": pa.types.is_floating,
    "numeric": pa.types.is_decimal,
    "bool": pa.types.is_boolean,
    "date": pa.types.is_date,
    "timestamp": pa.types.is_timestamp,
    "timestamptz": pa.types.is_timestamp,
}


def read_columnar(body: bytes, columns: Sequence[TargetColumn], kind: str) -> Iterator[Line]:
    """Read a file of Parquet or ORC, whose columns go by their order.

    :param body: its content.
    :param columns: where the values go.
    :param kind: ``parquet`` or ``orc``.
    :returns: a line for each row.
    :raises SqlError: when number or types of the columns differ.
    """
    try:
        source = pa.BufferReader(body)
        table = orc.ORCFile(source).read() if kind == "orc" else parquet.read_table(source)
    except (pa.ArrowException, OSError) as error:
        raise SqlError(f"Spectrum Scan Error: invalid {kind} file: {error}") from error
    if table.num_columns != len(columns):
        raise SqlError(
            "Spectrum Scan Error: Unmatched number of columns between table and file. Table "
            f"columns: {len(columns)}, Data columns: {table.num_columns}"
        )
    for column, field in zip(columns, table.schema, strict=True):
        fits = _KINDS.get(column.kind, _is_text)
        if column.kind != "jsonb" and not fits(field.type):
            raise SqlError(
                f"Spectrum Scan Error: incompatible {kind} schema for column '{column.name}': "
                f"column type is {column.kind}, {kind} type is {field.type}"
            )
    number = 0
    for batch in table.to_batches():
        for row in zip(*(one.to_pylist() for one in batch.columns), strict=True):
            number += 1
            yield Line(number, "", [_text_of(value) for value in row], typed=True)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_dictionary(kind)
        or pa.types.is_null(kind)
    )
