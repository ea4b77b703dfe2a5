"""Which lines COPY could not load, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from updraft.operators.redshift_tables import Rows

# https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html
_ERRORS = """
SELECT trim(file_name) AS file_name, line_number, trim(column_name) AS column_name,
  trim(column_type) AS column_type, position, error_code, trim(error_message) AS error_message
FROM sys_load_error_detail WHERE query_id = :query ORDER BY file_name, line_number LIMIT 20
"""
_COUNT = "SELECT count(*) AS errors FROM sys_load_error_detail WHERE query_id = :query"
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class LoadErrors:
    """Lines that could not be loaded.

    :param count: how many.
    :param lines: the first ones, as sentences.
    """

    count: int
    lines: Sequence[str]

    def __str__(self) -> str:
        more = self.count - len(self.lines)
        return "\n".join([*self.lines, *([f"and {more} more"] if more > 0 else [])])


def load_errors(rows: Rows, query_id: int) -> LoadErrors:
    """Look up what a COPY could not load.

    :param rows: runs a query.
    :param query_id: id of the COPY in the system tables, 0 when it is not known.
    :returns: the errors.
    :raises UpdraftError: when the system tables can't be asked.
    """
    if query_id <= 0:
        return LoadErrors(0, ())
    found = rows(_ERRORS, {"query": query_id})
    if not found:
        return LoadErrors(0, ())
    [counted] = rows(_COUNT, {"query": query_id})
    return LoadErrors(int(counted["errors"]), tuple(map(_sentence, found[:_SHOWN])))


def _sentence(row: dict[str, Any]) -> str:
    column = row["column_name"]
    named = f", column {column} ({row['column_type'] or 'type unknown'})" if column else ""
    return (
        f"{row['file_name']}, line {row['line_number']}{named}, position {row['position']}: "
        f"{row['error_message']} (error {row['error_code']})"
    )
