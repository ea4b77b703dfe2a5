"""Exports a table to files: parallel segments, constant memory, manifest last.

Every name is a function of the export's identity, the segment and the number of the file within
it. So a second attempt of the same export writes the same names and cannot double anything, and
files of others are recognised as such.
"""

import logging
import re
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.destination import Destination
from updraft.dynamodb.encoded_stream import EncodedStream
from updraft.dynamodb.formats import Item, ItemFormat
from updraft.dynamodb.manifest import MANIFEST, render_manifest
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.scan import PageSource
from updraft.errors import UpdraftError

log = logging.getLogger(__name__)

MAXIMUM_THREADS = 8
"""Segments that are read at the same time; it bounds the memory whatever the segments' number."""

MAXIMUM_FILE_BYTES = 32 * 1024**3
"""A file ends early beyond this, well below 10,000 parts, the most that an upload can have."""

_PROGRESS_INTERVAL = 30.0
_METADATA_PREFIX = "updraft-"


class DestinationOccupiedError(UpdraftError):
    """The prefix already holds something that this export did not write."""


@dataclass(frozen=True)
class ExportResult:
    """What an export wrote.

    :param manifest: URI of the manifest.
    :param items: number of items.
    :param bytes: size of all data files in bytes.
    :param files: number of data files.
    :param table_arn: ARN of the table.
    """

    manifest: str
    items: int
    bytes: int
    files: int
    table_arn: str


@dataclass
class _Segment:
    """What the thread of one segment has written so far."""

    number: int
    names: list[str] = field(default_factory=list)
    items: int = 0
    bytes: int = 0
    attributes: ObservedAttributes = field(default_factory=ObservedAttributes)


class TableExport:
    """One export of one table.

    :param export_id: identity of the export, the same in each attempt; it begins every file name.
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
        table_arn: str,
        *,
        source: PageSource,
        item_format: ItemFormat,
        destination: Destination,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._export_id = export_id
        self._table_arn = table_arn
        self._source = source
        self._format = item_format
        self._destination = destination
        self._cancellation = cancellation
        self._progress = progress
        self._own_name = re.compile(rf"{re.escape(export_id)}_\d{{5,}}_\d{{5,}}")
        self.attributes = ObservedAttributes()

    def run(self) -> ExportResult:
        """Export the table, or find that an earlier attempt already has.

        :returns: what was written, by this attempt or the earlier one.
        :raises DestinationOccupiedError: when the prefix holds objects of somebody else; nothing
            is touched then.
        :raises UpdraftError: when the table could not be read or a file not be written. No
            manifest exists then, and the files of this export are removed.
        """
        adopted = self._adopt()
        if adopted is not None:
            return adopted
        try:
            aborted = self._destination.abort_uploads(self._export_id)
            if aborted:
                log.info("Aborted %d unfinished uploads of an earlier attempt", aborted)
            segments = self._export_segments()
            return self._complete(segments)
        except BaseException:
            self._clean_up()
            raise

    def _adopt(self) -> ExportResult | None:
        found: dict[str, int] = {}
        manifest_found = False
        for name, size in self._destination.objects():
            if name == MANIFEST:
                manifest_found = True
            elif self._own_name.fullmatch(name):
                found[name] = size
            elif name or size:  # "" is the marker that the S3 console puts for an empty folder
                raise self._occupied(name)
        if not manifest_found:
            return None
        metadata = self._destination.metadata(MANIFEST) or {}
        if metadata.get(f"{_METADATA_PREFIX}export") != self._export_id:
            raise self._occupied(MANIFEST)
        if metadata.get(f"{_METADATA_PREFIX}table") != self._table_arn:
            raise self._occupied(MANIFEST)
        result = ExportResult(
            manifest=self._manifest_uri,
            items=int(metadata[f"{_METADATA_PREFIX}items"]),
            bytes=int(metadata[f"{_METADATA_PREFIX}bytes"]),
            files=int(metadata[f"{_METADATA_PREFIX}files"]),
            table_arn=self._table_arn,
        )
        if (len(found), sum(found.values())) != (result.files, result.bytes):
            log.warning("%s is there, but its files have changed; exporting again", result.manifest)
            self._destination.delete([MANIFEST])
            return None
        log.info("%s was completed by an earlier attempt of this run", result.manifest)
        return result

    def _occupied(self, name: str) -> DestinationOccupiedError:
        return DestinationOccupiedError(
            f"{self._destination.uri} already holds {name!r}, which this run did not write. Choose "
            "an empty prefix, such as one with the date of the run in it, or remove what is there."
        )

    @property
    def _manifest_uri(self) -> str:
        return f"{self._destination.uri}/{MANIFEST}"

    def _export_segments(self) -> list[_Segment]:
        total = self._source.total_segments
        self._progress.start(total)
        executor = ThreadPoolExecutor(min(total, MAXIMUM_THREADS), thread_name_prefix="segment")
        try:
            futures = [executor.submit(self._export_segment, number) for number in range(total)]
            pending: set[Future[_Segment]] = set(futures)
            while pending:
                done, pending = wait(pending, _PROGRESS_INTERVAL, return_when=FIRST_EXCEPTION)
                self._raise_first_error(done)
                self._progress.report()
            return [future.result() for future in futures]
        except BaseException:
            self._cancellation.cancel()
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    def _raise_first_error(done: set[Future[_Segment]]) -> None:
        """Raise the error of a segment, preferring a cause over its echo in other segments."""
        errors = [error for future in done if (error := future.exception()) is not None]
        errors.sort(key=lambda error: isinstance(error, CancelledError))
        if errors:
            raise errors[0]

    def _export_segment(self, number: int) -> _Segment:
        segment = _Segment(number)
        items = self._items(segment)
        while (first := next(items, None)) is not None:
            name = f"{self._export_id}_{number:05d}_{len(segment.names):05d}"
            self._export_file(name, first, items, segment)
        self._progress.segment_done()
        return segment

    def _items(self, segment: _Segment) -> Iterator[Item]:
        for page in self._source.pages(segment.number):
            self._cancellation.check()
            segment.attributes.observe(page.items)
            yield from page.items
            self._progress.add(len(page.items))
            del page

    def _export_file(
        self, name: str, first: Item, items: Iterator[Item], segment: _Segment
    ) -> None:
        def items_of_file() -> Iterator[Item]:
            item: Item | None = first
            count = 0
            while item is not None:
                segment.items += 1
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
        segment.names.append(name)
        segment.bytes += stream.size

    def _complete(self, segments: list[_Segment]) -> ExportResult:
        names = [name for segment in segments for name in segment.names]
        kept = set(names)
        stale = [name for name, _ in self._destination.objects(self._export_id) if name not in kept]
        if stale:
            log.info("Deleting %d files of an earlier attempt", len(stale))
            self._destination.delete(stale)
        for segment in segments:
            self.attributes.merge(segment.attributes)
        result = ExportResult(
            manifest=self._manifest_uri,
            items=sum(segment.items for segment in segments),
            bytes=sum(segment.bytes for segment in segments),
            files=len(names),
            table_arn=self._table_arn,
        )
        self._cancellation.check()
        self._destination.put(
            MANIFEST,
            render_manifest(f"{self._destination.uri}/{name}" for name in names),
            {
                f"{_METADATA_PREFIX}export": self._export_id,
                f"{_METADATA_PREFIX}table": self._table_arn,
                f"{_METADATA_PREFIX}items": str(result.items),
                f"{_METADATA_PREFIX}bytes": str(result.bytes),
                f"{_METADATA_PREFIX}files": str(result.files),
            },
        )
        return result

    def _clean_up(self) -> None:
        """Remove what the failed attempt left, unless another attempt has completed meanwhile.

        What cannot be removed is logged and left to the next attempt: the error that led here
        says more than one about the cleaning.
        """
        try:
            if self._destination.metadata(MANIFEST) is not None:
                return
            self._destination.abort_uploads(self._export_id)
            self._destination.delete(
                [name for name, _ in self._destination.objects(self._export_id)]
            )
        except UpdraftError as error:
            log.warning("The files of the failed export remain: %s", error)
