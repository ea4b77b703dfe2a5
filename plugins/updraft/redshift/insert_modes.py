"""How the four insert modes of Data Pipeline's RedshiftCopyActivity change a table.

All of it is one transaction: new rows go to a temporary table named ``staging``, a query may
transform them, and what comes out is put into the target. Whoever looks at the target sees it as it
was before or as it is after.

The service that is followed never showed its SQL. These are the statements that its guide
describes, in the form that the pages it refers to give them:
https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-redshiftcopyactivity.html
and https://docs.aws.amazon.com/redshift/latest/dg/t_updating-inserting-using-staging-tables-.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from updraft.choices import unknown_choice
from updraft.errors import UpdraftError
from updraft.redshift.identifiers import TableName, quoted
from updraft.redshift.single_statements import TableDefinition

STAGING = "staging"
"""The table that a transformation reads."""

TRANSFORMED = "staging_transformed"
"""The table that takes what the transformation gives."""


class InsertMode(StrEnum):
    """What becomes of the rows that the target has."""

    APPEND = "APPEND"
    TRUNCATE = "TRUNCATE"
    KEEP_EXISTING = "KEEP_EXISTING"
    OVERWRITE_EXISTING = "OVERWRITE_EXISTING"

    @property
    def merges(self) -> bool:
        """Whether rows are compared by keys."""
        return self in (InsertMode.KEEP_EXISTING, InsertMode.OVERWRITE_EXISTING)


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What the catalog says about a table.

    :param columns: its columns in order; none if there is no such table.
    :param primary_key: the columns of its primary key.
    :param distribution_key: the column of its distribution key, or none.
    :param sort_key: the columns of its sort key in order.
    """

    columns: tuple[str, ...] = ()
    primary_key: tuple[str, ...] = ()
    distribution_key: tuple[str, ...] = ()
    sort_key: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether there is such a table."""
        return bool(self.columns)


@dataclass(frozen=True, slots=True)
class Load:
    """What is loaded, and how.

    :param table: the target.
    :param mode: what becomes of its rows.
    :param columns: the columns that are loaded, in the order of the input; none for all.
    :param primary_keys: columns that rows are compared by, instead of those of the table.
    :param transformation: query over ``staging`` that gives what goes into the target.
    :param definition: makes the target if there is none.
    """

    table: TableName
    mode: InsertMode
    columns: tuple[str, ...] = ()
    primary_keys: tuple[str, ...] = ()
    transformation: str | None = None
    definition: TableDefinition | None = None


def insert_mode(argument: str, value: object) -> InsertMode:
    """Read a mode.

    :param argument: name of the argument, for the error message.
    :param value: its name.
    :returns: the mode.
    :raises UpdraftError: when there is none of that name.
    """
    text = str(value).upper()
    if text not in InsertMode.__members__:
        raise unknown_choice(argument, value, tuple(InsertMode.__members__))
    return InsertMode(text)


def load_statements(load: Load, facts: TableFacts, fill: str) -> list[str]:
    """Write all statements of a load, to be run as one transaction.

    Keys are compared with ``=``. So a row with NULL in one of them matches no other and is always
    added, and rows of the input that are equal in their keys don't replace each other: all of them
    are added, or none. TRUNCATE deletes, since Redshift's TRUNCATE would end the transaction.

    :param load: what is loaded.
    :param facts: what the catalog says about the target.
    :param fill: the statement that fills ``staging``.
    :returns: the statements; the last one puts the rows into the target.
    :raises UpdraftError: when the table is not there or has no keys, or a column is unknown.
    """
    target, definition = load.table.sql, load.definition
    if load.table.table in (STAGING, TRANSFORMED):
        raise UpdraftError(
            f"{load.table} can't be loaded: a table for the rows on their way has that name"
        )
    if not facts.exists and definition is None:
        raise UpdraftError(
            f"there is no table {load.table}, or the database user must not see it; give its "
            "CREATE TABLE as create_table_sql"
        )
    made = [] if facts.exists or definition is None else [definition.sql]
    keys = _keys(load, facts) if load.mode.merges else ()
    # Writers wait for each other, so that none merges into a table it saw before another's end.
    locked = [f"LOCK {target}"] if keys and facts.exists else []
    rows = STAGING
    statements = [*locked, *made, _empty_copy(STAGING, load), fill]
    if load.transformation is not None:
        rows = TRANSFORMED
        statements += [
            _empty_copy(TRANSFORMED, load),
            f"INSERT INTO {quoted(rows)} {load.transformation}",
        ]
    return [*statements, *_cleared(load, keys, rows), _put(load, rows)]


def fill_from_table(source: TableName, columns: Sequence[str]) -> str:
    """Fill ``staging`` from another table of the database.

    :param source: that table.
    :param columns: the columns that are read; none for all.
    :returns: the statement.
    """
    return f"INSERT INTO {quoted(STAGING)} SELECT {_listed(columns) or '*'} FROM {source.sql}"  # noqa: S608 - names are quoted


def _cleared(load: Load, keys: Sequence[str], rows: str) -> list[str]:
    target, staging = load.table.sql, quoted(rows)
    equal = " AND ".join(f"{target}.{quoted(key)} = {staging}.{quoted(key)}" for key in keys)
    if load.mode is InsertMode.TRUNCATE:
        return [f"DELETE FROM {target}"]  # noqa: S608 - names are quoted
    if load.mode is InsertMode.KEEP_EXISTING and keys:
        return [f"DELETE FROM {staging} USING {target} WHERE {equal}"]  # noqa: S608 - names are quoted
    if load.mode is InsertMode.OVERWRITE_EXISTING and keys:
        return [f"DELETE FROM {target} USING {staging} WHERE {equal}"]  # noqa: S608 - names are quoted
    return []


def _put(load: Load, rows: str) -> str:
    columns = _listed(load.columns)
    named = f" ({columns})" if columns else ""
    return f"INSERT INTO {load.table.sql}{named} SELECT {columns or '*'} FROM {quoted(rows)}"  # noqa: S608 - names are quoted


def _empty_copy(name: str, load: Load) -> str:
    target = load.table.sql
    if load.columns:
        columns = _listed(load.columns)
        return f"CREATE TEMP TABLE {quoted(name)} AS SELECT {columns} FROM {target} WHERE FALSE"  # noqa: S608 - names are quoted
    return f"CREATE TEMP TABLE {quoted(name)} (LIKE {target} INCLUDING DEFAULTS)"


def _keys(load: Load, facts: TableFacts) -> tuple[str, ...]:
    if not facts.exists and load.definition is not None and not load.definition.is_query:
        return ()  # the table is made here and has no row to compare with
    design = tuple(dict.fromkeys((*facts.distribution_key, *facts.sort_key)))
    keys = load.primary_keys or facts.primary_key or design
    if not keys:
        raise UpdraftError(
            f"{load.mode} compares rows by keys, and {load.table} has neither a primary key nor "
            "sort and distribution keys; give primary_keys"
        )
    known = load.columns or facts.columns
    for key in keys if known else ():
        if key not in known:
            raise unknown_choice("primary_keys", key, known)
    return keys


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(map(quoted, columns))
