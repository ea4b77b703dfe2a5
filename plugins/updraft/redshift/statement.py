"""Statements for the Amazon Redshift Data API, and the values that are bound to them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from updraft.errors import UpdraftError
from updraft.redshift.literals import literal
from updraft.sql_parameters import PARAMETER_NAME, named_places, replaced

MOST_BYTES = 100 * 1024
"""Longest statement, https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html."""


@dataclass(frozen=True)
class RedshiftStatement:
    """A statement with its parameters.

    :param sql: the statement, with parameters as ``:name``.
    :param parameters: value by name. ``None`` is NULL.
    """

    sql: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class BoundStatements:
    """Statements as a call of the Data API takes them.

    :param texts: the statements.
    :param values: text by name of a parameter; they count for all of the statements.
    """

    texts: tuple[str, ...]
    values: Mapping[str, str]

    def members(self) -> list[dict[str, str]]:
        """Give the parameters as a member of a call."""
        return [{"name": name, "value": value} for name, value in self.values.items()]


def bound(statements: Sequence[RedshiftStatement]) -> BoundStatements:
    """Check parameters against the statements that name them.

    The Data API binds texts of at least one character, to which the database gives the type that
    their place asks for. NULL and the empty string, which it can't bind, are written into the
    statement.

    :param statements: the statements of one call.
    :returns: what the call takes.
    :raises UpdraftError: when a parameter has no value, a value no parameter, or two statements
        give one name two values.
    """
    texts: list[str] = []
    known: dict[str, str | None] = {}
    for number, statement in enumerate(statements, start=1):
        _check_names(number, statement)
        own = {name: parameter_text(name, value) for name, value in statement.parameters.items()}
        for name, value in own.items():
            if known.setdefault(name, value) != value:
                raise UpdraftError(
                    f"statement {number} gives parameter {name!r} another value than one before; "
                    "they share their parameters, so call one of them otherwise"
                )
        unbound = {
            name: "NULL" if value is None else literal("")
            for name, value in own.items()
            if not value
        }
        text = replaced(statement.sql, unbound) if unbound else statement.sql
        size = len(text.encode())
        if size > MOST_BYTES:
            raise UpdraftError(
                f"statement {number} has {size} bytes; the Data API takes 100 KB. Load long lists "
                "of values with COPY"
            )
        texts.append(text)
    return BoundStatements(tuple(texts), {name: text for name, text in known.items() if text})


def inlined(statement: RedshiftStatement) -> str:
    """Write the values of parameters into a statement as literals.

    For the places that no parameter is bound in, such as the query that UNLOAD takes in quotes.

    :param statement: the statement.
    :returns: its text.
    :raises UpdraftError: when parameters and values don't match.
    """
    _check_names(1, statement)
    texts = {
        name: "NULL" if text is None else literal(text)
        for name, value in statement.parameters.items()
        for text in [parameter_text(name, value)]
    }
    return replaced(statement.sql, texts)


def as_plain(statement: RedshiftStatement) -> list[object]:
    """Give a statement as plain values, by which it is compared.

    :param statement: the statement.
    :returns: what can be written as JSON.
    :raises UpdraftError: when a parameter has a value that can't be bound.
    """
    parameters = statement.parameters.items()
    return [statement.sql, {name: parameter_text(name, value) for name, value in parameters}]


def parameter_text(name: str, value: object) -> str | None:
    """Write a value as the text that the database reads.

    :param name: name of the parameter.
    :param value: the value: text, number, truth, date or time.
    :returns: the text, ``None`` for NULL.
    :raises UpdraftError: when the value is of another type.
    """
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if "\0" in value:
            raise UpdraftError(f"parameter {name!r} has a NUL character, which Redshift has not")
        return value
    if isinstance(value, int | Decimal | float):
        return str(value)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    raise UpdraftError(
        f"parameter {name!r} is a {type(value).__name__}; a value is text, a number, True or "
        "False, a date, a time or None. Give a list or an object as JSON text and read it with "
        "JSON_PARSE"
    )


def _check_names(number: int, statement: RedshiftStatement) -> None:
    used = {place.name for place in named_places(statement.sql)}
    for name in statement.parameters:
        if not isinstance(name, str) or not PARAMETER_NAME.fullmatch(name):
            raise UpdraftError(
                f"{name!r} is no name for a parameter; it has letters, digits and underscores"
            )
    unused = sorted(set(statement.parameters) - used)
    if unused:
        raise UpdraftError(
            f"statement {number} does not use {_listed(unused)}; write :name, not quoted, where "
            "the value goes"
        )
    missing = sorted(used - set(statement.parameters))
    if missing:
        raise UpdraftError(f"statement {number} uses {_listed(missing)}, which has no value")


def _listed(names: Sequence[str]) -> str:
    word = "parameter" if len(names) == 1 else "parameters"
    return f"{word} {', '.join(f':{name}' for name in names)}"
