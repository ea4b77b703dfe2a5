"""How a cell of a CSV file holds an attribute value."""

import re
from collections.abc import Mapping
from typing import Any

from updraft.dynamodb.formats.base import AttributeValue
from updraft.dynamodb.formats.lossless_json import dump_json, parse_json
from updraft.dynamodb.formats.value_errors import InvalidValueError
from updraft.dynamodb.formats.wire_values import TYPE_KEYS, WireReader

PLAIN_TYPES = ("S", "N", "BOOL", "B")
"""Types whose values a cell can hold without their type."""

_READER = WireReader({key: key for key in TYPE_KEYS})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DYNAMODB_JSON = re.compile(rf'\{{\s*"(?:{"|".join(TYPE_KEYS)})"\s*:')
_BOOLEANS = {"true": True, "false": False}


def encode_cell(value: AttributeValue, plain_type: str) -> str:
    """Write a value.

    :param value: the value.
    :param plain_type: type whose values the column holds without their type.
    :returns: the value itself if it is of that type and cannot be taken for something else,
        DynamoDB JSON otherwise.
    """
    ((key, payload),) = value.items()
    if key == plain_type:
        if key == "BOOL":
            return "true" if payload else "false"
        if payload and not (payload[0] == "{" and _DYNAMODB_JSON.match(payload)):
            return str(payload)
    return dump_json(value).decode()


def decode_cell(cell: str, plain_type: str) -> AttributeValue:
    """Read a value.

    :param cell: the cell, not empty.
    :param plain_type: type whose values the column holds without their type.
    :returns: the value.
    :raises InvalidValueError: when the cell is none.
    """
    if cell[0] == "{" and _DYNAMODB_JSON.match(cell):
        return _READER.value(parse_json(cell.encode()))
    if plain_type == "S":
        return {"S": cell}
    if plain_type == "N":
        if _NUMBER.fullmatch(cell.strip()) is None:
            raise InvalidValueError("this is no number", cell)
        return {"N": cell.strip()}
    if plain_type == "BOOL":
        value = _BOOLEANS.get(cell.strip().lower())
        if value is None:
            raise InvalidValueError("this is neither true nor false", cell)
        return {"BOOL": value}
    return _READER.value({"B": cell.strip()})


def encode_others(attributes: Mapping[str, AttributeValue]) -> str:
    """Write the attributes that have no column.

    :param attributes: these attributes.
    :returns: DynamoDB JSON, empty when there are none.
    """
    return dump_json(attributes).decode() if attributes else ""


def decode_others(cell: str) -> dict[str, Any]:
    """Read the attributes that have no column.

    :param cell: the cell, not empty.
    :returns: these attributes.
    :raises InvalidValueError: when it is no DynamoDB JSON.
    """
    return _READER.item(parse_json(cell.encode()))
