"""The column statistics runs of Glue about the tables of a database."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias, cast

from updraft.dynamodb.service_errors import THROTTLED, ServiceError, is_uncertain
from updraft.hooks.glue import GlueClientHook
from updraft.operators.kill_switch import KillSwitch

log = logging.getLogger(__name__)

StatisticsRun: TypeAlias = Mapping[str, Any]
"""What GetColumnStatisticsTaskRun says about one run."""

SUCCEEDED = "SUCCEEDED"
BEGUN = frozenset({"STARTING", "RUNNING"})
GOES_ON = BEGUN | {"STOPPING"}
IN_THE_WAY = "ColumnStatisticsTaskRunningException"
ALL_ROWS = 100
"""A sample of that many percent."""

_OVER = frozenset(
    {"ColumnStatisticsTaskNotRunningException", "ColumnStatisticsTaskStoppingException"}
)
_PASSING = THROTTLED | {IN_THE_WAY}
_MOST_STARTS = 5  # seconds apart
_COMPLEX = ("array", "map", "struct", "uniontype")  # types without statistics
_VIEW = "VIRTUAL_VIEW"


class BegunRun(NamedTuple):
    """A run that goes on.

    :param run_id: its id.
    :param is_own: whether this task began it, and may stop it.
    """

    run_id: str
    is_own: bool


class ColumnStatisticsRuns:
    """The runs about the tables of a database.

    Glue computes the statistics of a table in one run at a time, and a run has no owner.

    :param hook: reaches Glue.
    :param database_name: name of the database.
    :param catalog_id: id of the Data Catalog, None for that of the account.
    :param column_names: names of the columns, None for all that statistics exist for.
    :param sample_size: share of the rows in percent, None for all.
    :param settings: further parameters of StartColumnStatisticsTaskRun, such as ``Role``.
    :param kill_switch: whether the task was told to stop.
    """

    def __init__(
        self,
        hook: GlueClientHook,
        database_name: str,
        *,
        catalog_id: str | None,
        column_names: Sequence[str] | None,
        sample_size: float | None,
        settings: Mapping[str, Any],
        kill_switch: KillSwitch,
    ) -> None:
        self._hook = hook
        self._database_name = database_name
        self._catalog_id = catalog_id
        self._column_names = column_names
        self._sample_size = sample_size
        self._settings = settings
        self._kill_switch = kill_switch

    def tables(self) -> list[str]:
        """List the tables of the database, but for views.

        :returns: their names, in order.
        :raises ServiceError: when Glue refuses.
        """
        pages = self._hook.pages(
            "GetTables",
            "TableList",
            f"database {self._database_name!r}",
            DatabaseName=self._database_name,
            CatalogId=self._catalog_id,
        )
        return sorted(table["Name"] for table in pages if table.get("TableType") != _VIEW)

    def start(self, table: str) -> BegunRun:
        """Start a run, or adopt the one that is in the way.

        :param table: name of the table.
        :returns: the run.
        :raises TaskStoppedError: when the task was told to stop.
        :raises ServiceError: when Glue refuses, or the run that is in the way computes less.
        """
        uncertain_since: datetime | None = None
        for number in range(_MOST_STARTS):
            self._kill_switch.check()
            asked_at = datetime.now(UTC)
            try:
                return self._start_once(table)
            except ServiceError as error:
                if is_uncertain(error):
                    uncertain_since = uncertain_since or asked_at
                elif error.code not in _PASSING:
                    raise
                begun = self._in_the_way(table, uncertain_since)
                if begun is not None:
                    return begun
                if number + 1 == _MOST_STARTS:
                    raise
            time.sleep(2**number)
        raise AssertionError("unreachable")

    def _start_once(self, table: str) -> BegunRun:
        answer = self._hook.request_once(
            "StartColumnStatisticsTaskRun",
            self._named(table),
            DatabaseName=self._database_name,
            TableName=table,
            ColumnNameList=list(self._column_names) if self._column_names else None,
            SampleSize=self._sample_size,
            CatalogID=self._catalog_id,
            **self._settings,
        )
        run_id = str(answer["ColumnStatisticsTaskRunId"])
        log.info("Glue has begun run %s about %s", run_id, table)
        return BegunRun(run_id, is_own=True)

    def _in_the_way(self, table: str, uncertain_since: datetime | None) -> BegunRun | None:
        """Find the run that made Glue refuse a start, or that a start without an answer began.

        :param table: name of the table.
        :param uncertain_since: when this task asked first without an answer, None if it never did.
        """
        for run in self.about(table):
            # A run that ended before this task heard of it did its work: another would repeat it.
            is_own = uncertain_since is not None and self.began_since(run, uncertain_since)
            if not is_own and run["Status"] not in GOES_ON:
                continue
            if self.is_same(run, table):
                return BegunRun(adopted(run, table), is_own)
            if run["Status"] in GOES_ON:
                return None  # Glue refuses until it has ended
        return None

    def about(self, table: str) -> list[StatisticsRun]:
        """List the runs about a table.

        :param table: name of the table.
        :returns: its runs, the latest first.
        :raises ServiceError: when Glue refuses.
        """
        runs = self._hook.pages(
            "GetColumnStatisticsTaskRuns",
            "ColumnStatisticsTaskRuns",
            self._named(table),
            DatabaseName=self._database_name,
            TableName=table,
        )
        return sorted(runs, key=lambda run: cast("Any", run["CreationTime"]), reverse=True)

    def look(self, table: str, run_id: str) -> StatisticsRun:
        """Look at a run.

        :param table: name of the table, for the error message.
        :param run_id: id of the run.
        :returns: the run.
        :raises ServiceError: when Glue refuses.
        """
        answer = self._hook.request(
            "GetColumnStatisticsTaskRun", self._named(table), ColumnStatisticsTaskRunId=run_id
        )
        run: StatisticsRun = answer["ColumnStatisticsTaskRun"]
        return run

    def stop(self, table: str) -> None:
        """Stop the run about a table, and say so where that is not possible.

        :param table: name of the table.
        """
        try:
            self._request("StopColumnStatisticsTaskRun", table)
            log.info("Told Glue to stop the statistics of %s", table)
        except ServiceError as error:
            if error.code in _OVER:
                log.info("The statistics of %s are being stopped, or have ended", table)
            else:
                log.warning("The statistics of %s may go on. %s", table, error)

    def began_since(self, run: StatisticsRun, moment: datetime) -> bool:
        """Say whether a run was made after a moment, which this machine's clock has measured.

        :param run: a run that Glue has just listed.
        :param moment: the moment.
        :returns: whether it was; a run that was made up to two seconds before counts as well, since
            neither Glue's times nor its clock are known better.
        """
        by_clock_of_aws = moment + self._hook.clock_difference
        made: datetime = run["CreationTime"]
        return made >= by_clock_of_aws.replace(microsecond=0)

    def is_same(self, run: StatisticsRun, table: str) -> bool:
        """Say whether a run computes at least what this task is to compute.

        :param run: the run.
        :param table: name of its table.
        :returns: whether it does.
        :raises ServiceError: when Glue refuses to describe the table.
        """
        if run.get("SampleSize", ALL_ROWS) < (self._sample_size or ALL_ROWS):
            return False
        computed = {name.lower() for name in run.get("ColumnNameList") or ()}
        if not computed:
            return True
        # Of a run about all columns Glue may name those that it has found.
        wanted = self._column_names or self._all_columns(table)
        return computed >= {name.lower() for name in wanted}

    def _all_columns(self, table: str) -> list[str]:
        """Name the columns that statistics exist for; those of partitions may have none."""
        answer = self._hook.request(
            "GetTable",
            self._named(table),
            DatabaseName=self._database_name,
            Name=table,
            CatalogId=self._catalog_id,
        )
        columns = answer["Table"].get("StorageDescriptor", {}).get("Columns", ())
        return [
            column["Name"]
            for column in columns
            if not column.get("Type", "").lower().startswith(_COMPLEX)
        ]

    def _request(self, operation: str, table: str, **parameters: Any) -> dict[str, Any]:
        return self._hook.request(
            operation,
            self._named(table),
            DatabaseName=self._database_name,
            TableName=table,
            **parameters,
        )

    def _named(self, table: str) -> str:
        return f"table {self._database_name}.{table}"


def adopted(run: StatisticsRun, table: str) -> str:
    """Note that a run is adopted.

    :param run: the run.
    :param table: name of its table.
    :returns: its id.
    """
    run_id = str(run["ColumnStatisticsTaskRunId"])
    log.info("Adopted run %s about %s, which is going on", run_id, table)
    return run_id


def outcome(run: StatisticsRun) -> dict[str, Any]:
    """Tell what became of a run.

    :param run: a run that has ended.
    :returns: ``run_id``, ``state`` and, where Glue gives a reason, ``error``.
    """
    error = {"error": run["ErrorMessage"]} if run.get("ErrorMessage") else {}
    return {"run_id": run["ColumnStatisticsTaskRunId"], "state": run["Status"], **error}
