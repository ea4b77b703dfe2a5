"""Exports a table by scanning it on the Airflow worker itself."""

import logging
from collections.abc import Mapping
from typing import Any

from updraft.aws.s3_destination import S3Destination
from updraft.dynamodb.attempt import Attempt
from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.export import TableExport, default_segments
from updraft.dynamodb.formats import create_format, format_identity
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.read_capacity import PageSizer
from updraft.dynamodb.scan import TableScan
from updraft.dynamodb.segment_export import MAXIMUM_THREADS, SegmentExport
from updraft.dynamodb.service import THROTTLING_PATIENCE
from updraft.dynamodb.table import TableDescription, describe_table
from updraft.errors import ArgumentError
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service
from updraft.hooks.s3 import s3_client
from updraft.operators.dynamodb_export_engine import ExportOutcome, ExportRequest, PointInTime

log = logging.getLogger(__name__)


class WorkerExportEngine:
    """Scans the table on the Airflow worker.

    :param hook: makes the client for the table.
    :param s3_hook_parameters: connection, region, verification and botocore configuration for S3.
    :param progress: counts items; by default for the log alone.
    """

    def __init__(
        self,
        hook: DynamoDBClientHook,
        s3_hook_parameters: Mapping[str, Any],
        progress: Progress | None = None,
    ) -> None:
        self._hook = hook
        self._s3_hook_parameters = s3_hook_parameters
        self._progress = progress or Progress()
        self._cancellation = Cancellation()

    def export(self, request: ExportRequest) -> ExportOutcome:
        """Export a table.

        :param request: what to export.
        :returns: what was done.
        :raises UpdraftError: when it was not possible; no manifest exists then.
        """
        if request.point_in_time != PointInTime():
            raise ArgumentError(
                "engine: 'worker' exports the table as it is; export_type, export_time, "
                "export_from_time, export_to_time, export_view_type and kms_key_id need 'native'"
            )
        budget = TokenBucket(1.0)
        service = dynamodb_service(
            self._hook,
            sleep=self._cancellation.sleep,
            on_throttled=budget.slow_down,
            throttling_patience=THROTTLING_PATIENCE,
        )
        table = describe_table(service, request.table)
        budget.set_rate(table.read_units * request.read_throughput_ratio)
        segments = request.total_segments or default_segments(table.approximate_bytes)
        log.info(
            "Exporting %s to %s: %d segments, at most %g read capacity units per second",
            table.arn,
            request.location.uri,
            segments,
            budget.units_per_second,
        )
        self._progress.expect(table.approximate_items)
        export = self._table_export(
            request,
            table,
            segments,
            TableScan(
                service,
                request.table.text,
                budget=budget,
                page_sizer=PageSizer(
                    budget.units_per_second,
                    min(segments, MAXIMUM_THREADS),
                    table.average_item_bytes,
                ),
                cancellation=self._cancellation,
            ),
        )
        result = export.run()
        log.info(
            "Nothing was read; %s was complete before: %s items in %s files, %s bytes"
            if result.already_exported
            else "%s: %s items in %s files, %s bytes",
            result.manifest,
            f"{result.items:,}",
            f"{result.files:,}",
            f"{result.bytes:,}",
        )
        return ExportOutcome(result, table, export.attributes)

    def resume(self, request: ExportRequest, event: Mapping[str, Any]) -> ExportOutcome:  # noqa: ARG002
        """Export a table; the worker defers nothing, so that there is nothing to go on with."""
        return self.export(request)

    def stop(self) -> None:
        """Stop the segments; :meth:`export` cleans up and fails then."""
        self._cancellation.cancel()

    def _table_export(
        self, request: ExportRequest, table: TableDescription, segments: int, source: TableScan
    ) -> TableExport:
        item_format = create_format(request.export_format, table.key_types, request.format_options)
        destination = S3Destination(s3_client(**self._s3_hook_parameters), request.location)
        attempt = Attempt(
            destination,
            request.export_id,
            request.attempt,
            table_arn=table.arn,
            item_format=format_identity(request.export_format, request.format_options),
            file_suffix=item_format.file_suffix,
        )
        runner = SegmentExport(
            attempt,
            table_arn=table.arn,
            source=source,
            item_format=item_format,
            destination=destination,
            cancellation=self._cancellation,
            progress=self._progress,
        )
        return TableExport(
            attempt,
            table_arn=table.arn,
            total_segments=segments,
            item_format=attempt.item_format,
            runner=runner,
            cancellation=self._cancellation,
            progress=self._progress,
        )
