"""Measures items as DynamoDB does.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html; the
page gives the size of numbers roughly only, so the alignment of their digits is that of dynalite
4.0.0 (``valSize``), which was derived from the service.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from updraft.dynamodb.formats.base import AttributeValue, Item

_COLLECTION_BYTES = 3
_MEMBER_BYTES = 1
_BASE64_GROUP = 4


def item_size(item: Item) -> int:
    """Measure an item.

    :param item: the item.
    :returns: its size in bytes, the names of its attributes included.
    """
    return sum(_text_size(name) + value_size(value) for name, value in item.items())


def value_size(value: AttributeValue) -> int:
    """Measure a value.

    :param value: the value.
    :returns: its size in bytes.
    """
    ((key, payload),) = value.items()
    if key == "M":
        return _COLLECTION_BYTES + len(payload) * _MEMBER_BYTES + item_size(payload)
    if key == "L":
        return _COLLECTION_BYTES + sum(_MEMBER_BYTES + value_size(member) for member in payload)
    if key in {"SS", "NS", "BS"}:
        return sum(_scalar_size(key[0], member) for member in payload)
    return _scalar_size(key, payload)


def _scalar_size(key: str, payload: Any) -> int:
    if key == "S":
        return _text_size(payload)
    if key == "N":
        return _number_size(payload)
    if key == "B":
        padding: int = payload[-2:].count("=")
        return len(payload) // _BASE64_GROUP * 3 - padding
    return 1


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def _number_size(text: str) -> int:
    """Measure a number: two digits to a byte, in pairs that the decimal point does not part."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return len(text)
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    if not digits:
        return 1
    half_pairs = 0 if len(digits) % 2 or number.adjusted() % 2 else 1
    return 1 + (len(digits) + 1) // 2 + half_pairs + number.is_signed()
