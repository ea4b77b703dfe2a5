"""Which time an export covers, and whether that time can be had.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_IncrementalExportSpecification.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.services.dynamodb.history_store import TrackedTable
from include.local.gateway.services.dynamodb.recovery import Recovery
from include.local.gateway.services.dynamodb.settings import TaskSettings


def _seconds(moment: datetime | None) -> float | None:
    return moment.replace(tzinfo=UTC).timestamp() if moment is not None else None


def period(
    given: Mapping[str, Any],
    export_type: str,
    now: float,
    table: TrackedTable,
    settings: TaskSettings,
) -> dict[str, Any]:
    """Work out which time is exported.

    :param given: input of ExportTableToPointInTime.
    :param export_type: ``FULL_EXPORT`` or ``INCREMENTAL_EXPORT``.
    :param now: the present, in seconds since 1970.
    :param table: the table.
    :param settings: limits of a window.
    :returns: the members of the export's description that say it, in seconds since 1970.
    :raises AwsError: as DynamoDB does, when that time can't be had.
    """
    if export_type == "FULL_EXPORT":
        if "IncrementalExportSpecification" in given:
            message = "IncrementalExportSpecification needs ExportType INCREMENTAL_EXPORT"
            raise AwsError("ValidationException", message)
        moment = _seconds(given.get("ExportTime")) or now
        _require_recoverable("ExportTime", moment, now, table)
        return {"ExportTime": moment}
    if "ExportTime" in given:
        message = "ExportTime can't be given for ExportType INCREMENTAL_EXPORT"
        raise AwsError("ValidationException", message)
    window = given.get("IncrementalExportSpecification", {})
    start = _seconds(window.get("ExportFromTime"))
    end = _seconds(window.get("ExportToTime")) or now
    if start is None:
        message = "IncrementalExportSpecification with an ExportFromTime is required"
        raise AwsError("ValidationException", message)
    length = end - start
    if not settings.shortest_window_seconds <= length <= settings.longest_window_seconds:
        message = (
            f"The time from ExportFromTime to ExportToTime is {length:.0f} seconds; it must be "
            f"from {settings.shortest_window_seconds:.0f} to "
            f"{settings.longest_window_seconds:.0f}"
        )
        raise AwsError("ValidationException", message)
    _require_recoverable("ExportFromTime", start, now, table)
    _require_recoverable("ExportToTime", end, now, table)
    view = window.get("ExportViewType", "NEW_AND_OLD_IMAGES")
    period = {"ExportFromTime": start, "ExportToTime": end, "ExportViewType": view}
    return {"IncrementalExportSpecification": period}


def _require_recoverable(name: str, moment: float, now: float, table: TrackedTable) -> None:
    earliest = Recovery.earliest(table, now)
    if not earliest <= moment <= now:
        message = (
            f"{name} {text(moment)} is outside of the point in time recovery window, which is "
            f"from {text(earliest)} to {text(now)}"
        )
        raise AwsError("InvalidExportTimeException", message)


def text(seconds: float) -> str:
    """Write a point in time as manifests do.

    :param seconds: seconds since 1970.
    :returns: such as ``2026-11-22T20:00:00.000Z``.
    """
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
