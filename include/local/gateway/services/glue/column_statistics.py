"""Column statistics of tables, really computed from their files.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/column-statistics.html
"""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.glue.background import Work, WorkError, Works
from include.local.gateway.services.glue.catalog import describe_table

_GIVEN = ("ColumnNameList", "Role", "SampleSize", "CatalogID", "SecurityConfiguration")
_PAGE = 1000
_ALL_ROWS = 100.0


class ColumnStatistics:
    """Computes statistics and keeps them; moto knows no such operations.

    :param endpoint_url: address of the gateway.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._works = Works()
        self._lock = threading.Lock()
        self._statistics: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "DeleteColumnStatisticsForTable": self._delete,
            "GetColumnStatisticsForTable": self._statistics_of,
            "GetColumnStatisticsTaskRun": self._get,
            "GetColumnStatisticsTaskRuns": self._list,
            "StartColumnStatisticsTaskRun": self._start,
            "StopColumnStatisticsTaskRun": self._stop,
        }

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        table = self._table(request)
        columns = [column["Name"] for column in _columns(table)]
        unknown = sorted(set(given.get("ColumnNameList", ())) - set(columns))
        if unknown:
            raise AwsError("InvalidInputException", f"Columns not found: {', '.join(unknown)}")
        details = {name: given[name] for name in _GIVEN if name in given}
        work = Work(request.region, _subject(given), details=details)
        if not self._works.start(work, self._compute):
            raise AwsError(
                "ColumnStatisticsTaskRunningException",
                f"A column statistics task is already running for {given['TableName']}",
            )
        return {"ColumnStatisticsTaskRunId": work.id}

    def _compute(self, work: Work) -> None:
        # pyarrow is not loaded before somebody needs it.
        from include.local.gateway.services.glue.statistics import statistics_of  # noqa: PLC0415
        from include.local.gateway.services.glue.table_data import (  # noqa: PLC0415
            hold,
            read_table,
        )

        database, name = work.subject
        table = describe_table(self._endpoint_url, work.region, database, name)
        wanted = work.details.get("ColumnNameList")
        columns = [c for c in _columns(table) if not wanted or c["Name"] in wanted]
        location = table.get("StorageDescriptor", {}).get("Location", "")
        hold(self._endpoint_url, work.region, location, work.stop_asked)
        rows = read_table(self._endpoint_url, work.region, table)
        share = min(work.details.get("SampleSize", _ALL_ROWS), _ALL_ROWS) / _ALL_ROWS
        rows = rows.slice(0, round(len(rows) * share))  # the first ones, so that tests can tell
        found = {}
        for column in columns:
            statistics = statistics_of(rows.column(column["Name"]))
            if statistics is not None:
                found[column["Name"]] = {
                    "ColumnName": column["Name"],
                    "ColumnType": column.get("Type", "string"),
                    "AnalyzedTime": datetime.now(UTC),
                    "StatisticsData": statistics,
                }
        if not found:
            raise WorkError(f"None of the columns of {name} has a type that statistics exist for")
        with self._lock:
            if not work.stop_asked.is_set():
                kept = self._statistics.setdefault((work.region, database, name), {})
                kept.update(found)

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        run_id = request.parameters["ColumnStatisticsTaskRunId"]
        work = self._works.find(request.region, run_id)
        if work is None:
            raise AwsError("EntityNotFoundException", f"Task run {run_id} does not exist")
        return {"ColumnStatisticsTaskRun": _members(work)}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        works = list(self._works.about(request.region, _subject(given)))
        start = int(given.get("NextToken", 0))
        size = given.get("MaxResults", _PAGE)
        page: dict[str, Any] = {
            "ColumnStatisticsTaskRuns": [_members(work) for work in works[start : start + size]]
        }
        if start + size < len(works):
            page["NextToken"] = str(start + size)
        return page

    def _stop(self, request: OperationRequest) -> Mapping[str, Any]:
        works = self._works.about(request.region, _subject(request.parameters))
        work = next((work for work in works if work.goes_on), None)
        if work is None:
            raise AwsError(
                "ColumnStatisticsTaskNotRunningException",
                f"No column statistics task is running for {request.parameters['TableName']}",
            )
        if work.stop_asked.is_set():
            raise AwsError("ColumnStatisticsTaskStoppingException", "The task is being stopped")
        self._works.stop(work)
        return {}

    def _statistics_of(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        self._table(request)
        with self._lock:
            kept = dict(self._statistics.get((request.region, *_subject(given)), {}))
        missing = [name for name in given["ColumnNames"] if name not in kept]
        error = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Statistics not found"}
        return {
            "ColumnStatisticsList": [kept[name] for name in given["ColumnNames"] if name in kept],
            "Errors": [{"ColumnName": name, "Error": error} for name in missing],
        }

    def _delete(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        with self._lock:
            kept = self._statistics.get((request.region, *_subject(given)), {})
            if kept.pop(given["ColumnName"], None) is None:
                raise AwsError("EntityNotFoundException", "Statistics not found")
        return {}

    def _table(self, request: OperationRequest) -> dict[str, Any]:
        return describe_table(self._endpoint_url, request.region, *_subject(request.parameters))


def _subject(given: Mapping[str, Any]) -> tuple[str, str]:
    return given["DatabaseName"], given["TableName"]


def _columns(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*table.get("StorageDescriptor", {}).get("Columns", ()), *table.get("PartitionKeys", ())]


def _members(work: Work) -> dict[str, Any]:
    """Give a run as GetColumnStatisticsTaskRun returns it."""
    database, table = work.subject
    members = {
        "ColumnStatisticsTaskRunId": work.id,
        "DatabaseName": database,
        "TableName": table,
        "Status": "RUNNING" if work.goes_on else work.state,
        "CreationTime": work.started,
        "StartTime": work.started,
        "LastUpdated": work.ended or work.started,
        "ComputationType": "FULL",
        **work.details,
    }
    if work.ended is not None:
        members["EndTime"] = work.ended
    if work.error is not None:
        members["ErrorMessage"] = work.error
    return members
