"""Finds the keys whose items differ between a table and an export, partition by partition."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.comparison_records import (
    DELETED,
    EXPORT_PAYLOAD,
    LEVELS,
    TABLE_PAYLOAD,
    Place,
    place_and_digest,
    records,
    spread,
)
from updraft.dynamodb.spill_files import PARTITIONS, SpillFile

MAXIMUM_PARTITION_BYTES = 12 * 1024**2
"""Bytes of one side of a partition; as Python objects they take several times that."""

_by_key = attrgetter("key")


class DifferenceKind(StrEnum):
    """In what way table and export differ."""

    ONLY_IN_TABLE = "only_in_table"
    ONLY_IN_EXPORT = "only_in_export"
    DIFFERENT = "different"
    NOT_DELETED = "not_deleted"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Difference:
    """One difference.

    :param kind: in what way.
    :param key: key attributes of the item as DynamoDB's JSON; ``None`` for what is unreadable.
    :param file: URI of the file, ``None`` for what is only in the table.
    :param position: number of the line or row in the file, from 1.
    :param reason: why a record is unreadable.
    """

    kind: DifferenceKind
    key: dict[str, dict[str, str]] | None = None
    file: str | None = None
    position: int | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what there is to say as a plain dictionary."""
        return {
            name: str(value) if name == "kind" else value
            for name, value in vars(self).items()
            if value is not None
        }


class DifferentKey(NamedTuple):
    """The key of an item that differs.

    :param kind: in what way.
    :param key: the key as it stands in the records.
    :param place: where the item is in the export, ``None`` for what is only in the table.
    """

    kind: DifferenceKind
    key: bytes
    place: Place | None


@dataclass
class ComparisonCounts:
    """What was found besides differences.

    :param equal: number of items that are the same on both sides.
    :param superseded: number of records that a later one with the same key supersedes.
    :param deleted: number of keys that the export says are deleted.
    """

    equal: int = 0
    superseded: int = 0
    deleted: int = 0


class DifferenceFinder:
    """Compares the records of two files.

    A partition that memory should not hold is spread over partitions of its own first, so that the
    memory does not depend on the number of items.

    :param table: records of the table.
    :param export: records of the export.
    :param cancellation: looked at before every partition.
    """

    def __init__(self, table: SpillFile, export: SpillFile, cancellation: Cancellation) -> None:
        self._table = table
        self._export = export
        self._cancellation = cancellation
        self.counts = ComparisonCounts()

    def find(self) -> Iterator[DifferentKey]:
        """Compare everything.

        :returns: the differences, in an order that only depends on what is compared.
        :raises CancelledError: when the work was cancelled.
        """
        yield from self._compare_files(self._table, self._export, level=0)

    def _compare_files(
        self, table: SpillFile, export: SpillFile, level: int
    ) -> Iterator[DifferentKey]:
        for partition in range(PARTITIONS):
            self._cancellation.check()
            size = max(table.size(partition), export.size(partition))
            if size <= MAXIMUM_PARTITION_BYTES or level + 1 == LEVELS:
                yield from sorted(self._compare(table, export, partition), key=_by_key)
                continue
            with ExitStack() as files:
                finer_table = files.enter_context(
                    spread(self._chunks(table, partition), TABLE_PAYLOAD, level + 1)
                )
                finer_export = files.enter_context(
                    spread(self._chunks(export, partition), EXPORT_PAYLOAD, level + 1)
                )
                yield from self._compare_files(finer_table, finer_export, level + 1)

    def _chunks(self, file: SpillFile, partition: int) -> Iterator[bytes]:
        for chunk in file.chunks(partition):
            self._cancellation.check()
            yield chunk

    def _compare(
        self, table: SpillFile, export: SpillFile, partition: int
    ) -> Iterator[DifferentKey]:
        expected = self._expected(export, partition)
        for key, found in records(self._chunks(table, partition), TABLE_PAYLOAD):
            payload = expected.pop(key, None)
            if payload is None:
                yield DifferentKey(DifferenceKind.ONLY_IN_TABLE, key, None)
            elif payload.endswith(found):
                self.counts.equal += 1
            else:
                place, digest = place_and_digest(payload)
                not_deleted = digest == DELETED
                self.counts.deleted += not_deleted
                kind = DifferenceKind.NOT_DELETED if not_deleted else DifferenceKind.DIFFERENT
                yield DifferentKey(kind, key, place)
        for key, payload in expected.items():
            place, digest = place_and_digest(payload)
            if digest == DELETED:
                self.counts.deleted += 1
            else:
                yield DifferentKey(DifferenceKind.ONLY_IN_EXPORT, key, place)

    def _expected(self, export: SpillFile, partition: int) -> dict[bytes, bytes]:
        """Read what the export has, of several records with the same key the last."""
        expected: dict[bytes, bytes] = {}
        for key, payload in records(self._chunks(export, partition), EXPORT_PAYLOAD):
            earlier = expected.get(key)
            if earlier is None:
                expected[key] = payload
            else:
                self.counts.superseded += 1
                expected[key] = max(earlier, payload)
        return expected
