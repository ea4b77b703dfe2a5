"""Checks a table with a query on Amazon Athena."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError

_COUNT = "row_count"


class AthenaTableCheckOperator(AthenaOperator):
    """Count the rows of a table on Athena, and look for some of them, in one query.

    Everything that is expected is checked before the task fails, so that its message names all
    differences. Such a failure is not retried. The query changes nothing: each attempt runs its
    own, and the provider's operator cancels it when the task is killed.

    :param table: table to check. (templated)
    :param expected_row_count: number of rows that it has to have; empty for any. (templated)
    :param expected_rows: rows that it has to have, each once: values by column, as a list or its
        JSON. Columns that a row does not name may have any value. (templated)
    :param deferrable: whether to wait in Airflow's triggerer.
    :param kwargs: as of the provider's operator, such as ``database`` and ``output_location``.
    """

    template_fields: Sequence[str] = (
        *AthenaOperator.template_fields,
        *aws_template_fields("table", "expected_row_count", "expected_rows"),
    )
    template_fields = tuple(dict.fromkeys(template_fields))

    def __init__(
        self,
        *,
        table: str,
        expected_row_count: int | str | None = None,
        expected_rows: Sequence[Mapping[str, Any]] | str | None = None,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(query="", deferrable=deferrable, **kwargs)
        self.table = table
        self.expected_row_count = expected_row_count
        self.expected_rows = expected_rows

    def execute(self, context: Context) -> Any:
        """Run the query and compare.

        :param context: context of the task instance.
        :returns: the number of rows.
        :raises AirflowFailException: when the table is not as expected.
        :raises UpdraftError: when an argument is wrong.
        """
        self._expected_count()
        self.query = check_query(self.table, self._rows())
        super().execute(context)
        return self._compared()

    def execute_complete(self, context: Context, event: dict[str, Any] | None = None) -> Any:
        """Compare after a deferral.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: as :meth:`execute`.
        :raises AirflowFailException: as :meth:`execute`.
        """
        self.query = check_query(self.table, self._rows())
        super().execute_complete(context, event)
        return self._compared()

    def _compared(self) -> int:
        found: Any = self.hook.get_query_results(str(self.query_execution_id))
        names, values = found["ResultSet"]["Rows"]  # the first row has the names
        result = {
            name["VarCharValue"]: int(value["VarCharValue"])
            for name, value in zip(names["Data"], values["Data"], strict=True)
        }
        count = result[_COUNT]
        expected = self._expected_count()
        differences = []
        if expected not in {None, count}:
            differences.append(f"{count:,} rows instead of {expected:,}")
        for number, row in enumerate(self._rows()):
            times = result[f"row_{number}"]
            if times != 1:
                differences.append(f"{times or 'no'} rows with {json.dumps(row)} instead of one")
        if differences:
            raise AirflowFailException(
                f"{self.database}.{self.table} has {'; '.join(differences)} "
                f"(query {self.query_execution_id})"
            )
        self.log.info("%s.%s has %s rows", self.database, self.table, f"{count:,}")
        return count

    def _expected_count(self) -> int | None:
        given = self.expected_row_count
        if given in {None, "", "None"}:
            return None
        if not str(given).isdecimal():
            raise UpdraftError(f"expected_row_count: {given!r} is not a number of rows")
        return int(str(given))

    def _rows(self) -> Sequence[Mapping[str, Any]]:
        rows: Any = self.expected_rows or []
        if isinstance(rows, str):
            try:
                rows = json.loads(rows) or []
            except ValueError:
                rows = None
        if not isinstance(rows, list) or not all(isinstance(r, dict) and r for r in rows):
            raise UpdraftError(
                f"expected_rows: {self.expected_rows!r} is not a list of rows; it looks like "
                '[{"id": 1, "name": "Ann"}]'
            )
        return rows


def check_query(table: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write the query.

    :param table: name of the table.
    :param rows: rows to look for.
    :returns: SQL with one row of results: ``row_count``, ``row_0``, ``row_1`` and so on.
    :raises UpdraftError: when a value is no plain one.
    """
    columns = [f"COUNT(*) AS {_COUNT}"]
    for number, row in enumerate(rows):
        conditions = [_condition(name, value) for name, value in row.items()]
        columns.append(f"COUNT_IF({' AND '.join(conditions)}) AS row_{number}")
    return f"SELECT {', '.join(columns)} FROM {_quoted(table)}"  # noqa: S608 - names are quoted


def _condition(column: str, value: Any) -> str:
    if value is None:
        return f"{_quoted(column)} IS NULL"
    if isinstance(value, bool):
        literal = str(value).upper()
    elif isinstance(value, int):
        literal = str(value)
    elif isinstance(value, float):
        literal = f"DOUBLE '{value!r}'"
    elif isinstance(value, str):
        literal = "'" + value.replace("'", "''") + "'"
    else:
        raise UpdraftError(
            f"expected_rows: the value of {column!r}, {value!r}, is no text, number, boolean or "
            "null"
        )
    return f"{_quoted(column)} = {literal}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
