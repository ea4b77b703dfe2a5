"""Exports a table to files: segment by segment, manifest last.

Who reads the segments is another question: threads of this process do it in
:mod:`updraft.dynamodb.segment_export`, the executors of Spark in a Glue job. Which files belong to
whom is in :mod:`updraft.dynamodb.attempt`, what need not be done again in
:mod:`updraft.dynamodb.segment_checkpoints`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from updraft.dynamodb.attempt import Attempt, ExportResult
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.garbage_collection import rare_garbage_collection
from updraft.dynamodb.progress import Progress
from updraft.dynamodb.segment_checkpoints import SegmentCheckpoint
from updraft.errors import UpdraftError

log = logging.getLogger(__name__)

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


class SegmentRunner(Protocol):
    """Exports segments, many at a time."""

    def run(self, segments: Sequence[int], total_segments: int) -> list[SegmentCheckpoint]:
        """Export segments, and save a checkpoint of each.

        :param segments: their numbers, from 0.
        :param total_segments: number of segments of the scan.
        :returns: the checkpoints that count; none for segments without items.
        :raises UpdraftError: when the table could not be read or a file not be written.
        """


class TableExport:
    """One attempt at one export of one table.

    :param attempt: the attempt; it names the files.
    :param table_arn: ARN of the table.
    :param total_segments: number of segments to scan, unless an earlier attempt has finished
        some of another number.
    :param item_format: name of the format of the files.
    :param runner: exports the segments.
    :param cancellation: the same that ``runner`` looks at.
    :param progress: counts items for the log.
    """

    def __init__(
        self,
        attempt: Attempt,
        *,
        table_arn: str,
        total_segments: int,
        item_format: str,
        runner: SegmentRunner,
        cancellation: Cancellation,
        progress: Progress,
    ) -> None:
        self._attempt = attempt
        self._table_arn = table_arn
        self._total_segments = total_segments
        self._format = item_format
        self._runner = runner
        self._cancellation = cancellation
        self._progress = progress

    @property
    def attributes(self) -> Mapping[str, Sequence[str]]:
        """Type keys of the attributes in the files, see :attr:`Attempt.attributes`."""
        return self._attempt.attributes

    @rare_garbage_collection()
    def run(self) -> ExportResult:
        """Export the table, or find that another attempt already has.

        Segments that an earlier attempt finished are not read again. When this attempt fails, the
        segments that it finished stay for the next one; everything else of it is removed.

        :returns: what was written, by this attempt or another one.
        :raises DestinationOccupiedError: when the prefix holds objects of somebody else; nothing
            is touched then.
        :raises UpdraftError: when the table could not be read or a file not be written.
        """
        adopted = self._attempt.adopt(discard=True)
        if adopted is not None:
            return replace(adopted, already_exported=True)
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
        finished = self._attempt.checkpoints.load(self._table_arn, self._format)
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
        return [
            *finished.by_segment.values(),
            *self._runner.run(left, self._total_segments),
        ]

    def _complete(self, segments: list[SegmentCheckpoint]) -> ExportResult:
        self._cancellation.check()
        return self._attempt.complete(segments)
