"""The policies for the capacity of Redshift let its operators work, and allow nothing else."""

from contextlib import contextmanager

import pytest
from airflow.exceptions import AirflowException, TaskDeferred

from tests.integration.glue_tasks import finish, task_context
from tests.integration.permission_proxy import Policy, permission_proxy
from tests.integration.redshift_warehouse import new_warehouse
from updraft.operators.redshift_capacity import (
    RedshiftPauseOperator,
    RedshiftResizeOperator,
    RedshiftScheduledActionsOperator,
    RedshiftServerlessCapacityOperator,
    RedshiftTimetableOperator,
)

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/schedules"
ACCOUNT = "us-east-1:123456789012"


@pytest.fixture
def warehouse(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    warehouse = new_warehouse(local_stack.endpoint_url)
    yield warehouse
    warehouse.s3.delete_bucket(Bucket=warehouse.bucket)


@pytest.fixture
def rights(local_stack, monkeypatch):
    @contextmanager
    def rights(policy):
        with (
            permission_proxy(local_stack.endpoint_url, policy) as proxy,
            monkeypatch.context() as patch,
        ):
            patch.setenv("AWS_ENDPOINT_URL", proxy.url)
            yield proxy

    return rights


def cluster_policy(name, warehouse):
    return Policy(name, cluster_arn=f"arn:aws:redshift:{ACCOUNT}:cluster:{warehouse.cluster}")


def task(kind, warehouse, **arguments):
    return kind(
        task_id="work",
        cluster_identifier=warehouse.cluster,
        aws_conn_id=None,
        poll_interval=1,
        **{"deferrable": False, **arguments},
    )


def cancelled_resize(warehouse, nodes):
    resize = task(
        RedshiftResizeOperator, warehouse, number_of_nodes=nodes, classic=True, deferrable=True
    )
    with pytest.raises(TaskDeferred):
        resize.execute(task_context("cancelled"))
    resize.on_kill()


def test_resize(warehouse, rights):
    policy = cluster_policy("redshift-resize", warehouse)
    warehouse.redshift.pause_cluster(ClusterIdentifier=warehouse.cluster)
    with rights(policy) as proxy:
        for nodes, classic in ((4, False), (3, True)):
            resize = task(
                RedshiftResizeOperator,
                warehouse,
                number_of_nodes=nodes,
                classic=classic,
                if_paused="resume",
            )
            assert finish(resize, task_context("run"))["number_of_nodes"] == nodes
        cancelled_resize(warehouse, 5)
        again = task(RedshiftResizeOperator, warehouse, number_of_nodes=6)
        finish(again, task_context("run"))
    assert proxy.denied == []
    assert proxy.used == policy.actions


@pytest.mark.thorough
def test_timetable(warehouse, rights):
    policy = cluster_policy("redshift-pause-resume", warehouse)
    pause, resume = {"at": "00:00", "action": "pause"}, {"at": "00:00", "action": "resume"}
    larger = {"at": "00:00", "action": "resize", "number_of_nodes": 4}
    classic = {**larger, "number_of_nodes": 5, "classic": True}
    with rights(policy) as proxy:
        for lines in ([pause], [resume, larger], [resume, classic]):
            operator = task(RedshiftTimetableOperator, warehouse, timetable=lines, enforce=True)
            finish(operator, task_context("run"))
        cancelled_resize(warehouse, 3)
    assert proxy.denied == []
    assert proxy.used == policy.actions


def test_scheduled_actions(warehouse, rights):
    policy = Policy("redshift-scheduled-actions", schedule_role_arn=ROLE)

    def run(operation, nodes=4):
        operator = RedshiftScheduledActionsOperator(
            task_id="work",
            cluster_identifier=warehouse.cluster,
            operation=operation,
            timetable=[{"at": "14:15", "action": "resize", "number_of_nodes": nodes}],
            iam_role=ROLE,
            aws_conn_id=None,
        )
        assert operator.execute(task_context("run"))["changes"]

    with rights(policy) as proxy:
        run("apply")
        run("apply", 8)
        run("remove")
    assert proxy.denied == []
    assert proxy.used == policy.actions


def test_serverless(warehouse, rights):
    name, serverless = warehouse.cluster, warehouse.client("redshift-serverless")
    serverless.create_namespace(
        namespaceName=name, adminUsername="awsuser", adminUserPassword="Secret-1234"
    )
    serverless.create_workgroup(workgroupName=name, namespaceName=name)
    policy = Policy(
        "redshift-serverless-capacity",
        workgroup_arn=f"arn:aws:redshift-serverless:{ACCOUNT}:workgroup/{name}",
    )
    operator = RedshiftServerlessCapacityOperator(
        task_id="work",
        workgroup_name=name,
        base_capacity=64,
        aws_conn_id=None,
        poll_interval=1,
        deferrable=False,
    )
    with rights(policy) as proxy:
        finish(operator, task_context("run"))
    assert proxy.denied == []
    assert proxy.used == policy.actions


@pytest.mark.parametrize("action", ["DescribeClusters", "PauseCluster"])
def test_a_missing_right_is_named(warehouse, rights, action):
    policy = cluster_policy("redshift-pause-resume", warehouse)
    for statement in policy.statements:
        statement["Action"] = [one for one in statement["Action"] if one != f"redshift:{action}"]
    with rights(policy), pytest.raises(AirflowException, match=f"redshift:{action} on .* not perm"):
        task(RedshiftPauseOperator, warehouse).execute(task_context("run"))
