"""Compares a table with files, item by item, in any order and in constant memory.

Both sides are read at the same time and reduced to a key and a digest for each item, which go to
temporary files; :mod:`updraft.dynamodb.differences` then compares these. An item takes about
80 bytes of disk on each side, whatever its size.
"""

import logging
import shutil
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import BinaryIO, cast

from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.comparison_sides import ExportSide, TableSide
from updraft.dynamodb.counted_nouns import counted
from updraft.dynamodb.data_files import DataFile, ItemFiles
from updraft.dynamodb.destination import Destination
from updraft.dynamodb.difference_report import DifferenceReport, DifferenceTally, difference_lines
from updraft.dynamodb.differences import Difference, DifferenceFinder, DifferentKey
from updraft.dynamodb.encoded_stream import EncodedStream
from updraft.dynamodb.formats.base import ItemFormat
from updraft.dynamodb.import_totals import ExportTotals
from updraft.dynamodb.item_digest import ItemDigester
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import PageSource
from updraft.dynamodb.segment_export import MAXIMUM_THREADS
from updraft.dynamodb.service_errors import AccessDeniedError
from updraft.dynamodb.spill_files import SpillFile
from updraft.dynamodb.table import TableDescription
from updraft.dynamodb.unreadable_records import UnreadableRecords
from updraft.dynamodb.worker_threads import run_in_threads

log = logging.getLogger(__name__)

_DISK_BYTES_PER_ITEM = 80  # with a key of 30 to 40 bytes
_MEGABYTE = 1024**2


class TableComparison:
    """One comparison of one table with the files of one export.

    :param table: the table.
    :param source: the pages of the table.
    :param total_segments: number of segments to scan.
    :param s3_uri: URI of the files, for the report.
    :param files: the files, in the order in which an import would read them.
    :param item_files: opens them.
    :param item_format: how they are written.
    :param partial: whether the files hold a part of the table, so that it may have other items.
    :param maximum_differences: number of differences that the report names one by one.
    :param differences_destination: where the list of all differences goes, ``None`` for no list.
    :param differences_name: name of that list.
    :param totals: what Updraft has noted of the export that the files are, ``None`` if it has not.
    :param cancellation: the same that ``source`` looks at.
    :param progress: counts the items of both sides for the log.
    """

    def __init__(
        self,
        *,
        table: TableDescription,
        source: PageSource,
        total_segments: int,
        s3_uri: str,
        files: Sequence[DataFile],
        item_files: ItemFiles,
        item_format: ItemFormat,
        partial: bool,
        maximum_differences: int,
        differences_destination: Destination | None,
        differences_name: str,
        totals: ExportTotals | None = None,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._table = table
        self._source = source
        self._total_segments = total_segments
        self._s3_uri = s3_uri
        self._files = files
        self._item_files = item_files
        self._format = item_format
        self._partial = partial
        self._maximum_differences = maximum_differences
        self._destination = differences_destination
        self._name = differences_name
        self._totals = totals
        self._cancellation = cancellation
        self._progress = progress
        self._digester = ItemDigester(table.key_types)

    def run(self) -> DifferenceReport:
        """Read both sides and compare them.

        :returns: what was found.
        :raises UpdraftError: when one of them cannot be read, or there is no disk space left.
        """
        self._log_start()
        with ExitStack() as temporary_files:
            table_records = temporary_files.enter_context(SpillFile())
            export_records = temporary_files.enter_context(SpillFile())
            unreadable = temporary_files.enter_context(UnreadableRecords())
            self._read(table_records, export_records, unreadable)
            finder = DifferenceFinder(table_records, export_records, self._cancellation)
            tally = DifferenceTally(partial=self._partial, maximum=self._maximum_differences)
            uri = self._store(tally.count(self._differences(unreadable, finder)))
        return tally.report(
            table_arn=self._table.arn,
            s3_uri=self._s3_uri,
            files=len(self._files),
            counts=finder.counts,
            differences_file=uri,
        )

    def _log_start(self) -> None:
        counts = [file.item_count for file in self._files]
        in_table = self._table.approximate_items
        if self._totals is not None:
            in_files = self._totals.items
        else:
            in_files = sum(count or 0 for count in counts) if None not in counts else in_table
        self._progress.expect(in_table + in_files)
        self._progress.start(self._total_segments + len(self._files))
        log.info(
            "Comparing %s with %s at %s: about %s MB of temporary files in %s, where %s MB "
            "are free",
            self._table.arn,
            counted(len(self._files), "file"),
            self._s3_uri,
            f"{(in_table + in_files) * _DISK_BYTES_PER_ITEM / _MEGABYTE:,.0f}",
            tempfile.gettempdir(),
            f"{shutil.disk_usage(tempfile.gettempdir()).free / _MEGABYTE:,.0f}",
        )

    def _read(
        self, table_records: SpillFile, export_records: SpillFile, unreadable: UnreadableRecords
    ) -> None:
        table = TableSide(
            self._source,
            self._total_segments,
            digester=self._digester,
            records=table_records,
            cancellation=self._cancellation,
            progress=self._progress,
        )
        export = ExportSide(
            self._files,
            self._item_files,
            self._format,
            key_types=self._table.key_types,
            digester=self._digester,
            records=export_records,
            unreadable=unreadable,
            totals=self._totals,
            cancellation=self._cancellation,
            progress=self._progress,
        )
        run_in_threads(
            [export.read, *[table.read] * min(self._total_segments, MAXIMUM_THREADS)],
            name="comparison",
            cancellation=self._cancellation,
            report=self._progress.report,
        )
        table_records.finish()
        export_records.finish()

    def _differences(
        self, unreadable: UnreadableRecords, finder: DifferenceFinder
    ) -> Iterator[Difference]:
        yield from unreadable.differences()
        yield from map(self._difference, finder.find())

    def _difference(self, found: DifferentKey) -> Difference:
        key = self._digester.key_attributes(found.key)
        if found.place is None:
            return Difference(found.kind, key)
        return Difference(found.kind, key, self._files[found.place.file].uri, found.place.position)

    def _store(self, differences: Iterator[Difference]) -> str | None:
        """Go through the differences, and list them if asked to.

        Where there are none, none are listed, unless an earlier attempt has: its list must not
        stay.
        """
        if self._destination is None:
            deque(differences, maxlen=0)
            return None
        first = next(differences, None)
        if first is None and not self._has_list(self._destination):
            return None
        listed = () if first is None else chain([first], differences)
        stream = EncodedStream(difference_lines(listed))
        self._destination.upload(self._name, cast("BinaryIO", stream))
        return f"{self._destination.uri}/{self._name}"

    def _has_list(self, destination: Destination) -> bool:
        try:
            return any(found.name == self._name for found in destination.objects(self._name))
        except AccessDeniedError:
            return True  # a role that may only write there cannot tell
