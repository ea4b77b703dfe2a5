"""Imports files into an existing table on the Airflow worker itself."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from updraft.aws.s3_destination import S3Destination, existing_destination
from updraft.aws.s3_files import S3Files
from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.counted_nouns import counted
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.formats import create_format
from updraft.dynamodb.import_blocks import records_per_block
from updraft.dynamodb.import_files import ImportSource
from updraft.dynamodb.import_ledger import ImportLedger
from updraft.dynamodb.import_source import find_import_source, require_outside
from updraft.dynamodb.item_keys import KeyReader
from updraft.dynamodb.item_writer import ItemWriter, KeepingWriter, ReplacingWriter
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.rejected_records import RejectedRecords
from updraft.dynamodb.service import THROTTLING_PATIENCE
from updraft.dynamodb.table import TableDescription, describe_table
from updraft.dynamodb.table_import import ImportResult, TableImport
from updraft.errors import ArgumentError
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service
from updraft.hooks.s3 import s3_client
from updraft.operators.dynamodb_import_engine import ImportOutcome, ImportRequest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

WRITER_THREADS = 8
"""Threads that write batches; each waits for the service most of the time."""

KEEPING_THREADS = 32
"""Threads that write items one by one, under the condition that there is none yet."""


class WorkerImportEngine:
    """Writes the files into the table from the Airflow worker.

    :param hook: makes the client for the table.
    :param s3_hook_parameters: connection, region, verification and botocore configuration for S3.
    :param progress: counts records; by default for the log alone.
    """

    def __init__(
        self,
        hook: DynamoDBClientHook,
        s3_hook_parameters: Mapping[str, Any],
        progress: Progress | None = None,
    ) -> None:
        self._hook = hook
        self._s3_hook_parameters = s3_hook_parameters
        self._progress = progress or Progress(parts="files")
        self._cancellation = Cancellation()

    def import_files(self, request: ImportRequest) -> ImportOutcome:
        """Import files.

        :param request: what to import.
        :returns: what was done.
        :raises UpdraftError: when it was not possible; what was written stays.
        """
        if request.table_creation_parameters is not None:
            raise ArgumentError(
                "table_creation_parameters: the engine worker writes into an existing table; leave "
                "them out, or use engine='native'"
            )
        budget = TokenBucket(1.0)
        service = dynamodb_service(
            self._hook,
            sleep=self._cancellation.sleep,
            on_throttled=budget.slow_down,
            throttling_patience=THROTTLING_PATIENCE,
        )
        table = describe_table(service, request.table)
        budget.set_rate(table.write_units * request.write_throughput_ratio)
        s3 = s3_client(**self._s3_hook_parameters)
        files = S3Files(s3, sleep=self._cancellation.sleep)
        source = find_import_source(files, request.s3_uri)
        require_outside(source, request.rejected_argument, request.rejected_records)
        rejected = existing_destination(s3, request.rejected_records)
        writer_class = KeepingWriter if request.keep_existing else ReplacingWriter
        writer = writer_class(
            service,
            request.table.text,
            KeyReader(table.key_types),
            budget=budget,
            cancellation=self._cancellation,
        )
        log.info(
            "Importing %s from %s into %s: at most %g write capacity units per second",
            counted(len(source.files), "file"),
            request.s3_uri,
            table.arn,
            budget.units_per_second,
        )
        table_import = self._table_import(
            request, table, source, s3, writer=writer, rejected=rejected
        )
        result = table_import.run()
        log.info(
            "Nothing was written; %s was imported before: %s"
            if result.already_imported
            else "Imported %s: %s",
            request.s3_uri,
            _in_words(result),
        )
        return ImportOutcome(result, table, table_import.attributes.types())

    def resume(self, request: ImportRequest, event: Mapping[str, Any]) -> ImportOutcome:  # noqa: ARG002
        """Import files; the worker defers nothing, so that there is nothing to go on with."""
        return self.import_files(request)

    def stop(self) -> None:
        """Stop reading and writing; :meth:`import_files` notes how far it is and fails then."""
        self._cancellation.cancel()

    def _table_import(
        self,
        request: ImportRequest,
        table: TableDescription,
        source: ImportSource,
        s3: "S3Client",
        *,
        writer: ItemWriter,
        rejected: S3Destination | None,
    ) -> TableImport:
        format_name = request.import_format or source.format_name or "DATA_PIPELINE"
        self._progress.expect(source.item_count or 0)
        return TableImport(
            table=table,
            files=source.files,
            item_files=S3Files(s3, sleep=self._cancellation.sleep),
            item_format=create_format(format_name, table.key_types, request.format_options),
            writer=writer,
            threads=KEEPING_THREADS if request.keep_existing else WRITER_THREADS,
            block_records=records_per_block(table.write_units * request.write_throughput_ratio),
            ledger=ImportLedger(
                S3Destination(s3, request.checkpoint or S3Prefix.parse(source.uri)),
                request.import_id,
                request.attempt,
                request.series,
            ),
            rejected_records=RejectedRecords(rejected, request.import_id) if rejected else None,
            totals=source.totals,
            cancellation=self._cancellation,
            progress=self._progress,
        )


def _in_words(result: ImportResult) -> str:
    counts = {
        "deleted": result.deleted,
        "left alone": result.skipped,
        "superseded by a later record": result.superseded,
        "rejected": result.rejected,
    }
    told = [f"{count:,} {what}" for what, count in counts.items() if count]
    put = f"{counted(result.items, 'item')} put"
    return f"{', '.join([put, *told])}, from {counted(result.files, 'file')}"
