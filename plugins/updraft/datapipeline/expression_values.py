"""Values of expressions: how they print, and what the operators do with them.

A value is a text, a whole number, a number with a fraction, an instant with a time zone, or a list
of these. Numbers behave as those of Java, in which the service was written: whole numbers divide to
whole numbers, and ``4.0`` prints its fraction. Operators and functions map over lists.

Nothing here needs more than the standard library: templates of DAGs compute with it too.
Source: guide, "Mathematical Functions", "String Functions" and "Lists".
"""

import contextlib
import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from updraft.errors import UpdraftError

Scalar = str | int | float | datetime
Value = Scalar | Sequence[Scalar]

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_FRACTION = re.compile(r"[+-]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})")
# Java writes numbers outside of these bounds with an exponent.
_LEAST_PLAIN, _MOST_PLAIN = 1e-3, 1e7
_PLAIN_INSTANT = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}"


class ValueProblemError(UpdraftError):
    """An operator or a function can't do anything with a value."""


def as_text(value: Value) -> str:
    """Print a value as the service does.

    :param value: the value.
    :returns: its text; a list as the guide writes it, in brackets with quoted texts.
    """
    if isinstance(value, datetime):
        parts = (value.year, value.month, value.day, value.hour, value.minute, value.second)
        return _PLAIN_INSTANT.format(*parts)
    if isinstance(value, float):
        return _double_text(value)
    if isinstance(value, str | int):
        return str(value)
    return json.dumps([_as_json(one) for one in value], ensure_ascii=False)


def map_lists(compute: Callable[..., Scalar], *arguments: Value) -> Value:
    """Apply a function, to each item where an argument is a list.

    :param compute: takes values that are no lists.
    :param arguments: the arguments, at most one of them a list.
    :returns: a value, or the list of values.
    :raises ValueProblemError: when several arguments are lists.
    """
    lists = [index for index, one in enumerate(arguments) if is_list(one)]
    if not lists:
        return compute(*arguments)
    if len(lists) > 1:
        raise ValueProblemError("Two lists can't be combined item by item")
    (index,) = lists
    items = arguments[index]
    return [compute(*arguments[:index], one, *arguments[index + 1 :]) for one in as_items(items)]


def flatten(values: Sequence[Value]) -> list[Scalar]:
    """Put values into one list.

    :param values: values and lists.
    :returns: the values, those of the lists in their place.
    """
    return [item for value in values for item in as_items(value)]


def is_list(value: Value) -> bool:
    """Tell whether a value is a list.

    :param value: the value.
    :returns: false for a text.
    """
    return not isinstance(value, str | int | float | datetime)


def as_items(value: Value) -> Sequence[Scalar]:
    """Take a value for a list.

    :param value: a value or a list.
    :returns: the list, of the value alone when it is none.
    """
    return (value,) if isinstance(value, str | int | float | datetime) else value


def operate(operator: str, left: Value, right: Value) -> Value:
    """Compute a binary operation.

    :param operator: one of ``+ - * / ^``.
    :param left: the first operand.
    :param right: the second one.
    :returns: the result, a list when an operand is one.
    :raises ValueProblemError: when the operands are no numbers, or their result is none.
    """
    return map_lists(lambda a, b: _operate(operator, a, b), left, right)


def negate(value: Value) -> Value:
    """Turn the sign of a number.

    :param value: a number, or a list of them.
    :returns: the other number.
    :raises ValueProblemError: when it is no number.
    """
    return map_lists(lambda one: -as_number(one), value)


def as_number(value: Value) -> int | float:
    """Take a value for a number; a text may be one, as all values of fields are texts.

    :param value: the value.
    :returns: the number.
    :raises ValueProblemError: when it is none.
    """
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        if _WHOLE.fullmatch(value.strip()):
            return int(value)
        if _FRACTION.fullmatch(value.strip()):
            return float(value)
        digits = value.strip().removeprefix("-").replace(".", "", 1)
        if digits.isdecimal() and digits.isascii():
            raise ValueProblemError(f"{_shown(value)} has too many digits")
    raise ValueProblemError(f"{_shown(value)} is no number")


def as_whole_number(value: Value) -> int:
    """Take a value for a whole number.

    :param value: the value.
    :returns: the number.
    :raises ValueProblemError: when it is none.
    """
    number = as_number(value)
    if number != int(number):
        raise ValueProblemError(f"{_shown(value)} is no whole number")
    return int(number)


def as_instant(value: Value) -> datetime:
    """Take a value for an instant; a text such as ``2024-02-29T23:59:59`` is one, in UTC.

    :param value: the value.
    :returns: the instant, with a time zone.
    :raises ValueProblemError: when it is none.
    """
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        return _plain(value)
    raise ValueProblemError(f"{_shown(value)} is no date; one looks like '2024-02-29T23:59:59'")


def as_utc(value: Value) -> datetime:
    """Take a value for an instant in UTC.

    :param value: the value; a text may say another time zone by its offset.
    :returns: the instant.
    :raises ValueProblemError: when it is none, or lies beyond the years that dates have in UTC.
    """
    instant = as_instant(value)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueProblemError(f"{_shown(value)} is beyond the years that dates have") from None


def _plain(instant: datetime) -> datetime:
    """Take an instant of pendulum, which adds otherwise, for one of the standard library."""
    parts = (instant.year, instant.month, instant.day, instant.hour, instant.minute, instant.second)
    zone = instant.tzinfo or UTC
    return datetime(*parts, instant.microsecond, tzinfo=zone, fold=instant.fold)


def _operate(operator: str, left: Scalar, right: Scalar) -> Scalar:
    if operator == "+" and any(isinstance(one, str | datetime) for one in (left, right)):
        if not any(isinstance(one, str) for one in (left, right)):
            raise ValueProblemError("Dates are shifted by functions such as plusDays(), not by '+'")
        return as_text(left) + as_text(right)
    first, second = as_number(left), as_number(right)
    try:
        result = _compute(operator, first, second)
    except ZeroDivisionError:
        raise ValueProblemError(f"{_shown(left)} can't be divided by zero") from None
    except OverflowError:
        raise ValueProblemError(f"The result of '{operator}' is too large") from None
    return result


def _compute(operator: str, left: float, right: float) -> int | float:
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/" if isinstance(left, int) and isinstance(right, int):
            quotient = abs(left) // abs(right)
            return quotient if (left < 0) == (right < 0) else -quotient
        case "/":
            return left / right
        case "^":
            power = float(left) ** float(right)
            if isinstance(power, float):
                return power
            raise ValueProblemError("A negative number has no power with a fraction")
    raise ValueProblemError(f"There is no operator {operator!r}")


def _double_text(value: float) -> str:
    """Write a number as Java's ``Double.toString``."""
    if not math.isfinite(value):
        raise ValueProblemError("A number is too large")
    if value == 0 or _LEAST_PLAIN <= abs(value) < _MOST_PLAIN:
        text = format(Decimal(repr(value)), "f")
        return text if "." in text else f"{text}.0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    power = len(digits) - 1 + int(exponent)
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{rest}E{power}"


def _as_json(value: Scalar) -> str | int:
    return value if isinstance(value, int) else as_text(value)


def _shown(value: Value) -> str:
    text = as_text(value)
    return repr(text if len(text) <= 60 else f"{text[:59]}…")  # noqa: PLR2004 - fits in a message
