"""Remembers, next to the files of an export, which of its segments are finished.

A checkpoint is a small object below ``_updraft/``, a name that Hadoop, Spark, Glue and Athena
overlook. It is created only if there is none yet, so that of two attempts that finish the same
segment one counts and the other finds out. When the export is complete, all are deleted.
"""

import logging
import re
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, ValidationError

from updraft.dynamodb.destination import Destination

log = logging.getLogger(__name__)


class SegmentCheckpoint(BaseModel):
    """What is known of a finished segment.

    :param table_arn: ARN of the table.
    :param segment: number of the segment, from 0.
    :param total_segments: number of segments of the scan.
    :param item_format: name of the format of the files.
    :param sizes: size in bytes of each of its files, by name.
    :param items: number of items in them.
    :param attributes: type keys of the attributes seen, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    table_arn: str
    segment: int
    total_segments: int
    item_format: str
    sizes: dict[str, int]
    items: int
    attributes: dict[str, list[str]]


@dataclass
class FinishedSegments:
    """The checkpoints of an export whose files are all in place.

    :param total_segments: number of segments of the scan, ``None`` without any checkpoint.
    :param by_segment: checkpoint by number of the segment.
    """

    total_segments: int | None = None
    by_segment: dict[int, SegmentCheckpoint] = field(default_factory=dict)


class SegmentCheckpoints:
    """The checkpoints of one export.

    :param destination: where the files of the export are.
    :param export_id: identity of the export.
    """

    def __init__(self, destination: Destination, export_id: str) -> None:
        self._destination = destination
        self.name_prefix = f"_updraft/{export_id}/"
        self._name = re.compile(rf"{re.escape(self.name_prefix)}\d{{5,}}\.json")

    def owns(self, name: str) -> bool:
        """Tell whether an object is a checkpoint of this export.

        :param name: its name below the prefix.
        :returns: whether it is.
        """
        return self._name.fullmatch(name) is not None

    def load(self, table_arn: str, item_format: str) -> FinishedSegments:
        """Find the segments that need not be read again.

        A checkpoint that cannot be used is deleted: one of another table or format, because the
        arguments of the task were changed, or one whose files are not what it says.

        :param table_arn: ARN of the table.
        :param item_format: name of the format of the files.
        :returns: the finished segments.
        """
        names = [entry.name for entry in self._destination.objects(self.name_prefix)]
        if not names:
            return FinishedSegments()
        stored = dict(self._destination.objects())
        found = FinishedSegments()
        for name in filter(self.owns, names):
            checkpoint = self._read(name)
            if checkpoint is None:
                continue
            usable = (
                (checkpoint.table_arn, checkpoint.item_format) == (table_arn, item_format)
                and found.total_segments in {None, checkpoint.total_segments}
                and all(stored.get(file) == size for file, size in checkpoint.sizes.items())
            )
            if not usable:
                log.warning("%s/%s is of no use any more", self._destination.uri, name)
                self._destination.delete([name])
                continue
            found.total_segments = checkpoint.total_segments
            found.by_segment[checkpoint.segment] = checkpoint
        return found

    def save(self, checkpoint: SegmentCheckpoint) -> SegmentCheckpoint:
        """Note that a segment is finished.

        :param checkpoint: the segment and its files.
        :returns: the checkpoint that counts: this one, or that of another attempt.
        """
        name = f"{self.name_prefix}{checkpoint.segment:05d}.json"
        content = checkpoint.model_dump_json().encode()
        if self._destination.create(name, content, {}):
            return checkpoint
        other = self._read(name)
        if other is not None and _of_the_same_copy(other, checkpoint):
            return other
        self._destination.delete([name])
        return checkpoint

    def remove(self) -> None:
        """Delete all checkpoints of the export."""
        self._destination.delete(
            entry.name
            for entry in self._destination.objects(self.name_prefix)
            if self.owns(entry.name)
        )

    def _read(self, name: str) -> SegmentCheckpoint | None:
        content = self._destination.read(name)
        if content is None:
            return None
        try:
            return SegmentCheckpoint.model_validate_json(content.body)
        except ValidationError:
            log.warning("%s/%s is no checkpoint; ignoring it", self._destination.uri, name)
            return None


def _of_the_same_copy(one: SegmentCheckpoint, other: SegmentCheckpoint) -> bool:
    """Tell whether two attempts copy the same table in the same segments to the same format."""
    return (one.table_arn, one.item_format, one.total_segments) == (
        other.table_arn,
        other.item_format,
        other.total_segments,
    )
