"""Pausing, resuming and resizing clusters on the local stack, whatever comes in between."""

import threading
import time
import uuid
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


@pytest.mark.parametrize("deferrable", [True, False])
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
