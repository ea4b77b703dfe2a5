from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import GetPreviousTI, PreviousTIResult
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.utils.state import TaskInstanceState

from updraft.airflow_states import (
    TaskInstanceEnd,
    TaskInstanceTry,
    ended_task_instances,
    last_try,
    task_instance_state,
)

DATE = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "map_index", "state"),
    [
        ({"r": {"t": "success"}}, -1, "success"),
        ({"r": {"t_3": "failed"}}, 3, "failed"),
        ({"r": {"t": None}}, -1, "none"),
        ({"r": {}}, -1, None),
        ({}, -1, None),
    ],
)
def test_the_state_of_a_task_instance(monkeypatch, answer, map_index, state):
    asked = {}

    def states(**arguments):
        asked.update(arguments)
        return answer

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", states)
    assert task_instance_state("d", "r", "t", map_index) == state
    index = map_index if map_index >= 0 else None
    assert asked == {"dag_id": "d", "task_ids": ["t"], "run_ids": ["r"], "map_index": index}


def test_task_instances_that_have_ended(monkeypatch):
    crumbs = [
        {"task_id": "t", "map_index": -1, "state": "failed", "operator": "x", "duration": 1.0},
        {"task_id": "m", "map_index": 3, "state": TaskInstanceState.SUCCESS},
    ]
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_breadcrumbs", lambda *_: crumbs)
    assert ended_task_instances("d", "r") == [
        TaskInstanceEnd("t", -1, "failed"),
        TaskInstanceEnd("m", 3, "success"),
    ]


def test_an_airflow_that_cannot_list_task_instances_lists_none(monkeypatch):
    monkeypatch.delattr(RuntimeTaskInstance, "get_task_breadcrumbs")
    assert ended_task_instances("d", "r") == []


def _airflow_answers(monkeypatch, run_id: str | None) -> list[GetPreviousTI]:
    asked: list[GetPreviousTI] = []

    def send(question: GetPreviousTI) -> PreviousTIResult:
        asked.append(question)
        if run_id is None:
            return PreviousTIResult()
        found = {"task_id": "t", "dag_id": "d", "run_id": run_id, "try_number": 3}
        return PreviousTIResult.model_validate({"task_instance": {**found, "start_date": DATE}})

    comms = SimpleNamespace(send=send)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", comms, raising=False)
    return asked


def test_the_last_try_is_the_one_before_the_next_moment(monkeypatch):
    asked = _airflow_answers(monkeypatch, "r")
    assert last_try("d", "r", "t", 2, DATE) == TaskInstanceTry(3, DATE, None)
    (question,) = asked
    assert question.logical_date == DATE + timedelta(microseconds=1)
    assert (question.dag_id, question.task_id, question.map_index) == ("d", "t", 2)


@pytest.mark.parametrize(("found", "date"), [("another", DATE), (None, DATE), ("r", None)])
def test_a_try_that_airflow_does_not_tell(monkeypatch, found, date):
    _airflow_answers(monkeypatch, found)
    assert last_try("d", "r", "t", -1, date) is None
