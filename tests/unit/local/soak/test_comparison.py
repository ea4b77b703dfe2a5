import pytest

from include.local.soak.comparison import CatalogEvent, compare
from include.local.soak.metadata import FORGOTTEN, TaskRun


def run(number=1, state="success"):
    return TaskRun("soak_killed", "manual__1", f"task_{number}", -1, 1, state, f"run-{number}")


def events(*types, number=1, faults=()):
    job = f"soak_killed.task_{number}"
    return [CatalogEvent(f"run-{number}", kind, job, faults) for kind in types]


@pytest.mark.parametrize(
    ("state", "types"),
    [
        ("success", ["START", "RUNNING", "COMPLETE"]),
        ("failed", ["START", "FAIL"]),
        ("skipped", ["START", "ABORT"]),
        ("up_for_retry", ["FAIL", "START", "OTHER"]),
        (FORGOTTEN, ["START", "FAIL"]),
    ],
)
def test_one_start_and_one_end(state, types):
    found = compare([run(state=state)], events(*types))
    assert found.differences == []
    (figures,) = found.figures.values()
    assert vars(figures) == {"task_runs": 1, "starts": 1, "ends": 1, "repeated": 0, "missing": 0}


@pytest.mark.parametrize(
    ("state", "types", "said", "repeated", "missing"),
    [
        ("success", ["START"], "has 1 START", 0, 1),
        ("success", [], "has nothing", 0, 2),
        ("failed", ["FAIL"], "has 1 FAIL", 0, 1),
        ("success", ["START", "START", "COMPLETE"], "has 1 COMPLETE, 2 START", 1, 0),
        ("skipped", ["START", "ABORT", "COMPLETE"], "1 ABORT, 1 COMPLETE, 1 START", 1, 0),
        ("failed", ["START", "COMPLETE"], "ends with COMPLETE", 0, 0),
        ("running", ["START", "COMPLETE"], "is running still", 0, 0),
    ],
)
def test_differences(state, types, said, repeated, missing):
    found = compare([run(state=state)], events(*types), {"run-1": "work"})
    (difference,) = found.differences
    assert said in difference
    (figures,) = found.figures.values()
    assert (figures.repeated, figures.missing) == (repeated, missing)


def test_events_of_nothing_that_airflow_knows():
    found = compare([run()], [*events("START", "COMPLETE"), *events("FAIL", number=2)])
    assert found.differences == ["FAIL of soak_killed.task_2 belongs to no try that Airflow knows"]


def test_runs_of_dags_have_events_too():
    assert compare([], [CatalogEvent("run", "START", "soak_killed")]).differences == []


def test_an_event_that_is_not_valid():
    found = compare([run()], events("START", "COMPLETE", faults=("no producer",)))
    assert len(found.differences) == 2
    assert "no producer" in found.differences[0]


def test_a_try_that_was_forgotten_need_not_have_begun():
    assert compare([run(state=FORGOTTEN)], []).figures == {}
