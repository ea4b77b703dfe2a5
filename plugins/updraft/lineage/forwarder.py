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
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_random_exponential,
)

from updraft.errors import UpdraftError
from updraft.lineage.catalog import Catalog, CatalogUnavailableError, EventRefusedError
from updraft.lineage.catalog_names import rename_event
from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.outbox import DeadLetter, EventKey, ObjectMissingError, Outbox
from updraft.lineage.rate_limit import RateLimiter
from updraft.lineage.validation import InvalidEventError, check
from updraft.lineage.wire_format import client_token, decode, encode

log = logging.getLogger(__name__)

# Quota of PostLineageEvent, per account and Region: 20 a second. Half of it leaves room for others.
DEFAULT_EVENTS_PER_SECOND = 10.0
# PostLineageEvent takes no event of more bytes than this.
LARGEST_EVENT = 300_000

_BATCH = 1_000
_SAVE_EVERY_SECONDS = 15.0
_TERMINAL_TYPES = frozenset({"COMPLETE", "ABORT", "FAIL"})


class ForwardingStoppedError(UpdraftError):
    """Forwarding ended before the outbox was done; the next run continues."""


@dataclass
class ForwardCounts:
    """What one run of the forwarder did.

    :param read: events looked at, without those that an earlier run had settled.
    :param posted: events that the catalog took.
    :param already_there: events that the catalog said it had.
    :param duplicates: copies of an event that were left out, because one that was written at
        about the same time is delivered.
    :param dead_lettered: events put aside with a reason.
    :param not_run_events: job and dataset events, which the catalog has no place for.
    :param missing: events that were deleted between listing and reading.
    :param unrecognised: objects in the outbox that are not named like an event.
    :param bytes_posted: size of the events that the catalog took.
    """

    read: int = 0
    posted: int = 0
    already_there: int = 0
    duplicates: int = 0
    dead_lettered: int = 0
    not_run_events: int = 0
    missing: int = 0
    unrecognised: int = 0
    bytes_posted: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, as they go into XCom."""
        return asdict(self)


class Forwarder:
    """Post what is new in an outbox to a catalog.

    :param outbox: where the events are.
    :param catalog: where they go.
    :param events_per_second: calls to the catalog per second, attempts that fail included.
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
        overlap: timedelta = timedelta(minutes=15),
        attempts: int = 8,
        longest_wait: float = 20.0,
    ) -> None:
        self.counts = ForwardCounts()
        self._outbox = outbox
        self._catalog = catalog
        self._overlap = overlap
        self._limiter = RateLimiter(events_per_second)
        self._attempts = attempts
        self._stopping = False
        self._checkpoint = Checkpoint()
        self._last_save = 0.0
        self._retrying = Retrying(
            retry=retry_if_exception_type(CatalogUnavailableError),
            wait=wait_random_exponential(multiplier=0.5, max=longest_wait),
            stop=self._gives_up,
            sleep=self._pause,
            before_sleep=_log_retry,
            reraise=True,
        )

    def stop(self) -> None:
        """Make :meth:`run` return between two events, from a signal handler or another thread."""
        self._stopping = True

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
            if self._stopping and isinstance(error, CatalogUnavailableError):
                raise ForwardingStoppedError(self._stopped_message()) from error
            raise
        self._save_checkpoint()
        return self.counts

    def _run(self, progress: Callable[[ForwardCounts], None] | None) -> None:
        names = self._outbox.event_names(since=self._checkpoint.start(self._overlap))
        while batch := list(itertools.islice(names, _BATCH)):
            keys = self._recognise(batch)
            pending = [(name, key) for name, key in keys if not self._checkpoint.is_settled(key)]
            for name, key in in_run_order(pending):
                if self._stopping:
                    raise ForwardingStoppedError(self._stopped_message())
                self._settle(name, key)
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

    def _settle(self, name: str, key: EventKey) -> None:
        """Deliver one event or put it aside; on return it needs no further attention."""
        if self._checkpoint.has_copy(key, self._overlap):
            self.counts.duplicates += 1
            log.info("%s is left out: another copy of the event is delivered", name)
            self._checkpoint.settle(key)
            return
        self.counts.read += 1
        try:
            body = self._outbox.read(name)
        except ObjectMissingError:
            self.counts.missing += 1
            log.warning("%s was deleted from %s before it was delivered", name, self._outbox.uri)
            self._checkpoint.settle_object(key)
            return
        try:
            self._deliver(body)
        except (InvalidEventError, EventRefusedError) as error:
            self._put_aside(name, body, str(error))
            # A copy under a new time is how a dead letter is sent again.
            self._checkpoint.settle_object(key)
        else:
            self._checkpoint.settle(key)

    def _deliver(self, body: bytes) -> None:
        event = decode(body)
        if "run" not in event and ("job" in event or "dataset" in event):
            # DataZone's reference: "Only open-lineage run event are supported as events".
            self.counts.not_run_events += 1
            log.info("A job or dataset event is left out: the catalog takes run events only")
            return
        try:
            check(event)
            rename_event(event)
            prepared = encode(event)
        except RecursionError:
            raise InvalidEventError("the event is nested too deeply") from None
        if len(prepared) > LARGEST_EVENT:
            raise EventRefusedError(
                f"the event has {len(prepared):,} bytes; the catalog takes {LARGEST_EVENT:,}"
            )
        token = client_token(event, prepared)
        if self._retrying(self._post, prepared, token) is None:
            self.counts.already_there += 1
        else:
            self.counts.posted += 1
            self.counts.bytes_posted += len(prepared)

    def _post(self, event: bytes, token: str) -> str | None:
        self._pause(self._limiter.reserve())
        return self._catalog.post(event, token)

    def _gives_up(self, state: RetryCallState) -> bool:
        return self._stopping or state.attempt_number >= self._attempts

    def _pause(self, seconds: float) -> None:
        # In slices, and without a lock that a signal handler calling `stop` could block on.
        deadline = time.monotonic() + seconds
        while not self._stopping and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))

    def _put_aside(self, name: str, body: bytes, reason: str) -> None:
        letter = self._outbox.put_dead_letter(DeadLetter(name, reason, datetime.now(UTC), body))
        self.counts.dead_lettered += 1
        log.warning("Dead letter %s/%s: %s", self._outbox.uri, letter, reason)

    def _load_checkpoint(self) -> Checkpoint | None:
        document = self._outbox.load_checkpoint(self._catalog.name)
        if document is None:
            return None
        where = f"{self._catalog.name} in {self._outbox.uri}"
        return Checkpoint.from_json(document, where)

    def _save_checkpoint(self) -> None:
        # Another forwarder may have saved since; the union of both is true as well.
        saved = self._load_checkpoint()
        if saved is not None:
            self._checkpoint.merge(saved, self._overlap)
        self._outbox.save_checkpoint(self._catalog.name, self._checkpoint.to_json())
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


def in_run_order(pending: Sequence[tuple[str, EventKey]]) -> list[tuple[str, EventKey]]:
    """Put the start of a run before its end where the outbox has them the other way round.

    :param pending: names and keys in the order of the outbox.
    :returns: the same, moved as little as possible.
    """
    first_end: dict[str, int] = {}
    for index, (_, key) in enumerate(pending):
        if key.event_type in _TERMINAL_TYPES:
            first_end.setdefault(key.run_id, index)

    def rank(indexed: tuple[int, tuple[str, EventKey]]) -> tuple[int, bool]:
        index, (_, key) = indexed
        if key.event_type == "START":
            return min(index, first_end.get(key.run_id, index)), False
        return index, True

    return [item for _, item in sorted(enumerate(pending), key=rank)]


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("Attempt %d to post an event failed: %s", state.attempt_number, error)
