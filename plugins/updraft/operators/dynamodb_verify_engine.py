"""Compares a table with files on the Airflow worker itself."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from updraft.aws.s3_destination import S3Destination, existing_destination
from updraft.aws.s3_files import S3Files
from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.comparison import TableComparison
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.difference_report import DifferenceReport
from updraft.dynamodb.export import default_segments
from updraft.dynamodb.formats import create_format
from updraft.dynamodb.import_files import ImportSource
from updraft.dynamodb.import_source import find_import_source, require_outside
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.read_capacity import PageSizer
from updraft.dynamodb.scan import TableScan
from updraft.dynamodb.segment_export import MAXIMUM_THREADS
from updraft.dynamodb.service import THROTTLING_PATIENCE, DynamoDBService
from updraft.dynamodb.table import TableDescription, TableReference, describe_table
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service
from updraft.hooks.s3 import s3_client

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VerifyRequest:
    """The arguments of a verification after they have been checked.

    :param verification_id: identity of the verification, the same in each attempt of a task
        instance.
    :param table: the table.
    :param s3_uri: URI of the prefix with the files, or of a manifest.
    :param import_format: name of the format, ``None`` to find it out.
    :param format_options: options of the format.
    :param read_throughput_ratio: share of the table's read capacity, above 0, at most 1.
    :param consistent_read: whether reads are strongly consistent, for twice the capacity.
    :param partial: whether the table may have items that the files have not; that is always so
        with an incremental export.
    :param differences: where the list of all differences goes, ``None`` for no list.
    :param maximum_differences: number of differences that the report names one by one.
    """

    verification_id: str
    table: TableReference
    s3_uri: str
    import_format: str | None = None
    format_options: Mapping[str, Any] = field(default_factory=dict)
    read_throughput_ratio: float = 0.25
    consistent_read: bool = False
    partial: bool = False
    differences: S3Prefix | None = None
    maximum_differences: int = 100


class VerifyEngine:
    """Reads the table and the files from the Airflow worker.

    :param hook: makes the client for the table.
    :param s3_hook_parameters: connection, region, verification and botocore configuration for S3.
    :param progress: counts the items of both sides; by default for the log alone.
    """

    def __init__(
        self,
        hook: DynamoDBClientHook,
        s3_hook_parameters: Mapping[str, Any],
        progress: Progress | None = None,
    ) -> None:
        self._hook = hook
        self._s3_hook_parameters = s3_hook_parameters
        self._progress = progress or Progress(parts="segments and files")
        self._cancellation = Cancellation()

    def verify(self, request: VerifyRequest) -> DifferenceReport:
        """Compare table and files.

        :param request: what to compare.
        :returns: what was found; differences are no error.
        :raises UpdraftError: when one of the two cannot be read.
        """
        budget = TokenBucket(1.0)
        service = dynamodb_service(
            self._hook,
            sleep=self._cancellation.sleep,
            on_throttled=budget.slow_down,
            throttling_patience=THROTTLING_PATIENCE,
        )
        table = describe_table(service, request.table)
        budget.set_rate(table.read_units * request.read_throughput_ratio)
        s3 = s3_client(**self._s3_hook_parameters)
        files = S3Files(s3, sleep=self._cancellation.sleep)
        source = find_import_source(files, request.s3_uri, refuse_changed=False)
        require_outside(source, "differences_s3_uri", request.differences)
        differences = existing_destination(s3, request.differences)
        log.info("At most %g read capacity units per second", budget.units_per_second)
        scan = self._scan(request, service, table, budget)
        report = self._comparison(
            request, table, scan, source, files=files, differences=differences
        ).run()
        log.log(logging.WARNING if report.differences else logging.INFO, report.summary())
        return report

    def stop(self) -> None:
        """Stop reading; :meth:`verify` removes its temporary files and fails then."""
        self._cancellation.cancel()

    def _scan(
        self,
        request: VerifyRequest,
        service: DynamoDBService,
        table: TableDescription,
        budget: TokenBucket,
    ) -> TableScan:
        threads = min(default_segments(table.approximate_bytes), MAXIMUM_THREADS)
        return TableScan(
            service,
            request.table.text,
            budget=budget,
            page_sizer=PageSizer(budget.units_per_second, threads, table.average_item_bytes),
            cancellation=self._cancellation,
            consistent=request.consistent_read,
        )

    def _comparison(
        self,
        request: VerifyRequest,
        table: TableDescription,
        scan: TableScan,
        source: ImportSource,
        *,
        files: S3Files,
        differences: S3Destination | None,
    ) -> TableComparison:
        format_name = request.import_format or source.format_name or "DATA_PIPELINE"
        incremental = source.summary is not None and source.summary.incremental
        return TableComparison(
            table=table,
            source=scan,
            total_segments=default_segments(table.approximate_bytes),
            s3_uri=request.s3_uri,
            files=source.files,
            totals=source.totals,
            item_files=files,
            item_format=create_format(format_name, table.key_types, request.format_options),
            partial=request.partial or incremental,
            maximum_differences=request.maximum_differences,
            differences_destination=differences,
            differences_name=f"differences_{request.verification_id}.jsonl",
            cancellation=self._cancellation,
            progress=self._progress,
        )
