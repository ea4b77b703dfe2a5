import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.sdk.observability import stats

from updraft.compat import count_metric, task_instance_state


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


def test_a_counter_counts_and_never_fails(monkeypatch):
    counted = []
    monkeypatch.setattr(stats, "incr", lambda name, count: counted.append((name, count)))
    count_metric("a.b", 3)
    count_metric("a.b", 0)
    count_metric("a.b")
    assert counted == [("a.b", 3), ("a.b", 1)]
    monkeypatch.setattr(stats, "incr", lambda *_: 1 / 0)
    count_metric("a.b")
