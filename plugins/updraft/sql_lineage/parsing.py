"""Parses a statement with sqlglot, whatever the statement is like."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlglot import exp
from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import ParseError, SqlglotError

from updraft.sql_lineage.word_reader import SqlError

_STEPS_PER_TOKEN = 200
"""Steps that the parser may take: it takes one to three, unless it goes round in circles."""


_Parser: Any = Redshift.Parser


class _ImpatientParser(_Parser):  # type: ignore[misc]
    """Gives up where sqlglot would go on for ever.

    It does with ``CREATE TABLE t (a, NOT b)``, for one.
    """

    steps_left = 0

    def _advance(self, times: int = 1) -> None:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise ParseError("the parser goes round in circles")
        super()._advance(times)


def parse(sql: str) -> exp.Expression:
    """Parse a statement.

    :param sql: the statement without a semicolon.
    :returns: its tree.
    :raises SqlError: when it is none that sqlglot knows.
    :raises SqlglotError: when sqlglot tells what is wrong with it.
    :raises RecursionError: when it is nested too deeply.
    """
    dialect = Redshift()
    try:
        tokens = dialect.tokenize(sql)
        parser = _ImpatientParser(dialect=dialect)
        parser.steps_left = _STEPS_PER_TOKEN * (len(tokens) + 10)
        trees = parser.parse(tokens, sql)
    except (SqlglotError, RecursionError):
        raise
    except Exception as error:  # noqa: BLE001 sqlglot meets broken SQL with other errors, too
        raise SqlError(f"the parser fails on it: {error}") from None
    node = trees[0] if len(trees) == 1 else None
    if not isinstance(node, exp.Expression):
        raise SqlError("it is no statement")
    if isinstance(node, exp.Command):
        raise SqlError(f"the parser does not know this form of {node.name.upper()}")
    return node


@contextmanager
def quiet() -> Iterator[None]:
    """Keep sqlglot's warnings out of the log: what it cannot parse becomes an error here."""
    logger = logging.getLogger("sqlglot")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
