"""Turns SQL of Athena into SQL of DuckDB, and finds the tables that it names."""

from collections.abc import Callable, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError


class QueryError(Exception):
    """A query is wrong; the text becomes the reason of its failure."""


class UnsupportedStatementError(QueryError):
    """A statement that the local stack does not execute."""


def parse_query(sql: str) -> exp.Query:
    """Parse a query.

    :param sql: SQL as Athena takes it.
    :returns: its tree.
    :raises UnsupportedStatementError: when it is something else than a query.
    :raises QueryError: when it is no SQL.
    """
    try:
        statements = [one for one in sqlglot.parse(sql, read="athena") if one is not None]
    except SqlglotError as error:
        raise QueryError(f"SYNTAX_ERROR: {str(error).splitlines()[0]}") from error
    if len(statements) != 1:
        raise QueryError("SYNTAX_ERROR: Only one sql statement is allowed.")
    if not isinstance(statements[0], exp.Query):
        raise UnsupportedStatementError(
            "the local stack executes queries (SELECT, WITH, VALUES), not "
            f"{statements[0].key.upper()}"
        )
    return statements[0]


def to_duckdb(
    query: exp.Query, database: str, parameters: Sequence[str], view: Callable[[str, str], str]
) -> str:
    """Translate a query.

    :param query: its tree; it is changed.
    :param database: the database for names without one.
    :param parameters: values of its question marks, as SQL.
    :param view: gives the name under which DuckDB knows the table of a database.
    :returns: SQL for DuckDB.
    :raises QueryError: when the numbers of question marks and of values differ.
    """
    marks = list(query.find_all(exp.Placeholder))
    if len(marks) != len(parameters):
        raise QueryError(
            f"INVALID_PARAMETER_USAGE: Incorrect number of parameters: expected {len(marks)} but "
            f"found {len(parameters)}"
        )
    for mark, value in zip(marks, parameters, strict=True):
        mark.replace(sqlglot.parse_one(value, read="athena"))
    named = {cte.alias_or_name.lower() for cte in query.find_all(exp.CTE)}
    for table in list(query.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier) or (
            not table.db and table.name.lower() in named
        ):
            continue
        name = view((table.db or database).lower(), table.name.lower())
        alias = table.args.get("alias") or exp.TableAlias(
            this=exp.to_identifier(table.name, quoted=True)
        )
        new = exp.Table(this=exp.to_identifier(name, quoted=True), alias=alias)
        new.set("joins", table.args.get("joins"))
        table.replace(new)
    for column in query.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)
    sql: str = query.sql(dialect="duckdb")
    return sql
