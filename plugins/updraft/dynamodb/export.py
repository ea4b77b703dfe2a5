"""Exports a table to files: parallel segments, constant memory, manifest last.

The threads are here; which files belong to whom is in :mod:`updraft.dynamodb.attempt`.
"""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import BinaryIO, cast

from updraft.dynamodb.attempt import Attempt, ExportResult
from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.destination import Destination
from updraft.dynamodb.encoded_stream import EncodedStream
from updraft.dynamodb.formats import Item, ItemFormat
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import PageSource
from updraft.errors import UpdraftError

MAXIMUM_THREADS = 8
"""Segments that are read at the same time; it bounds the memory whatever the segments' number."""

MAXIMUM_FILE_BYTES = 32 * 1024**3
"""A file ends early beyond this, well below 10,000 parts, the most that an upload can have."""

_PROGRESS_INTERVAL = 30.0


class _Output:
    """What one thread has written so far, over all its segments."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.items = 0
        self.attributes = ObservedAttributes()


class TableExport:
    """One attempt at one export of one table.

    :param export_id: identity of the export, the same in each attempt; it begins every file name.
    :param attempt: number of the attempt, higher than that of every earlier one.
    :param table_arn: ARN of the table, to recognise an earlier result as one of the same table.
    :param source: the pages of the table.
    :param item_format: how items are written.
    :param destination: where the files go.
    :param cancellation: the same that ``source`` looks at.
    :param progress: counts items for the log.
    """

    def __init__(
        self,
        export_id: str,
        attempt: int,
        table_arn: str,
        *,
        source: PageSource,
        item_format: ItemFormat,
        destination: Destination,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._attempt = Attempt(destination, export_id, attempt, table_arn)
        self._source = source
        self._format = item_format
        self._destination = destination
        self._cancellation = cancellation
        self._progress = progress
        self._segments = iter(range(source.total_segments))
        self._segments_lock = threading.Lock()
        self.attributes = ObservedAttributes()

    def run(self) -> ExportResult:
        """Export the table, or find that another attempt already has.

        :returns: what was written, by this attempt or another one.
        :raises DestinationOccupiedError: when the prefix holds objects of somebody else; nothing
            is touched then.
        :raises UpdraftError: when the table could not be read or a file not be written. The files
            of this attempt are removed then.
        """
        adopted = self._attempt.adopt()
        if adopted is not None:
            return adopted
        try:
            self._attempt.remove_own_files()
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

    def _export_segments(self) -> list[_Output]:
        total = self._source.total_segments
        threads = min(total, MAXIMUM_THREADS)
        self._progress.start(total)
        executor = ThreadPoolExecutor(threads, thread_name_prefix="segment")
        try:
            futures = [executor.submit(self._work) for _ in range(threads)]
            pending: set[Future[_Output]] = set(futures)
            while pending:
                done, pending = wait(pending, _PROGRESS_INTERVAL, return_when=FIRST_EXCEPTION)
                self._raise_first_error(done)
                self._progress.report()
            return [future.result() for future in futures]
        except BaseException:
            self._cancellation.cancel()
            raise
        finally:
            executor.shutdown(wait=True)

    @staticmethod
    def _raise_first_error(done: set[Future[_Output]]) -> None:
        """Raise the error of a thread, preferring a cause over its echo in other threads."""
        errors = [error for future in done if (error := future.exception()) is not None]
        errors.sort(key=lambda error: isinstance(error, CancelledError))
        if errors:
            raise errors[0]

    def _work(self) -> _Output:
        """Export one segment after the other until none is left."""
        output = _Output()
        while (segment := self._next_segment()) is not None:
            self._cancellation.check()
            self._export_segment(segment, output)
            self._progress.segment_done()
        return output

    def _next_segment(self) -> int | None:
        with self._segments_lock:
            return next(self._segments, None)

    def _export_segment(self, segment: int, output: _Output) -> None:
        items = self._items(segment, output)
        for part in itertools.count():
            first = next(items, None)
            if first is None:
                return
            self._export_file(self._attempt.file_name(segment, part), first, items, output)

    def _items(self, segment: int, output: _Output) -> Iterator[Item]:
        for page in self._source.pages(segment):
            self._cancellation.check()
            output.attributes.observe(page.items)
            yield from page.items
            self._progress.add(len(page.items))
            del page

    def _export_file(self, name: str, first: Item, items: Iterator[Item], output: _Output) -> None:
        def items_of_file() -> Iterator[Item]:
            item: Item | None = first
            count = 0
            while item is not None:
                output.items += 1
                count += 1
                yield item
                if (
                    count >= self._format.maximum_items_per_file
                    or stream.size >= MAXIMUM_FILE_BYTES
                ):
                    return
                item = next(items, None)

        stream = EncodedStream(self._format.encode(items_of_file()))
        self._destination.upload(name, cast("BinaryIO", stream))
        output.sizes[name] = stream.size

    def _complete(self, outputs: list[_Output]) -> ExportResult:
        sizes: dict[str, int] = {}
        for output in outputs:
            sizes |= output.sizes
            self.attributes.merge(output.attributes)
        self._cancellation.check()
        return self._attempt.complete(sizes, sum(output.items for output in outputs))
