"""Lets Glue compute statistics of the columns of tables."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.operators.glue_base import LONGEST_WAIT, GlueOperator
from updraft.operators.glue_column_statistics_runs import (
    ALL_ROWS,
    BEGUN,
    GOES_ON,
    IN_THE_WAY,
    SUCCEEDED,
    ColumnStatisticsRuns,
    adopted,
    outcome,
)
from updraft.operators.glue_datasets import names_argument
from updraft.operators.try_series import is_first_attempt
from updraft.operators.waiting import Deferral
from updraft.triggers.glue_catalog import GlueColumnStatisticsTrigger

_NO_ROOM = frozenset({"ResourceNumberLimitExceededException", "ThrottlingException", IN_THE_WAY})


@dataclass
class _Progress:
    """How far the tables are.

    :param waiting: tables that nothing was started for.
    :param running: id of the run by table.
    :param ended: what became of the others, by table.
    :param own: tables whose run this task began, and may stop.
    """

    waiting: list[str]
    running: dict[str, str] = field(default_factory=dict)
    ended: dict[str, dict[str, Any]] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)


class GlueColumnStatisticsOperator(GlueOperator):
    """Let Glue compute the column statistics of one table, of several, or of a whole database.

    Query planners use them, such as those of Redshift Spectrum and Athena. For an Iceberg table
    Glue estimates the numbers of distinct values and keeps them with the table.

    Glue computes the statistics of a table in one run at a time, and a run has no owner. So a run
    that goes on is adopted, whoever began it, if it is about the same columns. A retry also takes a
    run that has succeeded since the DAG run began; after a user has cleared the task all tables are
    computed anew. At most ``concurrency`` runs go on at the same time; where the account allows
    fewer, the rest waits without holding a slot.

    All tables are tried before the task fails, and the result says what became of each. A user who
    ends the task stops the runs that it began. A retry takes those for its own that began since the
    DAG run did; a run that somebody else began goes on.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/dg/column-statistics.html

    :param database_name: name of the database. (templated)
    :param role: name or ARN of the role that reads the data. (templated)
    :param table_names: a table, several, or their JSON; by default all of the database.
        (templated)
    :param table_pattern: takes only the tables whose name it matches, such as ``sales_*``.
        (templated)
    :param column_names: names of the columns, by default all that statistics exist for.
    :param sample_size: share of the rows in percent, above 0 and at most 100; by default all.
    :param catalog_id: id of the Data Catalog, by default that of the account. (templated)
    :param security_configuration: name of the security configuration for the logs. (templated)
    :param concurrency: how many tables are computed at the same time.
    :param kwargs: as of :class:`GlueOperator`.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys(
            (
                *GlueOperator.template_fields,
                *aws_template_fields(
                    "database_name",
                    "role",
                    "table_names",
                    "table_pattern",
                    "catalog_id",
                    "security_configuration",
                ),
            )
        )
    )

    def __init__(
        self,
        *,
        database_name: str,
        role: str,
        table_names: Sequence[str] | str | None = None,
        table_pattern: str | None = None,
        column_names: Sequence[str] | None = None,
        sample_size: float | None = None,
        catalog_id: str | None = None,
        security_configuration: str | None = None,
        concurrency: int = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database_name = database_name
        self.role = role
        self.table_names = table_names
        self.table_pattern = table_pattern
        self.column_names = column_names
        self.sample_size = sample_size
        self.catalog_id = catalog_id
        self.security_configuration = security_configuration
        self.concurrency = concurrency
        self._progress: _Progress | None = None

    @property
    def _runs(self) -> ColumnStatisticsRuns:
        return ColumnStatisticsRuns(
            self.hook,
            self.database_name,
            catalog_id=self.catalog_id or None,
            column_names=self.column_names,
            sample_size=self.sample_size,
            settings={
                "Role": self.role,
                "SecurityConfiguration": self.security_configuration or None,
            },
            kill_switch=self.kill_switch,
        )

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        if not self.database_name or not self.role:
            raise UpdraftError("database_name and role are needed")
        names_argument("table_names", self.table_names)
        if not isinstance(self.concurrency, int) or self.concurrency < 1:
            raise UpdraftError(
                f"concurrency: {self.concurrency!r} is not a whole number above 0, such as 5"
            )
        if self.sample_size is not None and not 0 < self.sample_size <= ALL_ROWS:
            raise UpdraftError(
                f"sample_size: {self.sample_size!r} is no percentage above 0 and at most 100"
            )

    def begin(self, context: Context) -> dict[str, Any] | Deferral:
        """Compute the statistics of all tables.

        :param context: context of the task instance.
        :returns: by table ``run_id``, ``state`` and, if it failed, ``error``; or what to wait for.
        :raises UpdraftError: when the statistics of a table could not be computed.
        """
        tables = self._tables()
        if not tables:
            self.log.info("There is no such table in %s; nothing to do", self.database_name)
        progress = _Progress(waiting=tables)
        if not is_first_attempt(context):
            self._take_over(context, progress)
        return self._advance(progress, time.time() + LONGEST_WAIT.total_seconds())

    def go_on(
        self,
        context: Context,  # noqa: ARG002 - the event says all
        event: Mapping[str, Any],
    ) -> dict[str, Any] | Deferral:
        """Look which runs have ended, and begin the next.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: as :meth:`begin`.
        :raises UpdraftError: as :meth:`begin`.
        """
        progress = _Progress(**event["progress"])
        return self._advance(progress, event["give_up_at"])

    def find_own(self, context: Context) -> None:
        """Find the runs that go on.

        :param context: context of the task instance.
        :raises UpdraftError: when AWS refuses.
        """
        self._progress = _Progress(waiting=self._tables())
        self._take_over(context, self._progress)

    def stop(self) -> None:
        """Stop the runs, but for those that somebody else began."""
        progress = self._progress
        for table in [t for t in progress.running if t in progress.own] if progress else ():
            self._runs.stop(table)

    def _advance(self, progress: _Progress, give_up_at: float) -> dict[str, Any] | Deferral:
        self._progress = progress
        self.kill_switch.check(self.stop)  # until here, on_kill did not know what to stop
        while True:
            self._look(progress)
            self._start_some(progress)
            if not progress.waiting and not progress.running:
                return self._result(progress)
            trigger = GlueColumnStatisticsTrigger(
                database_name=self.database_name,
                runs=progress.running,
                own=progress.own,
                progress=asdict(progress),
                **self.waiting(give_up_at),
            )
            deferral = self.wait(trigger, f"The statistics of {', '.join(progress.running)}")
            if deferral is not None:
                return deferral

    def _tables(self) -> list[str]:
        named = names_argument("table_names", self.table_names) or self._runs.tables()
        pattern = self.table_pattern or "*"
        return [name for name in dict.fromkeys(named) if fnmatchcase(name, pattern)]

    def _take_over(self, context: Context, progress: _Progress) -> None:
        """Take over what an earlier attempt has finished, or has begun."""
        dag_run = context.get("dag_run")
        started = getattr(dag_run, "start_date", None)
        # Without a start nothing may pass for done, but what goes on can be told to be its own.
        since = started or getattr(dag_run, "run_after", None)
        if since is None:
            return
        for table in list(progress.waiting):
            for run in self._runs.about(table):
                if not self._runs.began_since(run, since):
                    break
                if run["Status"] in BEGUN and self._runs.is_same(run, table):
                    # It may end before a start of another one would find it going on.
                    progress.waiting.remove(table)
                    progress.running[table] = adopted(run, table)
                    progress.own.append(table)
                    break
                if started and run["Status"] == SUCCEEDED and self._runs.is_same(run, table):
                    self.log.info("The statistics of %s were computed by an earlier attempt", table)
                    progress.waiting.remove(table)
                    progress.ended[table] = outcome(run)
                    break

    def _start_some(self, progress: _Progress) -> None:
        while progress.waiting and len(progress.running) < self.concurrency:
            table = progress.waiting[0]
            try:
                run_id, is_own = self._runs.start(table)
            except ServiceError as error:
                if error.code in _NO_ROOM:
                    self.log.info("No run can be begun about %s now: %s", table, error)
                    progress.waiting.append(progress.waiting.pop(0))
                    return
                progress.ended[table] = {"run_id": None, "state": "FAILED", "error": str(error)}
                self.log.error("The statistics of %s were not begun. %s", table, error)  # noqa: TRY400 - it is complete
            else:
                progress.running[table] = run_id
                if is_own:
                    progress.own.append(table)
                self.kill_switch.check(self.stop)
            progress.waiting.remove(table)

    def _look(self, progress: _Progress) -> None:
        for table, run_id in list(progress.running.items()):
            run = self._runs.look(table, run_id)
            if run["Status"] in GOES_ON:
                continue
            del progress.running[table]
            progress.ended[table] = outcome(run)
            self.log.info("Run %s about %s: %s", run_id, table, progress.ended[table])

    def _result(self, progress: _Progress) -> dict[str, Any]:
        self._progress = None
        failed = {t: end for t, end in progress.ended.items() if end["state"] != SUCCEEDED}
        tables = [f"{self.database_name}.{table}" for table in sorted(progress.ended)]
        ids = sorted(str(end["run_id"]) for end in progress.ended.values() if end["run_id"])
        self.remember_lineage(",".join(ids[:1]), inputs=tables, outputs=tables)
        if failed:
            reasons = "; ".join(
                f"{table}: {end['state']}, {end.get('error') or 'Glue gives no reason'}"
                for table, end in sorted(failed.items())
            )
            raise UpdraftError(
                f"The statistics of {len(failed)} of {len(progress.ended)} tables in "
                f"{self.database_name} were not computed: {reasons}"
            )
        return dict(sorted(progress.ended.items()))
