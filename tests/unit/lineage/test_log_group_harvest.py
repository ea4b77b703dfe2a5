import json
from pathlib import Path

import pytest

from tests.unit.lineage import log_forms as forms
from updraft.lineage import log_group_harvest
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.log_group_harvest import GroupCounts, HarvestStoppedError, LogGroupHarvest
from updraft.lineage.outbox import OutboxError

SAMPLE = json.loads((Path(__file__).parent / "samples" / "airflow_3_start.json").read_text())
MINUTE = 60_000
HOUR = 60 * MINUTE
NOW = 500_000 * HOUR


class Group:
    """A log group; `now` is the time at which it is read."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.asked: list[tuple[int, int]] = []
        self.failures: list[Exception] = []

    def put(self, message: str, at: int, delay: int = 0, stream: str = "s") -> None:
        self.events.append(
            {
                "logStreamName": stream,
                "timestamp": at,
                "message": message,
                "ingestionTime": at + delay,
            }
        )

    def pages(self, group: str, start: int, end: int):
        self.asked.append((start, end))
        if self.failures and start > NOW - 2 * HOUR:
            raise self.failures.pop()
        found = [event for event in self.events if start <= event["timestamp"] <= end]
        yield []
        for event in sorted(found, key=lambda event: event["timestamp"]):
            yield [event]


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def outbox(tmp_path: Path) -> LocalOutbox:
    return LocalOutbox(tmp_path)


def line(number: int) -> str:
    return forms.airflow_3_on_mwaa({**SAMPLE, "run": {"runId": f"r{number}"}})


def harvest(group: Group, outbox: LocalOutbox, until: int = NOW) -> GroupCounts:
    harvest = LogGroupHarvest(group.pages, outbox)
    harvest.harvest("airflow-env-Task", until, 24 * HOUR)
    return harvest.counts


def test_each_event_once_over_many_runs(group, outbox):
    for number in range(6):
        group.put(line(number), NOW - (5 - number) * HOUR)
    counts = harvest(group, outbox)
    assert (counts.log_events, counts.found, counts.stored) == (6, 6, 6)
    assert harvest(group, outbox, NOW + MINUTE).stored == 0
    group.put(line(9), NOW + MINUTE)
    assert harvest(group, outbox, NOW + 2 * MINUTE).stored == 1
    assert len(list(outbox.event_names())) == 7


def test_nothing_between_two_windows_is_left_out(group, outbox):
    harvest(group, outbox)
    edges = [NOW - 24 * HOUR - 1]
    for start, end in group.asked:
        assert start == edges[-1] + 1
        assert start <= end < start + HOUR
        edges.append(end)
    assert edges[-1] == NOW


def test_what_comes_late_is_found_by_the_delay_that_was_seen(group, outbox):
    group.put(line(1), NOW - HOUR, delay=40 * MINUTE)
    harvest(group, outbox)
    # An hour older than what was read, which is more than the overlap alone would find.
    group.put(line(2), NOW - HOUR)
    assert harvest(group, outbox, NOW + MINUTE).stored == 1


def test_the_overlap_is_a_quarter_of_an_hour(group, outbox):
    harvest(group, outbox)
    group.put(line(1), NOW - 14 * MINUTE)
    group.put(line(2), NOW - 16 * MINUTE)
    assert harvest(group, outbox, NOW + MINUTE).stored == 1


def test_an_interrupted_run_goes_on_with_its_window(group, outbox):
    for number in range(6):
        group.put(line(number), NOW - (5 - number) * HOUR)
    group.failures = [OSError("connection lost")]
    with pytest.raises(OSError, match="lost"):
        harvest(group, outbox)
    asked = len(group.asked)
    assert harvest(group, outbox).stored >= 2
    assert len(group.asked) - asked <= 4
    assert len(list(outbox.event_names())) == 6


def test_stopped_between_two_pages(group, outbox):
    group.put(line(1), NOW - MINUTE)
    stopped = LogGroupHarvest(group.pages, outbox)
    stopped.stop()
    with pytest.raises(HarvestStoppedError, match="the next run continues"):
        stopped.harvest("airflow-env-Task", NOW, HOUR)
    assert harvest(group, outbox).stored == 1


def test_a_truncated_event_is_reported_once(group, outbox):
    group.put(line(1)[:600], NOW - 30_000)
    assert harvest(group, outbox).truncated == 0  # its rest may be under way
    assert harvest(group, outbox, NOW + 2 * MINUTE).truncated == 1
    assert harvest(group, outbox, NOW + 4 * MINUTE).truncated == 0


def test_pieces_that_arrive_between_two_runs(group, outbox):
    group.put(line(1)[:600], NOW - 30_000)
    harvest(group, outbox)
    group.put(line(1)[600:], NOW - 30_000)
    counts = harvest(group, outbox, NOW + MINUTE)
    assert (counts.stored, counts.split, counts.truncated) == (1, 1, 0)


def test_groups_have_checkpoints_of_their_own(group, outbox):
    group.put(line(1), NOW - 10 * HOUR)
    LogGroupHarvest(group.pages, outbox).harvest("a/b", NOW, HOUR)
    both = LogGroupHarvest(group.pages, outbox)
    both.harvest("a_b", NOW, 24 * HOUR)
    assert both.counts.stored == 1


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"version": 2, "through": 1, "delay": 1}'])
def test_a_damaged_checkpoint_is_named(group, outbox, text):
    name = log_group_harvest._reader("airflow-env-Task")
    outbox.save_checkpoint(name, text)
    with pytest.raises(OutboxError, match=f"checkpoint {name} .* delete it"):
        harvest(group, outbox)
