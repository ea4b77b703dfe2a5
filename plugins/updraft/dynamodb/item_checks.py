"""Finds items that DynamoDB would refuse, before a whole batch is refused for their sake.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

import binascii
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from updraft.dynamodb.formats.base import AttributeValue, Item
from updraft.dynamodb.formats.canonical_numbers import canonical_number
from updraft.dynamodb.formats.sound_values import (
    MAXIMUM_DEPTH,
    MAXIMUM_DIGITS,
    are_evidently_sound,
    is_short_number,
)
from updraft.dynamodb.formats.text_lines import excerpt
from updraft.dynamodb.item_size import item_size

MAXIMUM_ITEM_BYTES = 400 * 1024
"""Size of the largest item in bytes, attribute names included."""

_MAXIMUM_KEY_BYTES = (2048, 1024)  # partition key, sort key
_LARGEST_EXPONENT = 125
_SMALLEST_EXPONENT = -130
_BYTES_PER_CHARACTER = 4
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)
_COLLECTIONS = frozenset({"M", "L"})
_SETS = frozenset({"SS", "NS", "BS"})


class ItemChecker:
    """Checks the items for one table.

    :param key_types: type (S, N or B) of each key attribute, the partition key first.
    """

    def __init__(self, key_types: Mapping[str, str]) -> None:
        self._keys = [
            (name, key_type, maximum)
            for (name, key_type), maximum in zip(
                key_types.items(), _MAXIMUM_KEY_BYTES, strict=False
            )
        ]

    def problem(self, item: Item, encoded_size: int, *, sound: bool = False) -> str | None:
        """Check an item.

        :param item: the item.
        :param encoded_size: length of its JSON in bytes, which DynamoDB's own measure never
            exceeds; so only large items have to be measured.
        :param sound: whether it is known that DynamoDB takes all of the values.
        :returns: what is wrong with it; ``None`` when DynamoDB takes it.
        """
        problem = self.key_problem(item)
        if problem is not None:
            return problem
        if not sound and not are_evidently_sound(item.values()):
            for name, value in item.items():
                problem = _value_problem(value, 1)
                if problem is not None:
                    return _below(f"attribute {name}", problem)
        if encoded_size <= MAXIMUM_ITEM_BYTES and "" not in item:
            return None
        return _size_problem(item)

    def key_problem(self, item: Item) -> str | None:
        """Check the key of an item.

        :param item: the item, or just its key attributes.
        :returns: what is wrong with it; ``None`` when DynamoDB takes it.
        """
        for name, key_type, maximum in self._keys:
            value = item.get(name)
            if value is None:
                return _missing_key(name, item)
            payload = value.get(key_type)
            if payload is None:
                types = ", ".join(value)
                return (
                    f"the key attribute {name!r} has the type {types}, while the table's key has "
                    f"the type {key_type}: {excerpt(dict(value))}"
                )
            if key_type == "N":
                plain = payload.isdecimal() and payload.isascii()
                problem = None if plain else _number_problem(payload)
                if problem is not None:
                    return f"attribute {name}: {problem}"
            elif not payload:
                return f"the key attribute {name!r} is empty, which DynamoDB allows for no key"
            elif len(payload) > maximum // _BYTES_PER_CHARACTER:
                size = len(_content(key_type, payload))
                if size > maximum:
                    return (
                        f"the key attribute {name!r} has {size:,} bytes, while the table takes "
                        f"{maximum:,}: {excerpt(payload)}"
                    )
        return None


def _missing_key(name: str, item: Item) -> str:
    near = next((other for other in item if other.lower() == name.lower()), None)
    hint = f"; is it {near!r}?" if near else f"; it has {excerpt(list(item))}"
    return f"the item lacks the key attribute {name!r}{hint}"


def _content(key_type: str, payload: str) -> bytes:
    return binascii.a2b_base64(payload) if key_type == "B" else payload.encode(errors="replace")


def _number_problem(text: str) -> str | None:
    if is_short_number(text):
        return None
    if _NUMBER.fullmatch(text) is None:
        return f"this is no number: {excerpt(text)}"
    number = Decimal(text)
    if not number:
        return None
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if len(digits) > MAXIMUM_DIGITS:
        return f"the number has {len(digits)} digits, DynamoDB keeps {MAXIMUM_DIGITS}: {text}"
    if not _SMALLEST_EXPONENT <= number.adjusted() <= _LARGEST_EXPONENT:
        return (
            f"the number is outside DynamoDB's range of 1E-130 to 9.9…E+125 and their negatives: "
            f"{excerpt(text)}"
        )
    return None


def _value_problem(value: AttributeValue, depth: int) -> str | None:
    """Check a value; a problem further inside begins with the path to it."""
    ((key, payload),) = value.items()
    if key == "N":
        return _number_problem(payload)
    if key in _SETS:
        return _set_problem(key, payload)
    if key in _COLLECTIONS:
        return _members_problem(key, payload, depth)
    return "a value of the type NULL is true" if key == "NULL" and not payload else None


def _members_problem(key: str, payload: Any, depth: int) -> str | None:
    if depth > MAXIMUM_DEPTH:
        return f"it is nested deeper than {MAXIMUM_DEPTH} levels"
    for name, member in payload.items() if key == "M" else enumerate(payload):
        problem = None if "S" in member else _value_problem(member, depth + 1)
        if problem is not None:
            return _below(f".{name}" if key == "M" else f"[{name}]", problem)
    return "a member of a map has no name" if key == "M" and "" in payload else None


def _below(step: str, problem: str) -> str:
    return f"{step}{'' if problem[0] in '.[' else ': '}{problem}"


def _set_problem(key: str, members: list[str]) -> str | None:
    if not members:
        return "a set is not empty in DynamoDB"
    if key == "NS":
        for member in members:
            problem = _number_problem(member)
            if problem is not None:
                return problem
        members = [canonical_number(member) for member in members]
    if len(set(members)) == len(members):
        return None
    twice = next(member for member in members if members.count(member) > 1)
    return f"a set has this member twice: {excerpt(twice)}"


def _size_problem(item: Item) -> str | None:
    if "" in item:
        return f"an attribute has no name: {excerpt(dict(item['']))}"
    size = item_size(item)
    if size > MAXIMUM_ITEM_BYTES:
        return f"the item has {size:,} bytes, DynamoDB takes {MAXIMUM_ITEM_BYTES:,}"
    return None
