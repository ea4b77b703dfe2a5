"""Looks tables of Amazon Redshift up in its catalog."""

from collections.abc import Callable, Mapping
from typing import Any

from updraft.redshift.identifiers import TableName
from updraft.redshift.insert_modes import TableFacts

Rows = Callable[[str, Mapping[str, object]], list[dict[str, Any]]]
"""Runs a query with parameters."""

# https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_REDSHIFT_COLUMNS.html
_COLUMNS = """
SELECT column_name, data_type, distkey, sortkey FROM svv_redshift_columns
WHERE database_name = current_database() AND schema_name = :schema AND table_name = :table
ORDER BY ordinal_position
"""
_PRIMARY_KEY = """
SELECT a.attname AS column_name FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (c.conkey)
WHERE c.contype = 'p' AND n.nspname = :schema AND t.relname = :table
ORDER BY a.attnum
"""


def table_columns(rows: Rows, table: TableName) -> dict[str, str]:
    """Look up the columns of a table.

    :param rows: runs a query.
    :param table: the table or view.
    :returns: type by name, in order; empty if there is no such table.
    :raises UpdraftError: when the query fails.
    """
    found = rows(_COLUMNS, {"schema": table.schema, "table": table.table})
    return {str(row["column_name"]): str(row["data_type"]) for row in found}


def table_facts(rows: Rows, table: TableName) -> TableFacts:
    """Look up columns and keys of a table.

    :param rows: runs a query.
    :param table: the table.
    :returns: what the catalog says.
    :raises UpdraftError: when a query fails.
    """
    name = {"schema": table.schema, "table": table.table}
    columns = rows(_COLUMNS, name)
    if not columns:
        return TableFacts()
    # Each column of an interleaved sort key has a sign of its own.
    sorted_by = sorted((abs(int(row["sortkey"] or 0)), str(row["column_name"])) for row in columns)
    return TableFacts(
        columns=tuple(str(row["column_name"]) for row in columns),
        primary_key=tuple(str(row["column_name"]) for row in rows(_PRIMARY_KEY, name)),
        distribution_key=tuple(str(row["column_name"]) for row in columns if row["distkey"]),
        sort_key=tuple(name for place, name in sorted_by if place),
    )
