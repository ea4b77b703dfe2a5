"""Functions and operators of expressions as Jinja: readable where Jinja and pendulum say the same.

What they can't say is left to the macros of the plugin, which compute as the evaluator does.
"""

import re

from updraft.datapipeline.expression_values import ValueProblemError, as_number, as_text
from updraft.datapipeline.findings import did_you_mean
from updraft.datapipeline.functions import FUNCTIONS
from updraft.datapipeline.joda import DatePatternError
from updraft.datapipeline.macros import OPERATORS
from updraft.datapipeline.periods import Period, PeriodError, parse_period
from updraft.datapipeline.zone_names import TimeZoneError, find_zone
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.date_patterns import joda_to_pendulum, joda_to_strftime, names_zone
from updraft.migration.jinja_text import (
    INSTANTS,
    JinjaCode,
    JinjaText,
    Kind,
    is_text,
    jinja_string,
    macro,
    nesting,
    without_parentheses,
)

_OPERATOR_MACROS = {operator: name for name, operator in OPERATORS.items()}

_SHIFT = re.compile(r"(plus|minus)(Minutes|Hours|Days|Weeks|Months|Years)")
_PARTS = {"year", "month", "day", "hour", "minute"}
_LISTS: frozenset[Kind] = frozenset({"list", "any"})
_NUMBERS: frozenset[Kind] = frozenset({"integer", "number", "computed"})
# Jinja takes a dozen frames of the stack for each pair of parentheses.
_DEEPEST = 50
# Centuries ago, years may have leading zeros, which only macros write.
_FARTHEST = {
    "minutes": 260_000_000,
    "hours": 4_300_000,
    "days": 180_000,
    "weeks": 25_000,
    "months": 6_000,
    "years": 500,
}
# They lead at most a week and a month away, where years have four digits as before.
_NEAR = {"sunday", "midnight", "firstOfMonth", "yesterday", "inTimeZone"}
_SIGN = "sign"
_WHOLE = re.compile(r"[0-9]{1,9}")
# Directives of `strftime` that say a year.
_YEARS = set("CGYcgy")

# How to say a function of a run's time with pendulum, and of a plain `datetime` in UTC.
_SHORT: dict[str, dict[Kind, str]] = {
    "midnight": {
        "run time": "{}.start_of('day')",
        "utc": "{}.replace(hour=0, minute=0, second=0, microsecond=0)",
    },
    "firstOfMonth": {"run time": "{}.replace(day=1)", "utc": "{}.replace(day=1)"},
    "yesterday": {
        "run time": "{}.subtract(days=1)",
        "utc": "({} - macros.timedelta(days=1))",
    },
    "dayOfYear": {"run time": "{}.day_of_year", "utc": "{}.timetuple().tm_yday"},
}


def compile_call(function: str, arguments: list[JinjaText]) -> JinjaText:
    """Write a function call as Jinja.

    :param function: the function.
    :param arguments: its arguments, compiled.
    :returns: its result.
    :raises NotCompilableError: when there is no such function, or it can't take the arguments.
    """
    expected = FUNCTIONS.get(function)
    if expected is None:
        advice = did_you_mean(function, FUNCTIONS, "")
        raise NotCompilableError(f"there is no function {function}(). {advice}".rstrip(". "))
    if len(arguments) != expected:
        raise NotCompilableError(f"{function}() does not take {len(arguments)} arguments")
    if any(kind_of(one) in _LISTS for one in arguments):
        return (JinjaCode(macro(function, *arguments), "any"),)
    if function.startswith("make"):
        return (JinjaCode(macro(function, *arguments), "instant"),)
    instant = arguments[0]
    kind = kind_of(instant)
    if kind in _NUMBERS:
        raise NotCompilableError(f"{function}() takes a date, not a number")
    short = _short(function, instant[0], arguments[1:]) if kind in INSTANTS else None
    _check_constants(function, arguments)
    if short is not None:
        return (short,)
    is_recent = function in _NEAR and _is_recent(instant)
    return (JinjaCode(macro(function, *arguments), _result(function), is_recent=is_recent),)


def compile_operation(operator: str, left: JinjaText, right: JinjaText) -> JinjaText:
    """Write a binary operation as Jinja.

    :param operator: one of ``+ - * / ^``.
    :param left: the first operand, compiled.
    :param right: the second one.
    :returns: the result.
    :raises NotCompilableError: when the operands are no numbers.
    """
    kinds = {kind_of(left), kind_of(right)}
    name = _OPERATOR_MACROS[operator]
    if kinds & _LISTS:
        return (JinjaCode(macro(name, left, right), "any"),)
    if operator == "+" and (is_text(left) or is_text(right)):
        return (*left, *right)
    if kinds & INSTANTS:
        raise NotCompilableError(f"a date is no number, so that {operator!r} can't take it")
    whole = kinds == {"integer"}
    result: Kind = "integer" if whole and operator != "^" else "computed"
    if operator in "+-*" and kinds <= _NUMBERS:
        text = f"{_operand(left, operator, first=True)} {operator} {_operand(right, operator)}"
        return (JinjaCode(f"({text})", result, operator),)
    return (JinjaCode(macro(name, left, right), result),)


def compile_negation(operand: JinjaText) -> JinjaText:
    """Write a number with its sign turned as Jinja.

    :param operand: the number, compiled.
    :returns: the result.
    :raises NotCompilableError: when it is a date.
    """
    kind = kind_of(operand)
    if kind in INSTANTS:
        raise NotCompilableError("a date has no sign")
    if kind in _NUMBERS:
        return (JinjaCode(f"(-{_number(operand)})", kind, _SIGN),)
    return (JinjaCode(macro("negate", operand), "any" if kind in _LISTS else "computed"),)


def compile_list(items: list[JinjaText]) -> JinjaText:
    """Write a list as Jinja.

    :param items: its items, compiled; lists among them are taken apart.
    :returns: the list.
    """
    return (JinjaCode(macro("flatten", *items), "list"),)


def compile_texts(values: list[JinjaText]) -> JinjaText:
    """Write the values of a field as one list of texts, lists among them taken apart.

    :param values: the values, compiled.
    :returns: the list.
    """
    if len(values) == 1 and kind_of(values[0]) == "list":
        return values[0]
    # A number or an instant becomes the text that the service made of it.
    texts = [one if is_text(one) or kind_of(one) in _LISTS else ("", *one) for one in values]
    return compile_list(texts)


def number_code(digits: str) -> JinjaCode:
    """Write a number as Jinja.

    :param digits: the number as the expression has it.
    :returns: an expression.
    :raises NotCompilableError: when it is too long.
    """
    try:
        number = as_number(digits)
    except ValueProblemError as error:
        raise NotCompilableError(str(error)) from error
    if isinstance(number, int):
        return JinjaCode(str(number), "integer")
    # As Java prints it, unless that is no number for Jinja.
    text = as_text(number)
    return JinjaCode(text, "number") if "E" not in text else JinjaCode(repr(number), "computed")


def require_shallow(value: JinjaText) -> JinjaText:
    """Make sure that Jinja can read an expression, also from within the stack of a task.

    :param value: what was compiled.
    :returns: the same.
    :raises NotCompilableError: when it is nested too deeply.
    """
    if any(isinstance(piece, JinjaCode) and nesting(piece.text) > _DEEPEST for piece in value):
        raise NotCompilableError("the expression is nested too deeply for a template")
    return value


def kind_of(value: JinjaText) -> Kind:
    """Tell what a value is.

    :param value: the value.
    :returns: its kind; several pieces in a row are a text.
    """
    if len(value) == 1 and isinstance(value[0], JinjaCode):
        return value[0].kind
    return "text"


def _short(function: str, instant: str | JinjaCode, rest: list[JinjaText]) -> JinjaCode | None:
    assert isinstance(instant, JinjaCode)  # noqa: S101 - its kind says so, for the type checker
    if function in _PARTS:
        return JinjaCode(f"{instant.text}.{function}", "integer")
    if function == "format":
        pattern = _constant(rest[0])
        return _formatted(instant, pattern) if pattern is not None else None
    # In a time zone, pendulum moves times that the clocks skip otherwise.
    return _of_a_run(function, instant, rest) if instant.kind != "instant" else None


def _of_a_run(function: str, instant: JinjaCode, rest: list[JinjaText]) -> JinjaCode | None:
    if function in _SHORT:
        text = _SHORT[function][instant.kind].format(instant.text)
        return JinjaCode(text, "integer" if function == "dayOfYear" else instant.kind)
    if shift := _SHIFT.fullmatch(function):
        return _shifted(instant, shift[1], shift[2].lower(), rest[0])
    if function == "plusPeriod" and (period := _period(rest[0])) is not None:
        return _shifted(instant, "plus", period.unit, (str(period.count),))
    return None


def _shifted(instant: JinjaCode, word: str, unit: str, count: JinjaText) -> JinjaCode | None:
    number = _whole_number(count)
    digits = (number or "").strip("(-)")
    if number is None or (digits.isdecimal() and int(digits) > _FARTHEST[unit]):
        return None
    if instant.kind == "run time":
        method = "add" if word == "plus" else "subtract"
        return JinjaCode(f"{instant.text}.{method}({unit}={number})", "run time")
    if unit in {"months", "years"}:
        return None
    sign = "+" if word == "plus" else "-"
    return JinjaCode(f"({instant.text} {sign} macros.timedelta({unit}={number}))", "utc")


def _formatted(instant: JinjaCode, pattern: str) -> JinjaCode | None:
    try:
        tokens = joda_to_pendulum(pattern) if instant.kind == "run time" else None
        if tokens is not None:
            return JinjaCode(f"{instant.text}.format({jinja_string(tokens)})", "text")
        directives = joda_to_strftime(pattern)
    except DatePatternError as error:
        raise NotCompilableError(str(error)) from error
    if directives is None:
        return None
    # What `strftime` says of a zone is translated for UTC, and it says years without their zeros.
    if instant.kind == "instant" and (
        names_zone(pattern) or not (instant.is_recent or _YEARS.isdisjoint(directives))
    ):
        return None
    return JinjaCode(f"{instant.text}.strftime({jinja_string(directives)})", "text")


def _check_constants(function: str, arguments: list[JinjaText]) -> None:
    """Refuse at once what would fail in every run."""
    constant = _constant(arguments[-1])
    if constant is None:
        return
    try:
        if function == "format":
            joda_to_strftime(constant)
        elif function == "inTimeZone":
            find_zone(constant)
        elif function == "plusPeriod":
            parse_period(constant)
    except (DatePatternError, PeriodError, TimeZoneError) as error:
        raise NotCompilableError(str(error)) from error


def _constant(value: JinjaText) -> str | None:
    if all(isinstance(piece, str) for piece in value):
        return "".join(piece for piece in value if isinstance(piece, str))
    return None


def _whole_number(value: JinjaText) -> str | None:
    """Write a whole number, which may be a text, as code."""
    constant = _constant(value)
    if constant is not None:
        return str(int(constant)) if _WHOLE.fullmatch(constant) else None
    return _number(value) if kind_of(value) == "integer" else None


def _period(value: JinjaText) -> Period | None:
    constant = _constant(value)
    try:
        return parse_period(constant) if constant is not None else None
    except PeriodError:
        return None


def _number(value: JinjaText) -> str:
    (piece,) = value
    return piece.text if isinstance(piece, JinjaCode) else piece


def _operand(value: JinjaText, operator: str, *, first: bool = False) -> str:
    """Write an operand with parentheses where it would be read otherwise without."""
    (piece,) = value
    if not isinstance(piece, JinjaCode):
        return piece
    binds_tighter = piece.operator == "*" and operator != "*"
    goes_first = first and (
        piece.operator in {_SIGN, "*"} or (piece.operator in {"+", "-"} and operator != "*")
    )
    return without_parentheses(piece.text) if binds_tighter or goes_first else piece.text


def _is_recent(value: JinjaText) -> bool:
    return any(
        isinstance(piece, JinjaCode) and (piece.is_recent or piece.kind in {"run time", "utc"})
        for piece in value
    )


def _result(function: str) -> Kind:
    if function in _PARTS or function == "dayOfYear":
        return "integer"
    return "text" if function == "format" else "instant"
