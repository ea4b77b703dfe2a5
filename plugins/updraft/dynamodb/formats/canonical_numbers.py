"""The one way in which equal numbers are equal texts."""

import re
from decimal import Decimal, InvalidOperation

_CANONICAL_NUMBER = re.compile(
    r"0|-?[1-9][0-9]*(?:\.[0-9]*[1-9])?|-?0\.[0-9]*[1-9]",
)
_LARGEST_EXPONENT = 1_000


def canonical_number(text: str) -> str:
    """Write a number as plain digits without superfluous zeros.

    DynamoDB does so too: ``1``, ``1.0`` and ``10e-1`` are the same key.

    :param text: a number as DynamoDB takes it.
    :returns: plain digits; the text itself if it is no number, or one far outside of DynamoDB's
        range.
    """
    if _CANONICAL_NUMBER.fullmatch(text):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number:
        return "0"
    if not number.is_finite() or abs(number.adjusted()) > _LARGEST_EXPONENT:
        return text
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
