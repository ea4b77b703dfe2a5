"""Sizes of items, and the units that they cost.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

READ_UNIT = 4096
"""Bytes that one strongly consistent read unit pays for."""

WRITE_UNIT = 1024
"""Bytes that one write unit pays for."""

_CONTAINER = 3  # bytes of a list or map, empty or not
_MEMBER = 1  # bytes that each member of it takes besides itself


def item_size(item: Mapping[str, Any]) -> int:
    """Measure an item.

    :param item: the item as DynamoDB's JSON has it.
    :returns: bytes that DynamoDB counts for it.
    """
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(tagged: Mapping[str, Any]) -> int:  # noqa: PLR0911 - one return per type
    ((kind, value),) = tagged.items()
    match kind:
        case "S":
            return len(value) if value.isascii() else len(value.encode())
        case "N":
            return _number_size(value)
        case "B":
            return len(base64.b64decode(value))
        case "BOOL" | "NULL":
            return 1
        case "SS" | "NS" | "BS":
            return sum(_value_size({kind[0]: member}) for member in value)
        case "L":
            return _CONTAINER + sum(_MEMBER + _value_size(member) for member in value)
        case _:
            return _CONTAINER + sum(
                _MEMBER + len(name.encode()) + _value_size(member) for name, member in value.items()
            )


def _number_size(text: str) -> int:
    """Two digits a byte, one for the exponent, one for a sign; zeros at either end are free."""
    mantissa = text.upper().partition("E")[0]
    digits = mantissa.lstrip("+-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + mantissa.startswith("-")


def read_units(size: int, *, consistent: bool) -> float:
    """Price a read.

    :param size: bytes read in one go: of one item, or of all items of a page of a scan or query.
    :param consistent: whether the read is strongly consistent.
    :returns: read units; the least is one unit's step, for nothing found as well.
    """
    steps = max(1, -(-size // READ_UNIT))
    return steps * (1.0 if consistent else 0.5)


def write_units(size: int) -> float:
    """Price a write.

    :param size: bytes of the item, before or after, whichever is more.
    :returns: write units.
    """
    return float(max(1, -(-size // WRITE_UNIT)))


def total_size(items: Iterable[Mapping[str, Any]]) -> int:
    """Measure several items.

    :param items: the items.
    :returns: bytes of all of them.
    """
    return sum(map(item_size, items))
