"""Items as short digests that are equal exactly when DynamoDB holds the items to be equal.

The same item is written in many ways: attributes and the members of a set have no order, ``1.0`` is
``1``, and the last character of base64 text has bits that do not count. The digest is one of the
canonical form, in which all that is settled.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from updraft.dynamodb.formats.base import AttributeValue, Item
from updraft.dynamodb.formats.canonical_numbers import canonical_number

DIGEST_BYTES = 16
"""Bytes of a digest: two different items have the same one with a chance of 1 to 2**128."""


class DigestedItem(NamedTuple):
    """What remains of an item for a comparison.

    :param key: the values of its key attributes, see :meth:`ItemDigester.key_attributes`.
    :param digest: digest of all its attributes.
    :param size: length of its canonical JSON in bytes, which its size in DynamoDB never exceeds.
    """

    key: bytes
    digest: bytes
    size: int


def canonical_item(item: Item) -> Item:
    """Write an item in the one way in which equal items are equal.

    :param item: the item; it is not changed.
    :returns: numbers in plain digits, sets sorted, binary values in strict base64.
    """
    changed = {}
    for name, value in item.items():
        if "S" not in value:  # most are texts, and calls cost time
            canonical = _canonical_value(value)
            if canonical is not value:
                changed[name] = canonical
    return {**item, **changed} if changed else item


def _canonical_value(value: AttributeValue) -> AttributeValue:
    for type_key, content in value.items():
        if (write := _CANONICAL.get(type_key)) and (written := write(content)) is not content:
            return {type_key: written}
    return value


def _canonical_number(text: str) -> str:
    if text.isdecimal() and text.isascii() and text[0] != "0":  # much faster than a pattern
        return text
    return canonical_number(text)


def canonical_binary(text: str) -> str:
    """Write base64 text in the one way in which equal bytes are equal texts.

    :param text: base64 text.
    :returns: strict base64 text; the text itself if it is none.
    """
    try:
        return binascii.b2a_base64(binascii.a2b_base64(text), newline=False).decode("ascii")
    except ValueError:
        return text


_CANONICAL: Mapping[str, Callable[[Any], Any]] = {
    "N": _canonical_number,
    "B": canonical_binary,
    "SS": sorted,
    "NS": lambda numbers: sorted(map(_canonical_number, numbers)),
    "BS": lambda binaries: sorted(map(canonical_binary, binaries)),
    "M": canonical_item,
    "L": lambda values: [_canonical_value(value) for value in values],
}


class ItemDigester:
    """Digests the items of one table.

    :param key_types: type (S, N or B) of each key attribute, the partition key first.
    """

    def __init__(self, key_types: Mapping[str, str]) -> None:
        self._keys = list(key_types.items())

    def digest(self, item: Item) -> DigestedItem:
        """Digest an item.

        :param item: the item, with the key attributes of the table.
        :returns: its key and its digest.
        :raises KeyError: when it lacks a key attribute, or that has another type.
        """
        canonical = canonical_item(item)
        content = json_bytes(canonical)
        return DigestedItem(
            json_bytes([canonical[name][key_type] for name, key_type in self._keys]),
            hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest(),
            len(content),
        )

    def key_attributes(self, key: bytes) -> dict[str, dict[str, str]]:
        """Read a key.

        :param key: the key of a :class:`DigestedItem`.
        :returns: the key attributes as DynamoDB's JSON.
        """
        return {
            name: {key_type: value}
            for (name, key_type), value in zip(self._keys, json.loads(key), strict=True)
        }


def json_bytes(value: Any) -> bytes:
    """Write JSON in which equal values are equal bytes.

    :param value: what is to be written.
    :returns: compact JSON with sorted names.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate, which UTF-8 does not have
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")
