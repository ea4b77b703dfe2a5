"""Expressions as trees of plain data, which evaluators and compilers walk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    digits: str


@dataclass(frozen=True, slots=True)
class String:
    """A quoted string, without its quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A field of the same object or a parameter; runtime fields start with ``@``."""

    name: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret field or parameter, ``*name``; the name is kept without the asterisk."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A field of the object that the part before the dot refers to."""

    target: "Expression"
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``a.f(b)`` is ``f(a, b)`` and differs in ``method`` alone."""

    function: str
    arguments: tuple["Expression", ...]
    method: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A binary operation."""

    operator: Literal["+", "-", "*", "/", "^"]
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Negation:
    """A number with its sign turned."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list written out in brackets."""

    items: tuple["Expression", ...]


Expression = Number | String | Name | Secret | Member | Call | Operation | Negation | ListOf


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A part of a text that is taken as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """An expression inside of a text.

    :param source: the expression without ``#{`` and ``}``, as written.
    :param tree: what it means.
    :param offset: where its ``#{`` stands in the text, counted from 0.
    """

    source: str
    tree: Expression
    offset: int


Part = Verbatim | Embedded


def walk(tree: Expression) -> Iterator[Expression]:
    """Visit a tree from the top.

    :param tree: the tree.
    :returns: each node of it, parents before children.
    """
    pending: list[Expression] = [tree]
    while pending:
        node = pending.pop()
        yield node
        match node:
            case Member(target=target):
                pending.append(target)
            case Call(arguments=children) | ListOf(items=children):
                pending.extend(reversed(children))
            case Operation(left=left, right=right):
                pending += [right, left]
            case Negation(operand=operand):
                pending.append(operand)


def to_source(tree: Expression) -> str:
    """Write a tree as an expression; reading it again gives the same tree.

    :param tree: the tree.
    :returns: an expression without ``#{`` and ``}``.
    """
    match tree:
        case Member(target=target, name=name):
            source = f"{_operand(target)}.{name}"
        case Call(function=function, arguments=(first, *rest), method=True):
            source = f"{_operand(first)}.{function}({_listed(rest)})"
        case Call(function=function, arguments=arguments):
            source = f"{function}({_listed(arguments)})"
        case Operation(operator=operator, left=left, right=right):
            source = f"{_operand(left)} {operator} {_operand(right)}"
        case Negation(operand=operand):
            source = f"-{_operand(operand)}"
        case ListOf(items=items):
            source = f"[{_listed(items)}]"
        case Number() | String() | Name() | Secret():
            source = _leaf(tree)
    return source


def _leaf(tree: Number | String | Name | Secret) -> str:
    match tree:
        case Number(digits=digits):
            return digits
        case String(text=text):
            quote = '"' if "'" in text else "'"
            return f"{quote}{text}{quote}"
        case Name(name=name):
            return name
        case Secret(name=name):
            return f"*{name}"


def _listed(trees: Sequence[Expression]) -> str:
    return ", ".join(to_source(tree) for tree in trees)


def _operand(tree: Expression) -> str:
    source = to_source(tree)
    return f"({source})" if isinstance(tree, Operation | Negation) else source
