"""Tells quickly that nothing is wrong with attribute values, as is the case with most.

What is not evident is looked at more closely elsewhere: by
:class:`updraft.dynamodb.formats.wire_values.WireReader` for its form, and by
:class:`updraft.dynamodb.item_checks.ItemChecker` for the limits of DynamoDB.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

import re
from collections.abc import Iterable
from typing import Any

MAXIMUM_DEPTH = 32
"""Levels of maps and lists within each other."""

MAXIMUM_DIGITS = 38
"""Significant digits of a number."""

_SHORT_NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)


def is_short_number(text: str) -> bool:
    """Tell that a text is a number with so few digits that no limit concerns it.

    :param text: the text.
    :returns: ``False`` also for most numbers with an exponent.
    """
    if len(text) > MAXIMUM_DIGITS:
        return False
    return (text.isdecimal() and text.isascii()) or _SHORT_NUMBER.fullmatch(text) is not None


def are_evidently_sound(values: Iterable[Any], depth: int = 1) -> bool:
    """Tell that all these are attribute values in DynamoDB's own form, within its limits.

    :param values: anything that JSON has.
    :param depth: level of maps and lists that they are on.
    :returns: ``False`` when one of them has to be looked at more closely.
    """
    for value in values:
        if type(value) is not dict or len(value) != 1:
            return False
        for key, payload in value.items():
            kind = type(payload)
            if kind is str:
                sound = key == "S" or (key == "N" and is_short_number(payload))
            elif kind is dict:
                sound = (
                    key == "M"
                    and depth <= MAXIMUM_DEPTH
                    and "" not in payload
                    and are_evidently_sound(payload.values(), depth + 1)
                )
            elif kind is bool:
                sound = key == "BOOL" or (key == "NULL" and payload)
            elif kind is not list:
                sound = False
            elif key == "L":
                sound = depth <= MAXIMUM_DEPTH and are_evidently_sound(payload, depth + 1)
            else:
                sound = is_sound_set(key, payload)
            if not sound:
                return False
    return True


def is_sound_set(key: str, members: list[Any]) -> bool:
    """Tell that these are the members of a set of texts, or of one of whole numbers.

    :param key: type key.
    :param members: the members; whatever JSON has.
    :returns: ``False`` when they have to be looked at more closely.
    """
    if not members or set(map(type, members)) != {str} or len(set(members)) < len(members):
        return False
    return key == "SS" or (key == "NS" and all(map(_is_plain_number, members)))


def _is_plain_number(text: str) -> bool:
    """Tell that no other text is the same number."""
    return text[:1] != "0" and text.isdecimal() and text.isascii() and len(text) <= MAXIMUM_DIGITS
