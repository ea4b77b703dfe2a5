"""Harvests log groups of CloudWatch piece by piece, each run from where the last one stopped.

A log event has a time of its own and a time of ingestion, and only the first can be searched for.
Handlers collect events before they send them, so an event may turn up after younger ones were read.
Each run therefore begins some time before the end of the last one: fifteen minutes, or twice the
longest delay between the two times that was seen. What was harvested before is recognised.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from updraft.errors import UpdraftError
from updraft.lineage.harvest_outbox import HarvestOutbox
from updraft.lineage.log_harvest import CutEvent, LogHarvest
from updraft.lineage.log_records import LogText
from updraft.lineage.outbox import Outbox, OutboxError

Pages = Callable[[str, int, int], Iterator[Sequence[Mapping[str, Any]]]]
"""Gives pages of log events of a group between two times, in milliseconds since 1970."""

DEFAULT_OVERLAP = 15 * 60 * 1000
_LONGEST_OVERLAP = 24 * 60 * 60 * 1000
_WINDOW = 60 * 60 * 1000
_SHORTEST_WINDOW = 60 * 1000
# So long the rest of a split event may be under way, before the event counts as truncated.
_REST_MAY_COME = 60 * 1000
_VERSION = 1
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class HarvestStoppedError(UpdraftError):
    """Harvesting was stopped; the next run continues."""


@dataclass
class LogGroupCheckpoint:
    """How far a log group was harvested.

    :param through: everything that was there up to then is harvested, milliseconds since 1970.
    :param delay: longest time from an event to its ingestion that was seen, milliseconds.
    """

    through: int
    delay: int = 0

    def start(self, overlap: int) -> int:
        """Say from when on to read, milliseconds since 1970.

        :param overlap: how long before the end of the last run, at least.
        """
        return self.through - min(max(overlap, 2 * self.delay), _LONGEST_OVERLAP)


@dataclass
class GroupProgress:
    """How far an interrupted harvest of one group has come.

    :param read_to: everything before is read, milliseconds since 1970; None at the beginning.
    :param window: milliseconds of log that are read between two checkpoints.
    """

    read_to: int | None = None
    window: int = _WINDOW

    def shorten(self) -> None:
        """Take smaller steps, so that one gets through where calls are few."""
        self.window = max(self.window // 2, _SHORTEST_WINDOW)


@dataclass
class GroupCounts:
    """What was done with log groups.

    :param log_events: log events that were read.
    :param found: whole lineage events in them.
    :param split: how many of these were put together from several log events.
    :param truncated: lineage events of which there is a beginning only.
    :param stored: lineage events that were new.
    :param duplicates: those that were harvested before.
    """

    log_events: int = 0
    found: int = 0
    split: int = 0
    truncated: int = 0
    stored: int = 0
    duplicates: int = 0

    def add(self, other: Mapping[str, int]) -> None:
        """Add counts by name."""
        for name, count in other.items():
            setattr(self, name, getattr(self, name) + count)


@dataclass
class LogGroupHarvest:
    """Harvest log groups into an outbox.

    :param pages: reads a log group.
    :param outbox: where the events and the checkpoints go.
    :param overlap: how long before the end of the last run to begin, milliseconds.
    :param counts: what was done so far.
    :param cut: events of which there is a beginning only.
    """

    pages: Pages
    outbox: Outbox
    overlap: int = DEFAULT_OVERLAP
    counts: GroupCounts = field(default_factory=GroupCounts)
    cut: list[CutEvent] = field(default_factory=list)
    _stopping: bool = False

    def stop(self) -> None:
        """Make :meth:`harvest` end between two pages, from a signal handler or another thread."""
        self._stopping = True

    def harvest(
        self, group: str, until: int, look_back: int, progress: GroupProgress | None = None
    ) -> None:
        """Harvest what is new in a log group.

        :param group: its name.
        :param until: up to when, milliseconds since 1970.
        :param look_back: how far back to begin where nothing was harvested before, milliseconds.
        :param progress: how far it has come before an interruption. It is kept up to date, so that
            the same harvest can go on after another one.
        :raises HarvestStoppedError: when :meth:`stop` ended it.
        :raises OutboxError: when the outbox cannot be read or written.
        """
        progress = progress or GroupProgress()
        checkpoint = self._load(group)
        if progress.read_to is not None and checkpoint is not None:
            # The beginning of an event that was split may stand just before the interruption.
            start = progress.read_to - _REST_MAY_COME
            seen_before = start - 1
        elif checkpoint is not None:
            start = checkpoint.start(self.overlap)
            seen_before = checkpoint.through - _REST_MAY_COME
        else:
            start = until - look_back
            checkpoint = LogGroupCheckpoint(start)
            seen_before = start - _REST_MAY_COME
        target = HarvestOutbox(self.outbox)
        reader = LogHarvest(
            target.add,
            reports_cut=lambda at: seen_before < at <= until - _REST_MAY_COME,
        )
        try:
            for begin in range(start, until + 1, progress.window):
                end = min(begin + progress.window - 1, until)
                self._read_window(reader, group, (begin, end), checkpoint)
                target.save()
                checkpoint.through = max(checkpoint.through, end)
                self._save(group, checkpoint)
                progress.read_to = end + 1
            reader.finish()
        except UpdraftError:
            # Whoever goes on reads the last minute again, and sees no beginning from before it.
            reader.finish((progress.read_to or start) - _REST_MAY_COME)
            target.save()
            raise
        finally:
            self.cut.extend(reader.cut)
            self.counts.add(reader.counts.as_dict())
            self.counts.add({"stored": target.stored, "duplicates": target.duplicates})

    def _read_window(
        self,
        reader: LogHarvest,
        group: str,
        window: tuple[int, int],
        checkpoint: LogGroupCheckpoint,
    ) -> None:
        for page in self.pages(group, *window):
            if self._stopping:
                raise HarvestStoppedError(f"harvesting {group} was stopped; the next run continues")
            self._read(reader, group, page, checkpoint)

    def _read(
        self,
        reader: LogHarvest,
        group: str,
        page: Sequence[Mapping[str, Any]],
        checkpoint: LogGroupCheckpoint,
    ) -> None:
        self.counts.log_events += len(page)
        for event in page:
            delay = event.get("ingestionTime", event["timestamp"]) - event["timestamp"]
            checkpoint.delay = max(checkpoint.delay, delay)
        reader.read(
            (
                LogText(event["logStreamName"], event["timestamp"], event["message"])
                for event in page
            ),
            group,
        )

    def _load(self, group: str) -> LogGroupCheckpoint | None:
        document = self.outbox.load_checkpoint(_reader(group))
        if document is None:
            return None
        try:
            fields = json.loads(document)
            known = {_VERSION: LogGroupCheckpoint}[fields["version"]]
            return known(int(fields["through"]), int(fields["delay"]))
        except (ValueError, KeyError, TypeError) as error:
            raise OutboxError(
                f"the checkpoint {_reader(group)} in {self.outbox.uri} cannot be read ({error}); "
                f"delete it to begin again"
            ) from error

    def _save(self, group: str, checkpoint: LogGroupCheckpoint) -> None:
        document = {"version": _VERSION, "through": checkpoint.through, "delay": checkpoint.delay}
        self.outbox.save_checkpoint(_reader(group), json.dumps(document).encode())


def _reader(group: str) -> str:
    return f"logs-{_UNSAFE.sub('_', group)[:80]}-{sha256(group.encode()).hexdigest()[:8]}"
