"""Reads DynamoDB's JSON for attribute values exactly, and says where it is wrong.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

import binascii
from collections.abc import Mapping
from typing import Any

from updraft.dynamodb.formats.lossless_json import Digits
from updraft.dynamodb.formats.sound_values import (
    MAXIMUM_DEPTH,
    are_evidently_sound,
    is_short_number,
    is_sound_set,
)
from updraft.dynamodb.formats.value_errors import InexactNumberError, InvalidValueError

TYPE_KEYS = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL")
"""The keys of the ten types."""

_JSON_TYPES: dict[str, Any] = {
    **dict.fromkeys(("S", "N", "B"), str),
    **dict.fromkeys(("SS", "NS", "BS", "L"), list),
    "M": dict,
    "BOOL": bool,
    "NULL": bool,
}
_TEXT_KEYS = frozenset({"S", "N"})
_TRUTH_KEYS = frozenset({"BOOL", "NULL"})
_SET_KEYS = frozenset({"SS", "NS"})
_NESTED_KEYS = frozenset({"M", "L", "SS", "NS"})
_JSON_NAMES = {str: "text", list: "an array", dict: "an object", bool: "true or false"}


class WireReader:
    """Reads attribute values, and gives them back in DynamoDB's own form.

    :param type_keys: type key for every spelling of one that is taken.
    :param bare_numbers: whether numbers may stand without quotes.
    """

    def __init__(self, type_keys: Mapping[str, str], *, bare_numbers: bool = False) -> None:
        self._type_keys = type_keys
        self._bare_numbers = bare_numbers
        self._own_keys = all(written == key for written, key in type_keys.items())
        self._text_keys, self._truth_keys, self._nested_keys = (
            {written: key for written, key in type_keys.items() if key in keys}
            for keys in (_TEXT_KEYS, _TRUTH_KEYS, _NESTED_KEYS)
        )

    def item(self, attributes: Any) -> dict[str, Any]:
        """Read an item, or the members of a map.

        :param attributes: its attributes by name, as parsed JSON.
        :returns: the same with DynamoDB's own type keys.
        :raises InvalidValueError: when it is no item; it names the attribute.
        :raises InexactNumberError: when it has to be parsed with :func:`.exact_json`.
        """
        return self.read(attributes)[0]

    def read(self, attributes: Any) -> tuple[dict[str, Any], bool]:
        """Read an item, see :meth:`item`.

        :returns: the item, and whether it has turned out on the way that DynamoDB takes all of its
            values; ``False`` says nothing.
        """
        if type(attributes) is not dict:
            raise InvalidValueError("expected an object with attributes", attributes)
        if self._own_keys:
            if are_evidently_sound(attributes.values()):
                return attributes, True
        else:
            try:
                evident = self._evident_value
                return {name: evident(value, 1) for name, value in attributes.items()}, True
            except (AttributeError, KeyError, ValueError):
                pass
        return {name: self._value_of(name, value) for name, value in attributes.items()}, False

    def value(self, value: Any) -> dict[str, Any]:
        """Read one attribute value.

        :param value: the value, as parsed JSON.
        :returns: the same with DynamoDB's own type key.
        :raises InvalidValueError: when it is none.
        :raises InexactNumberError: when it has to be parsed with :func:`.exact_json`.
        """
        if type(value) is not dict or len(value) != 1:
            raise InvalidValueError("expected one type key with its value", value)
        ((written, payload),) = value.items()
        key = self._type_keys.get(written)
        if key is None:
            known = " ".join(self._type_keys)
            raise InvalidValueError(f"unknown type key; the known ones are {known}", written)
        return {key: self._payload(key, payload)}

    def _evident_value(self, value: Any, depth: int) -> dict[str, Any]:
        """Read a value that needs no closer look, as most do.

        It is for speed: its errors, those of looking up and unpacking, say that :meth:`value` has
        to read it.
        """
        ((written, payload),) = value.items()
        kind = type(payload)
        if kind is str:
            key = self._text_keys[written]
            sound = key == "S" or is_short_number(payload)
        elif kind is bool:
            key = self._truth_keys[written]
            sound = key == "BOOL" or payload
        else:
            key = self._nested_keys[written]
            payload, sound = self._evident_members(key, payload, depth)
        if not sound:
            raise ValueError(written)
        return {key: payload}

    def _evident_members(self, key: str, payload: Any, depth: int) -> tuple[Any, bool]:
        kind = type(payload)
        if key in _SET_KEYS:
            return payload, kind is list and is_sound_set(key, payload)
        if depth <= MAXIMUM_DEPTH:
            evident, below = self._evident_value, depth + 1
            if kind is dict and key == "M":
                members = {name: evident(member, below) for name, member in payload.items()}
                return members, "" not in members
            if kind is list and key == "L":
                return [evident(member, below) for member in payload], True
        return payload, False

    def _value_of(self, name: str | int, value: Any) -> dict[str, Any]:
        try:
            return self.value(value)
        except InvalidValueError as error:
            raise error.below(name) from None

    def _payload(self, key: str, payload: Any) -> Any:
        expected = _JSON_TYPES[key]
        if not isinstance(payload, expected) or type(payload) is Digits:
            if key == "N":
                return self._bare_number(payload)
            raise InvalidValueError(f"type {key} takes {_JSON_NAMES[expected]}", payload)
        if key == "M":
            return self.item(payload)
        if key == "L":
            return [self._value_of(index, member) for index, member in enumerate(payload)]
        if key == "B":
            return _base64(payload)
        if expected is list:
            return self._set(key, payload)
        return payload

    def _set(self, key: str, members: list[Any]) -> list[str]:
        if key == "BS":
            return [_base64(member) for member in members]
        if key == "NS":
            return [m if type(m) is str else self._bare_number(m) for m in members]
        for member in members:
            if type(member) is not str:
                raise InvalidValueError("members of a set are text", member)
        return members

    def _bare_number(self, value: Any) -> str:
        if self._bare_numbers:
            if type(value) is Digits:
                return str(value)
            if type(value) in {int, float}:
                raise InexactNumberError
        raise InvalidValueError("a number is text, with quotes", value)


def _base64(text: Any) -> str:
    if type(text) is not str:
        raise InvalidValueError("a binary value is base64 text", text)
    try:
        content = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise InvalidValueError(f"this is no base64 ({error})", text) from error
    # Bits that belong to no byte may be set; equal values have to be equal texts.
    return binascii.b2a_base64(content, newline=False).decode("ascii")
