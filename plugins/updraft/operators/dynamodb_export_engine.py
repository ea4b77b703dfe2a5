"""What the ways to get a table into S3 have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from updraft.dynamodb.attempt import ExportResult
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.table import TableDescription, TableReference
from updraft.errors import ArgumentError
from updraft.operators.waiting import Deferral

MOST_SEGMENTS = 1_000_000
"""What a scan may be divided into.

.. seealso:: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
"""


@dataclass(frozen=True)
class PointInTime:
    """Which state of the table, or which changes, the engine ``native`` exports.

    :param export_type: ``FULL_EXPORT`` or ``INCREMENTAL_EXPORT``.
    :param export_time: state of the table to export, ``None`` for the current one.
    :param export_from_time: begin of the changes, inclusive; of an incremental export.
    :param export_to_time: end of the changes, exclusive.
    :param export_view_type: ``NEW_IMAGE`` or ``NEW_AND_OLD_IMAGES``.
    :param kms_key_id: KMS key that encrypts the files, ``None`` for the default of S3.
    """

    export_type: str = "FULL_EXPORT"
    export_time: datetime | None = None
    export_from_time: datetime | None = None
    export_to_time: datetime | None = None
    export_view_type: str = "NEW_AND_OLD_IMAGES"
    kms_key_id: str | None = None


@dataclass(frozen=True)
class ExportRequest:
    """The arguments of an export after they have been checked.

    :param export_id: identity of the export, the same in each attempt of a task instance.
    :param attempt: number of the attempt, higher than that of every earlier one.
    :param table: the table.
    :param location: where the files go.
    :param export_format: name of the format of the files.
    :param format_options: options of the format.
    :param read_throughput_ratio: share of the table's read capacity, above 0, at most 1.
    :param total_segments: number of segments of the scan, ``None`` to choose by the table's size.
    :param point_in_time: what the engine ``native`` exports.
    :raises UpdraftError: when the number of segments is none that DynamoDB takes.
    """

    export_id: str
    attempt: int
    table: TableReference
    location: S3Prefix
    export_format: str
    format_options: Mapping[str, Any] = field(default_factory=dict)
    read_throughput_ratio: float = 0.25
    total_segments: int | None = None
    point_in_time: PointInTime = PointInTime()

    def __post_init__(self) -> None:
        segments = self.total_segments
        if segments is not None and (
            not isinstance(segments, int) or not 1 <= segments <= MOST_SEGMENTS
        ):
            raise ArgumentError(
                f"total_segments: {segments!r} is not a whole number from 1 to {MOST_SEGMENTS:,}"
            )


@dataclass(frozen=True)
class ExportOutcome:
    """What an engine did.

    :param result: what was written.
    :param table: the table.
    :param attributes: type keys of the attributes that were seen, by name.
    :param export_arn: ARN of the export, if AWS made it.
    """

    result: ExportResult
    table: TableDescription
    attributes: Mapping[str, Sequence[str]]
    export_arn: str | None = None


class ExportEngine(Protocol):
    """One way to get a table into S3."""

    def export(self, request: ExportRequest) -> ExportOutcome | Deferral:
        """Export a table.

        :param request: what to export.
        :returns: what was done, or what to wait for.
        :raises UpdraftError: when it was not possible.
        """

    def resume(self, request: ExportRequest, event: Mapping[str, Any]) -> ExportOutcome | Deferral:
        """Go on after a deferral.

        :param request: what to export.
        :param event: the event of the trigger.
        :returns: what was done, or what else to wait for.
        :raises UpdraftError: when it was not possible.
        """

    def stop(self) -> None:
        """Stop an export that is going on; called from a signal handler."""
