"""Lets DynamoDB export a table to S3 from its point-in-time recovery."""

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from updraft.aws.s3_destination import S3Destination
from updraft.dynamodb.attempt import ExportResult
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.service_errors import advised
from updraft.dynamodb.table import TableDescription
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.s3 import s3_client
from updraft.operators.dynamodb_export_engine import ExportOutcome, ExportRequest, PointInTime
from updraft.operators.dynamodb_native import Description, NativeEngine
from updraft.operators.waiting import Deferral, check_poll_interval
from updraft.triggers.dynamodb import DynamoDBExportTrigger

log = logging.getLogger(__name__)

_FORMATS = ("DYNAMODB_JSON", "ION")
_DIRECTORY = "AWSDynamoDB"
_SUMMARY = "manifest-summary.json"
_FILES = "manifest-files.json"
_INCREMENTAL = "INCREMENTAL_EXPORT"


class NativeExportEngine(NativeEngine):
    """Exports with ExportTableToPointInTime, which reads backups and no table.

    Files go below ``<prefix>/AWSDynamoDB/<export id>/``, so that a prefix can hold any number of
    exports.

    .. seealso::
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
    """

    kind = "Export"
    trigger = DynamoDBExportTrigger
    compared_members = (
        "S3Bucket",
        "S3Prefix",
        "ExportFormat",
        "ExportType",
        "ExportTime",
        "IncrementalExportSpecification",
    )

    def export(self, request: ExportRequest) -> ExportOutcome | Deferral:
        """Export a table, or adopt the export of an earlier attempt.

        :param request: what to export.
        :returns: what was done, or what to wait for.
        :raises UpdraftError: when it was not possible.
        """
        check_poll_interval(self._poll_interval)
        _check(request)
        table = self._described_table(request.table)
        parameters = _parameters(request, table)
        description = self._adopt_or_start(
            request.export_id, request.attempt, (table.arn, request.location.bucket), parameters
        )
        return self._outcome(request, table, self._wait(description))

    def resume(self, request: ExportRequest, event: Mapping[str, Any]) -> ExportOutcome | Deferral:
        """Go on after a deferral.

        :param request: what to export.
        :param event: the event of the trigger.
        :returns: what was done, or what to wait for again.
        :raises UpdraftError: when it was not possible.
        """
        description = self._look_again(event)
        return self._outcome(request, self._described_table(request.table), description)

    def _outcome(
        self, request: ExportRequest, table: TableDescription, ended: Description | Deferral
    ) -> ExportOutcome | Deferral:
        if isinstance(ended, Deferral):
            return ended
        folder = _folder(ended)
        result = ExportResult(
            manifest=f"{folder.uri}/{_SUMMARY}",
            items=ended.get("ItemCount", 0),
            bytes=ended.get("BilledSizeBytes", 0),
            files=self._count_files(folder),
            table_arn=ended["TableArn"],
        )
        log.info(
            "DynamoDB exported %s items of %s in %s files to %s",
            f"{result.items:,}",
            request.table.text,
            f"{result.files:,}",
            folder.uri,
        )
        return ExportOutcome(result, table, {}, ended["ExportArn"])

    def _start(self, parameters: Mapping[str, Any], token: str) -> Description:
        arn = parameters["TableArn"]
        with advised("dynamodb:ExportTableToPointInTime", f"table {arn!r}", _advice(parameters)):
            answer = self._client.export_table_to_point_in_time(**parameters, ClientToken=token)
        return answer["ExportDescription"]

    def _describe(self, arn: str) -> Description:
        with advised("dynamodb:DescribeExport", f"export {arn!r}", {}):
            return self._client.describe_export(ExportArn=arn)["ExportDescription"]

    def _known(self, parameters: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        arn = parameters["TableArn"]
        token = ""
        while True:  # botocore has no paginator for it
            more: dict[str, Any] = {"NextToken": token} if token else {}
            with advised("dynamodb:ListExports", f"table {arn!r}", {}):
                page = self._client.list_exports(TableArn=arn, **more)
            for summary in page["ExportSummaries"]:
                if summary.get("ExportType", parameters["ExportType"]) == parameters["ExportType"]:
                    yield summary["ExportArn"], summary["ExportStatus"]
            token = page.get("NextToken", "")
            if not token:
                return

    def _is_result_gone(self, description: Description) -> bool:
        # Listing tells this to a role that may read nothing else below the prefix.
        found = self._destination(_folder(description)).objects(_SUMMARY)
        return not any(entry.name == _SUMMARY for entry in found)

    def _count_files(self, folder: S3Prefix) -> int:
        content = self._destination(folder).read(_FILES)
        if content is None:
            raise UpdraftError(
                f"The export is completed, but {folder.uri}/{_FILES} is not there. Has something "
                "else deleted it? A retry exports again if the whole export is gone."
            )
        return sum(1 for line in content.body.splitlines() if line.strip())

    def _destination(self, location: S3Prefix) -> S3Destination:
        return S3Destination(s3_client(**self._s3_hook_parameters), location)


def _folder(description: Description) -> S3Prefix:
    """Name the folder of an export: its id is the end of its ARN."""
    parts = (description.get("S3Prefix"), _DIRECTORY, description["ExportArn"].rpartition("/")[2])
    return S3Prefix(description["S3Bucket"], "/".join(part.strip("/") for part in parts if part))


def _check(request: ExportRequest) -> None:
    if request.export_format not in _FORMATS:
        raise ArgumentError(
            f"export_format: the engine native writes {' or '.join(_FORMATS)}, not "
            f"{request.export_format!r}; engine='worker' writes every format"
        )
    if request.format_options:
        raise ArgumentError(
            f"format_options: the engine native has none, but got {dict(request.format_options)!r}"
        )
    if request.total_segments is not None:
        raise ArgumentError(
            "total_segments: the engine native reads no segments; leave it out, or use "
            "engine='worker'"
        )
    if request.read_throughput_ratio != ExportRequest.read_throughput_ratio:
        raise ArgumentError(
            "read_throughput_ratio: the engine native needs no read capacity; leave it out, or "
            "use engine='worker'"
        )
    _check_times(request.point_in_time)


def _check_times(what: PointInTime) -> None:
    if what.export_type == _INCREMENTAL:
        if what.export_time is not None:
            raise ArgumentError(
                "export_time: an incremental export has export_from_time and export_to_time instead"
            )
        if what.export_from_time is None or what.export_to_time is None:
            raise ArgumentError(
                "export_from_time and export_to_time: an incremental export needs both, such as "
                "'{{ data_interval_start }}' and '{{ data_interval_end }}'"
            )
        if _aware(what.export_from_time) >= _aware(what.export_to_time):
            raise ArgumentError(
                f"export_from_time: {what.export_from_time.isoformat()} is not before "
                f"export_to_time {what.export_to_time.isoformat()}"
            )
    elif what.export_from_time is not None or what.export_to_time is not None:
        raise ArgumentError(
            "export_from_time and export_to_time: only for export_type='INCREMENTAL_EXPORT'; a "
            "full export has export_time"
        )


def _parameters(request: ExportRequest, table: TableDescription) -> dict[str, Any]:
    """Write the request; without a time of its own it is the same in each attempt."""
    what = request.point_in_time
    parameters: dict[str, Any] = {
        "TableArn": table.arn,
        "S3Bucket": request.location.bucket,
        "ExportFormat": request.export_format,
        "ExportType": what.export_type,
    }
    if request.location.prefix:
        parameters["S3Prefix"] = request.location.prefix
    if what.kms_key_id:
        parameters |= {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": what.kms_key_id}
    if what.export_time is not None:
        parameters["ExportTime"] = _aware(what.export_time)
    if what.export_from_time is not None and what.export_to_time is not None:
        parameters["IncrementalExportSpecification"] = {
            "ExportFromTime": _aware(what.export_from_time),
            "ExportToTime": _aware(what.export_to_time),
            "ExportViewType": what.export_view_type,
        }
    return parameters


def _aware(moment: datetime) -> datetime:
    """Take a time without zone as one in UTC, as the operator does with texts."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _advice(parameters: Mapping[str, Any]) -> dict[str, str]:
    arn = parameters["TableArn"]
    name, region = arn.rpartition("/")[2], arn.split(":")[3]
    return {
        "PointInTimeRecoveryUnavailableException": (
            f"Table {name!r} has no point-in-time recovery, which the engine native exports from. "
            "Switch it on with: aws dynamodb update-continuous-backups "
            f"--table-name {name} --region {region} "
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true. Or use "
            "engine='worker', which reads the table itself."
        ),
        "InvalidExportTimeException": (
            f"Table {name!r} cannot be exported as of that time. What can be is shown as "
            "EarliestRestorableDateTime and LatestRestorableDateTime by: aws dynamodb "
            f"describe-continuous-backups --table-name {name} --region {region}. The latest is "
            "usually five minutes ago."
        ),
        "ExportConflictException": (
            "An earlier attempt of this task started an export with other arguments. Let templates "
            "give the same values in each attempt, or trigger a new run."
        ),
        "LimitExceededException": (
            "Too many exports are in progress in this account and region. Retry later."
        ),
    }
