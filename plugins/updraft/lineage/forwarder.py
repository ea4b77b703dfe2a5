"""Delivery of lineage events from the outbox to a catalog.

Each event is delivered, or put aside with a reason; whatever interrupts the forwarder, the next
run goes on where it stopped. An event reaches the catalog once as far as the catalog remembers
tokens. Three things make that hold: the position moves only past events that are settled, events
that may turn up late are looked for again, and the client token depends on nothing but the
content, so that a catalog recognises what it was sent before.
"""

import itertools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from updraft.errors import UpdraftError
from updraft.lineage.catalog import Catalog, CatalogUnavailableError, EventRefusedError
from updraft.lineage.catalog_names import rename_event
from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.forward_counts import ForwardCounts
from updraft.lineage.missing_starts import missing_starts
from updraft.lineage.orphans import StateOf, closing_events
from updraft.lineage.outbox import DeadLetter, EventKey, ObjectMissingError, Outbox
from updraft.lineage.paced_catalog import PacedCatalog
from updraft.lineage.preparation import (
    Event,
    NotRunEventError,
    StoredEvent,
    posting,
    understand,
)
from updraft.lineage.run_order import in_run_order, same_moments
from updraft.lineage.silent_tries import LastTries, silent_tries
from updraft.lineage.validation import InvalidEventError

log = logging.getLogger(__name__)

# Quota of PostLineageEvent, per account and Region. Half of it leaves room for others.
DEFAULT_EVENTS_PER_SECOND = 10.0
HIGHEST_EVENTS_PER_SECOND = 20.0
# PostLineageEvent takes no event of more bytes than this.
LARGEST_EVENT = 300_000

_BATCH = 1_000
_SAVE_EVERY_SECONDS = 15.0
# Airflow knows that a task is over, and then its listener emits the end: ten seconds for that and
# twenty until the process is ended are what Airflow allows by default. The rest is for the outbox.
_LISTENER_MAY_TAKE = timedelta(minutes=2)


class ForwardingStoppedError(UpdraftError):
    """Forwarding ended before the outbox was done; the next run continues."""


class Forwarder:
    """Post what is new in an outbox to a catalog.

    :param outbox: where the events are.
    :param catalog: where they go.
    :param events_per_second: calls to the catalog per second, attempts that fail included.
    :param rename: changes the names of an event's datasets, in place, to those of the catalog.
    :param limit: how many bytes an event may have; ``None`` for no limit.
    :param overlap: how much later than its time an event may appear in the outbox.
    :param attempts: how often an event is sent while the catalog is unavailable.
    :param longest_wait: upper limit in seconds for the random, exponentially growing pause
        between two attempts.
    """

    def __init__(
        self,
        outbox: Outbox,
        catalog: Catalog,
        *,
        events_per_second: float = DEFAULT_EVENTS_PER_SECOND,
        rename: Callable[[Event], None] = rename_event,
        limit: int | None = LARGEST_EVENT,
        overlap: timedelta = timedelta(minutes=15),
        attempts: int = 8,
        longest_wait: float = 20.0,
    ) -> None:
        self.counts = ForwardCounts()
        self._outbox = outbox
        self._catalog = PacedCatalog(catalog, events_per_second, attempts, longest_wait)
        self._rename = rename
        self._limit = limit
        self._overlap = overlap
        self._checkpoint = Checkpoint()
        self._saved = b""
        self._last_save = 0.0

    def stop(self) -> None:
        """Make :meth:`run` return between two events, from a signal handler or another thread."""
        self._catalog.stop()

    def run(self, progress: Callable[[ForwardCounts], None] | None = None) -> ForwardCounts:
        """Deliver everything that is in the outbox and not settled.

        :param progress: called every few seconds with the counts so far.
        :returns: what was done.
        :raises ForwardingStoppedError: when :meth:`stop` ended the run early.
        :raises CatalogError: when the catalog takes no event, or stays unavailable.
        :raises OutboxError: when the outbox or the checkpoint cannot be read or written.
        """
        self._checkpoint = self._load_checkpoint() or Checkpoint()
        self._last_save = time.monotonic()
        try:
            self._run(progress)
        except BaseException as error:
            self._save_after(error)
            if self._catalog.is_stopping and isinstance(error, CatalogUnavailableError):
                raise ForwardingStoppedError(self._stopped_message()) from error
            raise
        self._save_checkpoint()
        return self.counts

    def complete_runs(
        self,
        state_of: StateOf,
        namespace: str,
        after: timedelta,
        last_tries: LastTries = lambda _: (),
    ) -> None:
        """Put starts and ends that are missing into the outbox; :meth:`run` posts them.

        Runs that Airflow knows to be over get an end, ends of tasks that have no start get one, and
        last tries that have emitted nothing get both.

        :param state_of: asks Airflow for the state of a task instance or a DAG run.
        :param namespace: namespace of the jobs of this Airflow.
        :param after: how long a run is open before it is looked at.
        :param last_tries: asks Airflow for the last tries of a DAG run.
        :raises OutboxError: when the outbox or the checkpoint cannot be read or written.
        """
        self._checkpoint = self._load_checkpoint() or Checkpoint()
        grace = min(after, _LISTENER_MAY_TAKE)
        runs = self._checkpoint.runs
        made = itertools.chain(
            missing_starts(runs, self._outbox, namespace=namespace, after=grace),
            closing_events(runs, state_of, namespace=namespace, after=after, grace=grace),
            silent_tries(runs, self._outbox, last_tries, namespace=namespace, after=grace),
        )
        try:
            for key, body in made:
                self._outbox.put_event(body, key)
                is_start = key.event_type == "START"
                self.counts.starts_added += is_start
                self.counts.closed += not is_start
                log.warning("Run %s has emitted no %s; one is made", key.run_id, key.event_type)
        finally:
            if self._checkpoint.position is not None:
                self._save_checkpoint()  # it says since when runs are over, and what was looked at

    def _run(self, progress: Callable[[ForwardCounts], None] | None) -> None:
        names = self._outbox.event_names(since=self._checkpoint.start(self._overlap))
        while batch := list(itertools.islice(names, _BATCH)):
            keys = self._recognise(batch)
            pending = [(name, key) for name, key in keys if not self._checkpoint.is_settled(key)]
            for group in same_moments(in_run_order(pending)):
                if self._catalog.is_stopping:
                    raise ForwardingStoppedError(self._stopped_message())
                self._settle(group)
                if time.monotonic() - self._last_save > _SAVE_EVERY_SECONDS:
                    self._save_checkpoint()
                    if progress:
                        progress(self.counts)
            if keys:
                self._checkpoint.advance(keys[-1][1].written_at, self._overlap)

    def _recognise(self, names: Iterable[str]) -> list[tuple[str, EventKey]]:
        keys = []
        for name in names:
            key = EventKey.parse(name)
            if key is None:
                self.counts.unrecognised += 1
                log.warning("%s in %s is not a lineage event; left alone", name, self._outbox.uri)
            else:
                keys.append((name, key))
        return keys

    def _settle(self, group: Sequence[tuple[str, EventKey]]) -> None:
        """Deliver events of one moment or put them aside; then they need no further attention."""
        stored: list[StoredEvent] = []
        for name, key in group:
            if self._checkpoint.has_copy(key, self._overlap):
                self._leave_out(name, key)
                continue
            one = self._read(name, key)
            if one is not None:
                stored.append(one)
        if not stored:
            return
        try:
            self._deliver(stored)
        except EventRefusedError as error:
            if len(stored) > 1:
                # One of them is at fault, or what they make together: each gets its own chance.
                self.counts.read -= len(stored)
                for one in stored:
                    self._settle([(one.name, one.key)])
                return
            self._put_aside(stored[0].name, stored[0].body, str(error))
            # A copy under a new time is how a dead letter is sent again.
            self._checkpoint.settle_object(stored[0].key)

    def _leave_out(self, name: str, key: EventKey) -> None:
        self.counts.duplicates += 1
        log.info("%s is left out: another copy of the event is delivered", name)
        self._checkpoint.settle(key)

    def _read(self, name: str, key: EventKey) -> StoredEvent | None:
        """Read an event; None if there is nothing to deliver, and it is settled."""
        self.counts.read += 1
        try:
            body = self._outbox.read(name)
            return StoredEvent(name, key, body, understand(body, self._rename))
        except ObjectMissingError:
            self.counts.missing += 1
            log.warning("%s was deleted from %s before it was delivered", name, self._outbox.uri)
            self._checkpoint.settle_object(key)
        except NotRunEventError:
            # DataZone's reference: "Only open-lineage run event are supported as events".
            self.counts.not_run_events += 1
            log.info("A job or dataset event is left out: the catalog takes run events only")
            self._checkpoint.settle(key)
        except InvalidEventError as error:
            self._put_aside(name, body, str(error))
            self._checkpoint.settle_object(key)
        return None

    def _deliver(self, stored: Sequence[StoredEvent]) -> None:
        first = stored[0]
        runs = self._checkpoint.runs
        if runs.is_ended(first.key) and not any(one.has_datasets for one in stored):
            # As when a task and the scheduler both say that it has failed.
            for one in stored:
                self._leave_out(one.name, one.key)
            return
        other_type = runs.other_type(first.key)
        made = posting(stored, self._limit, other_type)
        answers = self._catalog.send(made.pieces)
        if made.removed:
            self.counts.trimmed += 1
            log.warning("%s was too large; left out: %s", first.name, ", ".join(made.removed))
        self.counts.restarts += other_type is not None
        distinct = len({one.key.identity for one in stored})
        self.counts.merged += distinct - 1
        self.counts.duplicates += len(stored) - distinct
        if answers[-1] is None:
            self.counts.already_there += 1
        else:
            self.counts.posted += 1
            self.counts.bytes_posted += sum(len(body) for body, _ in made.pieces)
        for one in stored:
            self._checkpoint.settle(one.key)
        runs.note(first.key, first.event)

    def _put_aside(self, name: str, body: bytes, reason: str) -> None:
        letter = self._outbox.put_dead_letter(DeadLetter(name, reason, datetime.now(UTC), body))
        self.counts.dead_lettered += 1
        log.warning("Dead letter %s/%s: %s", self._outbox.uri, letter, reason)

    def _load_checkpoint(self) -> Checkpoint | None:
        document = self._outbox.load_checkpoint(self._catalog.name)
        if document is None:
            return None
        self._saved = sha256(document).digest()
        return self._understand(document)

    def _understand(self, document: bytes) -> Checkpoint:
        return Checkpoint.from_json(document, f"{self._catalog.name} in {self._outbox.uri}")

    def _save_checkpoint(self) -> None:
        # Another forwarder may have saved since; the union of both is true as well.
        document = self._outbox.load_checkpoint(self._catalog.name)
        if document is not None and sha256(document).digest() != self._saved:
            self._checkpoint.merge(self._understand(document), self._overlap)
        document = self._checkpoint.to_json()
        self._outbox.save_checkpoint(self._catalog.name, document)
        self._saved = sha256(document).digest()
        self._last_save = time.monotonic()

    def _save_after(self, error: BaseException) -> None:
        try:
            self._save_checkpoint()
        except UpdraftError as second:
            # The first error is the one to report; what was posted since the last checkpoint is
            # sent again with the same tokens.
            log.warning("After %r, the checkpoint could not be saved: %s", error, second)

    def _stopped_message(self) -> str:
        return (
            f"forwarding was stopped after {self.counts.posted} events; the checkpoint is saved "
            f"and the next run continues"
        )
