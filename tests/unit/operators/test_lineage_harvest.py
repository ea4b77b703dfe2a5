import json
import time
from pathlib import Path

import pytest
from airflow.exceptions import TaskDeferred

from tests.unit.lineage import log_forms as forms
from updraft.compat import AirflowException, AirflowFailException
from updraft.dynamodb.service_errors import ResourceMissingError, ServiceError
from updraft.hooks.logs import LogsClientHook
from updraft.operators.lineage_harvest import HarvestTaskLogsOperator

SAMPLE = json.loads(
    (Path(__file__).parents[1] / "lineage" / "samples" / "airflow_3_start.json").read_text()
)


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the log groups have, by name; an exception is raised once."""
    content: dict = {}

    def pages(self, group, start, end, pattern=None):
        if group not in content:
            raise ResourceMissingError(f"There is no log group {group}.")
        if isinstance(content[group], Exception):
            failure, content[group] = content[group], []
            raise failure
        yield [event for event in content[group] if start <= event["timestamp"] <= end]

    monkeypatch.setattr(LogsClientHook, "pages", pages)
    monkeypatch.delenv("AIRFLOW_ENV_NAME", raising=False)
    return content


def log(*numbers: int) -> list[dict]:
    now = int(time.time() * 1000) - 120_000
    return [
        {
            "logStreamName": "s",
            "timestamp": now,
            "message": forms.airflow_2({**SAMPLE, "run": {"runId": f"r{number}"}}),
        }
        for number in numbers
    ]


def operator(tmp_path: Path, **arguments) -> HarvestTaskLogsOperator:
    return HarvestTaskLogsOperator(
        task_id="harvest", outbox_uri=tmp_path.as_uri(), **{"environment_name": "e", **arguments}
    )


def test_the_groups_of_the_environment(groups, tmp_path, monkeypatch):
    groups.update({"airflow-e-Task": log(1, 2), "airflow-e-Scheduler": log(3)})
    counts = operator(tmp_path).execute({})
    assert (counts["found"], counts["stored"]) == (3, 3)
    assert operator(tmp_path).execute({})["stored"] == 0
    groups["airflow-mine-Task"] = log(4)
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "mine")
    assert operator(tmp_path, environment_name="").execute({})["stored"] == 1
    groups["other"] = log(5)
    assert operator(tmp_path, log_groups=" other, ").execute({})["stored"] == 1


def test_no_group_at_all(groups, tmp_path):
    with pytest.raises(AirflowException, match=r"none of .*airflow-e-Task.* switch the logs"):
        operator(tmp_path).execute({})


def test_throttled_it_gives_its_slot_back_and_goes_on(groups, tmp_path):
    groups.update(
        {
            "airflow-e-Task": log(1),
            "airflow-e-Scheduler": ServiceError("Too much.", "ThrottlingException"),
            "airflow-e-WebServer": log(2),
        }
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator(tmp_path).execute({})
    assert 7 <= deferred.value.trigger.seconds <= 15
    assert deferred.value.method_name == "execute_complete"
    counts = operator(tmp_path).execute_complete({}, {}, **deferred.value.kwargs)
    assert (counts["found"], counts["stored"]) == (2, 2)


def test_throttled_for_ever_it_fails(groups, tmp_path):
    groups["airflow-e-Task"] = ServiceError("Too much.", "ThrottlingException")
    done = {"counts": {}, "groups": [], "missing": [], "pauses": 20}
    with pytest.raises(AirflowException, match="Too much"):
        operator(tmp_path).execute_complete({}, {}, done)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"environment_name": None}, "set environment_name or log_groups"),
        ({"look_back_hours": "x"}, "look_back_hours: 'x' is no number"),
        ({"overlap_minutes": -1}, "overlap_minutes: -1 is no number"),
        ({"outbox_uri": "ftp://x"}, "is not an outbox"),
        ({"outbox_uri": ""}, "no outbox is given"),
    ],
)
def test_wrong_arguments_fail_without_retry(groups, tmp_path, arguments, message):
    one = operator(tmp_path)
    for name, value in arguments.items():
        setattr(one, name, value)
    kind = AirflowException if "not an outbox" in message else AirflowFailException
    with pytest.raises(kind, match=message):
        one.execute({})


def test_a_throttled_group_goes_on_where_it_was_in_smaller_steps(groups, tmp_path, monkeypatch):
    groups["airflow-e-Task"] = log(1)
    asked: list[tuple[int, int]] = []
    usual = LogsClientHook.pages

    def pages(self, group, start, end, pattern=None):
        asked.append((start, end))
        if len(asked) == 20:
            raise ServiceError("Too much.", "ThrottlingException")
        yield from usual(self, group, start, end, pattern)

    monkeypatch.setattr(LogsClientHook, "pages", pages)
    with pytest.raises(TaskDeferred) as deferred:
        operator(tmp_path, log_groups="airflow-e-Task").execute({})
    kept = json.loads(json.dumps(deferred.value.kwargs))
    counts = operator(tmp_path, log_groups="airflow-e-Task").execute_complete({}, {}, **kept)
    assert (counts["found"], counts["stored"]) == (1, 1)
    refused, again = asked[19], asked[20]
    assert again[0] == refused[0] - 60_000  # the beginning of a split event may stand there
    assert again[1] - again[0] + 1 == 30 * 60_000
