import json
from pathlib import Path

import pytest

from updraft.lineage import harvest_outbox, harvested_index
from updraft.lineage.event_text import FoundEvent
from updraft.lineage.harvest_outbox import HarvestOutbox
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import EventKey, OutboxError

SAMPLE = json.loads((Path(__file__).parent / "samples" / "airflow_3_start.json").read_text())


@pytest.fixture
def outbox(tmp_path: Path) -> LocalOutbox:
    return LocalOutbox(tmp_path / "outbox")


def found(number: int, time: str = "2026-11-22T20:07:12Z", **changes) -> FoundEvent:
    event = {**SAMPLE, "eventTime": time, "run": {"runId": f"r{number}"}, **changes}
    return FoundEvent(event, json.dumps(event, sort_keys=True).encode())


def store(outbox: LocalOutbox, events: list[FoundEvent]) -> tuple[int, int]:
    target = HarvestOutbox(outbox)
    for event in events:
        target.add(event)
    target.save()
    return target.stored, target.duplicates


def test_each_event_is_stored_once_whoever_harvests_it(outbox: LocalOutbox):
    events = [found(number) for number in range(5)]
    assert store(outbox, [*events, events[0]]) == (5, 1)
    assert store(outbox, [found(5), *events]) == (1, 5)
    bodies = {outbox.read(name) for name in outbox.event_names()}
    assert bodies == {found(number).body for number in range(6)}


def test_a_damaged_index_is_an_error(outbox: LocalOutbox):
    store(outbox, [found(1)])
    index = next(outbox.directory.glob("harvested/**/*.digests"))
    index.write_bytes(index.read_bytes()[:-1])
    with pytest.raises(OutboxError, match=r"hh=20\.digests .* is damaged; delete it"):
        store(outbox, [found(1)])


def test_names_say_run_and_type(outbox: LocalOutbox):
    job = FoundEvent({"eventTime": "?", "job": {}}, b"{}")
    store(outbox, [found(1), job])
    keys = {EventKey.parse(name).identity for name in outbox.event_names()}
    assert {key.rpartition("-")[0] for key in keys} == {"r1-START", "job-OTHER"}


def test_the_index_stays_small_over_many_hours(outbox: LocalOutbox, monkeypatch):
    monkeypatch.setattr(harvested_index, "_MOST_HOURS", 2)
    monkeypatch.setattr(harvest_outbox, "_BATCH_EVENTS", 2)
    events = [
        found(number, f"2026-11-{day:02}T{hour:02}:00:00Z")
        for number, (day, hour) in enumerate([(1, 1), (1, 2), (1, 3), (2, 1), (1, 1), (2, 2)])
    ]
    target = HarvestOutbox(outbox)
    for event in events:
        target.add(event)
        assert len(target._index._hours) <= 2
    target.save()
    assert store(outbox, events) == (0, 6)
    assert len(list(outbox.names("harvested/"))) == 5


def test_what_two_harvesters_remember_adds_up(outbox: LocalOutbox):
    one, other = HarvestOutbox(outbox), HarvestOutbox(outbox)
    one.add(found(1))
    other.add(found(2))
    one.save()
    other.save()
    assert store(outbox, [found(1), found(2)]) == (0, 2)


def test_an_outbox_that_fails_forgets_nothing(outbox: LocalOutbox, monkeypatch):
    def refuse(events):
        raise OutboxError("no space")

    target = HarvestOutbox(outbox)
    target.add(found(1))
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "put_events", refuse)
        with pytest.raises(OutboxError):
            target.save()
    assert store(outbox, [found(1)]) == (1, 0)


def test_secrets_of_a_form_do_not_come_in_by_the_log(outbox: LocalOutbox):
    facet = {"dagRun": {"conf": {"arguments": "--token=s3cret"}}}
    store(outbox, [found(1, run={"runId": "r", "facets": {"airflow": facet}})])
    (name,) = outbox.event_names()
    assert b"s3cret" not in outbox.read(name)


def test_many_files_at_once(outbox: LocalOutbox):
    events = [
        (
            EventKey.for_event(b"%d" % number, run_id=f"r{number}", event_type="START"),
            b"%d" % number,
        )
        for number in range(250)
    ]
    outbox.put_events(events)
    assert sorted(outbox.read(name) for name in outbox.event_names()) == sorted(
        body for _, body in events
    )
    assert not list(outbox.directory.rglob("*.partial"))


def test_a_directory_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "outbox").write_text("a file")
    with pytest.raises(OutboxError, match=r"cannot (read|write)"):
        store(LocalOutbox(tmp_path / "outbox"), [found(1)])
