"""The ways in which ``DynamoDBExportOperator`` can get a table into S3."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from updraft.dynamodb.attempt import ExportResult
from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.export import MAXIMUM_THREADS, TableExport
from updraft.dynamodb.formats import ItemFormat
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.read_capacity import PageSizer, TokenBucket
from updraft.dynamodb.scan import ClientPageSource
from updraft.dynamodb.table import TableDescription, TableReference, describe_table
from updraft.hooks.clients import connected_client
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.s3 import S3Destination, streaming_s3_hook

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExportRequest:
    """The arguments of an export after they have been checked.

    :param export_id: identity of the export, the same in each attempt of a task instance.
    :param attempt: number of the attempt, higher than that of every earlier one.
    :param table: the table.
    :param location: where the files go.
    :param item_format: format of the files.
    :param read_throughput_ratio: share of the table's read capacity, above 0, at most 1.
    :param total_segments: number of segments of the scan.
    """

    export_id: str
    attempt: int
    table: TableReference
    location: S3Prefix
    item_format: ItemFormat
    read_throughput_ratio: float
    total_segments: int


@dataclass(frozen=True)
class ExportOutcome:
    """What an engine did.

    :param result: what was written.
    :param table: the table.
    :param attributes: type keys of the attributes that were seen, by name.
    """

    result: ExportResult
    table: TableDescription
    attributes: Mapping[str, Sequence[str]]


class ExportEngine(Protocol):
    """One way to get a table into S3."""

    def export(self, request: ExportRequest) -> ExportOutcome:
        """Export a table; an engine that waits for AWS may defer the task."""

    def stop(self) -> None:
        """Stop an export that is going on; called from a signal handler."""


class WorkerExportEngine:
    """Scans the table on the Airflow worker itself.

    :param hook: makes the client for the table.
    :param s3_hook_parameters: connection, region, verification and botocore configuration for S3.
    """

    def __init__(self, hook: DynamoDBClientHook, s3_hook_parameters: Mapping[str, Any]) -> None:
        self._hook = hook
        self._s3_hook_parameters = s3_hook_parameters
        self._cancellation = Cancellation()

    def export(self, request: ExportRequest) -> ExportOutcome:
        """Export a table, see :meth:`ExportEngine.export`.

        :raises UpdraftError: when it was not possible; no manifest exists then.
        """
        client: DynamoDBClient = connected_client(self._hook)
        table = describe_table(client, request.table)
        rate = table.read_units * request.read_throughput_ratio
        source = ClientPageSource(
            client,
            request.table.text,
            request.total_segments,
            budget=TokenBucket(rate),
            page_sizer=PageSizer(
                rate, min(request.total_segments, MAXIMUM_THREADS), table.average_item_bytes
            ),
            cancellation=self._cancellation,
        )
        log.info(
            "Exporting %s to %s: %d segments, at most %g read capacity units per second",
            table.arn,
            request.location.uri,
            request.total_segments,
            rate,
        )
        progress = Progress(table.approximate_items)
        export = TableExport(
            request.export_id,
            request.attempt,
            table.arn,
            source=source,
            item_format=request.item_format,
            destination=S3Destination(
                streaming_s3_hook(**self._s3_hook_parameters), request.location
            ),
            cancellation=self._cancellation,
            progress=progress,
        )
        result = export.run()
        log.info(
            "Exported %s items in %s files, %s bytes; %s",
            f"{result.items:,}",
            f"{result.files:,}",
            f"{result.bytes:,}",
            progress,
        )
        return ExportOutcome(result, table, export.attributes.types())

    def stop(self) -> None:
        """Stop the segments; :meth:`export` cleans up and fails then."""
        self._cancellation.cancel()
