"""`updraft schedule`: both sides, and what it says where there is nothing to compare."""

import json

import pytest
from typer.testing import CliRunner

from updraft.cli.main import app


@pytest.fixture
def schedule(tmp_path):
    def run(default, schedules, *arguments, activity=None):
        path = tmp_path / "pipeline.json"
        objects = [
            {"id": "Default", **default},
            *({"id": name, "type": "Schedule", **fields} for name, fields in schedules.items()),
            {"id": "A", "type": "ShellCommandActivity", "command": "c", **(activity or {})},
        ]
        path.write_text(json.dumps({"objects": objects}))
        result = CliRunner().invoke(app, ["schedule", str(path), "--format", "json", *arguments])
        return result.exit_code, json.loads(result.stdout)["activities"][0]

    return run


_ON_S = {"schedule": {"ref": "S"}}


def test_the_last_days_of_months(schedule):
    code, answer = schedule(
        {"scheduleType": "TimeSeries", **_ON_S},
        {"S": {"period": "1 Month", "startDateTime": "2023-12-31T00:00:00"}},
        "--runs",
        "2",
    )
    assert (code, answer["agree"], answer["scheduleType"]) == (0, True, "timeseries")
    assert answer["legacy"] == answer["airflow"]
    assert answer["legacy"] == [
        {
            "due": "2024-01-31T00:00:00Z",
            "scheduledStartTime": "2023-12-31T00:00:00Z",
            "scheduledEndTime": "2024-01-31T00:00:00Z",
        },
        {
            "due": "2024-02-29T00:00:00Z",
            "scheduledStartTime": "2024-01-31T00:00:00Z",
            "scheduledEndTime": "2024-02-29T00:00:00Z",
        },
    ]


def test_an_end_is_exclusive(schedule):
    fields = {
        "period": "1 hour",
        "startDateTime": "2024-01-01T00:00:00",
        "endDateTime": "2024-01-01T03:00:00",
    }
    _, answer = schedule({"scheduleType": "cron", **_ON_S}, {"S": fields}, "--runs", "9")
    assert [run["due"][11:16] for run in answer["airflow"]] == ["00:00", "01:00", "02:00"]


def test_the_first_activation_is_the_phase(schedule):
    default = {"scheduleType": "cron", **_ON_S}
    schedules = {"S": {"period": "1 hour", "startAt": "FIRST_ACTIVATION_DATE_TIME"}}
    code, answer = schedule(default, schedules)
    assert (code, answer["legacy"]) == (0, [])
    assert "--activation" in answer["problem"]
    code, answer = schedule(default, schedules, "--activation", "2024-01-01T07:48:09")
    assert [run["due"] for run in answer["airflow"]][:2] == [
        "2024-01-01T07:48:09Z",
        "2024-01-01T08:48:09Z",
    ]


def test_on_demand(schedule):
    code, answer = schedule({"scheduleType": "ondemand"}, {}, "--activation", "2024-01-01")
    assert (code, answer["dag"]["schedule"]) == (0, "None")
    assert [run["due"] for run in answer["legacy"]] == ["2024-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"period": "often", "startDateTime": "2024-01-01"}, "not a period"),
        ({"period": "1 day", "startDateTime": "soon"}, "not a date"),
        ({"period": "1 day"}, "first period begins"),
        ({"period": "#{myPeriod}", "startDateTime": "2024-01-01"}, "myPeriod"),
        ({"period": "1 day", "startDateTime": "2024-01-01", "occurrences": "0"}, "positive"),
    ],
)
def test_what_does_not_tell_says_why(schedule, fields, words):
    code, answer = schedule({"scheduleType": "cron", **_ON_S}, {"S": fields})
    assert (code, answer["agree"]) == (1, False)
    assert words in answer["problem"]


def test_a_pipeline_that_can_not_be_read_hides_no_other(partly_readable):
    arguments = ["schedule", str(partly_readable), "--format", "json"]
    result = CliRunner().invoke(app, [*arguments, "--activation", "2024-01-01T00:00:00"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert [(one["id"], one["agree"]) for one in answer["activities"]] == [("Work", True)]
    assert "error: Imported: The definition has no objects" in result.stderr


def test_the_table(tmp_path):
    path = tmp_path / "pipeline.json"
    path.write_text(json.dumps({"objects": [{"id": "A", "type": "SqlActivity"}]}))
    result = CliRunner().invoke(app, ["schedule", str(path)])
    assert result.exit_code == 1
    assert "A has no schedule" in result.stdout
    assert CliRunner().invoke(app, ["schedule", str(tmp_path / "none.json")]).exit_code == 1
