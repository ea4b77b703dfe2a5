"""The columns of Parquet files that are written, and which values fit them exactly."""

import binascii
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from updraft.choices import unknown_choice
from updraft.dynamodb.formats.base import Item
from updraft.dynamodb.formats.canonical_numbers import canonical_number
from updraft.dynamodb.formats.json_lines import malformed_item
from updraft.dynamodb.formats.lossless_json import dump_json
from updraft.dynamodb.formats.sampling import OTHER_ATTRIBUTES, column_names
from updraft.errors import ArgumentError

if TYPE_CHECKING:
    import pyarrow as pa

TYPE_KEY = b"dynamodb_type"
"""Field metadata that says which of DynamoDB's types a column holds."""

_DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)", re.ASCII)
_MAXIMUM_DIGITS = 38
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class ColumnType:
    """How a column holds the values of one of DynamoDB's types.

    :param type_key: DynamoDB's type.
    :param arrow: name of the Arrow type, ``decimal(p,s)`` or ``list<…>`` included.
    :param convert: makes a value of that Arrow type of a payload, and raises :class:`ValueError`
        when the payload does not fit exactly; ``None`` when it is that value already.
    """

    type_key: str
    arrow: str
    convert: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Column:
    """A column of a file.

    :param name: name of the attribute.
    :param type: how its values are held.
    """

    name: str
    type: ColumnType


def _base64_bytes(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _int64(text: str) -> int:
    number = int(text)
    if str(number) != text or number not in _INT64:
        raise ValueError(text)
    return number


def _double(text: str) -> float:
    number = float(text)
    if canonical_number(repr(number)) != text:
        raise ValueError(text)
    return number


def _json_text(payload: Any) -> str:
    return dump_json(payload).decode()


def _decimal_type(precision: int, scale: int) -> ColumnType:
    whole_digits = precision - scale

    def convert(text: str) -> Decimal:
        # Other spellings of the same number would not come back as they were.
        if canonical_number(text) != text:
            raise ValueError(text)
        whole, _, fraction = text.removeprefix("-").partition(".")
        if len(fraction) > scale or (len(whole) > whole_digits and whole != "0"):
            raise ValueError(text)
        return Decimal(text)

    return ColumnType("N", f"decimal({precision},{scale})", convert)


_NUMBER = ColumnType("N", "string")
_INTEGER = ColumnType("N", "int64", _int64)
_COLUMN_TYPES = {
    "string": ColumnType("S", "string"),
    "int64": _INTEGER,
    "double": ColumnType("N", "double", _double),
    "number": _NUMBER,
    "bool": ColumnType("BOOL", "bool"),
    "binary": ColumnType("B", "binary", _base64_bytes),
    "null": ColumnType("NULL", "bool"),
    "string_set": ColumnType("SS", "list<string>"),
    "number_set": ColumnType("NS", "list<string>"),
    "binary_set": ColumnType("BS", "list<binary>", lambda ms: [_base64_bytes(m) for m in ms]),
    "map": ColumnType("M", "string", _json_text),
    "list": ColumnType("L", "string", _json_text),
}
_BY_TYPE_KEY = {column.type_key: column for column in _COLUMN_TYPES.values()} | {"N": _NUMBER}


def parse_schema(schema: Mapping[str, str], key_types: Mapping[str, str]) -> tuple[Column, ...]:
    """Read the option ``schema``.

    :param schema: type of each column by attribute name.
    :param key_types: type of each key attribute.
    :returns: the columns in their order.
    :raises UpdraftError: when there is no such type, a key attribute is missing, or its column
        cannot hold keys.
    """
    if OTHER_ATTRIBUTES in schema:
        raise ArgumentError(f"schema: {OTHER_ATTRIBUTES!r} is the column that every file has")
    columns = tuple(Column(name, _column_type(name, text)) for name, text in schema.items())
    types = {column.name: column.type for column in columns}
    for name, key_type in key_types.items():
        if name not in types:
            raise ArgumentError(f"schema: the key attribute {name!r} is missing")
        if types[name].type_key != key_type:
            raise ArgumentError(
                f"schema, {name}: {schema[name]!r} cannot hold keys of the table's type {key_type}"
            )
    return columns


def _column_type(name: str, text: str) -> ColumnType:
    if text in _COLUMN_TYPES:
        return _COLUMN_TYPES[text]
    decimal = _DECIMAL.fullmatch(text)
    if decimal is None:
        raise unknown_choice(f"schema, {name}", text, [*_COLUMN_TYPES, "decimal(p,s)"])
    precision, scale = int(decimal[1]), int(decimal[2])
    if not 1 <= precision <= _MAXIMUM_DIGITS or scale > precision:
        raise ArgumentError(
            f"schema, {name}: {text!r} has to have 1 to {_MAXIMUM_DIGITS} digits, of which at most "
            "all come after the point"
        )
    return _decimal_type(precision, scale)


def infer_columns(
    sample: Callable[[], Iterable[Item]], key_types: Mapping[str, str]
) -> tuple[Column, ...]:
    """Choose columns that hold a sample.

    :param sample: gives the items of the sample each time it is called.
    :param key_types: type of each key attribute.
    :returns: the key attributes, then others as they appear; each with the type that most of its
        values have.
    """
    names = column_names(sample(), key_types)
    type_keys: dict[str, Counter[str]] = {name: Counter() for name in names}
    numbers: dict[str, list[str]] = {}
    for item in sample():
        try:
            for name, value in item.items():
                ((key, payload),) = value.items()
                if name in type_keys:
                    type_keys[name][_BY_TYPE_KEY[key].type_key] += 1
                    if key == "N":
                        numbers.setdefault(name, []).append(str(payload))
        except (AttributeError, KeyError, ValueError) as error:
            raise malformed_item(item, error) from error
    columns = []
    for name in names:
        counter = type_keys[name]
        type_key = key_types.get(name) or counter.most_common(1)[0][0]
        exact = _number_type(numbers.get(name, ())) if type_key == "N" else _BY_TYPE_KEY[type_key]
        columns.append(Column(name, exact))
    return tuple(columns)


def _number_type(texts: Sequence[str]) -> ColumnType:
    if _fits(texts, _int64):
        return _INTEGER
    if any(canonical_number(text) != text for text in texts):
        return _NUMBER
    parts = [text.removeprefix("-").partition(".") for text in texts]
    scale = max(len(fraction) for _, _, fraction in parts)
    whole_digits = max(len(whole) for whole, _, _ in parts)
    if whole_digits + scale > _MAXIMUM_DIGITS:
        return _NUMBER
    return _decimal_type(_MAXIMUM_DIGITS, scale)


def _fits(texts: Sequence[str], convert: Callable[[str], Any]) -> bool:
    try:
        for text in texts:
            convert(text)
    except ValueError:
        return False
    return True


def arrow_schema(columns: Sequence[Column]) -> "pa.Schema":
    """Describe a file to Arrow.

    :param columns: its columns, without the last one.
    :returns: the schema; its last field is :data:`OTHER_ATTRIBUTES`.
    """
    import pyarrow as pa

    fields = [
        pa.field(
            column.name,
            _arrow_type(column.type.arrow),
            metadata={TYPE_KEY: column.type.type_key.encode()},
        )
        for column in columns
    ]
    return pa.schema([*fields, pa.field(OTHER_ATTRIBUTES, pa.string())])


def _arrow_type(name: str) -> "pa.DataType":
    import pyarrow as pa

    decimal = _DECIMAL.fullmatch(name)
    if decimal is not None:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    types = {
        "string": pa.string(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "binary": pa.binary(),
        "list<string>": pa.list_(pa.string()),
        "list<binary>": pa.list_(pa.binary()),
    }
    return types[name]
