"""Remembers how far an import is, so that the next attempt goes on from there.

The records of all files form one sequence, and the ledger holds how much of it is in the table: a
file and a number of records. It is one small object, ``_updraft/import_<id>.json``, whose name
Hadoop, Spark, Glue and Athena overlook. It stays when the import is complete, as the receipt by
which an attempt finds that there is nothing left to do. Once the task was cleared it counts no
more: the attempts after that are another series, which imports again.
"""

import hashlib
import io
import logging
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, ValidationError

from updraft.dynamodb.attempt_numbers import attempt_in_words
from updraft.dynamodb.destination import Destination
from updraft.dynamodb.service_errors import AccessDeniedError
from updraft.errors import UpdraftError

log = logging.getLogger(__name__)


class SupersededError(UpdraftError):
    """A later attempt at the same import has taken over."""


class ImportCounts(BaseModel):
    """What became of the records.

    :param items: number of items that were put into the table.
    :param deleted: number of items that were deleted because an incremental export says so.
    :param skipped: number of items that the table had already and that were left alone.
    :param superseded: number of items that a later record with the same key replaced before they
        were put.
    :param rejected: number of records that are no item for this table.
    """

    items: int = 0
    deleted: int = 0
    skipped: int = 0
    superseded: int = 0
    rejected: int = 0

    @property
    def total(self) -> int:
        """Number of records."""
        return self.items + self.deleted + self.skipped + self.superseded + self.rejected

    def add(self, other: "ImportCounts") -> None:
        """Add the counts of some more records.

        :param other: their counts.
        """
        self.items += other.items
        self.deleted += other.deleted
        self.skipped += other.skipped
        self.superseded += other.superseded
        self.rejected += other.rejected


class ImportState(BaseModel):
    """The content of the ledger.

    :param table: identity of the table.
    :param source: fingerprint of the files, see :func:`fingerprint`.
    :param attempt: number of the attempt that wrote it.
    :param complete: whether every record has been dealt with.
    :param file: number of the file, from 0, that is being read; all before it are done.
    :param records: number of its records that are done.
    :param block_records: number of records after which progress can be noted, 0 at the beginning.
    :param counts: what became of all records up to there.
    :param attributes: type keys of the attributes seen, by name.
    :param series: which attempts belong together with that one, empty when it does not matter.
    """

    model_config = ConfigDict(extra="forbid")

    table: str
    source: str
    attempt: int
    complete: bool = False
    file: int = 0
    records: int = 0
    block_records: int = 0
    counts: ImportCounts = ImportCounts()
    attributes: dict[str, list[str]] = {}
    series: str = ""


class ImportLedger:
    """The ledger of one import.

    :param destination: where it is kept.
    :param import_id: identity of the import, the same in each attempt.
    :param attempt: number of this attempt.
    :param series: which attempts it belongs together with; what another series has completed is
        imported again. Empty where an import is done once for all.
    """

    def __init__(
        self, destination: Destination, import_id: str, attempt: int, series: str = ""
    ) -> None:
        self._destination = destination
        self._name = f"_updraft/import_{import_id}.json"
        self._attempt = attempt
        self._series = series
        self._usable = True

    @property
    def uri(self) -> str:
        """URI of the ledger."""
        return f"{self._destination.uri}/{self._name}"

    def load(self, table: str, source: str) -> ImportState:
        """Find out where to go on.

        :param table: identity of the table.
        :param source: fingerprint of the files.
        :returns: the state that the last attempt has reached; the beginning when there is none, or
            one of another table or of other files, or a completed one of another series.
        """
        beginning = ImportState(
            table=table, source=source, attempt=self._attempt, series=self._series
        )
        try:
            state = self._read()
            if state is not None and self._was_cleared(state):
                log.info("The task was cleared after its import was complete; importing again")
                self._store(beginning)  # nobody goes on with the earlier one
                return beginning
        except AccessDeniedError as error:
            self._give_up(error)
            return beginning
        if state is None:
            return beginning
        if (state.table, state.source) != (table, source):
            log.warning("%s is about another table or other files; starting anew", self.uri)
            return beginning
        return state

    def save(self, state: ImportState) -> None:
        """Store how far the import is.

        A role that may not write there can import nevertheless; a retry then begins anew.

        :param state: the state.
        :raises SupersededError: when a later attempt has taken over. What it has written must not
            be replaced by what this one still has in its hands.
        """
        if not self._usable:
            return
        try:
            stored = self._read()
            if stored is not None and stored.attempt > self._attempt:
                raise SupersededError(
                    f"This import stops, because {attempt_in_words(stored.attempt)} goes on with "
                    f"it; see {self.uri}"
                )
            self._store(state)
        except AccessDeniedError as error:
            self._give_up(error)

    def _was_cleared(self, state: ImportState) -> bool:
        # Earlier versions noted no series, and what they have completed stays so.
        known = bool(state.series and self._series)
        return state.complete and known and state.series != self._series

    def _store(self, state: ImportState) -> None:
        own = {"attempt": self._attempt, "series": self._series}
        content = state.model_copy(update=own).model_dump_json()
        self._destination.upload(self._name, io.BytesIO(content.encode()))

    def _read(self) -> ImportState | None:
        content = self._destination.read(self._name)
        if content is None:
            return None
        try:
            return ImportState.model_validate_json(content.body)
        except ValidationError:
            log.warning("%s is damaged and does not count", self.uri)
            return None

    def _give_up(self, error: AccessDeniedError) -> None:
        self._usable = False
        log.warning(
            "A retry will import everything again, because progress cannot be noted at %s. Set "
            "checkpoint_s3_uri to a prefix that may be read and written. %s",
            self.uri,
            error,
        )


def fingerprint(files: Iterable[tuple[str, int | None]]) -> str:
    """Identify a list of files.

    :param files: URI and size in bytes of each.
    :returns: a hash that is another one as soon as a file is added, removed or replaced by one of
        another size.
    """
    digest = hashlib.sha256()
    for uri, size in files:
        digest.update(f"{uri}\n{size}\n".encode())
    return digest.hexdigest()
