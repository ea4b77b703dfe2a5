"""ExportTableToPointInTime, DescribeExport and ListExports.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
"""

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import ACCOUNT_ID, OperationRequest
from include.local.gateway.services.dynamodb.export_files import ExportedRecord, ExportWriter
from include.local.gateway.services.dynamodb.export_period import period, text
from include.local.gateway.services.dynamodb.history_store import TrackedTable
from include.local.gateway.services.dynamodb.object_store import ObjectStore, ObjectStoreError
from include.local.gateway.services.dynamodb.recovery import Recovery
from include.local.gateway.services.dynamodb.settings import TaskSettings
from include.local.gateway.services.dynamodb.task_pages import read_token, write_token
from include.local.gateway.services.dynamodb.task_store import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    Task,
    TaskStore,
    fingerprint,
)

_LOG = logging.getLogger(__name__)

_KIND = "Export"
_PAGE = 25
_MICRO = 1_000_000
TOKEN_SECONDS = 8 * 60 * 60
"""How long a client token is remembered."""

_VERSIONS = {"FULL_EXPORT": "2020-06-30", "INCREMENTAL_EXPORT": "2023-08-01"}


class Exports:
    """The operations on exports.

    :param tasks: where exports are kept.
    :param recovery: history of the tables.
    :param settings: gives the present settings.
    :param endpoint_url: address of the gateway, for S3.
    """

    def __init__(
        self,
        tasks: TaskStore,
        recovery: Recovery,
        settings: Callable[[], TaskSettings],
        endpoint_url: str,
    ) -> None:
        self._tasks = tasks
        self._recovery = recovery
        self._settings = settings
        self._endpoint_url = endpoint_url

    def start(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out ExportTableToPointInTime.

        :param request: the request.
        :returns: the description of the export, which has begun.
        :raises AwsError: as DynamoDB does.
        """
        given = dict(request.parameters)
        token = given.pop("ClientToken", None)
        print_ = fingerprint(given)
        now = time.time()
        with self._tasks.exclusive():
            if token is not None:
                same = self._tasks.by_token(_KIND, request.region, token, now - TOKEN_SECONDS)
                if same is not None:
                    return _again(same, print_)
            task, table = self._new(request.region, given, token, print_)
            self._tasks.add(task, now)
        run = threading.Thread(target=self._run, args=(task, table), name=task.arn, daemon=True)
        run.start()
        return {"ExportDescription": task.members()}

    def describe(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out DescribeExport.

        :param request: the request.
        :returns: the description of the export.
        :raises AwsError: when there is no such export.
        """
        arn = request.parameters["ExportArn"]
        task = self._tasks.find(_KIND, request.region, arn)
        if task is None:
            raise AwsError("ExportNotFoundException", f"Export not found: {arn}")
        return {"ExportDescription": task.members()}

    def list_all(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out ListExports.

        :param request: the request.
        :returns: a page of summaries.
        :raises AwsError: when the token is not one of ours.
        """
        given = request.parameters
        size = given.get("MaxResults", _PAGE)
        after = read_token(given.get("NextToken"))
        tasks = self._tasks.listed(_KIND, request.region, given.get("TableArn"), after, size + 1)
        members = ("ExportArn", "ExportStatus", "ExportType")
        page: dict[str, Any] = {
            "ExportSummaries": [
                {name: task.description[name] for name in members} for task in tasks[:size]
            ]
        }
        if len(tasks) > size:
            page["NextToken"] = write_token(tasks[size - 1].sequence)
        return page

    def _new(
        self, region: str, given: Mapping[str, Any], token: str | None, print_: str
    ) -> tuple[Task, TrackedTable]:
        if given.get("FilterSpecification"):
            message = "The local stack does not implement FilterSpecification of an export."
            raise AwsError(NOT_IMPLEMENTED, message, 501)
        settings = self._settings()
        if len(self._tasks.running(_KIND, region)) >= settings.concurrent_exports:
            message = (
                "Subscriber limit exceeded: There is a limit of "
                f"{settings.concurrent_exports:.0f} concurrent export jobs per account"
            )
            raise AwsError("LimitExceededException", message)
        table = self._recovery.require(region, given["TableArn"])
        self._recovery.catch_up(table)
        # A description has milliseconds; rounded down, the latest writes would be missing.
        begun = math.ceil(time.time() * 1000) / 1000
        arn = (
            f"arn:aws:dynamodb:{region}:{ACCOUNT_ID}:table/{table.name}/export/"
            f"{int(begun * 1000):014d}-{secrets.token_hex(4)}"
        )
        description: dict[str, Any] = {
            "ExportArn": arn,
            "ExportStatus": IN_PROGRESS,
            "StartTime": begun,
            "TableArn": f"arn:aws:dynamodb:{region}:{ACCOUNT_ID}:table/{table.name}",
            "TableId": table.table_id,
            "S3Bucket": given["S3Bucket"],
            "S3SseAlgorithm": given.get("S3SseAlgorithm", "AES256"),
            "ExportFormat": given.get("ExportFormat", "DYNAMODB_JSON"),
            "ExportType": given.get("ExportType", "FULL_EXPORT"),
        }
        for name in ("S3BucketOwner", "S3Prefix", "S3SseKmsKeyId"):
            if name in given:
                description[name] = given[name]
        if token is not None:
            description["ClientToken"] = token
        description |= period(given, description["ExportType"], begun, table, settings)
        return Task(_KIND, arn, region, description["TableArn"], token, print_, description), table

    def _run(self, task: Task, table: TrackedTable) -> None:
        try:
            self._export(task, table)
        except ObjectStoreError as error:
            self._tasks.finish(task.arn, FAILED, error.code, error.message)
        except Exception as error:  # noqa: BLE001 - the export tells whatever happens
            _LOG.exception("%s failed", task.arn)
            self._tasks.finish(task.arn, FAILED, "InternalServerError", repr(error))

    def _export(self, task: Task, table: TrackedTable) -> None:
        said = task.description
        earliest_end = time.monotonic() + self._settings().export_seconds
        if said.get("S3BucketOwner", ACCOUNT_ID) != ACCOUNT_ID:
            raise ObjectStoreError("S3AccessDenied", "Access Denied: the bucket has another owner")
        encryption = {
            "ServerSideEncryption": "aws:kms" if said["S3SseAlgorithm"] == "KMS" else "AES256"
        }
        if "S3SseKmsKeyId" in said:
            encryption["SSEKMSKeyId"] = said["S3SseKmsKeyId"]
        writer = ExportWriter(
            ObjectStore(self._endpoint_url, task.region, said["S3Bucket"], encryption),
            said.get("S3Prefix", ""),
            task.arn.rpartition("/")[2],
            said["ExportFormat"],
            incremental=said["ExportType"] == "INCREMENTAL_EXPORT",
        )
        writer.start()
        until = said.get("ExportTime") or said["IncrementalExportSpecification"]["ExportToTime"]
        time.sleep(max(0.0, until - time.time()))
        self._recovery.wait_for_writes(table)
        count, size = writer.write_data(self._records(said, table))
        time.sleep(max(0.0, earliest_end - time.monotonic()))
        writer.write_summary(_summary(said, writer, count, size))
        results = {
            "ExportManifest": writer.summary_manifest,
            "ItemCount": count,
            "BilledSizeBytes": size,
        }
        self._tasks.update(task.arn, results)
        self._tasks.finish(task.arn, COMPLETED)

    def _records(self, said: Mapping[str, Any], table: TrackedTable) -> Iterator[ExportedRecord]:
        history = self._recovery.history
        if said["ExportType"] == "FULL_EXPORT":
            for item in history.state(table, _micros(said["ExportTime"])):
                yield ExportedRecord.of_item(item)
            return
        window = said["IncrementalExportSpecification"]
        old_images = window["ExportViewType"] == "NEW_AND_OLD_IMAGES"
        start, end = _micros(window["ExportFromTime"]), _micros(window["ExportToTime"])
        for change in history.changes(table, start, end):
            yield ExportedRecord.of_change(change, old_images=old_images)


def _again(task: Task, print_: str) -> Mapping[str, Any]:
    if task.fingerprint != print_:
        message = (
            f"The client token {task.token} has already been used for an export with other "
            "parameters"
        )
        raise AwsError("ExportConflictException", message)
    return {"ExportDescription": task.members()}


def _micros(seconds: float) -> int:
    return round(seconds * _MICRO)


def _summary(
    said: Mapping[str, Any], writer: ExportWriter, count: int, size: int
) -> dict[str, Any]:
    """Write the manifest's members in the order of AWS's."""
    covered: dict[str, Any] = {"exportTime": text(said.get("ExportTime", 0))}
    if said["ExportType"] == "INCREMENTAL_EXPORT":
        window = said["IncrementalExportSpecification"]
        covered = {
            "exportFromTime": text(window["ExportFromTime"]),
            "exportToTime": text(window["ExportToTime"]),
        }
    summary = {
        "version": _VERSIONS[said["ExportType"]],
        "exportArn": said["ExportArn"],
        "startTime": text(said["StartTime"]),
        "endTime": text(time.time()),
        "tableArn": said["TableArn"],
        "tableId": said["TableId"],
        **covered,
        "s3Bucket": said["S3Bucket"],
        "s3Prefix": said.get("S3Prefix"),
        "s3SseAlgorithm": said["S3SseAlgorithm"],
        "s3SseKmsKeyId": said.get("S3SseKmsKeyId"),
        "manifestFilesS3Key": writer.files_manifest,
        "billedSizeBytes": size,
        "itemCount": count,
        "outputFormat": said["ExportFormat"],
    }
    if said["ExportType"] == "INCREMENTAL_EXPORT":
        summary["outputView"] = said["IncrementalExportSpecification"]["ExportViewType"]
    return {**summary, "exportType": said["ExportType"]}
