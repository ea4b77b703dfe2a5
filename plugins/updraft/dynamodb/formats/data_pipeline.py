"""The format of AWS Data Pipeline's template "Export DynamoDB table to S3".

One item per line as JSON, UTF-8, at most 100,000 items per file. The type keys start with a small
letter (``s n b sS nS bS m l bOOL nULL``) because the legacy tool serialised the value class of the
AWS SDK for Java version 1 with Gson; see ``DynamoDBItemWritable`` and
``AttributeValueSerializer`` in https://github.com/awslabs/emr-dynamodb-connector. Its reader also
takes the lines that exports with Hive wrote before: name and value separated by the control
character 3, attributes by 2.
"""

from collections.abc import Mapping
from typing import Any

from updraft.dynamodb.formats.base import AttributeValue, Item
from updraft.dynamodb.formats.export_records import export_record_error
from updraft.dynamodb.formats.json_lines import JsonLineFormat, ReadItem, malformed_item
from updraft.dynamodb.formats.lossless_json import dump_json, exact_json
from updraft.dynamodb.formats.options import check_options
from updraft.dynamodb.formats.value_errors import InvalidValueError
from updraft.dynamodb.formats.wire_values import TYPE_KEYS, WireReader

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
_FLAT_KEYS = {key: legacy for key, legacy in _LEGACY_KEYS.items() if key not in {"M", "L"}}
_HIVE_ATTRIBUTE_SEPARATOR = b"\x02"
_HIVE_NAME_SEPARATOR = b"\x03"


class _TypeKeys(dict[str, str]):
    """The type keys by any spelling: the legacy reader ignores case."""

    def get(self, key: str, default: Any = None) -> Any:
        """Look a spelling up; the usual ones first."""
        return super().get(key) or super().get(key.lower(), default)


# Files from releases of the SDK before 1.9 say nULLValue.
_READER = WireReader(
    _TypeKeys(
        {legacy: key for key, legacy in _LEGACY_KEYS.items()}
        | {key.lower(): key for key in TYPE_KEYS}
        | {"nullvalue": "NULL"}
    ),
    bare_numbers=True,
)


def _legacy_value(value: AttributeValue) -> dict[str, Any]:
    ((key, payload),) = value.items()
    if key == "M":
        return {"m": {name: _legacy_value(member) for name, member in payload.items()}}
    if key == "L":
        return {"l": [_legacy_value(member) for member in payload]}
    return {_FLAT_KEYS[key]: payload}


class DataPipelineFormat(JsonLineFormat):
    """Files as the legacy pipelines wrote them and their import templates read them.

    :param key_types: not needed.
    :param options: there are none; files are written without compression, as the legacy ones were.
    """

    name = "DATA_PIPELINE"
    file_suffix = ""
    maximum_items_per_file = 100_000

    def __init__(self, key_types: Mapping[str, str], options: Mapping[str, Any]) -> None:
        del key_types
        check_options(self.name, options, frozenset())
        super().__init__()

    def encode_item(self, item: Item) -> bytes:
        """Write one item as the legacy tool did, see :meth:`LineFormat.encode_item`.

        Gson escapes the two Unicode line separators, which JSON itself allows bare; so does this
        method, since readers that split at them would cut the item in two.
        """
        legacy = {}
        flat_keys = _FLAT_KEYS
        try:
            for name, value in item.items():
                ((key, payload),) = value.items()
                if key in flat_keys:
                    legacy[name] = {flat_keys[key]: payload}
                else:
                    legacy[name] = _legacy_value(value)
        except (KeyError, ValueError, AttributeError) as error:
            raise malformed_item(item, error) from error
        line = dump_json(legacy)
        if not line.isascii():
            line = line.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
        return line + b"\n"

    def decode_line(self, content: bytes) -> ReadItem:
        """Read one line, see :meth:`LineFormat.decode_line`."""
        if content.startswith(b"{"):
            return super().decode_line(content)
        return _hive_item(content), False, False

    def record(self, parsed: Any) -> ReadItem:
        """Read a record, see :meth:`JsonLineFormat.record`."""
        try:
            item, sound = _READER.read(parsed)
        except InvalidValueError as error:
            raise export_record_error(parsed) or error from None
        return item, False, sound


def _hive_item(content: bytes) -> Item:
    attributes: dict[str, Any] = {}
    for part in content.split(_HIVE_ATTRIBUTE_SEPARATOR):
        written, separator, value = part.partition(_HIVE_NAME_SEPARATOR)
        if not separator:
            raise InvalidValueError(
                "the line is neither a JSON object nor attributes of the form name, control "
                "character 3, value",
                content,
            )
        try:
            name = written.decode()
        except UnicodeDecodeError as error:
            raise InvalidValueError(f"the attribute name is no UTF-8 ({error})", written) from error
        if name in attributes:
            raise InvalidValueError("one line names this attribute twice", name)
        try:
            attributes[name] = exact_json(value)
        except InvalidValueError as error:
            raise error.below(name) from None
    return _READER.item(attributes)
