"""Imports files with a cluster: each Spark task reads some of the files.

What a retry need not do again is noted per file, and at the end in one ledger as the engine
``worker`` writes it, so that either engine knows when all is done. Files are imported in any
order: where two of them hold an item with the same key, either may win.
"""

import heapq
import json
import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from updraft.aws.s3_destination import S3Destination
from updraft.aws.s3_files import S3Files
from updraft.choices import require_choice
from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.counted_nouns import counted
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.formats import FORMAT_NAMES, create_format
from updraft.dynamodb.import_blocks import records_per_block
from updraft.dynamodb.import_ledger import ImportCounts, ImportLedger, ImportState, fingerprint
from updraft.dynamodb.import_source import find_import_source
from updraft.dynamodb.import_totals import ChangedExportError
from updraft.dynamodb.item_keys import KeyReader
from updraft.dynamodb.item_writer import ItemWriter, KeepingWriter, ReplacingWriter
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.rejected_records import RejectedRecords
from updraft.dynamodb.service import THROTTLING_PATIENCE
from updraft.dynamodb.table import TableDescription, TableReference, describe_table
from updraft.dynamodb.table_import import ImportResult, TableImport
from updraft.spark.arguments import JobArguments
from updraft.spark.connections import dynamodb_service, s3_client
from updraft.spark.context import SparkContext, run_tasks, task_slots
from updraft.spark.task_errors import errors_of_tasks, marked_errors

log = logging.getLogger(__name__)

_NAMESPACE = uuid.UUID("6f0f5c1e-2c0e-5d6b-9a55-3a4f0e6a7b22")
_REPLACING_THREADS = 4
_KEEPING_THREADS = 16
"""Threads of a task. A cluster has many tasks, so each needs fewer than the one of a worker."""


class ImportArguments(JobArguments):
    """The arguments of an import.

    :param table_name: name or ARN of the table.
    :param s3_uri: URI of the prefix with the files, or of a manifest.
    :param import_id: identity of the import, the same in each attempt; by default one of table and
        prefix.
    :param attempt: number of the attempt.
    :param series: which attempts belong together; what another series has completed is imported
        again. Empty where an import is done once for all.
    :param region_name: region of the table, ``None`` for that of its ARN or of the job.
    :param import_format: name of the format, ``None`` to find it out.
    :param format_options: options of the format.
    :param write_throughput_ratio: share of the table's write capacity, above 0, at most 1.
    :param on_conflict: ``put`` to replace items that the table has, ``skip`` to leave them alone.
    :param dead_letter_s3_uri: prefix for records that are no items; ``None`` to fail at the first.
    :param checkpoint_s3_uri: prefix where progress is noted, ``None`` for that with the files.
    :param parallelism: number of Spark tasks, ``None`` for one for each core.
    """

    table_name: str
    s3_uri: str
    import_id: str | None = None
    attempt: int = 1
    series: str = ""
    region_name: str | None = None
    import_format: str | None = None
    format_options: dict[str, Any] = Field(default_factory=dict)
    write_throughput_ratio: Annotated[float, Field(gt=0, le=1)] = 0.25
    on_conflict: Literal["put", "skip"] = "put"
    dead_letter_s3_uri: str | None = None
    checkpoint_s3_uri: str | None = None
    parallelism: Annotated[int, Field(ge=1)] | None = None

    @property
    def region(self) -> str | None:
        """Region to call, ``None`` for that of the environment."""
        return self.region_name or TableReference.parse(self.table_name).region

    @property
    def identity(self) -> str:
        """Identity of the import."""
        default_id = uuid.uuid5(_NAMESPACE, f"{self.table_name}\n{self.s3_uri}")
        return self.import_id or str(default_id)

    def destination(self, uri: str) -> S3Destination:
        """Open a prefix for writing.

        :param uri: its URI.
        :returns: the prefix.
        """
        return S3Destination(s3_client(self.region), S3Prefix.parse(uri))


def import_files(context: SparkContext, arguments: ImportArguments) -> ImportResult:
    """Import files, or what earlier attempts have left of them; for the driver.

    :param context: Spark.
    :param arguments: what to import.
    :returns: what became of all records.
    :raises RejectedRecordError: at a record that is no item, unless these are kept.
    :raises UpdraftError: when it was not possible; what was written stays.
    """
    service = dynamodb_service(arguments.region, sleep=time.sleep)
    table = describe_table(service, TableReference.parse(arguments.table_name))
    source = find_import_source(
        S3Files(s3_client(arguments.region), sleep=time.sleep), arguments.s3_uri
    )
    format_name = arguments.import_format or source.format_name or "DATA_PIPELINE"
    require_choice("import_format", format_name, FORMAT_NAMES)
    checkpoint_uri = arguments.checkpoint_s3_uri or source.uri
    ledger = ImportLedger(
        arguments.destination(checkpoint_uri),
        arguments.identity,
        arguments.attempt,
        arguments.series,
    )
    state = ledger.load(table.identity, fingerprint((file.uri, file.size) for file in source.files))
    if state.complete:
        log.info("Attempt %d of this run has imported everything", state.attempt)
    else:
        groups = spread(source.files, arguments.parallelism or task_slots(context))
        units = table.write_units * arguments.write_throughput_ratio / max(len(groups), 1)
        log.info(
            "Importing %s in %d tasks into %s: each at most %g write capacity units per second",
            counted(len(source.files), "file"),
            len(groups),
            table.arn,
            units,
        )
        task = FilesTask(arguments, table, format_name, checkpoint_uri, units)
        counts, attributes = _run(context, task, groups)
        problem = source.totals.problem(counts.total) if source.totals else None
        if problem and not arguments.dead_letter_s3_uri:
            raise ChangedExportError(problem)
        if problem:
            log.warning("%s", problem)
            counts.rejected += 1
        _remove_ledgers_of_files(arguments, checkpoint_uri)
        state = ImportState(
            table=table.identity,
            source=state.source,
            attempt=arguments.attempt,
            complete=True,
            file=len(source.files),
            counts=counts,
            attributes=attributes.types(),
        )
        ledger.save(state)
    return result_of(state, table, arguments.dead_letter_s3_uri)


def result_of(
    state: ImportState, table: TableDescription, rejected_records: str | None
) -> ImportResult:
    """Tell the result of an import that is complete.

    :param state: what its ledger holds.
    :param table_arn: ARN of the table.
    :param table: the table.
    :param rejected_records: URI of the prefix for rejected records.
    :returns: the result.
    """
    return ImportResult(
        table_arn=table.arn,
        files=state.file,
        **state.counts.model_dump(),
        rejected_records=rejected_records if state.counts.rejected else None,
    )


def _run(
    context: SparkContext, task: "FilesTask", groups: list[list[tuple[int, DataFile]]]
) -> tuple[ImportCounts, ObservedAttributes]:
    with errors_of_tasks():
        outcomes = run_tasks(context, groups, task)
    counts = ImportCounts()
    attributes = ObservedAttributes()
    for text in outcomes:
        outcome = json.loads(text)
        counts.add(ImportCounts.model_validate(outcome["counts"]))
        attributes.add_types(outcome["attributes"])
    return counts, attributes


def spread(files: Sequence[DataFile], tasks: int) -> list[list[tuple[int, DataFile]]]:
    """Split files into groups of about the same size.

    :param files: the files.
    :param tasks: the most groups to make.
    :returns: number and file for each file of each group; no group is empty.
    """
    groups: list[list[tuple[int, DataFile]]] = [[] for _ in range(min(tasks, len(files)))]
    sizes = [(0, number) for number in range(len(groups))]
    for number, file in sorted(enumerate(files), key=lambda entry: -(entry[1].size or 0)):
        size, group = heapq.heappop(sizes)
        groups[group].append((number, file))
        heapq.heappush(sizes, (size + (file.size or 0) + 1, group))
    return groups


def _remove_ledgers_of_files(arguments: ImportArguments, checkpoint_uri: str) -> None:
    """Remove them before the ledger of the whole says that nothing is left to do."""
    destination = arguments.destination(checkpoint_uri)
    names = destination.objects(f"_updraft/import_{arguments.identity}_")
    destination.delete([entry.name for entry in names])


@dataclass(frozen=True)
class FilesTask:
    """What a Spark task does with its files.

    :param arguments: what to import.
    :param table: the table.
    :param format_name: name of the format of the files.
    :param checkpoint_uri: URI of the prefix where progress is noted.
    :param units_per_second: write capacity that the task may use.
    """

    arguments: ImportArguments
    table: TableDescription
    format_name: str
    checkpoint_uri: str
    units_per_second: float

    def __call__(self, files: Sequence[tuple[int, DataFile]]) -> Iterator[str]:
        """Import files; in an executor.

        :param files: number and file.
        :returns: one JSON object with the counts and the attributes of all of them.
        :raises TaskFailedError: when it was not possible.
        """
        with marked_errors():
            outcome = self._import(files)
        return iter([json.dumps(outcome)])

    def _import(self, files: Sequence[tuple[int, DataFile]]) -> dict[str, Any]:
        cancellation = Cancellation()
        writer = self._writer(cancellation)
        s3_files = S3Files(s3_client(self.arguments.region), sleep=cancellation.sleep)
        counts = ImportCounts()
        attributes = ObservedAttributes()
        for number, file in files:
            one = self._import_of_file(number, file, s3_files, writer, cancellation)
            result = asdict(one.run())
            counts.add(ImportCounts(**{name: result[name] for name in ImportCounts.model_fields}))
            attributes.add_types(one.attributes.types())
        return {"counts": counts.model_dump(), "attributes": attributes.types()}

    def _writer(self, cancellation: Cancellation) -> ItemWriter:
        budget = TokenBucket(self.units_per_second)
        writer = KeepingWriter if self._keeps else ReplacingWriter
        return writer(
            dynamodb_service(
                self.arguments.region,
                sleep=cancellation.sleep,
                on_throttled=budget.slow_down,
                throttling_patience=THROTTLING_PATIENCE,
            ),
            self.arguments.table_name,
            KeyReader(self.table.key_types),
            budget=budget,
            cancellation=cancellation,
        )

    def _import_of_file(
        self,
        number: int,
        file: DataFile,
        s3_files: S3Files,
        writer: ItemWriter,
        cancellation: Cancellation,
    ) -> TableImport:
        rejected = self.arguments.dead_letter_s3_uri
        return TableImport(
            table=self.table,
            files=[file],
            item_files=s3_files,
            item_format=create_format(
                self.format_name, self.table.key_types, self.arguments.format_options
            ),
            writer=writer,
            threads=_KEEPING_THREADS if self._keeps else _REPLACING_THREADS,
            block_records=records_per_block(self.units_per_second),
            ledger=ImportLedger(
                self.arguments.destination(self.checkpoint_uri),
                f"{self.arguments.identity}_{number:05d}",
                self.arguments.attempt,
            ),
            rejected_records=(
                RejectedRecords(
                    self.arguments.destination(rejected), self.arguments.identity, number
                )
                if rejected
                else None
            ),
            cancellation=cancellation,
            progress=Progress(parts="files"),
        )

    @property
    def _keeps(self) -> bool:
        return self.arguments.on_conflict == "skip"
