"""Reads and writes JSON without losing anything: every digit, and names that stand twice."""

import json
import re
from typing import Any, NoReturn

import orjson

from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.formats.value_errors import InvalidValueError

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class Digits(str):
    """A JSON number without quotes, digit for digit."""

    __slots__ = ()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidValueError("one object names this twice", twice)
    return members


def exact_json(content: bytes) -> Any:
    """Parse JSON without losing anything: every digit, and names that stand twice.

    :param content: UTF-8 JSON.
    :returns: what it says; numbers as :class:`Digits`.
    :raises InvalidValueError: when it is no JSON, or names something twice in one object.
    """
    try:
        value = json.loads(
            content.decode(),
            object_pairs_hook=_without_duplicates,
            parse_int=Digits,
            parse_float=Digits,
            parse_constant=_refuse_constant,
        )
        if _ESCAPED_SURROGATE.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidValueError(
            "it has half a surrogate pair, which no text in DynamoDB can have", content
        ) from error
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(f"it is no JSON ({error})", content) from error
    return value


def parse_json(content: bytes) -> Any:
    """Parse JSON as :func:`exact_json` does, but fast.

    :param content: UTF-8 JSON without white space around it.
    :returns: what it says. Numbers may be inexact; readers of values notice.
    :raises InvalidValueError: when it is no JSON, or names something twice in one object.
    """
    try:
        value = orjson.loads(content)
        # Written again in the shortest form it is as long as it was, unless it has superfluous
        # spaces and escapes, or a name stands twice and its first value is gone.
        if len(orjson.dumps(value)) == len(content):
            return value
    except (ValueError, TypeError):
        pass
    return exact_json(content)


def dump_json(value: Any) -> bytes:
    """Write JSON in its shortest form.

    :param value: anything made of dictionaries, lists, text, numbers, booleans and ``None``.
    :returns: UTF-8 JSON; text with half a surrogate pair, which UTF-8 cannot have, with escapes.
    :raises ItemFormatError: when something else is in it.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        pass
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except TypeError as error:
        raise ItemFormatError(
            f"an item has a value that DynamoDB's JSON does not have ({error}); binary values are "
            "base64 text"
        ) from error
