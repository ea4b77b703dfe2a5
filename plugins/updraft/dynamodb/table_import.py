"""Imports files into an existing table: parallel batches, constant memory, goes on where it was.

The thread that runs an import reads the files one after the other; others write. How writes are
spread is in :mod:`updraft.dynamodb.write_threads`, what a retry need not do again in
:mod:`updraft.dynamodb.block_ledger`.
"""

import itertools
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import orjson

from updraft.dynamodb.attempt_numbers import attempt_in_words, is_shell_attempt
from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.block_ledger import BlockLedger
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.data_files import DataFile, ItemFiles, read_records
from updraft.dynamodb.formats.base import (
    ItemFormat,
    ItemFormatError,
    ItemRecord,
    RejectedRecord,
)
from updraft.dynamodb.garbage_collection import rare_garbage_collection
from updraft.dynamodb.import_blocks import MAXIMUM_RECORDS, Block
from updraft.dynamodb.import_ledger import ImportCounts, ImportLedger
from updraft.dynamodb.import_totals import ChangedExportError, ExportTotals
from updraft.dynamodb.item_checks import ItemChecker
from updraft.dynamodb.item_keys import KeyReader
from updraft.dynamodb.item_writer import ItemWriter, Write
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.rejected_records import RejectedRecords
from updraft.dynamodb.table import TableDescription
from updraft.dynamodb.write_threads import WriteThreads
from updraft.errors import PermanentError

log = logging.getLogger(__name__)

_PROGRESS_INTERVAL = 30.0

_Place: TypeAlias = tuple[Block, int]
"""The block that a record belongs to, and its position in the file."""


class RejectedRecordError(ItemFormatError, PermanentError):
    """A record is no item for this table, and the import was told to stop at the first of them."""


@dataclass(frozen=True)
class ImportResult:
    """What an import did.

    :param table_arn: ARN of the table.
    :param files: number of files that were read.
    :param items: number of items that were put.
    :param deleted: number of items that were deleted because an incremental export says so.
    :param skipped: number of items that the table had already and that were left alone.
    :param superseded: number of items that a later record with the same key replaced before they
        were put.
    :param rejected: number of records that are no item for this table.
    :param rejected_records: URI of the prefix that holds those, ``None`` when there are none.
    :param already_imported: whether an earlier attempt has done all of it, so that this one wrote
        nothing.
    """

    table_arn: str
    files: int
    items: int
    deleted: int
    skipped: int
    superseded: int
    rejected: int
    rejected_records: str | None
    already_imported: bool = False


class TableImport:
    """One attempt at one import.

    :param table: the table.
    :param files: the files, in the same order in each attempt.
    :param item_files: opens them.
    :param item_format: how they are written.
    :param writer: writes batches.
    :param threads: number of threads that write.
    :param block_records: number of records after which progress can be noted; a retry keeps to
        that of the first attempt.
    :param ledger: remembers how far the import is.
    :param rejected_records: keeps records that are no items; ``None`` to fail at the first one.
    :param totals: what Updraft has noted of the export that the files are, ``None`` if it has not.
    :param cancellation: the same that ``writer`` looks at.
    :param progress: counts records for the log.
    """

    def __init__(
        self,
        *,
        table: TableDescription,
        files: Sequence[DataFile],
        item_files: ItemFiles,
        item_format: ItemFormat,
        writer: ItemWriter,
        threads: int,
        block_records: int = MAXIMUM_RECORDS,
        ledger: ImportLedger,
        rejected_records: RejectedRecords | None,
        totals: ExportTotals | None = None,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._table = table
        self._files = files
        self._item_files = item_files
        self._format = item_format
        self._writer = writer
        self._block_records = block_records
        self._ledger = ledger
        self._rejected_records = rejected_records
        self._totals = totals
        self._cancellation = cancellation
        self._progress = progress
        self._checker = ItemChecker(table.key_types)
        self._keys = KeyReader(table.key_types)
        self._threads = WriteThreads[_Place](
            self._write, threads, cancellation, replace=writer.replaces
        )
        self._reported = time.monotonic()
        self.attributes = ObservedAttributes()
        self._blocks = BlockLedger(ledger, files, rejected_records, self.attributes)

    @rare_garbage_collection()
    def run(self) -> ImportResult:
        """Import the files, or what is left of them.

        :returns: what became of all records, those of earlier attempts included.
        :raises RejectedRecordError: at a record that is no item, unless these are kept.
        :raises ChangedExportError: when all files together do not hold what their export wrote.
        :raises ItemFormatError: when a file is damaged.
        :raises UpdraftError: when a file cannot be read or the table not be written. What was
            written stays, and the next attempt goes on after it.
        """
        state = self._blocks.load(self._table.identity, self._block_records)
        if state.complete:
            self._log_completed()
            return replace(self._result(), already_imported=True)
        self._log_start()
        try:
            self._read_files()
            self._threads.finish()
        except CancelledError:
            self._threads.close()
            self._blocks.save_what_is_done()
            self._threads.raise_error()
            raise
        except BaseException:
            self._cancellation.cancel()
            self._threads.close()
            self._blocks.save_what_is_done()
            raise
        self._blocks.advance()
        self._check_totals()
        self._blocks.complete()
        return self._result()

    def _check_totals(self) -> None:
        """Compare what was read with what the export wrote."""
        found = self._blocks.state.counts.total
        problem = self._totals.problem(found) if self._totals is not None else None
        if self._totals is None or problem is None:
            return
        if self._rejected_records is None:
            # Restored files may have the sizes that these have: only the beginning is safe.
            self._blocks.go_back_to_the_beginning()
            raise ChangedExportError(problem)
        record = RejectedRecord(1, problem, b"")
        self._rejected_records.write(len(self._files), self._totals.manifest, [record])
        self._blocks.state.counts.rejected += 1

    def _log_completed(self) -> None:
        by_shell = is_shell_attempt(self._blocks.state.attempt)
        log.warning(
            "Nothing is written: %s has imported everything. To import again, %s",
            attempt_in_words(self._blocks.state.attempt),
            "add --again"
            if by_shell
            else f"clear the task, or start a new run; it is noted at {self._ledger.uri}",
        )

    def _log_start(self) -> None:
        done = self._blocks.state.counts.total
        if done:
            log.info(
                "Going on after %s records, in file %d of %d",
                f"{done:,}",
                self._blocks.state.file + 1,
                len(self._files),
            )
        self._progress.start(len(self._files), done=self._blocks.state.file, items=done)

    def _result(self) -> ImportResult:
        counts = self._blocks.state.counts
        keeper = self._rejected_records
        return ImportResult(
            table_arn=self._table.arn,
            files=len(self._files),
            items=counts.items,
            deleted=counts.deleted,
            skipped=counts.skipped,
            superseded=counts.superseded,
            rejected=counts.rejected,
            rejected_records=keeper.uri if keeper and counts.rejected else None,
        )

    def _read_files(self) -> None:
        first = self._blocks.state.file
        for number, file in enumerate(self._files[first:], first):
            self._read_file(number, file, self._blocks.state.records if number == first else 0)
            self._progress.segment_done()

    def _read_file(self, number: int, file: DataFile, done: int) -> None:
        block = self._blocks.open(number, done)
        for record in self._records(file, done):
            if block.full:
                self._blocks.close(block, last=False)
                self._between_blocks()
                block = self._blocks.open(number, block.start + block.records)
            self._take(record, block)
        self._blocks.close(block, last=True)
        self._between_blocks()

    def _records(self, file: DataFile, done: int) -> Iterator[ItemRecord | RejectedRecord]:
        """Read a file; one that ends in an error ends in a rejected record if these are kept."""
        position = 0
        with self._item_files.open(file) as stream:
            try:
                records = read_records(file, stream, self._format)
                for record in itertools.islice(records, done, None):
                    position = record.position
                    yield record
            except ItemFormatError as error:
                if self._rejected_records is None:
                    raise
                yield RejectedRecord(position + 1, str(error), b"")

    def _take(self, record: ItemRecord | RejectedRecord, block: Block) -> None:
        if isinstance(record, RejectedRecord):
            block.read(len(record.content))
            self._reject(record, block)
            return
        position, item, deleted, size, sound = record
        if not size:
            size = len(orjson.dumps(item))
        block.read(size)
        if deleted:
            problem = self._checker.key_problem(item)
        else:
            problem = self._checker.problem(item, size, sound=sound)
        if problem is not None:
            reason = f"{self._place(block, position)}: {problem}"
            self._reject(RejectedRecord(position, reason, orjson.dumps(item)), block)
            return
        self.attributes.observe((item,))
        write = Write(self._keys.key(item), item, deleted, size)
        replaced = self._threads.put(write, (block, position))
        if replaced is not None:
            self._blocks.settle(replaced[0], ImportCounts(superseded=1))

    def _reject(self, record: RejectedRecord, block: Block) -> None:
        if self._rejected_records is None:
            raise RejectedRecordError(record.reason)
        self._blocks.settle(block, ImportCounts(rejected=1), [record])

    def _write(self, batch: Sequence[tuple[Write, _Place]]) -> None:
        """Write a batch; called in the threads."""
        skipped, refused = self._writer.write([write for write, _ in batch])
        ends: Counter[tuple[Block, str]] = Counter()
        for write, (block, position) in batch:
            if write.key in refused:
                self._refuse(write, block, position, refused[write.key])
            elif write.key in skipped:
                ends[block, "skipped"] += 1
            else:
                ends[block, "deleted" if write.deleted else "items"] += 1
        for (block, end), count in ends.items():
            self._blocks.settle(block, ImportCounts(**{end: count}))
        self._progress.add(len(batch))

    def _refuse(self, write: Write, block: Block, position: int, said: str) -> None:
        reason = f"{self._place(block, position)}: DynamoDB refuses the item: {said}"
        self._reject(RejectedRecord(position, reason, orjson.dumps(write.item)), block)

    def _place(self, block: Block, position: int) -> str:
        return f"{self._uri(block)}, {self._format.position_noun} {position}"

    def _uri(self, block: Block) -> str:
        return self._files[block.file].uri

    def _between_blocks(self) -> None:
        self._cancellation.check()
        self._blocks.advance()
        self._blocks.save_now_and_then()
        now = time.monotonic()
        if now - self._reported >= _PROGRESS_INTERVAL:
            self._reported = now
            self._progress.report()
