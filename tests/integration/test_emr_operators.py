"""Clusters and steps by the operators, on a local stack that really runs the steps."""

import asyncio
import json
import threading
import time
import urllib.request
import uuid
from datetime import timedelta
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred

from updraft.emr.cluster_request import BootstrapAction, ClusterRequest
from updraft.emr.instances import InstanceGroup
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)
from updraft.operators.emr_failed_cluster import end_clusters
from updraft.resource_owner import KEEP_TAG

pytestmark = pytest.mark.integration

AWS = {"aws_conn_id": None, "deferrable": False, "poll_interval": 1}
LIVE = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    emr, s3 = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("emr", "s3")
    )
    bucket = f"emr-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)

    def control(method, path, **body):
        request = urllib.request.Request(
            f"{local_stack.endpoint_url}/_local/emr/{path}",
            data=json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    yield SimpleNamespace(emr=emr, s3=s3, bucket=bucket, control=control)
    left = emr.list_clusters(ClusterStates=LIVE)["Clusters"]
    emr.terminate_job_flows(JobFlowIds=[one["Id"] for one in left] or ["j-none"]) if left else None


@pytest.fixture
def run(cloud, local_stack, monkeypatch):
    """A run of a DAG: its id, and what its operators need."""
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    run_id = f"run-{uuid.uuid4()}"

    def context(task_id, attempt=1):
        instance = SimpleNamespace(
            dag_id="d",
            run_id=run_id,
            task_id=task_id,
            map_index=-1,
            try_number=attempt,
            xcom_push=lambda **_: None,
        )
        return {"ti": instance}

    yield SimpleNamespace(id=run_id, context=context, name=f"test-{run_id}")
    for one in _live(cloud, f"test-{run_id}"):
        cloud.emr.terminate_job_flows(JobFlowIds=[one])
    cloud.control("DELETE", "holds")
    cloud.control("DELETE", "failures")


def _live(cloud, name):
    found = cloud.emr.list_clusters(ClusterStates=LIVE)["Clusters"]
    return [one["Id"] for one in found if one["Name"].startswith(name)]


def _all(cloud, name):
    pages = cloud.emr.get_paginator("list_clusters").paginate()
    return [one for page in pages for one in page["Clusters"] if one["Name"].startswith(name)]


def _request(cloud, run, market="ON_DEMAND", **others):
    return ClusterRequest(
        name=run.name,
        release_label="emr-6.1.0",
        instances=[
            InstanceGroup("MASTER", "m5.xlarge"),
            InstanceGroup("CORE", "m5.xlarge", 2, market),
        ],
        log_uri=f"s3://{cloud.bucket}/logs/",
        **others,
    )


def _create(cloud, run, market="ON_DEMAND", request=None, **others):
    return EmrClusterOperator(
        task_id="create", cluster=_request(cloud, run, market, **(request or {})), **AWS | others
    )


def _terminate(cluster_id=None, **others):
    return EmrTerminateClusterOperator(
        task_id="end", cluster_id=cluster_id, setup_task_id="create", **AWS | others
    )


def _bash(*scripts, action="CANCEL_AND_WAIT"):
    return [
        {
            "Name": f"step {number}",
            "ActionOnFailure": action,
            "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", script]},
        }
        for number, script in enumerate(scripts)
    ]


def _steps(cluster_id, steps, **others):
    return EmrStepsOperator(task_id="run", cluster_id=cluster_id, steps=steps, **AWS | others)


def _states(cloud, cluster_id):
    listed = cloud.emr.list_steps(ClusterId=cluster_id)["Steps"]
    return [one["Status"]["State"] for one in reversed(listed)]


def _state(cloud, cluster_id):
    return cloud.emr.describe_cluster(ClusterId=cluster_id)["Cluster"]["Status"]["State"]


def _until(condition, seconds=30):
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, "it does not happen"
        time.sleep(0.1)


def _event(trigger):
    async def events():
        return [event.payload async for event in trigger.run()]

    (event,) = asyncio.run(asyncio.wait_for(events(), 60))
    return event


@pytest.fixture
def cluster(cloud, run):
    return _create(cloud, run).execute(run.context("create"))


def test_a_cluster_is_made_once_taken_over_and_ended(cloud, run):
    first = _create(cloud, run).execute(run.context("create"))
    again = _create(cloud, run).execute(run.context("create", 2))

    assert first == again
    assert _live(cloud, run.name) == [first]
    shown = cloud.emr.describe_cluster(ClusterId=first)["Cluster"]
    tags = {tag["Key"]: tag["Value"] for tag in shown["Tags"]}
    assert tags["updraft:run_id"] == run.id
    assert tags["updraft:task_id"] == "create"
    assert shown["TerminationProtected"] is False
    policy = cloud.emr.get_auto_termination_policy(ClusterId=first)
    assert policy["AutoTerminationPolicy"] == {"IdleTimeout": 3600}

    assert _terminate(first, wait_for_end=True).execute(run.context("end")) == [first]
    assert _state(cloud, first) == "TERMINATED"
    assert _terminate(first).execute(run.context("end")) == []


def test_a_teardown_ends_the_cluster_of_a_task_that_handed_on_nothing(cloud, run, cluster):
    assert _terminate("None").execute(run.context("end")) == [cluster]
    _until(lambda: _state(cloud, cluster) == "TERMINATED")
    assert _terminate("j-2AXXXXXXGAPLF").execute(run.context("end")) == []


def test_a_teardown_that_keeps_the_cluster_tags_it(cloud, run, cluster):
    assert _terminate(cluster, keep=True).execute(run.context("end")) == []

    described = cloud.emr.describe_cluster(ClusterId=cluster)["Cluster"]
    assert described["Status"]["State"] in {"RUNNING", "WAITING"}
    assert {"Key": KEEP_TAG, "Value": "true"} in described["Tags"]
    assert _terminate(cluster).execute(run.context("end")) == [cluster]


def test_the_callback_ends_the_cluster_of_a_task_whose_process_died(cloud, run, cluster):
    end_clusters({**run.context("create"), "task": _create(cloud, run)})

    _until(lambda: _state(cloud, cluster) == "TERMINATED")
    assert _live(cloud, run.name) == []


def test_waiting_is_deferred_and_a_kill_in_the_triggerer_ends_the_cluster(cloud, run):
    cloud.control("PUT", "holds", name=f"{run.name}*", state="STARTING")
    operator = _create(cloud, run, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(run.context("create"))
    with pytest.raises(TaskDeferred) as adopted:
        _create(cloud, run, deferrable=True).execute(run.context("create", 2))
    (cluster,) = _live(cloud, run.name)
    assert deferred.value.trigger.cluster_id == adopted.value.trigger.cluster_id == cluster

    cloud.control("DELETE", "holds")
    event = _event(adopted.value.trigger)
    assert operator.execute_complete(run.context("create"), event) == cluster

    asyncio.run(adopted.value.trigger.on_kill())
    _until(lambda: _state(cloud, cluster) == "TERMINATED")
    # The attempt that had taken the cluster over makes another one.
    own = {**event, "carried": {**event["carried"], "adopted": False}}
    with pytest.raises(AirflowException, match=r"TERMINATED \(USER_REQUEST"):
        operator.execute_complete(run.context("create"), own)
    operator = _create(cloud, run)
    another = operator.execute_complete(run.context("create", 2), event)
    assert _live(cloud, run.name) == [another]


def test_a_kill_in_the_slot_ends_the_cluster(cloud, run):
    cloud.control("PUT", "holds", name=f"{run.name}*", state="STARTING")
    operator = _create(cloud, run)
    outcome = []

    def execute():
        try:
            operator.execute(run.context("create"))
        except AirflowException as error:
            outcome.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    _until(lambda: _live(cloud, run.name))
    time.sleep(0.5)
    operator.on_kill()
    cloud.control("DELETE", "holds")
    thread.join(30)

    assert "USER_REQUEST" in outcome[0]
    assert _live(cloud, run.name) == []


def test_a_cluster_that_does_not_start_in_time_is_ended(cloud, run):
    cloud.control("PUT", "holds", name=f"{run.name}*", state="STARTING")

    with pytest.raises(AirflowException, match="still STARTING after 0:00:02"):
        _create(cloud, run, start_timeout=timedelta(seconds=2)).execute(run.context("create"))
    cloud.control("DELETE", "holds")
    assert _live(cloud, run.name) == []


def test_without_spot_instances_the_cluster_is_made_on_demand(cloud, run):
    cloud.control(
        "PUT",
        "failures",
        name=f"{run.name} [[]????????????]",
        code="VALIDATION_ERROR",
        message="The requested number of spot instances exceeds what is there",
    )
    with pytest.raises(AirflowException, match=r"number of spot instances.*on_demand_fallback"):
        _create(cloud, run, "SPOT").execute(run.context("create"))

    cluster = _create(cloud, run, "SPOT", on_demand_fallback=True).execute(run.context("create", 2))
    assert _live(cloud, run.name) == [cluster]
    groups = cloud.emr.list_instance_groups(ClusterId=cluster)["InstanceGroups"]
    assert {group["Market"] for group in groups} == {"ON_DEMAND"}
    assert len(_all(cloud, run.name)) == 2


def test_a_bootstrap_failure_is_one_error_with_its_log(cloud, run):
    script = b"#!/bin/bash\necho no such package >&2\nexit 3\n"
    cloud.s3.put_object(Bucket=cloud.bucket, Key="install.sh", Body=script)
    actions = [BootstrapAction(f"s3://{cloud.bucket}/install.sh")]

    with pytest.raises(AirflowException) as raised:
        _create(cloud, run, request={"bootstrap_actions": actions}).execute(run.context("create"))

    message = str(raised.value)
    assert "BOOTSTRAP_FAILURE" in message
    assert "no such package" in message
    assert f"s3://{cloud.bucket}/logs/" in message


def test_a_wrong_request_is_no_cluster_and_no_retry(cloud, run):
    operator = EmrClusterOperator(task_id="create", cluster='{"Name": "x"}', **AWS)

    with pytest.raises(AirflowFailException, match="Instances"):
        operator.execute(run.context("create"))
    with pytest.raises(AirflowFailException, match=r"refuses a new cluster.*invalid: six"):
        EmrClusterOperator(
            task_id="create",
            cluster={"Name": run.name, "ReleaseLabel": "six", "Instances": {"InstanceCount": 1}},
            **AWS,
        ).execute(run.context("create"))
    assert _all(cloud, run.name) == []


def test_steps_run_once_however_often_the_task_is_tried(cloud, run, cluster, tmp_path):
    count = tmp_path / "count"
    steps = _bash(f"echo one >> {count}", f"echo two >> {count}")

    first = _steps(cluster, steps).execute(run.context("run"))
    again = _steps(cluster, json.dumps(steps)).execute(run.context("run", 2))

    assert first == again
    assert _states(cloud, cluster) == ["COMPLETED", "COMPLETED"]
    assert count.read_text() == "one\ntwo\n"


def test_a_running_step_is_adopted_from_the_triggerer(cloud, run, cluster, tmp_path):
    go, count = tmp_path / "go", tmp_path / "count"
    steps = _bash(f"while [ ! -e {go} ]; do sleep 0.1; done; echo x >> {count}")
    with pytest.raises(TaskDeferred):
        _steps(cluster, steps, deferrable=True).execute(run.context("run"))
    operator = _steps(cluster, steps, deferrable=True)
    with pytest.raises(TaskDeferred) as adopted:
        operator.execute(run.context("run", 2))

    go.touch()
    ids = operator.execute_complete(run.context("run", 2), _event(adopted.value.trigger))

    assert ids == adopted.value.trigger.step_ids
    assert _states(cloud, cluster) == ["COMPLETED"]
    assert count.read_text() == "x\n"


def test_a_failed_step_is_one_error_with_its_log_and_a_retry_adds_it_once(
    cloud, run, cluster, tmp_path, capfd
):
    fixed, count = tmp_path / "fixed", tmp_path / "count"
    failing = f"test -e {fixed} || {{ echo 'ValueError: no such day' >&2; exit 3; }}"
    steps = _bash(f"echo one >> {count}", failing, f"echo three >> {count}")

    with pytest.raises(AirflowException) as raised:
        _steps(cluster, steps).execute(run.context("run"))

    message = str(raised.value)
    assert "ended as FAILED" in message
    assert "ValueError: no such day" in message
    assert f"s3://{cloud.bucket}/logs/{cluster}/steps/s-" in message
    assert "CANCELLED" in message
    assert _states(cloud, cluster) == ["COMPLETED", "FAILED", "CANCELLED"]

    fixed.touch()
    ids = _steps(cluster, steps).execute(run.context("run", 2))
    assert _states(cloud, cluster) == ["COMPLETED", "FAILED", "CANCELLED", "COMPLETED", "COMPLETED"]
    assert len(ids) == 3
    assert count.read_text() == "one\nthree\n"


def test_a_retry_from_the_first_step_runs_all_of_them_again_and_then_no_more(
    cloud, run, cluster, tmp_path
):
    fixed, count = tmp_path / "fixed", tmp_path / "count"
    steps = _bash(f"echo one >> {count}", f"test -e {fixed}", f"echo three >> {count}")
    with pytest.raises(AirflowException, match="ended as FAILED"):
        _steps(cluster, steps, retry_from="first_step").execute(run.context("run"))

    fixed.touch()
    ids = _steps(cluster, steps, retry_from="first_step").execute(run.context("run", 2))
    again = _steps(cluster, steps, retry_from="first_step").execute(run.context("run", 3))

    assert again == ids
    assert _states(cloud, cluster) == ["COMPLETED", "FAILED", "CANCELLED", *["COMPLETED"] * 3]
    assert count.read_text() == "one\none\nthree\n"


def test_steps_go_on_after_a_failure_if_they_are_told_to(cloud, run, cluster):
    steps = _bash("exit 1", "true", action="CONTINUE")

    with pytest.raises(AirflowException, match="FAILED"):
        _steps(cluster, steps).execute(run.context("run"))
    assert _states(cloud, cluster) == ["FAILED", "COMPLETED"]


def test_a_step_that_ends_its_cluster_says_so(cloud, run, cluster):
    steps = _bash("exit 1", "true", action="TERMINATE_CLUSTER")

    with pytest.raises(AirflowException, match="The cluster is TERMINAT"):
        _steps(cluster, steps).execute(run.context("run"))
    _until(lambda: _state(cloud, cluster).startswith("TERMINATED"))
    with pytest.raises(AirflowException, match=rf"^Step s-\w+ .* of cluster {cluster} .* FAILED"):
        _steps(cluster, steps).execute(run.context("run", 2))


def test_a_kill_cancels_the_steps_and_the_next_attempt_adds_them_again(
    cloud, run, cluster, tmp_path
):
    go = tmp_path / "go"
    steps = _bash(f"while [ ! -e {go} ]; do sleep 0.1; done", "true")
    operator = _steps(cluster, steps)
    outcome = []

    def execute():
        try:
            operator.execute(run.context("run"))
        except AirflowException as error:
            outcome.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    _until(lambda: "RUNNING" in _states(cloud, cluster))
    operator.on_kill()
    thread.join(30)
    assert "CANCELLED" in outcome[0]
    assert _states(cloud, cluster) == ["CANCELLED", "CANCELLED"]

    go.touch()
    _steps(cluster, steps).execute(run.context("run", 2))
    assert _states(cloud, cluster)[2:] == ["COMPLETED", "COMPLETED"]


def test_a_kill_in_the_triggerer_cancels_the_steps(cloud, run, cluster):
    with pytest.raises(TaskDeferred) as deferred:
        _steps(cluster, _bash("sleep 60"), deferrable=True).execute(run.context("run"))
    _until(lambda: _states(cloud, cluster) == ["RUNNING"])

    asyncio.run(deferred.value.trigger.on_kill())

    _until(lambda: _states(cloud, cluster) == ["CANCELLED"])


def test_steps_run_at_the_same_time_if_they_are_told_to(cloud, run, cluster, tmp_path):
    # Each waits for the other.
    meet = [
        f"touch {tmp_path}/{a}; while [ ! -e {tmp_path}/{b} ]; do sleep 0.1; done"
        for a, b in (("x", "y"), ("y", "x"))
    ]

    ids = _steps(cluster, _bash(*meet, action=None), step_concurrency="2").execute(
        run.context("run")
    )

    assert len(ids) == 2
    assert cloud.emr.describe_cluster(ClusterId=cluster)["Cluster"]["StepConcurrencyLevel"] == 2


def test_more_steps_than_a_cluster_takes_wait_for_room(cloud, run, cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("updraft.operators.emr_step_runs.MOST_ACTIVE_STEPS", 3)  # of 256
    count = tmp_path / "count"
    steps = _bash(*[f"echo {number} >> {count}" for number in range(8)])

    operator, context = _steps(cluster, steps, deferrable=True), run.context("run")
    ids, events = None, []
    while ids is None:
        try:
            ids = (
                operator.execute_complete(context, events[-1])
                if events
                else operator.execute(context)
            )
        except TaskDeferred as deferred:
            events.append(_event(deferred.trigger))

    assert len(events) >= 2
    assert len(set(ids)) == 8
    assert count.read_text().split() == [str(number) for number in range(8)]


def test_a_failure_keeps_steps_out_that_are_not_added_yet(cloud, run, cluster, monkeypatch):
    monkeypatch.setattr("updraft.operators.emr_step_runs.MOST_ACTIVE_STEPS", 1)

    with pytest.raises(AirflowException, match="FAILED"):
        _steps(cluster, _bash("exit 1", "true")).execute(run.context("run"))
    assert _states(cloud, cluster) == ["FAILED"]
