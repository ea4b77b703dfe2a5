"""The format of AWS Data Pipeline's template "Export DynamoDB table to S3".

One item per line as JSON, UTF-8, at most 100,000 items per file. The type keys start with a small
letter (``s n b sS nS bS m l bOOL nULL``) because the legacy tool serialised the value class of the
AWS SDK for Java version 1 with Gson; see ``DynamoDBItemWritable`` and
``AttributeValueSerializer`` in https://github.com/awslabs/emr-dynamodb-connector.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from updraft.dynamodb.formats.base import AttributeValue, Item, ItemFormatError

_LEGACY_KEYS = {
    "S": "s",
    "N": "n",
    "B": "b",
    "SS": "sS",
    "NS": "nS",
    "BS": "bS",
    "M": "m",
    "L": "l",
    "BOOL": "bOOL",
    "NULL": "nULL",
}
# The legacy reader ignores case; files from SDK releases before 1.9 say nULLValue.
_TYPE_KEYS = {key.lower(): key for key in _LEGACY_KEYS} | {"nullvalue": "NULL"}
_PAYLOADS: dict[str, type | tuple[type, ...]] = {
    "S": str,
    "N": (str, int),
    "B": str,
    "SS": list,
    "NS": list,
    "BS": list,
    "M": dict,
    "L": list,
    "BOOL": bool,
    "NULL": bool,
}
_LONGEST_EXCERPT = 80


def _base64_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    msg = f"{type(value).__name__} is no attribute value of DynamoDB"
    raise ItemFormatError(msg)


_to_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), check_circular=False, default=_base64_text
).encode


def _legacy_value(value: AttributeValue) -> dict[str, Any]:
    ((key, payload),) = value.items()
    if key == "M":
        return {"m": {name: _legacy_value(member) for name, member in payload.items()}}
    if key == "L":
        return {"l": [_legacy_value(member) for member in payload]}
    return {_LEGACY_KEYS[key]: payload}


def encode_item(item: Item) -> bytes:
    """Write one item as the legacy tool did.

    Gson escapes the two Unicode line separators, which JSON itself allows bare; so does this
    function, since readers that split at them would cut the item in two.

    :param item: the item in the form of the low-level interface.
    :returns: one line of UTF-8 JSON, its line feed included.
    """
    line = _to_json({name: _legacy_value(value) for name, value in item.items()})
    if not line.isascii():
        line = line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return line.encode() + b"\n"


class _LineReader:
    """Turns the lines of one file into items, and knows where it is when one is wrong."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._line_number = 0

    def read(self, line: bytes) -> Item | None:
        self._line_number += 1
        if not line.strip():
            return None
        if not line.startswith(b"{"):
            raise self._error("does not start with '{', so it holds no JSON item", line)
        try:
            attributes = json.loads(line, object_pairs_hook=self._without_duplicates)
        except ValueError as error:
            raise self._error(f"is no JSON: {error}", line) from error
        return {name: self._value(value, name) for name, value in attributes.items()}

    def _without_duplicates(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise self._error("names one attribute twice", repr([name for name, _ in pairs]))
        return members

    def _value(self, value: Any, path: str) -> AttributeValue:
        if not isinstance(value, Mapping) or len(value) != 1:
            raise self._error(f"attribute {path}: expected one type key with its value", value)
        ((written_key, payload),) = value.items()
        key = _TYPE_KEYS.get(written_key.lower())
        if key is None:
            known = " ".join(_LEGACY_KEYS.values())
            raise self._error(
                f"attribute {path}: unknown type key; the known ones are {known}", written_key
            )
        if not isinstance(payload, _PAYLOADS[key]) or (key == "N" and isinstance(payload, bool)):
            raise self._error(f"attribute {path}: wrong kind of value for type {key}", payload)
        return {key: self._payload(key, payload, path)}

    def _payload(self, key: str, payload: Any, path: str) -> Any:
        if key == "M":
            return {name: self._value(member, f"{path}.{name}") for name, member in payload.items()}
        if key == "L":
            return [self._value(member, f"{path}[{index}]") for index, member in enumerate(payload)]
        if key in {"SS", "NS", "BS"}:
            wrong = next((member for member in payload if not isinstance(member, str)), None)
            if wrong is not None:
                raise self._error(f"attribute {path}: members of a set are text", wrong)
        if key == "B":
            return self._binary(payload, path)
        if key == "BS":
            return [self._binary(member, path) for member in payload]
        return str(payload) if key == "N" else payload

    def _binary(self, text: str, path: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise self._error(f"attribute {path}: no base64 ({error})", text) from error

    def _error(self, what: str, value: object) -> ItemFormatError:
        excerpt = value.decode(errors="replace").rstrip() if isinstance(value, bytes) else value
        shown = repr(excerpt)
        if len(shown) > _LONGEST_EXCERPT:
            shown = shown[:_LONGEST_EXCERPT] + "…"
        return ItemFormatError(f"{self._source}, line {self._line_number}: {what}: {shown}")


class DataPipelineFormat:
    """Files as the legacy pipelines wrote them and their import templates read them."""

    name = "DATA_PIPELINE"
    maximum_items_per_file = 100_000

    def encode(self, items: Iterable[Item]) -> Iterator[bytes]:
        """Write one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.encode`."""
        encode: Callable[[Item], bytes] = encode_item
        return map(encode, items)

    def decode(self, stream: BinaryIO, source: str) -> Iterator[Item]:
        """Read one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.decode`."""
        reader = _LineReader(source)
        for line in stream:
            item = reader.read(line)
            if item is not None:
                yield item
