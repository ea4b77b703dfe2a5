"""Exports a table with a cluster: each Spark task scans some of the segments.

Files, checkpoints and manifest are those of the engine ``worker``, so that one can go on where the
other stopped.
"""

import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from updraft.aws.s3_destination import S3Destination
from updraft.choices import require_choice
from updraft.dynamodb.attempt import Attempt, ExportResult
from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.export import TableExport, default_segments
from updraft.dynamodb.formats import FORMAT_NAMES, create_format, format_identity
from updraft.dynamodb.formats.base import ItemFormat
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.read_capacity import PageSizer
from updraft.dynamodb.scan import TableScan
from updraft.dynamodb.segment_checkpoints import SegmentCheckpoint
from updraft.dynamodb.segment_export import SegmentExport
from updraft.dynamodb.service import THROTTLING_PATIENCE
from updraft.dynamodb.table import TableDescription, TableReference, describe_table
from updraft.spark.arguments import JobArguments
from updraft.spark.connections import dynamodb_service, s3_client
from updraft.spark.context import SparkContext, attempt_of_task, run_tasks, task_slots
from updraft.spark.task_errors import errors_of_tasks, marked_errors

log = logging.getLogger(__name__)

_NAMESPACE = uuid.UUID("6f0f5c1e-2c0e-5d6b-9a55-3a4f0e6a7b21")
_THREADS = 4
"""Segments that a Spark task reads at the same time; one alone mostly waits for DynamoDB."""

_PARTS_OF_ATTEMPT = 100_000
"""How far the numbers of the files of two attempts at one Spark task lie apart."""


class ExportArguments(JobArguments):
    """The arguments of an export.

    :param table_name: name or ARN of the table.
    :param s3_uri: ``s3://bucket/prefix`` that the files go to.
    :param export_id: identity of the export, the same in each attempt; by default one of table and
        prefix.
    :param attempt: number of the attempt.
    :param region_name: region of the table, ``None`` for that of its ARN or of the job.
    :param export_format: name of the format of the files.
    :param format_options: options of the format.
    :param read_throughput_ratio: share of the table's read capacity, above 0, at most 1.
    :param total_segments: number of segments of the scan, ``None`` to choose by the table's size.
    :param parallelism: number of Spark tasks, ``None`` for one for each core.
    """

    table_name: str
    s3_uri: str
    export_id: str | None = None
    attempt: int = 1
    region_name: str | None = None
    export_format: str = "DATA_PIPELINE"
    format_options: dict[str, Any] = Field(default_factory=dict)
    read_throughput_ratio: Annotated[float, Field(gt=0, le=1)] = 0.25
    total_segments: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    parallelism: Annotated[int, Field(ge=1)] | None = None

    @property
    def region(self) -> str | None:
        """Region to call, ``None`` for that of the environment."""
        return self.region_name or TableReference.parse(self.table_name).region

    def item_format(self, table: TableDescription) -> ItemFormat:
        """Make the format.

        :param table: the table.
        :returns: the format.
        :raises UpdraftError: when there is none of that name, or it has no such options.
        """
        require_choice("export_format", self.export_format, FORMAT_NAMES)
        return create_format(self.export_format, table.key_types, self.format_options)

    def destination(self) -> S3Destination:
        """Open the prefix that the files go to."""
        return S3Destination(s3_client(self.region), S3Prefix.parse(self.s3_uri))

    def files(
        self, destination: S3Destination, table: TableDescription, item_format: ItemFormat
    ) -> Attempt:
        """Name the files of this attempt.

        :param destination: where they go.
        :param table: the table.
        :param item_format: their format.
        :returns: the attempt.
        """
        default_id = uuid.uuid5(_NAMESPACE, f"{self.table_name}\n{destination.uri}")
        return Attempt(
            destination,
            self.export_id or str(default_id),
            self.attempt,
            table_arn=table.arn,
            item_format=format_identity(self.export_format, self.format_options),
            file_suffix=item_format.file_suffix,
        )


def export_table(context: SparkContext, arguments: ExportArguments) -> ExportResult:
    """Export a table, or what earlier attempts have left of it; for the driver.

    :param context: Spark.
    :param arguments: what to export.
    :returns: what was written.
    :raises UpdraftError: when it was not possible; segments that are finished stay for the next
        attempt.
    """
    service = dynamodb_service(arguments.region, sleep=time.sleep)
    table = describe_table(service, TableReference.parse(arguments.table_name))
    item_format = arguments.item_format(table)
    tasks = arguments.parallelism or task_slots(context)
    segments = arguments.total_segments or max(default_segments(table.approximate_bytes), tasks)
    log.info("Exporting %s: %d segments in up to %d tasks", table.arn, segments, tasks)
    attempt = arguments.files(arguments.destination(), table, item_format)
    export = TableExport(
        attempt,
        table_arn=table.arn,
        total_segments=segments,
        item_format=attempt.item_format,
        runner=SparkSegments(context, arguments, table, tasks),
        cancellation=Cancellation(),
        progress=Progress(table.approximate_items),
    )
    result = export.run()
    log.info("Exported %s items to %s", f"{result.items:,}", result.manifest)
    return result


class SparkSegments:
    """Exports segments in Spark tasks, see :class:`updraft.dynamodb.export.SegmentRunner`.

    :param context: Spark.
    :param arguments: what to export.
    :param table: the table.
    :param tasks: the most tasks to split the segments into.
    """

    def __init__(
        self, context: SparkContext, arguments: ExportArguments, table: TableDescription, tasks: int
    ) -> None:
        self._context = context
        self._arguments = arguments
        self._table = table
        self._tasks = tasks

    def run(self, segments: Sequence[int], total_segments: int) -> list[SegmentCheckpoint]:
        """Export segments, see :meth:`updraft.dynamodb.export.SegmentRunner.run`."""
        count = min(self._tasks, len(segments))
        groups = [list(segments[first::count]) for first in range(count)]
        units = self._table.read_units * self._arguments.read_throughput_ratio
        log.info("%d segments in %d tasks, at most %g units/s", len(segments), count, units)
        # No more tasks than groups run at the same time, so the sum cannot exceed the ratio.
        task = SegmentTask(self._arguments, self._table, total_segments, units / max(count, 1))
        with errors_of_tasks():
            finished = run_tasks(self._context, groups, task)
        return [SegmentCheckpoint.model_validate_json(text) for text in finished]


@dataclass(frozen=True)
class SegmentTask:
    """What a Spark task does with its segments.

    :param arguments: what to export.
    :param table: the table.
    :param total_segments: number of segments of the scan.
    :param units_per_second: read capacity that the task may use.
    """

    arguments: ExportArguments
    table: TableDescription
    total_segments: int
    units_per_second: float

    def __call__(self, segments: Sequence[int]) -> Iterator[str]:
        """Export segments; in an executor.

        :param segments: their numbers.
        :returns: their checkpoints, in JSON.
        :raises TaskFailedError: when it was not possible.
        """
        with marked_errors():
            finished = self._export(segments, attempt_of_task())
        return (checkpoint.model_dump_json() for checkpoint in finished)

    def _export(self, segments: Sequence[int], task_attempt: int) -> list[SegmentCheckpoint]:
        cancellation = Cancellation()
        budget = TokenBucket(self.units_per_second)
        threads = min(len(segments), _THREADS)
        item_format = self.arguments.item_format(self.table)
        destination = self.arguments.destination()
        attempt = self.arguments.files(destination, self.table, item_format)
        finished: dict[int, SegmentCheckpoint] = {}
        if task_attempt:  # an executor was lost after it had finished some of them
            checkpoints = attempt.checkpoints.load(self.table.arn, attempt.item_format)
            finished = {
                segment: checkpoint
                for segment, checkpoint in checkpoints.by_segment.items()
                if segment in segments and checkpoint.total_segments == self.total_segments
            }
        runner = SegmentExport(
            attempt,
            table_arn=self.table.arn,
            source=TableScan(
                dynamodb_service(
                    self.arguments.region,
                    sleep=cancellation.sleep,
                    on_throttled=budget.slow_down,
                    throttling_patience=THROTTLING_PATIENCE,
                ),
                self.arguments.table_name,
                budget=budget,
                page_sizer=PageSizer(self.units_per_second, threads, self.table.average_item_bytes),
                cancellation=cancellation,
            ),
            item_format=item_format,
            destination=destination,
            cancellation=cancellation,
            progress=Progress(),
            threads=threads,
            first_part=task_attempt * _PARTS_OF_ATTEMPT,
        )
        left = [segment for segment in segments if segment not in finished]
        return [*finished.values(), *runner.run(left, self.total_segments)]
