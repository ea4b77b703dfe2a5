import multiprocessing
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import (
    DeadLetter,
    EventKey,
    ObjectMissingError,
    OutboxError,
)

MOMENT = datetime(2026, 11, 22, 20, 7, 12, 289126, tzinfo=UTC)
RUN = "0193f0a2-8a6c-7000-8000-000000000001"

moments = st.integers(0, 2**32).map(
    lambda seconds: MOMENT.replace(year=1990) + timedelta(seconds=seconds, microseconds=seconds)
)


def key_at(moment: datetime, body: bytes = b"{}", event_type: str = "START") -> EventKey:
    return EventKey.for_event(body, run_id=RUN, event_type=event_type, written_at=moment)


@pytest.fixture
def outbox(tmp_path: Path) -> LocalOutbox:
    return LocalOutbox(tmp_path / "outbox")


def test_name_of_an_event():
    assert str(key_at(MOMENT)) == (
        f"events/dt=2026-11-22/hh=20/20261122T200712289126Z-{RUN}-START-44136fa3.json"
    )


@given(first=moments, second=moments, bodies=st.tuples(st.binary(), st.binary()))
def test_names_sort_by_time(first: datetime, second: datetime, bodies: tuple[bytes, bytes]):
    names = str(key_at(first, bodies[0])), str(key_at(second, bodies[1]))
    if first < second:
        assert names[0] < names[1]
    elif first > second:
        assert names[0] > names[1]


@given(moment=moments, bodies=st.lists(st.binary(), min_size=2, max_size=2, unique=True))
def test_two_events_of_one_moment_have_two_names(moment: datetime, bodies: list[bytes]):
    assert key_at(moment, bodies[0]) != key_at(moment, bodies[1])


@given(moment=moments, run_id=st.text(), event_type=st.text(), body=st.binary())
def test_a_name_reads_back_whatever_the_event_says(moment, run_id, event_type, body):
    key = EventKey.for_event(body, run_id=run_id, event_type=event_type, written_at=moment)
    assert EventKey.parse(str(key)) == key
    assert re.fullmatch(r"[A-Za-z0-9_./=-]+", str(key))


@pytest.mark.parametrize(
    "name",
    ["events/README", "events/x.json", "", f"20261399T200712289126Z-{RUN}-START-44136fa3.json"],
)
def test_a_foreign_name_is_no_key(name: str):
    assert EventKey.parse(name) is None


def test_events_come_back_in_order_and_from_a_moment_on(outbox: LocalOutbox):
    moments = [MOMENT + timedelta(minutes=17 * step) for step in range(200)]
    for moment in reversed(moments):
        outbox.put_event(b"{}", key_at(moment))
    keys = [EventKey.parse(name) for name in outbox.event_names()]
    assert [key.written_at for key in keys] == moments
    later = [EventKey.parse(name) for name in outbox.event_names(since=moments[50])]
    assert [key.written_at for key in later] == moments[50:]


@given(data=st.data())
def test_listing_after_a_name_is_the_rest_of_the_listing(tmp_path_factory, data):
    outbox = LocalOutbox(tmp_path_factory.mktemp("outbox"))
    hours = data.draw(st.lists(st.integers(0, 80), min_size=1, max_size=8, unique=True))
    for hour in hours:
        outbox.put_event(b"{}", key_at(MOMENT + timedelta(hours=hour)))
    names = list(outbox.names("events/"))
    assert names == sorted(names)
    after = data.draw(st.sampled_from(names))
    assert list(outbox.names("events/", after=after)) == [name for name in names if name > after]


def test_half_written_files_are_not_listed(outbox: LocalOutbox):
    outbox.put_event(b"{}", key_at(MOMENT))
    (outbox.directory / "events/dt=2026-11-22/hh=20/.abc.partial").write_bytes(b"{")
    assert len(list(outbox.event_names())) == 1


def _write_many(directory: Path, writer: int) -> None:
    outbox = LocalOutbox(directory)
    for number in range(200):
        body = f'{{"writer": {writer}, "number": {number}}}'.encode()
        outbox.put_event(body, key_at(datetime.now(UTC), body))
        outbox.write("checkpoints/shared.json", body * 50)


def test_two_writers_at_once_lose_nothing(outbox: LocalOutbox):
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write_many, args=(outbox.directory, number)) for number in (1, 2)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        shared = outbox.load_checkpoint("shared")
        # Never a mixture of two writers, never a part.
        assert shared is None or shared == shared[: len(shared) // 50] * 50
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    bodies = {outbox.read(name) for name in outbox.event_names()}
    assert len(bodies) == 400
    assert not list(outbox.directory.rglob(".*"))


def test_dead_letter_keeps_the_event_byte_for_byte(outbox: LocalOutbox):
    for body in (b'{"a": "\xc3\xa9"}', b"\xff\x00 not UTF-8"):
        letter = DeadLetter(str(key_at(MOMENT, body)), "no reason", MOMENT, body)
        name = outbox.put_dead_letter(letter)
        assert DeadLetter.from_json(outbox.read(name)) == letter
    assert next(outbox.dead_letter_names()).startswith("dead-letters/dt=2026-11-22/hh=20/")


def test_what_is_not_a_dead_letter():
    with pytest.raises(OutboxError, match="not a dead letter"):
        DeadLetter.from_json(b"{}")


def test_missing_objects(outbox: LocalOutbox):
    assert list(outbox.event_names()) == []
    assert outbox.load_checkpoint("nobody") is None
    outbox.delete("events/nothing")
    with pytest.raises(ObjectMissingError, match="there is no events/nothing in file://"):
        outbox.read("events/nothing")


@pytest.mark.parametrize("location", ["relative/path", "file://elsewhere/path", "http://host/x"])
def test_a_location_that_is_no_directory(location: str):
    with pytest.raises(OutboxError, match=re.escape(repr(location))):
        LocalOutbox(location)


def test_file_uri_with_escapes(tmp_path: Path):
    directory = tmp_path / "with space"
    assert LocalOutbox(directory.as_uri()).directory == directory


@pytest.fixture
def file_in_the_way(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "outbox"
    path.write_text("a file where the directory should be")
    return path


def test_a_place_that_cannot_be_written(file_in_the_way: Path):
    with pytest.raises(OutboxError, match=f"cannot write {file_in_the_way}{os.sep}events"):
        LocalOutbox(file_in_the_way).put_event(b"{}", key_at(MOMENT))
