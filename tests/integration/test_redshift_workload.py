"""Capacity around a workload and by a timetable, with what the cluster itself remembers."""

import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.chaos.crash_sweep import IS_FULL
from tests.integration.glue_tasks import finish, task_context
from tests.integration.redshift_warehouse import new_warehouse
from updraft.operators import redshift_holds
from updraft.operators.redshift_capacity import (
    RedshiftEnsureStateOperator,
    RedshiftRememberCapacityOperator,
    RedshiftRestoreCapacityOperator,
    RedshiftScheduledActionsOperator,
    RedshiftTimetableOperator,
)
from updraft.operators.redshift_holds import BEFORE_TAG
from updraft.operators.redshift_timetable import DONE_TAG

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def warehouse(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    warehouse = new_warehouse(local_stack.endpoint_url)
    yield warehouse
    warehouse.s3.delete_bucket(Bucket=warehouse.bucket)


class Workload:
    """What the tasks of a task group do in one run."""

    def __init__(self, warehouse):
        self.warehouse = warehouse
        self.run_id = f"run-{uuid.uuid4()}"

    def _finish(self, kind, task_id, **arguments):
        operator = kind(
            task_id=task_id,
            cluster_identifier=self.warehouse.cluster,
            aws_conn_id=None,
            poll_interval=1,
            **arguments,
        )
        return finish(operator, task_context(self.run_id, task_id=task_id))

    def remember(self):
        return self._finish(RedshiftRememberCapacityOperator, "remember")

    def scale_up(self, nodes):
        return self._finish(
            RedshiftEnsureStateOperator, "scale_up", state="available", number_of_nodes=nodes
        )

    def scale_back(self):
        return self._finish(RedshiftRestoreCapacityOperator, "scale_back", setup_task_id="remember")


def tags(warehouse):
    return {tag["Key"]: tag["Value"] for tag in warehouse.describe()["Tags"]}


def condition(warehouse):
    described = warehouse.describe()
    return described["ClusterStatus"], described["NumberOfNodes"]


def test_a_cluster_comes_back_to_what_it_was(warehouse):
    warehouse.redshift.pause_cluster(ClusterIdentifier=warehouse.cluster)
    work = Workload(warehouse)
    assert work.remember() == {
        "cluster_identifier": warehouse.cluster,
        "state": "paused",
        "node_type": "ra3.xlplus",
        "number_of_nodes": 2,
        "changed": [],
        "before": "paused/2/ra3.xlplus",
    }
    work.scale_up(4)
    assert work.remember()["before"] == "paused/2/ra3.xlplus"  # a retry does not overwrite it
    assert work.scale_back()["changed"] == ["resize", "pause"]
    assert condition(warehouse) == ("paused", 2)
    assert tags(warehouse) == {}
    assert work.scale_back()["changed"] == []


def test_the_last_of_several_runs_brings_it_back(warehouse, monkeypatch):
    states = {}
    monkeypatch.setattr(redshift_holds, "dag_run_state", lambda _, run: states.get(run, "running"))
    first, second, vanished = (Workload(warehouse) for _ in range(3))
    first.remember()
    first.scale_up(4)
    vanished.remember()
    assert second.remember()["before"] == "available/2/ra3.xlplus"
    assert first.scale_back()["changed"] == []
    assert condition(warehouse) == ("available", 4)
    states[vanished.run_id] = None
    assert second.scale_back()["changed"] == ["resize"]
    assert condition(warehouse) == ("available", 2)
    assert tags(warehouse) == {}


def test_a_timetable_and_people(warehouse, monkeypatch):
    now = [datetime(2026, 11, 23, 21, 30, tzinfo=UTC)]  # half past ten at night in Berlin
    monkeypatch.setattr(RedshiftTimetableOperator, "now", lambda _: now[0])
    monkeypatch.setattr(redshift_holds, "dag_run_state", lambda *_: "running")
    lines = [
        {"at": "22:00", "action": "pause"},
        {"at": "07:15", "action": "resume"},
        {"at": "14:15", "action": "resize", "number_of_nodes": 4},
    ]

    def tick(hour, minute, **arguments):
        now[0] = datetime(2026, 11, 24, hour, minute, tzinfo=UTC) if hour < 21 else now[0]
        operator = RedshiftTimetableOperator(
            task_id="work",
            cluster_identifier=warehouse.cluster,
            timetable=lines,
            time_zone="Europe/Berlin",
            aws_conn_id=None,
            poll_interval=1,
            **arguments,
        )
        return finish(operator, task_context(f"run-{uuid.uuid4()}"))["changed"]

    assert tick(21, 30) == ["pause"]
    assert tags(warehouse) == {DONE_TAG: "2026-11-23T21:00:00+00:00"}
    assert tick(6, 0) == []
    warehouse.redshift.resume_cluster(ClusterIdentifier=warehouse.cluster)
    warehouse.wait("available")
    assert tick(6, 5) == []  # somebody needs it at night
    assert tick(6, 10, enforce=True) == ["pause"]
    assert tick(6, 20) == ["resume", "resize"]  # the size of yesterday afternoon

    # A workload goes on past the next time; the cluster comes back to what counts then.
    work = Workload(warehouse)
    work.remember()
    now[0] = datetime(2026, 11, 24, 21, 15, tzinfo=UTC)
    assert tick(21, 15) == []
    assert condition(warehouse) == ("available", 4)
    assert tags(warehouse)[BEFORE_TAG] == "paused/4/ra3.xlplus"
    assert work.scale_back()["changed"] == ["pause"]
    assert tick(21, 15) == []


def test_scheduled_actions_follow_the_timetable(warehouse):
    def run(operation, **arguments):
        operator = RedshiftScheduledActionsOperator(
            task_id="work",
            cluster_identifier=warehouse.cluster,
            operation=operation,
            iam_role="arn:aws:iam::123456789012:role/schedules",
            aws_conn_id=None,
            **arguments,
        )
        return operator.execute(task_context("run"))

    foreign = {
        "ScheduledActionName": f"by-hand-{warehouse.cluster}",
        "TargetAction": {"PauseCluster": {"ClusterIdentifier": warehouse.cluster}},
        "Schedule": "cron(0 1 * * ? *)",
        "IamRole": "arn:aws:iam::123456789012:role/other",
    }
    warehouse.redshift.create_scheduled_action(**foreign)
    lines = [
        {"at": "00:30", "action": "resume", "days": "mon-fri"},
        {"at": "22:00", "action": "resize", "number_of_nodes": 4, "classic": True},
    ]
    prefix = f"updraft-{warehouse.cluster}-"
    first = run("apply", timetable=lines, time_zone="Asia/Kolkata")
    assert first["warnings"] == []
    assert {name: one["schedule"] for name, one in first["actions"].items() if one["own"]} == {
        f"{prefix}resume-0030-mon-tue-wed-thu-fri": "cron(0 19 ? * MON,TUE,WED,THU,SUN *)",
        f"{prefix}resize-2200": "cron(30 16 * * ? *)",
    }
    assert run("apply", timetable=lines, time_zone="Asia/Kolkata")["changes"] == []

    lines[1]["number_of_nodes"] = 8
    changed = run("apply", timetable=lines, time_zone="Asia/Kolkata")["changes"]
    assert len(changed) == 1
    assert changed[0].startswith(f"modify {prefix}resize-2200: target from ")

    berlin = run("apply", timetable=lines[1:], time_zone="Europe/Berlin", plan=True)
    assert [line.split(":")[0] for line in berlin["changes"]] == [
        f"modify {prefix}resize-2200",
        f"remove {prefix}resume-0030-mon-tue-wed-thu-fri",
    ]
    assert "apply the timetable again then" in berlin["warnings"][0]
    removed = run("remove")
    assert [one["own"] for one in removed["actions"].values()] == [False]
    warehouse.redshift.delete_scheduled_action(ScheduledActionName=foreign["ScheduledActionName"])


DAG_FILE = """# A DAG of Airflow for each ending of a workload.
from datetime import UTC, datetime
from updraft.compat import DAG, task
from updraft.operators.redshift_capacity import resized_cluster

for ending, (cluster, nodes) in {cases}.items():
    with (
        DAG(ending, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)),
        resized_cluster(
            "resized",
            cluster_identifier=cluster,
            number_of_nodes=nodes,
            aws_conn_id=None,
            poll_interval=1,
            deferrable=False,
        ),
    ):
        @task
        def work(cluster, fails):
            import boto3
            (found,) = boto3.client("redshift").describe_clusters(
                ClusterIdentifier=cluster
            )["Clusters"]
            assert found["NumberOfNodes"] == 4
            assert not fails

        work(cluster, ending == "work_fails")
"""
RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1])
assert not bag.import_errors, bag.import_errors
for dag_id, dag in bag.dags.items():
    run = dag.test()
    states = {one.task_id.split(".")[-1]: one.state for one in run.get_task_instances()}
    print("result:", json.dumps([dag_id, {"run": run.state, **states}]))
"""


@pytest.mark.thorough
def test_the_teardown_comes_whatever_happens(local_stack, tmp_path):
    cases = {
        "it_works": {"scale_up": "success", "work": "success", "run": "success"},
        "work_fails": {"scale_up": "success", "work": "failed", "run": "failed"},
        "resize_fails": {"scale_up": "failed", "work": "upstream_failed", "run": "failed"},
    }
    if not IS_FULL:  # each run costs seconds, and this one is the sum of the tests above
        del cases["it_works"]
    warehouses = {name: new_warehouse(local_stack.endpoint_url) for name in cases}
    given = {
        name: (warehouse.cluster, 7 if name == "resize_fails" else 4)
        for name, warehouse in warehouses.items()
    }
    file = tmp_path / "dags" / "workload.py"
    file.parent.mkdir()
    file.write_text(DAG_FILE.format(cases=given))
    environment = {
        **os.environ,
        **local_stack.environment,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(file.parent),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "PYTHONPATH": str(PROJECT / "plugins"),
    }

    def python(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    python("-m", "airflow", "db", "migrate")
    output = python("-c", RUN, str(file))
    lines = [line for line in output.splitlines() if line.startswith("result: ")]
    found = dict(json.loads(line.removeprefix("result: ")) for line in lines)
    assert set(found) == set(cases), output[-5000:]
    for name, states in cases.items():
        wanted = {"remember": "success", "scale_back": "success", **states}
        assert {**found[name], **wanted} == found[name], output[-5000:]
        assert condition(warehouses[name]) == ("available", 2)
        assert tags(warehouses[name]) == {}
