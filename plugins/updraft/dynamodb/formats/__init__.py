"""File formats for DynamoDB items, by the name that operators and commands know them by."""

import hashlib
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from updraft.choices import choose
from updraft.dynamodb.formats.base import (
    AttributeValue,
    Item,
    ItemFormat,
    ItemFormatError,
    ItemRecord,
    RejectedRecord,
)
from updraft.dynamodb.formats.csv_table import CsvFormat
from updraft.dynamodb.formats.data_pipeline import DataPipelineFormat
from updraft.dynamodb.formats.dynamodb_json import DynamoDBJsonFormat, DynamoDBJsonLinesFormat
from updraft.dynamodb.formats.ion import IonFormat
from updraft.dynamodb.formats.parquet import ParquetFormat

__all__ = [
    "FORMAT_NAMES",
    "AttributeValue",
    "Item",
    "ItemFormat",
    "ItemFormatError",
    "ItemRecord",
    "RejectedRecord",
    "create_format",
    "format_identity",
]

_Factory: TypeAlias = Callable[[Mapping[str, str], Mapping[str, Any]], ItemFormat]

_FACTORIES: dict[str, _Factory] = {
    DataPipelineFormat.name: DataPipelineFormat,
    DynamoDBJsonFormat.name: DynamoDBJsonFormat,
    DynamoDBJsonLinesFormat.name: DynamoDBJsonLinesFormat,
    IonFormat.name: IonFormat,
    CsvFormat.name: CsvFormat,
    ParquetFormat.name: ParquetFormat,
}

FORMAT_NAMES: tuple[str, ...] = tuple(_FACTORIES)
"""Names of all formats."""


def format_identity(name: str, options: Mapping[str, Any]) -> str:
    """Identify how files are written, so that attempts with other options do not mix theirs.

    :param name: name of the format.
    :param options: options of the format.
    :returns: the name, followed by a digest of the options if there are any: a schema is longer
        than the 2 kB that S3 takes as metadata of a manifest.
    """
    if not options:
        return name
    text = json.dumps(dict(options), sort_keys=True)
    return f"{name} {hashlib.sha256(text.encode()).hexdigest()}"


def create_format(
    name: str,
    key_types: Mapping[str, str],
    options: Mapping[str, Any] = MappingProxyType({}),
) -> ItemFormat:
    """Create a format for the items of one table.

    It loads neither pyarrow nor amazon.ion; the first file that is written or read does.

    :param name: one of :data:`FORMAT_NAMES`.
    :param key_types: type (S, N or B) of each key attribute, the partition key first; empty if
        the table is not known.
    :param options: options of the format by name, see its class.
    :returns: the format.
    :raises UpdraftError: when there is no such format or option, or an option has a wrong value.
    """
    return choose("format", name, _FACTORIES)(key_types, options)
