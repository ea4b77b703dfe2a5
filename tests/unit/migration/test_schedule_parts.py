"""Pipelines with several schedules: a DAG for each, and sensors between them."""

import copy
import json
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.datapipeline.periods import Period
from updraft.datapipeline.schedules import ScheduleRule, ScheduleType, simulate
from updraft.migration.conversion import convert_file
from updraft.timetables import overlapping_runs

_START = "2024-01-01T00:00:00"
_PIPELINE = {
    "objects": [
        {"id": "Default", "scheduleType": "cron", "schedule": {"ref": "Hourly"}},
        {"id": "Hourly", "type": "Schedule", "period": "1 hour", "startDateTime": _START},
        {"id": "Often", "type": "Schedule", "period": "20 minutes", "startDateTime": _START},
        {
            "id": "Produce",
            "name": "Make it",
            "type": "HadoopActivity",
            "runsOn": {"ref": "Cluster"},
            "jarUri": "s3://b/x.jar",
            "output": {"ref": "Node"},
        },
        {
            "id": "Consume",
            "type": "HadoopActivity",
            "runsOn": {"ref": "Cluster"},
            "jarUri": "s3://b/y.jar",
            "argument": "#{input.directoryPath} #{@scheduledStartTime}",
            "input": {"ref": "Node"},
            "schedule": {"ref": "Often"},
        },
        {
            "id": "Node",
            "type": "S3DataNode",
            "directoryPath": "s3://b/#{format(@scheduledStartTime, 'HH-mm')}",
        },
        {"id": "Cluster", "type": "EmrCluster", "releaseLabel": "emr-7.9.0", "region": "eu-west-1"},
        {"id": "Unused", "type": "CSV", "column": "a STRING"},
    ]
}


@pytest.fixture
def convert(tmp_path):
    def run(change=None):
        document = copy.deepcopy(_PIPELINE)
        if change:
            change({one["id"]: one for one in document["objects"]})
        path = tmp_path / "both.json"
        path.write_text(json.dumps(document))
        first = convert_file(path, "both")
        return {one.dag_id: one for one in (first, *first.others)}

    return run


def test_each_schedule_is_a_dag_of_its_own(convert, tasks_of):
    made = convert()
    assert list(made) == ["both_hourly", "both_often"]
    assert "'0 * * * *'" in made["both_hourly"].dag_source.replace('"', "'")
    hourly, often = (tasks_of(one) for one in made.values())
    assert set(hourly) == {"make_it", "cluster", "cluster_terminate"}
    assert set(often) == {"wait_for_make_it", "consume", "cluster", "cluster_terminate"}
    sensor = often["wait_for_make_it"]
    assert sensor["operator"] == "ExternalTaskSensor"
    assert (sensor["external_dag_id"], sensor["external_task_id"]) == ("both_hourly", "make_it")
    assert "wait_for_make_it >> cluster" in made["both_often"].dag_source
    # Twenty minutes and an hour: what was before the DAGs were switched on never runs.
    assert sensor["timeout"] == "timedelta(minutes=80)"
    assert "Switch on `both_hourly` first" in " ".join(made["both_often"].dag_source.split())
    assert "Switch on" not in made["both_hourly"].dag_source


def test_the_dags_load(convert):
    for one in convert().values():
        exec(compile(one.dag_source, f"{one.dag_id}.py", "exec"), {"__name__": one.dag_id})


def test_a_node_keeps_the_times_of_its_own_schedule(convert, tasks_of):
    made = convert()
    ((step,),) = [tasks_of(made["both_often"])["consume"]["steps"]]
    node, own = step["HadoopJarStep"]["Args"][0].split(" {{ data")
    assert "periodAt(data_interval_start, '2024-01-01T00:00:00', '1 hour')" in node
    assert own.startswith("_interval_start.strftime")


def test_every_field_is_in_a_report(convert):
    made = convert()
    written = {
        (one["id"], name)
        for one in _PIPELINE["objects"]
        for name in one
        if name != "id" and (name != "name" or one["name"] != one["id"])
    }
    accounted = {
        (field.object_id, field.field) for one in made.values() for field in one.report.fields
    }
    assert accounted == written
    notes = [finding.message for one in made.values() for finding in one.findings]
    assert all("which the pipeline shared" in note for note in notes)
    assert len(notes) == 2


def test_a_name_without_a_value_is_said_once_and_asked_for(convert):
    def change(items):
        items["Node"]["directoryPath"] = "s3://b/#{myMissing}"

    made = convert(change)
    assert any("RequiredParamsOperator" in one.dag_source for one in made.values())
    assert sum("myMissing" in one.message for each in made.values() for one in each.findings) == 1


def test_an_error_in_one_part_leaves_the_other_whole(convert):
    def change(items):
        items["Consume"]["argument"] = "#{input.noSuch}"

    made = convert(change)
    assert len(made) == 2
    assert sorted(one.placeholders for one in made.values()) == [(), ("consume",)]


def test_a_sensor_names_the_task_that_there_is(convert, tasks_of):
    def change(items):
        items["Cluster"]["name"] = "make it"

    made = convert(change)
    awaited = tasks_of(made["both_often"])["wait_for_make_it"]["external_task_id"]
    tasks = tasks_of(made["both_hourly"])
    assert tasks[awaited]["operator"] == "EmrStepsOperator"
    assert f"waits for `{awaited}`" in made["both_often"].dag_source


def test_activities_that_agree_stay_together(convert):
    def change(items):
        items["Often"]["period"] = "1 Hours"
        items["Often"]["startDateTime"] = "2024-01-01T00:00"

    assert list(convert(change)) == ["both"]


_PERIODS = st.builds(
    Period, st.integers(1, 50), st.sampled_from(["minutes", "hours", "days", "months"])
)
_STARTS = st.integers(1_700_000_000, 1_710_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@settings(max_examples=60, deadline=None)
@given(_PERIODS, _PERIODS, _STARTS, _STARTS, st.integers(0, 30))
def test_a_run_waits_for_those_that_overlap(period, own_period, start, own_start, number):
    begin, end = own_period.after(own_start, number), own_period.after(own_start, number + 1)
    rule = ScheduleRule(ScheduleType.CRON, period, start)
    if (end - start) / timedelta(minutes=1) > 200_000 or end <= start:
        return
    overlapping = [
        run.start
        for run in takewhile(lambda run: run.start < end, simulate(rule))
        if run.end > begin
    ]
    find = overlapping_runs(start, str(period), own_start=own_start, own_period=str(own_period))
    assert find(begin) == (overlapping or [start])


def test_a_run_waits_for_none_that_there_is_not():
    start = datetime(2024, 1, 1, tzinfo=UTC)
    find = overlapping_runs(
        start,
        "1 hour",
        own_start=start,
        own_period="1 day",
        first=datetime(2024, 1, 2, 20, tzinfo=UTC),
        last=datetime(2024, 1, 3, 2, tzinfo=UTC),
    )
    assert find(start) == [datetime(2024, 1, 2, 20, tzinfo=UTC)]
    assert len(find(datetime(2024, 1, 2, tzinfo=UTC))) == 4
    assert len(find(datetime(2024, 1, 3, tzinfo=UTC))) == 3
    assert find(datetime(2024, 1, 9, tzinfo=UTC)) == [datetime(2024, 1, 3, 2, tzinfo=UTC)]
