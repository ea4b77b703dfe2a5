import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.outbox import EventKey, OutboxError
from updraft.lineage.run_records import EndedDagRun, EndedRun, OpenRun, TaskAttempt

NOW = datetime.now(UTC)
OVERLAP = timedelta(minutes=15)

moments = st.integers(0, 86_400_000_000).map(
    lambda after: datetime(2026, 11, 22, tzinfo=UTC) + timedelta(microseconds=after)
)
names = st.text("abc-0", min_size=1, max_size=3)
tasks = st.sets(st.tuples(names, st.integers(-1, 3)), max_size=2)
keys = st.builds(
    EventKey, moments, names, st.sampled_from(["START", "FAIL"]), st.sampled_from(["0a", "0b"])
)
open_runs = st.builds(
    OpenRun,
    moments,
    names,
    names,
    names,
    st.none() | st.builds(TaskAttempt, names, names, names, st.integers(-1, 3), st.integers(1, 3)),
    st.booleans(),
    st.none() | moments,
    tasks,
)
ended_runs = st.builds(
    EndedRun, moments, st.just("FAIL"), names, names | st.just(""), st.booleans()
)
dag_runs = st.builds(
    EndedDagRun, moments, names, names, names, moments, st.none() | moments, tasks, st.booleans()
)


@st.composite
def checkpoints(draw: st.DrawFn) -> Checkpoint:
    made = Checkpoint(draw(st.none() | moments))
    for key in draw(st.lists(keys, max_size=5)):
        made.settle(key)
    made.runs.runs = draw(st.dictionaries(names, open_runs, max_size=3))
    for name, ended in draw(st.dictionaries(names, ended_runs, max_size=3)).items():
        made.runs.ended[name] = ended
    made.runs.dag_runs = draw(st.dictionaries(names, dag_runs, max_size=3))
    return made


@given(checkpoints())
def test_a_checkpoint_is_read_as_it_was_written(checkpoint):
    text = checkpoint.to_json()
    again = Checkpoint.from_json(text, "test")
    assert again.position == checkpoint.position
    assert list(again.settled) == list(checkpoint.settled)
    assert again.runs.runs == checkpoint.runs.runs
    assert list(again.runs.ended) == list(checkpoint.runs.ended)
    assert again.runs.dag_runs == checkpoint.runs.dag_runs
    assert again.to_json() == text


@given(checkpoints(), checkpoints())
def test_what_either_of_two_readers_has_settled_stays_settled(one, other):
    merged = Checkpoint.from_json(one.to_json(), "test")
    merged.merge(other, timedelta(days=400))
    settled = [dict(checkpoint.settled) for checkpoint in (one, other, merged)]
    assert settled[2].keys() == settled[0].keys() | settled[1].keys()
    for name, times in settled[2].items():
        assert times == sorted({*settled[0].get(name, ()), *settled[1].get(name, ())})


def test_a_run_that_has_ended_is_not_open_after_a_merge():
    ended, begun = Checkpoint(NOW), Checkpoint(NOW)
    ended.runs.ended["r"] = EndedRun(NOW, "FAIL", "0a", "0b")
    begun.runs.runs["r"] = OpenRun(NOW, "0b", "n", "d.t")
    begun.merge(ended, OVERLAP)
    assert begun.runs.runs == {}
    assert begun.runs.ended.get("r") == EndedRun(NOW, "FAIL", "0a", "0b")


def test_ends_are_forgotten_but_for_those_that_lack_a_start():
    checkpoint = Checkpoint()
    for name, lacks_start in (("done", False), ("unfinished", True)):
        checkpoint.runs.ended[name] = EndedRun(
            NOW - timedelta(days=2), "FAIL", "0a", "", lacks_start
        )
    checkpoint.runs.ended["ancient"] = EndedRun(NOW - timedelta(days=60), "FAIL", "0a", "", True)
    checkpoint.advance(NOW, OVERLAP)
    assert [name for name, _ in checkpoint.runs.ended] == ["unfinished"]
    assert [name for name, _ in checkpoint.runs.ended.unfinished()] == ["unfinished"]


def test_dag_runs_are_kept_until_they_were_looked_at():
    def dag_run(days: float, *, is_checked: bool) -> EndedDagRun:
        seen = NOW - timedelta(days=days)
        return EndedDagRun(seen, "n", "d", "r", seen, None, is_checked=is_checked)

    checkpoint = Checkpoint()
    checkpoint.runs.dag_runs = {
        "checked": dag_run(1, is_checked=True),
        "waiting": dag_run(1, is_checked=False),
        "ancient": dag_run(9, is_checked=False),
    }
    checkpoint.advance(NOW, OVERLAP)
    assert checkpoint.runs.dag_runs.keys() == {"waiting"}


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '["settled", "a"]',
        '["settled", "a", ["x"]]',
        '["settled", "a", [1e99]]',
        '["unheard of", "a", {}]',
        '["open", "a", {}]',
        '["ended", "a", ["2026-11-22T00:00:00"]]',
        '["DAG run", "a", []]',
    ],
)
def test_a_damaged_line_is_an_error(line):
    text = Checkpoint(NOW).to_json() + line.encode()
    with pytest.raises(OutboxError, match="the checkpoint c cannot be read"):
        Checkpoint.from_json(text, "c")


@pytest.mark.parametrize(
    ("position", "reason"),
    [
        ("2026-11-22T10:00:00", "has no time zone"),
        ("0001-01-01T00:00:00+00:00", "not between 1970 and now"),
        ("9999-12-31T23:59:59+00:00", "not between 1970 and now"),
        ("yesterday", "isoformat"),
    ],
)
def test_a_position_that_would_hide_events_is_an_error(position, reason):
    text = json.dumps({"version": 2, "position": position}).encode()
    with pytest.raises(OutboxError, match=f"checkpoint c cannot be read.*{reason}"):
        Checkpoint.from_json(text, "c")


def test_a_clock_that_is_a_little_ahead_does_no_harm():
    ahead = Checkpoint(datetime.now(UTC) + timedelta(minutes=5))
    assert Checkpoint.from_json(ahead.to_json(), "c").position == ahead.position


def test_it_takes_about_a_hundred_bytes_an_event():
    checkpoint = Checkpoint(NOW)
    for number in range(1_000):
        checkpoint.settle(EventKey(NOW, str(number), "START", "0a"))
    text = checkpoint.to_json()
    assert len(text.splitlines()) == 1_001
    assert len(text) < 60_000
    assert json.loads(text.splitlines()[0]) == {"version": 2, "position": NOW.isoformat()}
