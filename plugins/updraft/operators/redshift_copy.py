"""Loads tables of Amazon Redshift."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.operators.redshift_copy_arguments import RedshiftCopyArguments
from updraft.operators.redshift_load_errors import LoadErrors, load_errors
from updraft.operators.redshift_statement_calls import (
    FinishedStatements,
    StatementFailedError,
    StatementOutcome,
)
from updraft.operators.redshift_tables import table_facts
from updraft.redshift.identifiers import quoted
from updraft.redshift.insert_modes import STAGING, InsertMode, Load, load_statements
from updraft.redshift.statement import RedshiftStatement

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from updraft.operators.redshift_load_lineage import LoadLineage

_REMEMBERED = timedelta(hours=24)


class RedshiftCopyOperator(RedshiftCopyArguments):
    """Load files, a table of DynamoDB or another table into a table of Amazon Redshift, once.

    It does what RedshiftCopyActivity of AWS Data Pipeline did, in one transaction: new rows go to
    a temporary table ``staging``, ``transform_sql`` may change them, and ``insert_mode`` says what
    becomes of the rows that the target has:

    - ``APPEND``: they stay, and all new ones are added.
    - ``TRUNCATE``: they are deleted, then all new ones are added.
    - ``KEEP_EXISTING``: they stay, and the new rows whose keys the target does not have are added.
    - ``OVERWRITE_EXISTING``: those whose keys are among the new rows are deleted, then all new
      ones are added.

    A row with NULL in a key has no equal. New rows that have equal keys are all added, or none.

    A retry finds the load of an earlier attempt by its name and token; one that has committed is
    not done again. See
    :class:`~updraft.operators.redshift_statements_base.RedshiftStatementsOperator`.

    :param kwargs: as of
        :class:`~updraft.operators.redshift_copy_arguments.RedshiftCopyArguments`.
    """

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong, which no retry can mend.
        """
        super().check()
        load = self.load()
        self.fill(load)
        if not self.transaction:
            raise UpdraftError("transaction: a load is one transaction, it can't be False")
        retries, delay = self.retries, self.retry_delay
        if load.mode is InsertMode.APPEND and retries and delay >= _REMEMBERED:
            raise UpdraftError(
                f"retry_delay: AWS forgets after {_REMEMBERED} whether a load has committed, so "
                f"that a retry after {delay} could append all rows twice; make it shorter"
            )

    def identity(self) -> object:
        """Say what is loaded: all arguments, since the statements depend on the database."""
        load = self.load()
        return [
            *("copy", load.table.sql, load.mode, load.columns, load.primary_keys),
            *(load.transformation, load.definition.sql if load.definition else None),
            self.fill(load),
        ]

    def statements(self, context: Context) -> Sequence[RedshiftStatement]:
        """Write the statements for the table as it is.

        :param context: context of the task instance.
        :returns: the statements.
        :raises UpdraftError: when the table is missing or has no keys.
        """
        del context
        load = self.load()
        facts = table_facts(self.rows, load.table)
        return [RedshiftStatement(sql) for sql in load_statements(load, facts, self.fill(load))]

    def finished(self, context: Context, run: FinishedStatements) -> dict[str, Any]:
        """Count rows.

        :param context: context of the task instance.
        :param run: how the statements went.
        :returns: ``statement_id``, ``query_id`` of the COPY, and numbers of rows: ``loaded`` from
            the source, ``inserted`` into the target, ``deleted`` from it and ``rejected`` by
            COPY. A number that Redshift does not tell is ``None``.
        """
        del context
        load = self.load()
        fill = next((one for one in run.outcomes if _fills(one)), run.outcomes[-1])
        deleted = [
            one
            for one in run.outcomes
            if one.sql.startswith(f"DELETE FROM {load.table.sql}")  # noqa: S608 - names are quoted
        ]
        rejected = self._rejected(fill)
        result = {
            "statement_id": run.id,
            "query_id": fill.query_id,
            "loaded": _count(fill),
            "inserted": _count(run.outcomes[-1]),
            "deleted": _count(deleted[0]) if deleted else 0,
            "rejected": rejected.count,
        }
        if rejected.count:
            self.log.warning("%d errors while loading:\n%s", rejected.count, rejected)
        self.log.info("Loaded into %s: %s", load.table, result)
        self.remember_lineage(lambda: self._described(load, run, result))
        return result

    def failed(self, context: Context, error: StatementFailedError) -> UpdraftError:
        """Say which lines could not be loaded.

        :param context: context of the task instance.
        :param error: how the statement failed.
        :returns: the error with those lines, if there are any.
        """
        del context
        try:
            found = load_errors(self.rows, error.query_id)
        except UpdraftError as trouble:
            self.log.warning("Which lines failed is not known. %s", trouble)
            return error
        return UpdraftError(f"{error}\n{found}") if found.count else error

    def declared_lineage(self, region: str) -> "OperatorLineage[Any, Any]":
        """Name the source and the table.

        :param region: the region of the database.
        :returns: the lineage.
        :raises UpdraftError: when an argument is wrong.
        :raises ImportError: when OpenLineage is not installed.
        """
        from updraft.operators.redshift_load_lineage import (  # noqa: PLC0415 - optional
            declared_load,
        )

        load, source = self.load(), self.other_table() or self.source()
        found = declared_load(self.place, region, load, source, self.fill(load))
        return found.as_operator_lineage()

    def _rejected(self, fill: StatementOutcome) -> LoadErrors:
        lenient = {"MAXERROR", "IGNOREALLERRORS"}
        if self.other_table() is None and any(one.name in lenient for one in self.options()):
            return load_errors(self.rows, fill.query_id)
        return LoadErrors(0, ())

    def _described(
        self, load: Load, run: FinishedStatements, result: dict[str, Any]
    ) -> "LoadLineage":
        from updraft.operators.redshift_load_lineage import (  # noqa: PLC0415 - optional
            load_lineage,
        )

        source = self.other_table() or self.source()
        return load_lineage(self, load, source, run, result["inserted"])


def _fills(outcome: StatementOutcome) -> bool:
    staging = quoted(STAGING)
    return outcome.sql.startswith((f"COPY {staging}", f"INSERT INTO {staging} "))


def _count(outcome: StatementOutcome) -> int | None:
    return outcome.rows if outcome.rows >= 0 else None
