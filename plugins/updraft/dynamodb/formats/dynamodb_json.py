"""DynamoDB's own formats of JSON lines.

The native export writes ``{"Item":{…}}`` for each item, and for each change of an incremental
export a record with ``Metadata``, ``Keys`` and the images before and after it:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from collections.abc import Mapping
from typing import Any

from updraft.dynamodb.formats.base import Item
from updraft.dynamodb.formats.compression import COMPRESSION_SUFFIXES
from updraft.dynamodb.formats.export_records import export_record_error
from updraft.dynamodb.formats.json_lines import JsonLineFormat, ReadItem
from updraft.dynamodb.formats.lossless_json import dump_json
from updraft.dynamodb.formats.options import check_options, compression_option
from updraft.dynamodb.formats.value_errors import InexactNumberError, InvalidValueError
from updraft.dynamodb.formats.wire_values import TYPE_KEYS, WireReader

_OPTIONS = frozenset({"compression"})
_READER = WireReader({key: key for key in TYPE_KEYS})


class DynamoDBJsonFormat(JsonLineFormat):
    """Files as DynamoDB's export writes them and its import reads them.

    :param key_types: not needed.
    :param options: ``compression`` is ``GZIP`` (default), ``ZSTD`` or ``NONE``; when reading, the
        name of the file tells it.
    """

    name = "DYNAMODB_JSON"
    maximum_items_per_file = 1_000_000

    def __init__(self, key_types: Mapping[str, str], options: Mapping[str, Any]) -> None:
        del key_types
        check_options(self.name, options, _OPTIONS)
        super().__init__(compression_option(options, "GZIP", COMPRESSION_SUFFIXES))
        self.file_suffix = ".json" + COMPRESSION_SUFFIXES[self._compression]

    def encode_item(self, item: Item) -> bytes:
        """Write one item, see :meth:`LineFormat.encode_item`."""
        return b'{"Item":' + dump_json(item) + b"}\n"

    def record(self, parsed: Any) -> ReadItem:
        """Read a record, see :meth:`JsonLineFormat.record`."""
        if type(parsed) is dict:
            if len(parsed) == 1 and "Item" in parsed:
                item, sound = _READER.read(parsed["Item"])
                return item, False, sound
            if "Keys" in parsed:
                return _change(parsed)
        raise InvalidValueError(
            "the line has neither Item nor Keys, so it is no record of a DynamoDB export (lines "
            "that are items themselves have the format DYNAMODB_JSON_LINES or DATA_PIPELINE)",
            parsed,
        )


def _change(parsed: dict[str, Any]) -> ReadItem:
    for member, value in parsed.items():
        if member == "Metadata":
            _check_metadata(value)
        elif member not in {"Keys", "OldImage", "NewImage"}:
            raise InvalidValueError("unknown member of a record", member)
    key = _READER.item(parsed["Keys"])
    if "NewImage" not in parsed:
        return key, True, False
    item, sound = _READER.read(parsed["NewImage"])
    for name, value in key.items():
        if item.get(name) != value:
            raise InvalidValueError("Keys differ from the key of NewImage", {name: value})
    return item, False, sound


def _check_metadata(metadata: Any) -> None:
    """Have numbers read exactly: a shortened one would hide that a name stands twice."""
    if type(metadata) is not dict:
        raise InvalidValueError("Metadata is an object", metadata)
    if _has_float(metadata):
        raise InexactNumberError


def _has_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    if isinstance(value, list):
        return any(map(_has_float, value))
    return isinstance(value, float)


class DynamoDBJsonLinesFormat(JsonLineFormat):
    """One item per line in DynamoDB's JSON, without anything around it.

    :param key_types: not needed.
    :param options: ``compression`` is ``NONE`` (default), ``GZIP`` or ``ZSTD``; when reading, the
        name of the file tells it.
    """

    name = "DYNAMODB_JSON_LINES"
    maximum_items_per_file = 1_000_000

    def __init__(self, key_types: Mapping[str, str], options: Mapping[str, Any]) -> None:
        del key_types
        check_options(self.name, options, _OPTIONS)
        super().__init__(compression_option(options, "NONE", COMPRESSION_SUFFIXES))
        self.file_suffix = ".jsonl" + COMPRESSION_SUFFIXES[self._compression]

    def encode_item(self, item: Item) -> bytes:
        """Write one item, see :meth:`LineFormat.encode_item`."""
        return dump_json(item) + b"\n"

    def record(self, parsed: Any) -> ReadItem:
        """Read a record, see :meth:`JsonLineFormat.record`."""
        try:
            item, sound = _READER.read(parsed)
        except InvalidValueError as error:
            raise export_record_error(parsed) or error from None
        return item, False, sound
