"""The functions and operators of Terraform that definitions of pipelines use.

Values that are not known may pass through those that only put texts together.
"""

import base64
import json
import operator
from collections.abc import Callable, Sequence
from typing import Any

from updraft.datapipeline.findings import Position
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonScalar,
    JsonValue,
    depth_of,
    joined,
    plain,
)
from updraft.datapipeline.open_values import Part
from updraft.datapipeline.positioned_values import from_plain, is_known, text_of_plain

_LARGEST_RESULT = 1_000_000


def call(name: str, arguments: Sequence[JsonValue], position: Position) -> JsonValue | None:
    """Call a function.

    :param name: its name.
    :param arguments: its arguments.
    :param position: where it is called.
    :returns: its result; none when that is not known.
    """
    if name == "join":
        return _join(arguments, position)
    if name == "concat":
        return _concat(arguments, position)
    if name in _SAME and arguments:
        return arguments[0]
    function = _FUNCTIONS.get(name)
    if function is None or not all(is_known(one) for one in arguments):
        return None
    try:
        result = function(*(plain(one) for one in arguments))
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
        return None
    return from_plain(result, position) if result is not None else None


def operate(symbol: str, left: Any, right: Any) -> Any:
    """Apply an operator to two values.

    :param symbol: such as ``==``.
    :param left: the value before it.
    :param right: the value behind it.
    :returns: the result, none when there is none.
    """
    if symbol in {"==", "!="}:
        # A parameter given on the command line is text, whatever it means.
        equal = text_of_plain(left) == text_of_plain(right)
        return equal if symbol == "==" else not equal
    try:
        if symbol in {"&&", "||"}:
            sides = [text_of_plain(side) == "true" for side in (left, right)]
            return all(sides) if symbol == "&&" else any(sides)
        return _ARITHMETIC[symbol](float(left), float(right))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None


def _join(arguments: Sequence[JsonValue], position: Position) -> JsonValue | None:
    parts: list[Part] = []
    if not arguments or not isinstance(arguments[0], JsonScalar):
        return None
    for items in arguments[1:]:
        if not isinstance(items, JsonArray):
            return None
        for item in items.items:
            if not isinstance(item, JsonScalar):
                return None
            parts += [*(arguments[0].all_parts if parts else ()), *item.all_parts]
    return joined(parts, position)


def _concat(arguments: Sequence[JsonValue], position: Position) -> JsonValue | None:
    if not all(isinstance(one, JsonArray) for one in arguments):
        return None
    items = tuple(item for one in arguments if isinstance(one, JsonArray) for item in one.items)
    return JsonArray(items, position, depth_of(items))


def _format(template: str, *values: Any) -> str:
    return template.replace("%v", "%s") % tuple(
        text_of_plain(value) if isinstance(value, bool) else value for value in values
    )


def _repeated(items: list[Any], index: float) -> Any:
    return items[int(index) % len(items)]


def _merged(*maps: dict[str, Any]) -> dict[str, Any]:
    return {key: value for one in maps for key, value in one.items()}


def _range(*bounds: float) -> list[int] | None:
    numbers = range(*map(int, bounds))
    return list(numbers) if len(numbers) < _LARGEST_RESULT else None


_SAME = {"nonsensitive", "sensitive", "tolist", "toset", "tostring", "tonumber", "tomap", "tobool"}
_ARITHMETIC: dict[str, Callable[[float, float], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "base64encode": lambda text: base64.b64encode(text.encode()).decode(),
    "coalesce": lambda *values: next(one for one in values if one not in (None, "")),
    "contains": lambda items, item: item in items,
    "element": _repeated,
    "format": _format,
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":")),
    "keys": sorted,
    "length": len,
    "lookup": lambda entries, key, *default: entries[key] if key in entries else default[0],
    "lower": lambda text: text_of_plain(text).lower(),
    "merge": _merged,
    "range": _range,
    "replace": lambda text, old, new: None if old.startswith("/") else text.replace(old, new),
    "split": lambda separator, text: text.split(separator),
    "title": lambda text: text.title(),
    "trimprefix": lambda text, prefix: text.removeprefix(prefix),
    "trimspace": lambda text: text.strip(),
    "trimsuffix": lambda text, suffix: text.removesuffix(suffix),
    "upper": lambda text: text_of_plain(text).upper(),
    "values": lambda entries: [entries[key] for key in sorted(entries)],
}
