"""Settles the blocks of an import in their order, and notes how far it is."""

import logging
import time
from collections.abc import Iterable, Sequence

from updraft.dynamodb.attributes import ObservedAttributes
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.formats.base import RejectedRecord
from updraft.dynamodb.import_blocks import Block, BlockTracker
from updraft.dynamodb.import_ledger import ImportCounts, ImportLedger, ImportState, fingerprint
from updraft.dynamodb.rejected_records import RejectedRecords

log = logging.getLogger(__name__)

_SAVE_INTERVAL = 5.0

_BEGINNING = {"file": 0, "records": 0, "counts": ImportCounts(), "attributes": {}}


class BlockLedger:
    """What has become of the records of one import, those of earlier attempts included.

    Blocks end in any order, since several threads write them. Progress is what all blocks before
    the first unfinished one amount to.

    :param ledger: remembers how far the import is.
    :param files: the files, in the same order in each attempt.
    :param rejected_records: keeps records that are no items; ``None`` if the first one is an error.
    :param attributes: the attributes that were seen, which are noted too.
    """

    def __init__(
        self,
        ledger: ImportLedger,
        files: Sequence[DataFile],
        rejected_records: RejectedRecords | None,
        attributes: ObservedAttributes,
    ) -> None:
        self._ledger = ledger
        self._files = files
        self._rejected_records = rejected_records
        self._attributes = attributes
        self._tracker = BlockTracker()
        self._saved = time.monotonic()
        self.state = ImportState(table="", source="", attempt=0)

    def load(self, table: str, block_records: int) -> ImportState:
        """Find out where to go on.

        :param table: identity of the table.
        :param block_records: number of records of a block, unless the first attempt had another.
        :returns: the state that the last attempt has reached.
        """
        source = fingerprint((file.uri, file.size) for file in self._files)
        self.state = self._ledger.load(table, source)
        self.state.block_records = self.state.block_records or block_records
        self._attributes.add_types(self.state.attributes)
        return self.state

    def open(self, file: int, start: int) -> Block:
        """Begin a block.

        :param file: number of the file, from 0.
        :param start: number of the file's records before it.
        :returns: the block.
        """
        return self._tracker.open(file, start, self.state.block_records)

    def close(self, block: Block, *, last: bool) -> None:
        """End a block.

        :param block: the block.
        :param last: whether the file ends with it.
        """
        self._tracker.close(block, last=last)

    def settle(
        self, block: Block, counts: ImportCounts, rejected: Iterable[RejectedRecord] = ()
    ) -> None:
        """Note what became of records; any thread may do so.

        :param block: the block they belong to.
        :param counts: how many of them ended in which way.
        :param rejected: those that are no items.
        """
        self._tracker.settle(block, counts, rejected)

    def advance(self) -> None:
        """Move on in the state, after what was rejected up to there is stored."""
        self.state.attributes = self._attributes.types()
        while (block := self._tracker.first_done()) is not None:
            if block.rejected and self._rejected_records is not None:
                uri = self._files[block.file].uri
                self._rejected_records.write(block.file, uri, block.rejected)
            self.state.counts.add(block.counts)
            self.state.file = block.file + 1 if block.last else block.file
            self.state.records = 0 if block.last else block.start + block.records
            self._tracker.drop_first()

    def save_now_and_then(self) -> None:
        """Store the state, unless that was done a moment ago."""
        now = time.monotonic()
        if now - self._saved >= _SAVE_INTERVAL:
            self._saved = now
            self._ledger.save(self.state)

    def save_what_is_done(self) -> None:
        """Keep the progress of an attempt that fails; its error is the one to tell."""
        try:
            self.advance()
            self._ledger.save(self.state)
        except Exception as error:  # noqa: BLE001
            log.warning("The next attempt has to repeat a part of the work: %s", error)

    def go_back_to_the_beginning(self) -> None:
        """Let the next attempt read all files again."""
        self._ledger.save(self.state.model_copy(update=_BEGINNING))

    def complete(self) -> None:
        """Note that every record has been dealt with."""
        self.state.complete = True
        self._ledger.save(self.state)
