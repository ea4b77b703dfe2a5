"""The expression language of AWS Data Pipeline: ``#{…}`` inside of text.

A text is cut into literal parts and expressions; each expression becomes a tree of plain data
that evaluators and compilers walk. ``${…}`` belongs to the shell, Hive or Pig and is left alone.

Source: guide, "Pipeline Expressions and Functions"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-expressions-functions.html).
"""

from functools import cache
from importlib import resources
from typing import Any, Literal

from lark import Lark, Transformer
from lark.exceptions import UnexpectedInput

from updraft.datapipeline.expression_tree import (
    Call,
    Embedded,
    Expression,
    ListOf,
    Member,
    Name,
    Negation,
    Number,
    Operation,
    Part,
    Secret,
    String,
    Verbatim,
    to_source,
    walk,
)
from updraft.errors import UpdraftError

__all__ = [
    "DEEPEST_NESTING",
    "Call",
    "Embedded",
    "Expression",
    "ExpressionError",
    "ListOf",
    "Member",
    "Name",
    "Negation",
    "Number",
    "Operation",
    "Part",
    "Secret",
    "String",
    "Verbatim",
    "parse_expression",
    "parse_text",
    "to_source",
    "walk",
]

DEEPEST_NESTING = 100


class ExpressionError(UpdraftError):
    """A text holds an expression that can't be read.

    :param message: what is wrong, one sentence.
    :param offset: where in the text, counted in characters from 0.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def parse_text(text: str) -> tuple[Part, ...]:
    """Cut a text into literal parts and expressions.

    :param text: the value of a field.
    :returns: the parts in order; empty for an empty text.
    :raises ExpressionError: when an expression is not closed or not understood.
    """
    parts: list[Part] = []
    position = 0
    while (start := text.find("#{", position)) >= 0:
        if start > position:
            parts.append(Verbatim(text[position:start]))
        end = _closing_brace(text, start + 2)
        source = text[start + 2 : end]
        parts.append(Embedded(source, _parse(source, start + 2), start))
        position = end + 1
    if position < len(text):
        parts.append(Verbatim(text[position:]))
    return tuple(parts)


def parse_expression(source: str) -> Expression:
    """Read one expression.

    :param source: the expression without ``#{`` and ``}``.
    :returns: its tree.
    :raises ExpressionError: when it is not understood.
    """
    return _parse(source, 0)


def _closing_brace(text: str, position: int) -> int:
    quote: str | None = None
    for index in range(position, len(text)):
        character = text[index]
        if quote is not None:
            quote = None if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "}":
            return index
    raise ExpressionError("The expression is never closed by '}'", position - 2)


def _parse(source: str, offset: int) -> Expression:
    try:
        sized: Any = _parser().parse(source)
    except UnexpectedInput as error:
        inside = error.pos_in_stream if error.pos_in_stream is not None else -1
        token = getattr(error, "token", None)
        if inside < 0 or (token is not None and token.type == "$END"):
            message = "The expression ends too early" if source.strip() else "It is empty"
            raise ExpressionError(message, offset + len(source)) from None
        raise ExpressionError(f"Unexpected {source[inside]!r}", offset + inside) from None
    tree: Expression
    tree, depth = sized
    if depth > DEEPEST_NESTING:
        raise ExpressionError("The expression is nested too deeply", offset)
    return tree


@cache
def _parser() -> Lark:
    grammar = resources.files("updraft.datapipeline").joinpath("expressions.lark")
    return Lark(
        grammar.read_text("utf-8"), parser="lalr", transformer=_Builder(), maybe_placeholders=False
    )


_Sized = tuple[Expression, int]


class _Builder(Transformer[Any, _Sized]):
    """Builds the tree while the parser runs, each node with its depth."""

    def number(self, children: list[Any]) -> _Sized:
        return Number(str(children[0])), 1

    def string(self, children: list[Any]) -> _Sized:
        return String(str(children[0])[1:-1]), 1

    def name(self, children: list[Any]) -> _Sized:
        return Name(str(children[0])), 1

    def secret(self, children: list[Any]) -> _Sized:
        return Secret(str(children[1])), 1

    def member(self, children: list[Any]) -> _Sized:
        (target, depth), name = children
        return Member(target, str(name)), depth + 1

    def secret_member(self, children: list[Any]) -> _Sized:
        (target, depth), _, name = children
        return Member(target, f"*{name}"), depth + 1

    def arguments(self, children: list[_Sized]) -> list[_Sized]:
        return children

    def call(self, children: list[Any]) -> _Sized:
        function, *rest = children
        arguments: list[_Sized] = rest[0] if rest else []
        return Call(str(function), tuple(tree for tree, _ in arguments)), _above(arguments)

    def method(self, children: list[Any]) -> _Sized:
        target, function, *rest = children
        arguments: list[_Sized] = [target, *(rest[0] if rest else [])]
        trees = tuple(tree for tree, _ in arguments)
        return Call(str(function), trees, method=True), _above(arguments)

    def list_of(self, children: list[Any]) -> _Sized:
        items: list[_Sized] = children[0] if children else []
        return ListOf(tuple(tree for tree, _ in items)), _above(items)

    def negate(self, children: list[_Sized]) -> _Sized:
        operand, depth = children[0]
        return Negation(operand), depth + 1

    def add(self, children: list[Any]) -> _Sized:
        return _operation("+", children)

    def subtract(self, children: list[Any]) -> _Sized:
        return _operation("-", children)

    def multiply(self, children: list[Any]) -> _Sized:
        return _operation("*", [children[0], children[2]])

    def divide(self, children: list[Any]) -> _Sized:
        return _operation("/", children)

    def raise_to(self, children: list[Any]) -> _Sized:
        return _operation("^", children)


def _above(children: list[_Sized]) -> int:
    return 1 + max((depth for _, depth in children), default=0)


def _operation(operator: Literal["+", "-", "*", "/", "^"], children: list[_Sized]) -> _Sized:
    (left, _), (right, _) = children
    return Operation(operator, left, right), _above(children)
