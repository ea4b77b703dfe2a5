"""Reads the two sides of a comparison and reduces them to records."""

import itertools
import threading
from collections.abc import Iterator, Sequence

from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.comparison_records import DELETED, export_record, table_record
from updraft.dynamodb.data_files import DataFile, ItemFiles, read_records
from updraft.dynamodb.formats.base import ItemFormat, ItemFormatError, ItemRecord, RejectedRecord
from updraft.dynamodb.import_totals import ExportTotals
from updraft.dynamodb.item_checks import MAXIMUM_ITEM_BYTES, ItemChecker
from updraft.dynamodb.item_digest import ItemDigester
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import PageSource
from updraft.dynamodb.spill_files import SpillFile
from updraft.dynamodb.unreadable_records import UnreadableRecords

_RECORDS_AT_ONCE = 500


class TableSide:
    """The items of the table.

    :param source: the pages of the table.
    :param total_segments: number of segments to scan.
    :param digester: digests the items.
    :param records: where their records go.
    :param cancellation: looked at before every page.
    :param progress: counts items and segments.
    """

    def __init__(
        self,
        source: PageSource,
        total_segments: int,
        *,
        digester: ItemDigester,
        records: SpillFile,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._source = source
        self._total_segments = total_segments
        self._digester = digester
        self._records = records
        self._cancellation = cancellation
        self._progress = progress
        self._segments = iter(range(total_segments))
        self._lock = threading.Lock()

    def read(self) -> None:
        """Read one segment after the other until none is left; several threads may do so.

        :raises UpdraftError: when the table cannot be read.
        """
        while (segment := self._next_segment()) is not None:
            for page in self._source.pages(segment, self._total_segments):
                self._cancellation.check()
                digest = self._digester.digest
                self._records.add(
                    [table_record(found.key, found.digest) for found in map(digest, page.items)]
                )
                self._progress.add(len(page.items))
                del page  # as Python objects it takes several times its size: never hold two
            self._progress.segment_done()

    def _next_segment(self) -> int | None:
        with self._lock:
            return next(self._segments, None)


class ExportSide:
    """The items of the files.

    :param files: the files.
    :param item_files: opens them.
    :param item_format: how they are written.
    :param key_types: type (S, N or B) of each key attribute, the partition key first.
    :param digester: digests the items.
    :param records: where their records go.
    :param unreadable: keeps what is no item.
    :param totals: what Updraft has noted of the export that the files are, ``None`` if it has not.
    :param cancellation: looked at every few hundred items.
    :param progress: counts items and files.
    """

    def __init__(
        self,
        files: Sequence[DataFile],
        item_files: ItemFiles,
        item_format: ItemFormat,
        *,
        key_types: dict[str, str],
        digester: ItemDigester,
        records: SpillFile,
        unreadable: UnreadableRecords,
        totals: ExportTotals | None,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._files = files
        self._item_files = item_files
        self._format = item_format
        self._checker = ItemChecker(key_types)
        self._digester = digester
        self._records = records
        self._unreadable = unreadable
        self._totals = totals
        self._changed = False
        self._cancellation = cancellation
        self._progress = progress

    def read(self) -> None:
        """Read one file after the other.

        :raises UpdraftError: when S3 refuses one.
        """
        self._check_sizes()
        records = 0
        for number, file in enumerate(self._files):
            found = self._decoded(file)
            while batch := list(itertools.islice(found, _RECORDS_AT_ONCE)):
                self._cancellation.check()
                self._records.add(self._batch_records(number, file, batch))
                self._progress.add(len(batch))
                records += len(batch)
            self._progress.segment_done()
        self._check_number(records)

    def _check_sizes(self) -> None:
        """Say what an import says before it refuses such files; here they are compared."""
        problem = self._totals.size_problem(self._files) if self._totals is not None else None
        self._note_change(problem)

    def _check_number(self, records: int) -> None:
        """Compare what was read with what the export wrote, unless a change is known already."""
        if self._totals is not None and not self._changed:
            self._note_change(self._totals.problem(records))

    def _note_change(self, problem: str | None) -> None:
        if self._totals is not None and problem is not None:
            self._changed = True
            self._unreadable.add(self._totals.manifest, 1, problem)

    def _decoded(self, file: DataFile) -> Iterator[ItemRecord | RejectedRecord]:
        """Read a file; one that is damaged ends in a rejected record."""
        position = 0
        with self._item_files.open(file) as stream:
            try:
                for record in read_records(file, stream, self._format):
                    position = record.position
                    yield record
            except ItemFormatError as error:
                self._changed = True  # which explains that records are missing
                yield RejectedRecord(position + 1, str(error), b"")

    def _batch_records(
        self, number: int, file: DataFile, batch: Sequence[ItemRecord | RejectedRecord]
    ) -> list[tuple[int, bytes]]:
        made = []
        for record in batch:
            if isinstance(record, RejectedRecord):
                self._unreadable.add(file.uri, record.position, record.reason)
                continue
            # First what would make the digest a matter of minutes, the size only once it is known.
            problem = self._problem(record, 0)
            if problem is None:
                key, digest, size = self._digester.digest(record.item)
                problem = None if size <= MAXIMUM_ITEM_BYTES else self._problem(record, size)
            if problem is None:
                shown = DELETED if record.deleted else digest
                made.append(export_record(key, number, record.position, shown))
            else:
                reason = f"{file.uri}, {self._format.position_noun} {record.position}: {problem}"
                self._unreadable.add(file.uri, record.position, reason)
        return made

    def _problem(self, record: ItemRecord, size: int) -> str | None:
        """Say what an import would say of an item."""
        if record.deleted:
            return self._checker.key_problem(record.item)
        return self._checker.problem(record.item, size)
