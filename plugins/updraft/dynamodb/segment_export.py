"""Exports segments of a table in threads of one process, in constant memory."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

from updraft.dynamodb.attempt import Attempt
from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.destination import Destination
from updraft.dynamodb.formats import Item, ItemFormat
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import PageSource
from updraft.dynamodb.segment_checkpoints import SegmentCheckpoint
from updraft.dynamodb.segment_files import SegmentFiles
from updraft.dynamodb.worker_threads import run_in_threads

MAXIMUM_THREADS = 8
"""Segments that are read at the same time; it bounds the memory whatever the segments' number."""


class SegmentExport:
    """Exports one segment after the other in each of a few threads.

    :param attempt: the attempt; it names the files.
    :param table_arn: ARN of the table.
    :param source: the pages of the table.
    :param item_format: how items are written.
    :param destination: where the files go.
    :param cancellation: the same that ``source`` looks at.
    :param progress: counts items and segments for the log.
    :param threads: the most segments that are read at the same time.
    :param first_part: number of the first file of each segment. It keeps the files of tasks apart
        that do the same segments, as Spark lets them when it believes one to be lost.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        table_arn: str,
        source: PageSource,
        item_format: ItemFormat,
        destination: Destination,
        cancellation: Cancellation,
        progress: Progress,
        threads: int = MAXIMUM_THREADS,
        first_part: int = 0,
    ) -> None:
        self._attempt = attempt
        self._table_arn = table_arn
        self._source = source
        self._format = item_format
        self._destination = destination
        self._cancellation = cancellation
        self._progress = progress
        self._threads = threads
        self._first_part = first_part
        self._total_segments = 0
        self._segments: Iterator[int] = iter(())
        self._segments_lock = threading.Lock()

    def run(self, segments: Sequence[int], total_segments: int) -> list[SegmentCheckpoint]:
        """Export segments, see :meth:`updraft.dynamodb.export.SegmentRunner.run`."""
        self._total_segments = total_segments
        self._segments = iter(segments)
        finished = run_in_threads(
            [self._work] * max(min(len(segments), self._threads), 1),
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
        for part in itertools.count(self._first_part):
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
            item_format=self._attempt.item_format,
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
