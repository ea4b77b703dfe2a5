"""Pausing, resuming and resizing clusters on the local stack, whatever comes in between."""

import asyncio
import threading
import uuid
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred

from tests.integration.glue_tasks import event_of, finish, finish_counting, resume, task_context
from tests.integration.redshift_warehouse import new_warehouse
from updraft.operators.redshift_capacity import (
    RedshiftEnsureStateOperator,
    RedshiftPauseOperator,
    RedshiftResizeOperator,
    RedshiftResumeOperator,
    RedshiftServerlessCapacityOperator,
)
from updraft.operators.redshift_resizing import OWNER_TAG

pytestmark = pytest.mark.integration


@pytest.fixture
def warehouse(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    warehouse = new_warehouse(local_stack.endpoint_url)
    yield warehouse
    warehouse.control("holds", "DELETE", name=warehouse.cluster)
    warehouse.control("failures", "DELETE", name=warehouse.cluster)
    warehouse.control("phases", "DELETE")
    warehouse.s3.delete_bucket(Bucket=warehouse.bucket)


def task(kind, warehouse, **arguments):
    return kind(
        task_id="work",
        cluster_identifier=warehouse.cluster,
        aws_conn_id=None,
        **{"poll_interval": 1, **arguments},
    )


def context(attempt=1):
    return task_context(f"run-{uuid.uuid4()}", attempt)


def fault(warehouse, operation, code="", message="it is so", **more):
    body = {"operation": operation, "message": message, **more}
    if code:
        body["code"] = code
    warehouse.control("failures", "PUT", name=warehouse.cluster, **body)


def nodes(warehouse):
    return warehouse.describe()["NumberOfNodes"]


@pytest.mark.parametrize("deferrable", [pytest.param(True, marks=pytest.mark.thorough), False])
def test_a_day_of_a_cluster(warehouse, deferrable):
    def run(kind, **arguments):
        return finish(task(kind, warehouse, deferrable=deferrable, **arguments), context())

    assert run(RedshiftPauseOperator)["changed"] == ["pause"]
    assert warehouse.describe()["ClusterStatus"] == "paused"
    assert run(RedshiftPauseOperator)["changed"] == []
    assert run(RedshiftResumeOperator)["changed"] == ["resume"]
    assert run(RedshiftResumeOperator)["changed"] == []
    result = run(RedshiftResizeOperator, number_of_nodes=4)
    assert result == {
        "cluster_identifier": warehouse.cluster,
        "state": "available",
        "node_type": "ra3.xlplus",
        "number_of_nodes": 4,
        "changed": ["resize"],
    }
    assert run(RedshiftResizeOperator, number_of_nodes=4)["changed"] == []
    assert warehouse.redshift.describe_resize(ClusterIdentifier=warehouse.cluster)[
        "ResizeType"
    ] == ("ElasticResize")


def test_all_that_a_state_needs(warehouse):
    def ensure(**arguments):
        return finish(task(RedshiftEnsureStateOperator, warehouse, **arguments), context())

    assert ensure(state="paused", number_of_nodes=4)["changed"] == ["resize", "pause"]
    again = ensure(state="paused", number_of_nodes="2")
    assert again["changed"] == ["resume", "resize", "pause"]
    assert (again["state"], again["number_of_nodes"]) == ("paused", 2)
    result = ensure(state="available", number_of_nodes=1, node_type="ra3.large", classic=True)
    assert result["changed"] == ["resume", "resize"]
    assert (warehouse.describe()["NodeType"], nodes(warehouse)) == ("ra3.large", 1)
    assert warehouse.describe()["Tags"] == []  # the owner of the resize is gone


def test_sizes_that_cannot_be_reached(warehouse):
    refused = task(RedshiftResizeOperator, warehouse, number_of_nodes=7)
    with pytest.raises(AirflowFailException, match=r"from 2 x ra3.xlplus to 7 .*to 4 x ra3.xlplus"):
        refused.execute(context())
    finish(task(RedshiftPauseOperator, warehouse), context())
    with pytest.raises(AirflowException, match="paused cluster can't be resized"):
        task(RedshiftResizeOperator, warehouse, number_of_nodes=4).execute(context())
    skipped = task(RedshiftResizeOperator, warehouse, number_of_nodes=4, if_paused="skip")
    assert finish(skipped, context())["changed"] == []
    resumed = task(RedshiftResizeOperator, warehouse, number_of_nodes=4, if_paused="resume")
    assert finish(resumed, context())["changed"] == ["resume", "resize"]


def test_a_cluster_that_does_not_exist(warehouse):
    absent = SimpleNamespace(cluster="absent")
    with pytest.raises(AirflowException, match="There is no cluster 'absent' in us-east-1"):
        task(RedshiftPauseOperator, absent).execute(context())
    ensured = task(RedshiftEnsureStateOperator, absent, state="paused", missing_ok=True)
    assert ensured.execute(context())["state"] == "absent"


def test_a_competing_resize_is_waited_for_and_looked_at_anew(warehouse):
    warehouse.control("holds", "PUT", name=warehouse.cluster, state="resizing")
    warehouse.redshift.resize_cluster(ClusterIdentifier=warehouse.cluster, NumberOfNodes=4)
    operator, this = task(RedshiftResizeOperator, warehouse, number_of_nodes=8), context()
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(this)
    warehouse.control("holds", "DELETE", name=warehouse.cluster)

    assert resume(operator, this, deferred.value.trigger)["changed"] == ["resize"]
    assert nodes(warehouse) == 8


def test_an_actor_that_comes_between_look_and_act(warehouse):
    fault(warehouse, "PauseCluster", "InvalidClusterState", times=2)
    result, deferrals = finish_counting(task(RedshiftPauseOperator, warehouse), context())
    assert (result["changed"], result["state"]) == (["pause"], "paused")
    assert deferrals == 3


def test_an_actor_who_reaches_the_goal_between_look_and_act(warehouse, monkeypatch):
    """AWS refuses a resize to the size that the cluster has got meanwhile."""
    operator = task(RedshiftResizeOperator, warehouse, number_of_nodes=4, deferrable=False)
    stale, look = [operator.look()], operator.look
    warehouse.redshift.resize_cluster(ClusterIdentifier=warehouse.cluster, NumberOfNodes=4)
    warehouse.wait("available")
    monkeypatch.setattr(operator, "look", lambda: stale.pop() if stale else look())
    assert operator.execute(context())["number_of_nodes"] == 4


@pytest.mark.thorough
def test_an_actor_who_changes_something_all_the_time(warehouse):
    stopped, begun = threading.Event(), []

    def change_ever_again():
        while not stopped.wait(0.4):
            with suppress(warehouse.redshift.exceptions.InvalidClusterStateFault):
                warehouse.redshift.modify_cluster(
                    ClusterIdentifier=warehouse.cluster, AllowVersionUpgrade=False
                )
                begun.append(1)

    warehouse.control("phases", "PUT", modifying=0.1)
    thread = threading.Thread(target=change_ever_again)
    thread.start()
    try:
        operator = task(RedshiftEnsureStateOperator, warehouse, state="paused", number_of_nodes=4)
        result = finish(operator, context())
    finally:
        stopped.set()
        thread.join()
    assert (result["state"], result["number_of_nodes"]) == ("paused", 4)
    assert begun


@pytest.mark.thorough
def test_an_actor_that_never_sleeps(warehouse):
    """Somebody resumes the cluster as often as the task pauses it."""
    stopped = threading.Event()

    def resume_ever_again():
        while not stopped.wait(0.02):
            if warehouse.describe()["ClusterStatus"] == "paused":
                warehouse.redshift.resume_cluster(ClusterIdentifier=warehouse.cluster)

    warehouse.control("phases", "PUT", pausing=0.05, resuming=0.05)
    thread = threading.Thread(target=resume_ever_again)
    thread.start()
    try:
        with pytest.raises(AirflowException, match=r"again and again: after 5 times 'pause'"):
            finish(task(RedshiftPauseOperator, warehouse), context())
    finally:
        stopped.set()
        thread.join()


@pytest.mark.thorough
def test_no_capacity_is_waited_for_but_not_for_ever(warehouse):
    def resized(seconds):
        limit = timedelta(seconds=seconds)
        operator = task(
            RedshiftResizeOperator, warehouse, number_of_nodes=4, capacity_timeout=limit
        )
        return finish(operator, context())

    fault(warehouse, "ResizeCluster", "InsufficientClusterCapacity", "none left", times=2)
    assert resized(60)["number_of_nodes"] == 4
    finish(task(RedshiftResizeOperator, warehouse, number_of_nodes=2), context())
    fault(warehouse, "ResizeCluster", "InsufficientClusterCapacity", "none left")
    with pytest.raises(AirflowException, match=r"no nodes for the cluster .* 0:00:02: none left"):
        resized(2)


def test_other_refusals_fail_at_once(warehouse):
    fault(warehouse, "ResizeCluster", "NumberOfNodesQuotaExceeded", "only 3")
    with pytest.raises(AirflowException, match=r"redshift:ResizeCluster .* only 3"):
        task(RedshiftResizeOperator, warehouse, number_of_nodes=4).execute(context())


def test_a_resize_that_fails(warehouse):
    fault(warehouse, "Resize", message="the disks are too small", times=1)
    operator, this = task(RedshiftResizeOperator, warehouse, number_of_nodes=4), context()
    with pytest.raises(AirflowException, match=r"to 4 x ra3.xlplus has failed: the disks are too"):
        finish(operator, this)
    again = finish(task(RedshiftResizeOperator, warehouse, number_of_nodes=4), this)
    assert again["number_of_nodes"] == 4


def test_a_retry_finds_the_resize_of_the_attempt_before(warehouse):
    this = context()
    first = task(RedshiftResizeOperator, warehouse, number_of_nodes=3, classic=True)
    with pytest.raises(TaskDeferred):
        first.execute(this)
    again = task(RedshiftResizeOperator, warehouse, number_of_nodes=3, classic=True)
    result = finish(again, this)
    assert result["changed"] == []  # by this attempt
    assert nodes(warehouse) == 3
    assert OWNER_TAG not in {tag["Key"] for tag in warehouse.describe()["Tags"]}


@pytest.mark.parametrize("by", ["task", "retry", "trigger"])
def test_who_ends_the_task_takes_a_classic_resize_back(warehouse, by):
    warehouse.control("holds", "PUT", name=warehouse.cluster, state="resizing")
    this = context()
    operator = task(RedshiftResizeOperator, warehouse, number_of_nodes=3, classic=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(this)
    trigger = deferred.value.trigger
    if by == "task":
        operator.on_kill()
    elif by == "trigger":
        _, arguments = trigger.serialize()
        assert arguments["cancels"] == "3/ra3.xlplus"
        asyncio.run(type(trigger)(**arguments).on_kill())
    else:
        again = task(RedshiftResizeOperator, warehouse, number_of_nodes=3, classic=True)
        with pytest.raises(TaskDeferred):
            again.execute(this)
        again.on_kill()
    warehouse.control("holds", "DELETE", name=warehouse.cluster)
    warehouse.wait("available")
    assert nodes(warehouse) == 2
    with pytest.raises(AirflowException, match="Somebody has cancelled the resize"):
        operator.execute_complete(this, event_of(trigger))


def test_a_classic_resize_of_somebody_else_is_not_taken_back(warehouse):
    warehouse.control("holds", "PUT", name=warehouse.cluster, state="resizing")
    warehouse.redshift.resize_cluster(
        ClusterIdentifier=warehouse.cluster, NumberOfNodes=3, Classic=True
    )
    operator = task(RedshiftResizeOperator, warehouse, number_of_nodes=3, classic=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(context())
    operator.on_kill()
    assert deferred.value.trigger.cancels == ""
    warehouse.control("holds", "DELETE", name=warehouse.cluster)
    warehouse.wait("available")
    assert nodes(warehouse) == 3


def test_too_long(warehouse):
    warehouse.control("holds", "PUT", name=warehouse.cluster, state="pausing")
    operator = task(RedshiftPauseOperator, warehouse, timeout=timedelta(seconds=2))
    with pytest.raises(AirflowException, match=r"After 0:00:02 the cluster .* is pausing"):
        finish(operator, context())


def test_plans_change_nothing(warehouse):
    def planned(kind, **arguments):
        return task(kind, warehouse, plan="True", **arguments).execute(context())["plan"]

    assert planned(RedshiftResizeOperator, number_of_nodes=4) == [
        "resize (elastic): from 2 x ra3.xlplus to 4 x ra3.xlplus; 2 node-hours an hour of "
        "ra3.xlplus become 4"
    ]
    assert planned(RedshiftPauseOperator) == ["pause: 2 node-hours an hour of ra3.xlplus become 0"]
    assert planned(RedshiftResumeOperator) == []
    with pytest.raises(AirflowFailException, match=r"to 4 x ra3\.xlplus"):
        planned(RedshiftResizeOperator, number_of_nodes=5)
    assert (warehouse.describe()["ClusterStatus"], nodes(warehouse)) == ("available", 2)


def test_capacity_of_a_workgroup(warehouse):
    serverless = warehouse.client("redshift-serverless")
    name = warehouse.cluster
    serverless.create_namespace(
        namespaceName=name, adminUsername="awsuser", adminUserPassword="Secret-1234"
    )
    serverless.create_workgroup(
        workgroupName=name, namespaceName=name, baseCapacity=32, maxCapacity=64
    )

    def capacity(**arguments):
        operator = RedshiftServerlessCapacityOperator(
            task_id="work", workgroup_name=name, aws_conn_id=None, poll_interval=1, **arguments
        )
        return finish(operator, context())

    plan = capacity(base_capacity=128, max_capacity=256, plan=True)["plan"]
    assert [line for line in plan if line != "wait: it is CREATING"] == [
        "maxCapacity: from 64 to 256",
        "baseCapacity: from 32 to 128",
    ]
    result = capacity(base_capacity=128, max_capacity="256")
    assert result["changed"] == ["maxCapacity=256", "baseCapacity=128"]
    assert capacity(base_capacity=128, max_capacity=256)["changed"] == []
    fault(warehouse, "UpdateWorkgroup", "ConflictException", times=1)
    lower = capacity(base_capacity="16", max_capacity=24)
    assert lower["changed"] == ["baseCapacity=16", "maxCapacity=24"]
    assert capacity(max_capacity="none")["max_capacity"] is None
    with pytest.raises(AirflowException, match="UpdateWorkgroup on workgroup"):
        capacity(base_capacity=17)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (RedshiftResizeOperator, {}, "number_of_nodes: it is missing"),
        (RedshiftResizeOperator, {"number_of_nodes": "two"}, "'two' is no number"),
        (RedshiftResizeOperator, {"number_of_nodes": 0}, "0 is no number from 1"),
        (RedshiftResizeOperator, {"node_type": "ra3"}, "node_type: 'ra3'"),
        (RedshiftResizeOperator, {"number_of_nodes": 2, "if_paused": "resum"}, "mean 'resume'"),
        (
            RedshiftResizeOperator,
            {"number_of_nodes": 1, "cluster_type": "multi-node"},
            "does not fit cluster_type",
        ),
        (RedshiftEnsureStateOperator, {"state": "pause"}, "did you mean 'paused'"),
        (RedshiftEnsureStateOperator, {"state": "available", "missing_ok": True}, "missing_ok"),
        (RedshiftPauseOperator, {"plan": "perhaps"}, "plan: 'perhaps'"),
        (RedshiftPauseOperator, {"cluster_identifier": "Sales; DROP"}, "no name of a cluster"),
        (RedshiftPauseOperator, {"poll_interval": 0}, "poll_interval"),
    ],
)
def test_wrong_arguments_fail_before_any_call(kind, arguments, message):
    operator = kind(**{"task_id": "work", "cluster_identifier": "sales", **arguments})
    with pytest.raises(AirflowFailException, match=message):
        operator.execute(context())
