import contextlib
import copy
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.lineage.catalog import (
    CatalogAccessError,
    CatalogUnavailableError,
    EventRefusedError,
)
from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.forwarder import (
    LARGEST_EVENT,
    Forwarder,
    ForwardingStoppedError,
)
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import DeadLetter, EventKey, OutboxError
from updraft.lineage.run_order import in_run_order
from updraft.lineage.validation import problems
from updraft.lineage.wire_format import client_token, encode

SAMPLE = json.loads((Path(__file__).parent / "samples" / "airflow_3_complete.json").read_text())
NOW = datetime.now(UTC)


class MemoryCatalog:
    """Keeps what was posted; `failures` are raised first, one per call."""

    name = "memory"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.events: dict[str, dict[str, Any]] = {}
        self.failures: list[BaseException] = []
        self.before: Callable[[], None] = lambda: None

    def post(self, event: bytes, client_token: str) -> str | None:
        self.before()
        self.calls.append(client_token)
        if self.failures:
            raise self.failures.pop(0)
        if client_token in self.events:
            return None
        self.events[client_token] = json.loads(event)
        return f"id{len(self.events)}"


@pytest.fixture
def outbox(tmp_path: Path) -> LocalOutbox:
    return LocalOutbox(tmp_path)


@pytest.fixture
def catalog() -> MemoryCatalog:
    return MemoryCatalog()


def make_event(number: int, event_type: str = "COMPLETE", **changes: Any) -> dict[str, Any]:
    event = copy.deepcopy(SAMPLE)
    event["run"]["runId"] = str(UUID(int=number))
    return event | {"eventType": event_type} | changes


def deeply_nested(levels: int) -> bytes:
    """An event that can be decoded, and whose column lineage goes very deep."""
    lineage = {
        "_producer": "https://example.org/p",
        "_schemaURL": "https://example.org/s",
        "fields": {},
        "more": "here",
    }
    dataset = {"namespace": "a", "name": "b", "facets": {"columnLineage": lineage}}
    text = json.dumps(make_event(1, outputs=[dataset]))
    return text.replace('"here"', '{"a":' * levels + "1" + "}" * levels).encode()


def put(outbox: LocalOutbox, event: dict[str, Any], written_at: datetime | None = None) -> EventKey:
    body = json.dumps(event).encode()
    key = EventKey.for_event(
        body,
        run_id=event.get("run", {}).get("runId", "job"),
        event_type=event.get("eventType", "OTHER"),
        written_at=written_at,
    )
    outbox.put_event(body, key)
    return key


def forward(outbox, catalog, **options):
    return Forwarder(outbox, catalog, events_per_second=1e6, longest_wait=0.001, **options).run()


def letters(outbox: LocalOutbox) -> list[DeadLetter]:
    return [DeadLetter.from_json(outbox.read(name)) for name in outbox.dead_letter_names()]


def test_events_arrive_renamed_and_once(outbox, catalog):
    event = make_event(
        1,
        outputs=[{"namespace": "arn:aws:dynamodb:eu-west-1:123456789012", "name": "table/orders"}],
    )
    put(outbox, event)
    counts = forward(outbox, catalog)
    assert (counts.read, counts.posted, counts.bytes_posted > 0) == (1, 1, True)
    (arrived,) = catalog.events.values()
    assert arrived["outputs"] == [
        {"namespace": "arn:aws:dynamodb:eu-west-1:123456789012:table", "name": "orders"}
    ]
    assert arrived["run"] == event["run"]


def test_forwarding_twice_posts_nothing_new(outbox, catalog):
    for number in range(30):
        put(outbox, make_event(number))
    assert forward(outbox, catalog).posted == 30
    second = forward(outbox, catalog)
    assert set(second.as_dict().values()) == {0}
    assert len(catalog.calls) == 30


class WorkerKilledError(BaseException):
    """Stands for whatever ends a process in the middle."""


@settings(max_examples=20, deadline=None)
@given(kills=st.lists(st.integers(0, 12), max_size=5), events=st.integers(1, 25))
def test_killed_in_the_middle_each_event_arrives_once(tmp_path_factory, kills, events):
    outbox = LocalOutbox(tmp_path_factory.mktemp("outbox"))
    catalog = MemoryCatalog()
    for number in range(events):
        put(outbox, make_event(number))
    for survived in kills:
        left = [survived]

        def before(left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise WorkerKilledError

        catalog.before = before
        with contextlib.suppress(WorkerKilledError):
            forward(outbox, catalog)
    catalog.before = lambda: None
    forward(outbox, catalog)
    assert sorted(event["run"]["runId"] for event in catalog.events.values()) == [
        str(UUID(int=number)) for number in range(events)
    ]
    assert Counter(catalog.calls).most_common(1)[0][1] == 1


def test_without_a_chance_to_save_the_same_tokens_are_sent_again(outbox, catalog):
    for number in range(5):
        put(outbox, make_event(number))
    forward(outbox, catalog)
    # What SIGKILL leaves behind: posted events and no checkpoint.
    outbox.delete("checkpoints/memory.json")
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.already_there) == (0, 5)
    assert len(catalog.events) == 5


def test_two_forwarders_at_once_do_no_harm(outbox, catalog):
    for number in range(20):
        put(outbox, make_event(number))
    inner = []

    def other_one_runs() -> None:
        if len(catalog.calls) == 7:
            catalog.before = lambda: None
            inner.append(forward(outbox, catalog))

    catalog.before = other_one_runs
    outer = forward(outbox, catalog)
    assert len(catalog.events) == 20
    assert outer.posted + inner[0].posted == 20
    assert forward(outbox, catalog).read == 0


def test_the_slower_of_two_forwarders_keeps_what_the_faster_has_settled(outbox, catalog):
    for number in range(5):
        put(outbox, make_event(number))

    def other_one_runs() -> None:
        catalog.before = lambda: None
        # Too late for the listing of the first, in time for the second.
        put(outbox, make_event(99))
        assert forward(outbox, catalog).posted == 6

    catalog.before = other_one_runs
    assert forward(outbox, catalog).already_there == 5
    assert forward(outbox, catalog).read == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"eventTime": "2026-', "not JSON: "),
        (b"\xff\xfe", "not JSON: "),
        (b"[1]", "not a JSON object but list"),
        (b'{"eventTime": NaN}', "not JSON: NaN is not a JSON number"),
        (b"[" * 100_000, "not JSON: "),
        (
            json.dumps(make_event(1)).encode()[:-1] + b', "x": 1e400}',
            "a number is beyond what JSON",
        ),
        (deeply_nested(1200), "the event is nested too deeply"),
        (b"{}", "$: 'run' is a required property"),
        (
            json.dumps(make_event(1) | {"eventTime": "yesterday"}).encode(),
            '$.eventTime is "yesterday", which is not a date-time',
        ),
    ],
)
def test_a_broken_event_is_put_aside_and_the_rest_goes_on(outbox, catalog, body, reason):
    put(outbox, make_event(1))
    broken = EventKey.for_event(body, run_id="broken", event_type="START")
    outbox.put_event(body, broken)
    put(outbox, make_event(2))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.dead_lettered) == (2, 1)
    (letter,) = letters(outbox)
    assert letter.event_name == str(broken)
    assert reason in letter.reason
    assert letter.body == body
    assert forward(outbox, catalog).dead_lettered == 0


def test_the_size_limit_is_that_of_the_service(outbox, catalog):
    def of_size(number: int, size: int, place: str) -> dict[str, Any]:
        event = make_event(number)
        documentation = {
            "_producer": "https://example.org/p",
            "_schemaURL": "https://example.org/s",
            "description": "",
        }
        event["job"]["facets"]["documentation"] = documentation
        event["inputs"] = [{"namespace": "a", "name": "b"}]
        holder, member = {
            "facet": (documentation, "description"),
            "name": (event["inputs"][0], "name"),
        }[place]
        holder[member] += "x" * (size - len(encode(event)))
        assert len(encode(event)) == size
        return event

    put(outbox, of_size(1, LARGEST_EVENT, "facet"))
    put(outbox, of_size(2, LARGEST_EVENT + 1, "facet"))
    put(outbox, of_size(3, LARGEST_EVENT + 50_000, "name"))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.trimmed, counts.dead_lettered) == (2, 1, 1)
    assert all(len(encode(event)) <= LARGEST_EVENT for event in catalog.events.values())
    assert letters(outbox)[0].reason.startswith("the event has 350,000 bytes, and ")
    assert letters(outbox)[0].reason.endswith("; the catalog takes 300,000")


def start(number: int, second: int, *inputs: str, **airflow: Any) -> dict[str, Any]:
    event = make_event(number, "START", eventTime=f"2026-11-22T20:00:{second:02}Z")
    event["inputs"] = [{"namespace": "a", "name": name} for name in inputs]
    event["outputs"] = []
    event["run"]["facets"].pop("airflow", None)
    if airflow:
        event["run"]["facets"]["airflow"] = {
            "_producer": "https://example.org/p",
            "_schemaURL": "https://example.org/s",
            "dagRun": {"dag_id": "d", "run_id": "r"},
            "task": {"task_id": "t"},
            "taskInstance": airflow,
        }
    return event


def arrived(catalog: MemoryCatalog) -> list[tuple[str, list[str]]]:
    return [
        (event["eventType"], [dataset["name"] for dataset in event["inputs"]])
        for event in catalog.events.values()
    ]


def test_starts_of_a_deferred_task_become_one(outbox, catalog):
    put(outbox, start(1, 31, "orders"))
    put(outbox, start(1, 30, "customers"))
    put(outbox, make_event(1))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.merged, counts.restarts) == (2, 1, 0)
    first = next(iter(catalog.events.values()))
    assert first["eventTime"] == "2026-11-22T20:00:30Z"
    assert arrived(catalog)[0] == ("START", ["customers", "orders"])
    assert set(forward(outbox, catalog).as_dict().values()) == {0}


def test_a_start_that_comes_hours_later_is_no_second_one(outbox, catalog):
    put(outbox, start(1, 1, "orders"), NOW - timedelta(hours=9))
    forward(outbox, catalog)
    put(outbox, make_event(2), NOW - timedelta(hours=5))
    put(outbox, start(1, 2, "customers"), NOW - timedelta(hours=4))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.restarts) == (2, 1)
    assert arrived(catalog)[0] == ("START", ["orders"])
    assert arrived(catalog)[2] == ("RUNNING", ["customers"])


def test_merged_starts_are_recognised_without_a_checkpoint(outbox, catalog):
    put(outbox, start(1, 1, "orders"), NOW - timedelta(seconds=9))
    forward(outbox, catalog)
    put(outbox, start(1, 2, "customers"), NOW)
    forward(outbox, catalog)
    outbox.delete("checkpoints/memory.json")
    assert forward(outbox, catalog).already_there == 1
    assert [kind for kind, _ in arrived(catalog)] == ["START", "RUNNING"]


def test_an_end_that_two_have_said_is_sent_once(outbox, catalog):
    put(outbox, start(1, 1))
    put(outbox, make_event(1, "FAIL", inputs=[], outputs=[]))
    forward(outbox, catalog)
    put(outbox, make_event(1, "FAIL", inputs=[], outputs=[], eventTime="2026-11-22T20:00:09Z"))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.duplicates) == (0, 1)
    put(outbox, make_event(1, "FAIL", inputs=[{"namespace": "a", "name": "b"}]))
    assert forward(outbox, catalog).posted == 1


def test_a_start_that_comes_after_the_end(outbox, catalog):
    put(outbox, make_event(1))
    forward(outbox, catalog)
    for second in (1, 2):
        put(outbox, start(1, second, "orders"))
        forward(outbox, catalog)
    assert [kind for kind, _ in arrived(catalog)] == ["COMPLETE", "START", "OTHER"]


said = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["START", "START", "RUNNING", "COMPLETE", "FAIL"]),
    st.integers(0, 59),
    st.integers(0, 800),
)


@settings(max_examples=40, deadline=None)
@given(visits=st.lists(st.lists(said, max_size=6), min_size=1, max_size=4))
def test_whatever_is_said_and_when_a_run_starts_once_and_nothing_is_sent_twice(
    tmp_path_factory, visits
):
    outbox = LocalOutbox(tmp_path_factory.mktemp("outbox"))
    catalog = MemoryCatalog()
    for visit in visits:
        for run, kind, second, age in visit:
            time = f"2026-11-22T20:00:{second:02}Z"
            event = make_event(run, kind, eventTime=time, inputs=[], outputs=[])
            put(outbox, event, NOW - timedelta(seconds=age))
        forward(outbox, catalog)
    calls = len(catalog.calls)
    assert set(forward(outbox, catalog).as_dict().values()) == {0}
    assert len(catalog.calls) == calls == len(set(catalog.calls))
    sent = Counter(
        (event["run"]["runId"], event["eventType"])
        for event in catalog.events.values()
        if event["eventType"] in {"START", "COMPLETE", "FAIL"}
    )
    told = {(str(UUID(int=run)), kind) for visit in visits for run, kind, *_ in visit}
    assert sent.keys() == {one for one in told if one[1] != "RUNNING"}
    assert all(count == 1 for (_, kind), count in sent.items() if kind == "START")


def test_a_group_with_a_refused_event_is_sent_one_by_one(outbox, catalog):
    put(outbox, start(1, 1, "orders"))
    put(outbox, start(1, 2, "customers"))
    catalog.failures = [EventRefusedError("no"), EventRefusedError("still no")]
    counts = forward(outbox, catalog)
    assert (counts.read, counts.posted, counts.dead_lettered) == (2, 1, 1)
    assert letters(outbox)[0].reason == "still no"


def test_runs_that_airflow_has_ended_are_closed(outbox, catalog, monkeypatch):
    monkeypatch.setattr("updraft.lineage.forwarder._LISTENER_MAY_TAKE", timedelta(0))
    states = {1: "success", 2: "failed", 3: "running", 4: None, 5: "skipped", 6: "success"}
    old = NOW - timedelta(hours=3)
    for number in states:
        put(outbox, start(number, 1, map_index=number, try_number=1), old)
    put(outbox, start(7, 1), old)  # nothing of Airflow's
    put(outbox, start(8, 1, map_index=6, try_number=2), old)  # the sixth has been tried again
    put(outbox, start(9, 1, map_index=9, try_number=1), NOW)  # just begun
    forward(outbox, catalog)

    def close() -> Counter:
        before = len(catalog.events)
        forwarder = Forwarder(outbox, catalog, events_per_second=1e6)
        asked = lambda attempt: states[attempt.map_index]  # noqa: E731
        forwarder.complete_runs(asked, SAMPLE["job"]["namespace"], timedelta(hours=1))
        counts = forwarder.run()
        ends = list(catalog.events.values())[before:]
        assert counts.closed == counts.posted == len(ends)
        assert [problems(event) for event in ends] == [[]] * len(ends)
        return Counter((UUID(event["run"]["runId"]).int, event["eventType"]) for event in ends)

    assert close() == Counter(
        [(1, "COMPLETE"), (2, "FAIL"), (4, "ABORT"), (5, "ABORT"), (6, "FAIL"), (8, "COMPLETE")]
    )
    assert close() == Counter()
    states[3] = "failed"
    assert close() == Counter([(3, "FAIL")])


def complete(outbox, catalog, state, after=timedelta(hours=1)):
    """Do what the task of the forwarder does, and tell what it has posted."""
    before = len(catalog.events)
    forwarder = Forwarder(outbox, catalog, events_per_second=1e6)
    forwarder.complete_runs(lambda _: state, SAMPLE["job"]["namespace"], after)
    forwarder.run()
    return [event["eventType"] for event in list(catalog.events.values())[before:]]


def test_a_task_that_is_about_to_say_how_it_ended_is_given_the_time(outbox, catalog):
    put(outbox, start(1, 1, try_number=1), NOW - timedelta(hours=3))
    forward(outbox, catalog)
    assert complete(outbox, catalog, "success") == []
    put(outbox, make_event(1))  # the listener was slower than Airflow's database
    assert complete(outbox, catalog, "success") == ["COMPLETE"]
    assert complete(outbox, catalog, "success") == []


def test_a_task_that_was_cleared_after_a_look_is_not_ended(outbox, catalog, monkeypatch):
    monkeypatch.setattr("updraft.lineage.forwarder._LISTENER_MAY_TAKE", timedelta(seconds=0.1))
    put(outbox, start(1, 1, try_number=1), NOW - timedelta(hours=3))
    forward(outbox, catalog)
    for state, ends in (("failed", []), ("running", []), ("failed", []), ("failed", ["FAIL"])):
        assert complete(outbox, catalog, state) == ends
        time.sleep(0.15)


@pytest.mark.parametrize("kind", ["FAIL", "COMPLETE"])
def test_a_task_that_ends_without_a_start_gets_one(outbox, catalog, kind):
    event = make_event(1, kind)
    event["run"]["facets"]["airflow"]["taskInstance"]["duration"] = 1.5
    put(outbox, event, NOW - timedelta(minutes=30))
    assert complete(outbox, catalog, None) == [kind]
    assert complete(outbox, catalog, None) == ["START"]
    assert complete(outbox, catalog, None) == []
    added = list(catalog.events.values())[-1]
    assert problems(added) == []
    began, ended = (datetime.fromisoformat(one["eventTime"]) for one in (added, SAMPLE))
    assert ended - began == timedelta(seconds=1.5)
    assert added["run"]["facets"].keys() == SAMPLE["run"]["facets"].keys()


def test_a_start_that_is_late_is_waited_for(outbox, catalog):
    put(outbox, make_event(1))
    assert complete(outbox, catalog, None) == ["COMPLETE"]
    assert complete(outbox, catalog, None) == []
    put(outbox, start(1, 1))
    assert complete(outbox, catalog, None) == ["START"]
    assert complete(outbox, catalog, None, timedelta(0)) == []


def test_a_task_that_is_marked_in_the_ui_later_gets_no_second_start(outbox, catalog):
    queued = datetime.fromisoformat("2026-11-20T10:00:00Z")
    put(outbox, start(1, 1), queued)
    put(outbox, make_event(1, "FAIL"), queued)
    marked = make_event(1)
    marked["run"]["facets"]["airflow"]["taskInstance"]["queued_dttm"] = queued.isoformat()
    forward(outbox, catalog)
    put(outbox, make_event(2), NOW - timedelta(hours=2))  # the first run is forgotten with this
    forward(outbox, catalog)
    put(outbox, marked, NOW - timedelta(hours=1))
    assert complete(outbox, catalog, None) == ["COMPLETE", "START"]  # the start of the second
    assert complete(outbox, catalog, None) == []


def test_runs_of_another_environment_are_left_open(outbox, catalog):
    put(outbox, start(1, 1, try_number=1), NOW - timedelta(hours=3))
    forward(outbox, catalog)
    forwarder = Forwarder(outbox, catalog)
    forwarder.complete_runs(lambda _: None, "another", timedelta(0))
    assert forwarder.counts.closed == 0


def test_a_refused_event_is_put_aside_with_the_catalogs_words(outbox, catalog):
    catalog.failures = [EventRefusedError("DataZone refused the event: too blue")]
    for number in range(3):
        put(outbox, make_event(number))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.dead_lettered) == (2, 1)
    assert letters(outbox)[0].reason == "DataZone refused the event: too blue"


def test_throttling_is_repeated_with_the_same_token(outbox, catalog, caplog):
    catalog.failures = [CatalogUnavailableError("ThrottlingException (429)")] * 3
    put(outbox, make_event(1))
    with caplog.at_level(logging.WARNING):
        assert forward(outbox, catalog).posted == 1
    assert len(catalog.calls) == 4
    assert len(set(catalog.calls)) == 1
    assert "Attempt 3 to post an event failed: ThrottlingException (429)" in caplog.text


@pytest.mark.parametrize(
    "failure", [CatalogUnavailableError("down"), CatalogAccessError("AccessDenied")]
)
def test_no_event_suffers_for_a_fault_of_the_catalog(outbox, catalog, failure):
    for number in range(6):
        put(outbox, make_event(number))
    calls = []

    def after_three() -> None:
        calls.append(1)
        if len(calls) > 3:
            raise failure

    catalog.before = after_three
    with pytest.raises(type(failure)):
        forward(outbox, catalog, attempts=3)
    assert len(calls) == (6 if isinstance(failure, CatalogUnavailableError) else 4)
    assert letters(outbox) == []
    catalog.before = lambda: None
    assert forward(outbox, catalog).posted == 3
    assert len(catalog.calls) == 6


def test_job_and_dataset_events_are_counted_and_left_out(outbox, catalog):
    event = make_event(1)
    put(outbox, {key: event[key] for key in ("eventTime", "job", "producer", "schemaURL")})
    counts = forward(outbox, catalog)
    assert (counts.not_run_events, counts.posted, counts.dead_lettered) == (1, 0, 0)
    assert forward(outbox, catalog).not_run_events == 0


def test_foreign_objects_are_reported_and_left_alone(outbox, catalog, caplog):
    outbox.write("events/notes.txt", b"hello")
    put(outbox, make_event(1))
    counts = forward(outbox, catalog)
    assert (counts.unrecognised, counts.posted) == (1, 1)
    assert "events/notes.txt" in caplog.text
    assert outbox.read("events/notes.txt") == b"hello"


def test_a_copy_of_an_event_under_another_name_is_not_sent(outbox, catalog):
    event = make_event(1)
    put(outbox, event, NOW - timedelta(seconds=50))
    put(outbox, event, NOW - timedelta(seconds=20))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.duplicates, len(catalog.calls)) == (1, 1, 1)
    put(outbox, event, NOW - timedelta(seconds=10))
    again = forward(outbox, catalog)
    assert (again.read, again.duplicates, len(catalog.calls)) == (0, 1, 1)
    assert set(forward(outbox, catalog).as_dict().values()) == {0}


@pytest.mark.parametrize("later", [timedelta(seconds=1), timedelta(hours=5)])
def test_a_dead_letter_put_back_under_a_new_time_is_sent(outbox, catalog, later):
    begin = NOW - timedelta(hours=6)
    catalog.failures = [EventRefusedError("the project is being moved")]
    put(outbox, make_event(1), begin)
    assert forward(outbox, catalog).dead_lettered == 1
    # Nothing else was written in the meantime, so the window is still around the first copy.
    (letter,) = letters(outbox)
    put(outbox, json.loads(letter.body), begin + later)
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.duplicates, counts.dead_lettered) == (1, 0, 0)
    assert set(forward(outbox, catalog).as_dict().values()) == {0}


def test_a_delivered_event_put_back_hours_later_is_sent_with_the_same_token(outbox, catalog):
    put(outbox, make_event(1), NOW - timedelta(hours=6))
    forward(outbox, catalog)
    put(outbox, make_event(1), NOW - timedelta(hours=1))
    assert forward(outbox, catalog).already_there == 1
    assert len(set(catalog.calls)) == 1


def test_copies_on_both_sides_of_the_present_are_settled_each(outbox, catalog):
    """A copy from a clock that is ahead does not make the first one look new in every run."""
    put(outbox, make_event(1), NOW)
    put(outbox, make_event(1), NOW + timedelta(hours=1))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.duplicates) == (1, 1)
    assert set(forward(outbox, catalog).as_dict().values()) == {0}


def test_late_events_inside_the_overlap_are_found(outbox, catalog):
    put(outbox, make_event(1), NOW)
    forward(outbox, catalog)
    put(outbox, make_event(2), NOW - timedelta(minutes=14))
    assert forward(outbox, catalog).posted == 1
    put(outbox, make_event(3), NOW - timedelta(minutes=14, seconds=30))
    assert forward(outbox, catalog).posted == 1
    assert len(catalog.events) == 3


@settings(max_examples=40, deadline=None)
@given(
    visits=st.lists(st.lists(st.floats(0, 890), max_size=6, unique=True), min_size=1, max_size=6)
)
def test_whatever_the_order_of_arrival_nothing_in_the_overlap_is_skipped(tmp_path_factory, visits):
    outbox = LocalOutbox(tmp_path_factory.mktemp("outbox"))
    catalog = MemoryCatalog()
    number = 0
    for ages in visits:
        for age in ages:
            number += 1
            put(outbox, make_event(number), NOW - timedelta(seconds=age))
        forward(outbox, catalog, overlap=timedelta(minutes=15))
        assert len(catalog.events) == number
    assert len(catalog.calls) == number


def test_a_writer_whose_clock_is_ahead_hides_nobody(outbox, catalog):
    put(outbox, make_event(1), NOW + timedelta(days=400))
    assert forward(outbox, catalog).posted == 1
    put(outbox, make_event(2), datetime.now(UTC))
    counts = forward(outbox, catalog)
    assert (counts.posted, counts.read) == (1, 1)


def test_the_checkpoint_forgets_what_is_behind_the_window(outbox, catalog):
    for number in range(2500):
        # Straight into the store, for speed: an event that is left out needs no posting.
        body = json.dumps({"job": number}).encode()
        key = EventKey.for_event(
            body, run_id="job", event_type="OTHER",
            written_at=NOW - timedelta(hours=30) + timedelta(seconds=40 * number),
        )  # fmt: skip
        path = outbox.directory / str(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    assert forward(outbox, catalog).not_run_events == 2500
    checkpoint = Checkpoint.from_json(outbox.load_checkpoint("memory") or b"", "test")
    assert 20 <= len(checkpoint.settled) <= 25


def test_a_damaged_checkpoint_is_an_error_not_a_fresh_start(outbox, catalog):
    put(outbox, make_event(1))
    outbox.save_checkpoint("memory", b"{")
    with pytest.raises(OutboxError, match=r"the checkpoint memory in file:.* delete it to read"):
        forward(outbox, catalog)
    outbox.save_checkpoint("memory", b'{"version": 9, "position": null, "settled": {}}')
    with pytest.raises(OutboxError, match="has version 9, this Updraft knows 2"):
        forward(outbox, catalog)
    assert catalog.calls == []


def test_stop_ends_between_two_events_with_the_checkpoint_saved(outbox, catalog):
    for number in range(10):
        put(outbox, make_event(number))
    forwarder = Forwarder(outbox, catalog, events_per_second=1e6)
    catalog.before = lambda: forwarder.stop() if len(catalog.calls) == 3 else None
    with pytest.raises(ForwardingStoppedError, match="stopped after 4 events"):
        forwarder.run()
    catalog.before = lambda: None
    assert forward(outbox, catalog).posted == 6
    assert len(catalog.calls) == 10


def test_stop_does_not_wait_for_the_catalog_to_recover(outbox, catalog):
    put(outbox, make_event(1))
    forwarder = Forwarder(outbox, catalog, attempts=1000, longest_wait=60)
    catalog.failures = [CatalogUnavailableError("down")] * 1000
    catalog.before = forwarder.stop
    with pytest.raises(ForwardingStoppedError):
        forwarder.run()
    assert len(catalog.calls) == 1


def test_the_rate_is_kept(outbox, catalog):
    for number in range(11):
        put(outbox, make_event(number))
    begin = datetime.now(UTC)
    Forwarder(outbox, catalog, events_per_second=20).run()
    assert 0.5 <= (datetime.now(UTC) - begin).total_seconds() < 3


def test_a_run_starts_before_it_ends(outbox, catalog):
    end = put(outbox, make_event(1, "COMPLETE"), NOW - timedelta(seconds=9))
    other = put(outbox, make_event(2, "COMPLETE"), NOW - timedelta(seconds=8))
    start = put(outbox, make_event(1, "START"), NOW - timedelta(seconds=7))
    forward(outbox, catalog)
    order = [(event["run"]["runId"], event["eventType"]) for event in catalog.events.values()]
    assert order == [
        (start.run_id, "START"),
        (end.run_id, "COMPLETE"),
        (other.run_id, "COMPLETE"),
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["START", "RUNNING", "COMPLETE", "FAIL"]))
    )
)
def test_run_order_is_a_permutation_with_starts_first(kinds: list[tuple[int, str]]):
    pending = [
        (str(index), EventKey(NOW, str(UUID(int=run)), event_type, f"{index:08x}"))
        for index, (run, event_type) in enumerate(kinds)
    ]
    ordered = in_run_order(pending)
    assert sorted(ordered, key=lambda item: item[1].digest) == pending
    for run in {key.run_id for _, key in pending}:
        types = [key.event_type for _, key in ordered if key.run_id == run]
        ends = [index for index, name in enumerate(types) if name in {"COMPLETE", "FAIL"}]
        starts = [index for index, name in enumerate(types) if name == "START"]
        assert not ends or not starts or max(starts) < min(ends)


def test_the_token_depends_on_content_alone():
    event = make_event(1)
    shuffled = dict(reversed(event.items()))
    assert client_token(event, encode(event)) == client_token(shuffled, encode(shuffled))
    assert len(client_token(event, encode(event))) == 64
    other = event | {"outputs": []}
    assert client_token(event, encode(event)) != client_token(other, encode(other))


@given(st.text(st.characters()))
def test_any_text_survives_encoding(text: str):
    assert json.loads(encode({"text": text}))["text"] == text
