"""Exports a table to files: parallel segments, constant memory, manifest last.

The threads are here; which files belong to whom is in :mod:`updraft.dynamodb.attempt`,
what need not be done again in :mod:`updraft.dynamodb.segment_checkpoints`.
"""

import itertools
import logging
import threading
from collections.abc import Iterator
from typing import BinaryIO, cast

from updraft.dynamodb.attempt import Attempt, ExportResult
from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.destination import Destination
from updraft.dynamodb.formats import Item, ItemFormat
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import PageSource
from updraft.dynamodb.segment_checkpoints import SegmentCheckpoint
from updraft.dynamodb.segment_files import SegmentFiles
from updraft.dynamodb.worker_threads import run_in_threads
from updraft.errors import UpdraftError

log = logging.getLogger(__name__)

MAXIMUM_THREADS = 8
"""Segments that are read at the same time; it bounds the memory whatever the segments' number."""

_LEAST_SEGMENTS = 4
_MOST_SEGMENTS = 10_000
_BYTES_PER_SEGMENT = 64 * 1024**2


def default_segments(table_bytes: int) -> int:
    """Choose the number of segments.

    Four hide the latency of AWS behind the parsing on a worker with 1 or 2 vCPUs. A large table
    has more, because unfinished segments are what a retry has to read again.

    :param table_bytes: approximate size of the table in bytes.
    :returns: one segment for each 64 MB, at least 4 and at most 10,000.
    """
    return min(max(table_bytes // _BYTES_PER_SEGMENT, _LEAST_SEGMENTS), _MOST_SEGMENTS)


class TableExport:
    """One attempt at one export of one table.

    :param attempt: the attempt; it names the files.
    :param table_arn: ARN of the table.
    :param total_segments: number of segments to scan, unless an earlier attempt has finished
        some of another number.
    :param source: the pages of the table.
    :param item_format: how items are written.
    :param destination: where the files go.
    :param cancellation: the same that ``source`` looks at.
    :param progress: counts items for the log.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        table_arn: str,
        total_segments: int,
        source: PageSource,
        item_format: ItemFormat,
        destination: Destination,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._attempt = attempt
        self._table_arn = table_arn
        self._total_segments = total_segments
        self._source = source
        self._format = item_format
        self._destination = destination
        self._cancellation = cancellation
        self._progress = progress
        self._segments: Iterator[int] = iter(())
        self._segments_lock = threading.Lock()
        self.attributes = ObservedAttributes()

    def run(self) -> ExportResult:
        """Export the table, or find that another attempt already has.

        Segments that an earlier attempt finished are not read again. When this attempt fails, the
        segments that it finished stay for the next one; everything else of it is removed.

        :returns: what was written, by this attempt or another one.
        :raises DestinationOccupiedError: when the prefix holds objects of somebody else; nothing
            is touched then.
        :raises UpdraftError: when the table could not be read or a file not be written.
        """
        adopted = self._attempt.adopt()
        if adopted is not None:
            return adopted
        try:
            self._attempt.remove_unfinished()
            return self._complete(self._export_segments())
        except BaseException as error:
            self._attempt.clean_up()
            adopted = self._adopt_after(error)
            if adopted is None:
                raise
            return adopted

    def _adopt_after(self, error: BaseException) -> ExportResult | None:
        """Look whether this attempt failed because another one has completed meanwhile.

        That one aborts the uploads of the attempts before it.
        """
        if not isinstance(error, UpdraftError) or isinstance(error, CancelledError):
            return None
        try:
            return self._attempt.adopt()
        except UpdraftError:
            return None  # the first error is the one to tell

    def _export_segments(self) -> list[SegmentCheckpoint]:
        finished = self._attempt.checkpoints.load(self._table_arn, self._format.name)
        if finished.total_segments is not None:
            self._total_segments = finished.total_segments
        left = [
            segment for segment in range(self._total_segments) if segment not in finished.by_segment
        ]
        if finished.by_segment:
            log.info(
                "An earlier attempt has finished %d of %d segments; going on with the others",
                len(finished.by_segment),
                self._total_segments,
            )
        self._progress.start(
            self._total_segments,
            done=len(finished.by_segment),
            items=sum(segment.items for segment in finished.by_segment.values()),
        )
        self._segments = iter(left)
        return [*finished.by_segment.values(), *self._work_in_threads(len(left))]

    def _work_in_threads(self, segments: int) -> list[SegmentCheckpoint]:
        finished = run_in_threads(
            [self._work] * max(min(segments, MAXIMUM_THREADS), 1),
            name="segment",
            cancellation=self._cancellation,
            report=self._progress.report,
        )
        return [segment for segments_of_thread in finished for segment in segments_of_thread]

    def _work(self) -> list[SegmentCheckpoint]:
        """Export one segment after the other until none is left."""
        finished = []
        while (segment := self._next_segment()) is not None:
            self._cancellation.check()
            checkpoint = self._export_segment(segment)
            # A segment without items is read again faster than a checkpoint is found.
            if checkpoint.sizes:
                finished.append(self._attempt.checkpoints.save(checkpoint))
            self._progress.segment_done()
        return finished

    def _next_segment(self) -> int | None:
        with self._segments_lock:
            return next(self._segments, None)

    def _export_segment(self, segment: int) -> SegmentCheckpoint:
        observed = ObservedAttributes()
        files = SegmentFiles(self._items(segment, observed), self._format)
        sizes: dict[str, int] = {}
        for part in itertools.count():
            stream = files.next_file()
            if stream is None:
                break
            name = self._attempt.file_name(segment, part)
            self._destination.upload(name, cast("BinaryIO", stream))
            sizes[name] = stream.size
        return SegmentCheckpoint(
            table_arn=self._table_arn,
            segment=segment,
            total_segments=self._total_segments,
            item_format=self._format.name,
            sizes=sizes,
            items=files.items,
            attributes=observed.types(),
        )

    def _items(self, segment: int, observed: ObservedAttributes) -> Iterator[Item]:
        for page in self._source.pages(segment, self._total_segments):
            self._cancellation.check()
            observed.observe(page.items)
            yield from page.items
            self._progress.add(len(page.items))
            del page

    def _complete(self, segments: list[SegmentCheckpoint]) -> ExportResult:
        for segment in segments:
            self.attributes.add_types(segment.attributes)
        self._cancellation.check()
        return self._attempt.complete(segments)
