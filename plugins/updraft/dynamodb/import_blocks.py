"""Blocks of consecutive records, the steps in which an import gets ahead."""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from updraft.dynamodb.formats.base import RejectedRecord
from updraft.dynamodb.import_ledger import ImportCounts

MAXIMUM_RECORDS = 5_000
"""Records of a block: what a retry may have to do again is a few blocks."""

MINIMUM_RECORDS = 50
"""Records of a block of a table with little capacity."""

_SECONDS_PER_BLOCK = 10


def records_per_block(units_per_second: float) -> int:
    """Choose the size of the blocks, so that one takes about ten seconds.

    :param units_per_second: write capacity units per second that the import may use.
    :returns: number of records.
    """
    return int(min(max(units_per_second * _SECONDS_PER_BLOCK, MINIMUM_RECORDS), MAXIMUM_RECORDS))


MAXIMUM_BYTES = 8 * 1024**2
"""Bytes of the records of a block; what was rejected is kept in memory until the block is done."""


@dataclass(eq=False)
class Block:
    """Consecutive records of one file.

    :param file: number of the file, from 0.
    :param start: number of the file's records before it.
    :param maximum_records: number of records after which the next block begins.
    :param last: whether it ends with the file.
    """

    file: int
    start: int
    maximum_records: int = MAXIMUM_RECORDS
    last: bool = False
    records: int = 0
    bytes: int = 0
    settled: int = 0
    closed: bool = False
    counts: ImportCounts = field(default_factory=ImportCounts)
    rejected: list[RejectedRecord] = field(default_factory=list)

    def read(self, size: int) -> None:
        """Count a record that was read; only the thread that opened the block does.

        :param size: its size in bytes.
        """
        self.records += 1
        self.bytes += size

    @property
    def full(self) -> bool:
        """Whether the next record belongs to the next block."""
        return self.records >= self.maximum_records or self.bytes >= MAXIMUM_BYTES

    @property
    def done(self) -> bool:
        """Whether no record of it is on its way any more."""
        return self.closed and self.settled == self.records


class BlockTracker:
    """Knows which blocks are done. One thread opens them, several settle their records."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: deque[Block] = deque()

    def open(self, file: int, start: int, maximum_records: int) -> Block:
        """Begin a block.

        :param file: number of the file, from 0.
        :param start: number of the file's records before it.
        :param maximum_records: number of records after which the next block begins.
        :returns: the block.
        """
        block = Block(file, start, maximum_records)
        with self._lock:
            self._blocks.append(block)
        return block

    def close(self, block: Block, *, last: bool) -> None:
        """End a block.

        :param block: the block.
        :param last: whether the file ends with it.
        """
        with self._lock:
            block.last = last
            block.closed = True

    def settle(
        self, block: Block, counts: ImportCounts, rejected: Iterable[RejectedRecord] = ()
    ) -> None:
        """Note what became of records.

        :param block: the block they belong to.
        :param counts: how many of them ended in which way.
        :param rejected: those that are no items.
        """
        with self._lock:
            block.settled += counts.total
            block.counts.add(counts)
            block.rejected.extend(rejected)

    def first_done(self) -> Block | None:
        """Look at the first block.

        :returns: the block, ``None`` if it is not done or there is none.
        """
        with self._lock:
            return self._blocks[0] if self._blocks and self._blocks[0].done else None

    def drop_first(self) -> None:
        """Forget the first block, after everything about it is stored."""
        with self._lock:
            self._blocks.popleft()
