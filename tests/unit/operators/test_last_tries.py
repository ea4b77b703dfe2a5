from datetime import UTC, datetime

import pytest
from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter

from updraft.airflow_states import TaskInstanceEnd, TaskInstanceTry
from updraft.lineage.run_records import EndedDagRun
from updraft.operators import last_tries as module

DATE = datetime(2026, 11, 22, tzinfo=UTC)
TASKS = [
    TaskInstanceEnd("failed", -1, "failed"),
    TaskInstanceEnd("mapped", 4, "failed"),
    TaskInstanceEnd("again", -1, "success"),
    TaskInstanceEnd("at_once", -1, "success"),
    TaskInstanceEnd("never_begun", -1, "failed"),
    TaskInstanceEnd("held_up", -1, "upstream_failed"),
]


@pytest.fixture
def asked(monkeypatch):
    asked = []

    def last_try(dag_id, run_id, task_id, map_index, logical_date):
        asked.append((dag_id, run_id, task_id, map_index))
        if logical_date is None:
            return None
        began = None if task_id == "never_begun" else DATE
        return TaskInstanceTry(0 if began is None else 3, began, None)

    monkeypatch.setattr(module, "ended_task_instances", lambda *_: TASKS)
    monkeypatch.setattr(module, "last_try", last_try)
    return asked


def test_failures_and_tasks_that_were_tried_again_are_looked_up(asked):
    dag_run = EndedDagRun(DATE, "n", "d", "r", DATE, DATE, {("again", -1)})
    found = list(module.last_tries(dag_run))
    assert [one[2] for one in asked] == ["failed", "mapped", "again", "never_begun"]
    assert [(one.task_id, one.map_index, one.state) for one in found] == TASKS[:3]
    assert all(one.started_at == one.ended_at == DATE for one in found)
    assert found[1].lineage_run == OpenLineageAdapter.build_task_instance_run_id(
        dag_id="d", task_id="mapped", try_number=3, logical_date=DATE, map_index=4
    )


def test_a_run_without_a_logical_date_has_none(asked):
    assert list(module.last_tries(EndedDagRun(DATE, "n", "d", "r", DATE, None))) == []
