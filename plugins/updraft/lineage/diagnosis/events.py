"""What events in the outbox say about those that are missing."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.lineage.catalog_names import rename_dataset
from updraft.lineage.diagnosis.findings import Finding, error, ok, warning
from updraft.lineage.forwarder import LARGEST_EVENT
from updraft.lineage.naming import DatasetName
from updraft.lineage.outbox import DeadLetter, EventKey, ObjectMissingError, Outbox, OutboxError
from updraft.lineage.validation import InvalidEventError
from updraft.lineage.wire_format import decode

_ENDS = frozenset({"COMPLETE", "ABORT", "FAIL"})
_BOUNDS = (1_000, 10_000, 50_000, 100_000, 200_000, LARGEST_EVENT)
_SHOWN = 5  # examples in a message


@dataclass
class EventSurvey:
    """What a walk through the events of an outbox has seen.

    :param sizes: number of events by the bound of their size in bytes, None for larger ones.
    :param largest: the largest event, in bytes.
    :param open_runs: begin and job of the runs without an end, by id.
    :param datasets: number of mentions of each dataset, by the name that the catalog looks up.
    :param unreadable: names of objects that are no events.
    """

    sizes: Counter[int | None] = field(default_factory=Counter)
    largest: int = 0
    open_runs: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    datasets: Counter[DatasetName] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)
    _ended: set[str] = field(default_factory=set)

    @property
    def events(self) -> int:
        """How many events were seen."""
        return self.sizes.total()

    def add(self, body: bytes, event: Mapping[str, Any], written_at: datetime) -> None:
        """Take note of an event.

        :param body: the event as it is stored.
        :param event: the event.
        :param written_at: when it was stored.
        """
        size = len(body)
        self.sizes[next((bound for bound in _BOUNDS if size <= bound), None)] += 1
        self.largest = max(self.largest, size)
        for dataset in (*(event.get("inputs") or ()), *(event.get("outputs") or ())):
            name = DatasetName(str(dataset.get("namespace")), str(dataset.get("name")))
            self.datasets[rename_dataset(name)] += 1
        run_id = str((event.get("run") or {}).get("runId", ""))
        if event.get("eventType") in _ENDS:
            self._ended.add(run_id)
            self.open_runs.pop(run_id, None)
        elif event.get("eventType") == "START" and run_id not in self._ended:
            job = event.get("job") or {}
            self.open_runs.setdefault(run_id, (written_at, str(job.get("name"))))


def survey(outbox: Outbox, since: datetime) -> EventSurvey:
    """Walk through the events of an outbox.

    :param outbox: the outbox.
    :param since: how far back, UTC.
    :returns: what was seen.
    :raises OutboxError: when the outbox cannot be read.
    """
    seen = EventSurvey()
    for name in outbox.event_names(since):
        key = EventKey.parse(name)
        try:
            body = outbox.read(name)
            event = decode(body)
        except ObjectMissingError:
            continue
        except InvalidEventError:
            key = None
        if key is None:
            seen.unreadable.append(name)
            continue
        seen.add(body, event, key.written_at)
    return seen


def diagnose_events(
    seen: EventSurvey, *, longest_run: timedelta, now: datetime | None = None
) -> Iterator[Finding]:
    """Say what a walk has shown.

    :param seen: what it has seen.
    :param longest_run: how long a task may run before it counts as one without end.
    :param now: the present, UTC.
    :returns: sizes, runs without end, objects that are no events.
    """
    now = now or datetime.now(UTC)
    if not seen.events:
        yield warning(
            "events", "there is no event", "run a DAG, and look again; or look further back"
        )
    else:
        yield ok("events", f"{seen.events:,} events, {_histogram(seen)}")
    too_large = seen.sizes[None]
    if too_large:
        yield error(
            "size",
            f"{too_large:,} events have more than {LARGEST_EVENT:,} bytes, the largest "
            f"{seen.largest:,}; the catalog takes none of them as they are",
            "leave out facets that nobody reads, such as the source code: "
            "openlineage.disable_source_code = True",
        )
    if seen.unreadable:
        yield warning(
            "outbox",
            f"{len(seen.unreadable):,} objects are no events, such as "
            f"{', '.join(seen.unreadable[:_SHOWN])}",
            "let nothing else write below events/",
        )
    forgotten = sorted(
        (begun, job) for begun, job in seen.open_runs.values() if now - begun > longest_run
    )
    if forgotten:
        examples = "; ".join(f"{job} since {begun:%Y-%m-%d %H:%M}" for begun, job in forgotten[:5])
        yield warning(
            "runs",
            f"{len(forgotten):,} runs have begun and not ended within {longest_run}: {examples}",
            "a task that was killed emits no end; the catalog shows it as running for ever",
        )
    elif seen.events:
        yield ok("runs", f"{len(seen.open_runs):,} runs go on")


def diagnose_dead_letters(outbox: Outbox) -> Iterator[Finding]:
    """Count what the catalog did not take, by reason.

    :param outbox: the outbox.
    :returns: the most frequent reasons.
    :raises OutboxError: when the outbox cannot be read.
    """
    reasons: Counter[str] = Counter()
    for name in outbox.dead_letter_names():
        try:
            reasons[DeadLetter.from_json(outbox.read(name)).reason] += 1
        except ObjectMissingError:
            continue
        except OutboxError as failure:
            reasons[str(failure)] += 1
    if not reasons:
        yield ok("dead letters", "there is none")
        return
    listed = "; ".join(
        f"{number:,} times {reason}" for reason, number in reasons.most_common(_SHOWN)
    )
    yield error(
        "dead letters",
        f"{reasons.total():,} events were put aside: {listed}",
        "mend the cause, and post them again with updraft lineage replay",
    )


def _histogram(seen: EventSurvey) -> str:
    shares = [
        f"{seen.sizes[bound]:,} up to {bound / 1000:g} kB" for bound in _BOUNDS if seen.sizes[bound]
    ]
    if seen.sizes[None]:
        shares.append(f"{seen.sizes[None]:,} larger")
    return ", ".join(shares)
