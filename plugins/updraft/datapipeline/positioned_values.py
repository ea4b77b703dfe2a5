"""Looking into positioned values, and making them of plain ones."""

import json
from collections.abc import Mapping
from typing import Any

from updraft.datapipeline.findings import Position
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonValue,
    depth_of,
    joined,
)


def is_known(value: JsonValue) -> bool:
    """Tell whether nothing in a value is open.

    :param value: a value without expressions.
    :returns: true when it is known as a whole.
    """
    if isinstance(value, JsonScalar):
        return not value.parts
    if isinstance(value, JsonArray):
        return all(is_known(item) for item in value.items)
    return all(is_known(member.value) for member in value.members)


def has_secret(value: JsonValue | None) -> bool:
    """Tell whether a secret goes into a value.

    :param value: a value without expressions.
    :returns: true when one of its open values is secret.
    """
    if isinstance(value, JsonScalar):
        return any(one.secret for one in value.open_values)
    if isinstance(value, JsonArray):
        return any(has_secret(item) for item in value.items)
    return value is not None and any(has_secret(member.value) for member in value.members)


def from_plain(value: Any, position: Position) -> JsonValue:
    """Give a plain value a position.

    :param value: what :func:`json.loads` could have given.
    :param position: the position of all of it.
    :returns: the value.
    """
    if isinstance(value, dict):
        members = tuple(
            JsonMember(str(key), from_plain(one, position), position) for key, one in value.items()
        )
        return JsonObject(members, position, depth_of(one.value for one in members))
    if isinstance(value, list | tuple):
        items = tuple(from_plain(one, position) for one in value)
        return JsonArray(items, position, depth_of(items))
    if isinstance(value, str) or value is None:
        return JsonScalar(value, value if value is not None else "null", position)
    return JsonScalar(value, text_of_plain(value), position)


def text_of_plain(value: Any) -> str:
    """Write a plain value as Terraform turns it into text.

    :param value: what :func:`json.loads` could have given.
    :returns: its text.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def text_of(value: JsonValue) -> str:
    """Give the text of a value that should be one.

    :param value: any value.
    :returns: its text, an empty one for collections and null.
    """
    return value.text if isinstance(value, JsonScalar) and value.value is not None else ""


def item_of(value: JsonValue | None, key: str) -> JsonValue | None:
    """Take an item out of a collection.

    :param value: a list or an object.
    :param key: a number, or a name.
    :returns: the item, none when there is none.
    """
    if isinstance(value, JsonObject):
        found = value.values(key)
        return found[-1] if found else None
    if isinstance(value, JsonArray) and key.isdecimal() and int(key) < len(value.items):
        return value.items[int(key)]
    return None


def pairs_of(value: JsonValue) -> list[tuple[JsonValue, JsonValue]] | None:
    """List keys and values of what Terraform can iterate over.

    :param value: a list or an object.
    :returns: pairs; none when it is neither.
    """
    if isinstance(value, JsonObject):
        # Terraform walks through maps in the order of their keys.
        members = sorted(value.members, key=lambda member: member.key)
        return [(joined([one.key], one.position), one.value) for one in members]
    if isinstance(value, JsonArray):
        return [
            (JsonScalar(number, str(number), value.position), item)
            for number, item in enumerate(value.items)
        ]
    return None


def renamed(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    """Change keys at every level.

    :param value: any value.
    :param names: new names by old ones; other keys stay.
    :returns: the value with other keys.
    """
    if isinstance(value, JsonArray):
        items = tuple(renamed(item, names) for item in value.items)
        return JsonArray(items, value.position, value.depth, value.trailing_commas)
    if isinstance(value, JsonObject):
        members = tuple(
            JsonMember(names.get(one.key, one.key), renamed(one.value, names), one.position)
            for one in value.members
        )
        return JsonObject(members, value.position, value.depth, value.trailing_commas)
    return value


def last_object(value: JsonObject, key: str) -> JsonObject | None:
    """Give the object that stands under a key.

    :param value: an object.
    :param key: the key.
    :returns: the last object written for it, none when there is none.
    """
    found = [one for one in value.values(key) if isinstance(one, JsonObject)]
    return found[-1] if found else None


def text_under(value: JsonObject, key: str) -> str | None:
    """Give the text that stands under a key.

    :param value: an object.
    :param key: the key.
    :returns: the last text written for it, none when there is none.
    """
    found = [
        one for one in value.values(key) if isinstance(one, JsonScalar) and one.value is not None
    ]
    return found[-1].text if found else None
