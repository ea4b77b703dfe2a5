"""States, sizes and schedules of Redshift, harmed at every call of AWS."""

import json
import urllib.request
from abc import ABC, abstractmethod

import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_faults import Fault
from tests.chaos.crash_sweep import IS_FULL, KILLS, USER_ACTIONS, WAYS, Sweep
from tests.integration.redshift_warehouse import new_warehouse
from updraft.compat import DAG
from updraft.operators.redshift_capacity import (
    RedshiftEnsureStateOperator,
    RedshiftPauseOperator,
    RedshiftResizeOperator,
    RedshiftResumeOperator,
    RedshiftScheduledActionsOperator,
    RedshiftServerlessCapacityOperator,
    RedshiftTimetableOperator,
    resized_cluster,
)

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/schedules"
MIDNIGHT = [{"at": "00:00", "action": "pause"}]
ENDED = {"airflow:TriggerFired", "airflow:SucceedTask", "redshift:DeleteTags"}
SHORT = {"creating": 0.05, "modifying": 0.1, "pausing": 0.1, "resuming": 0.1, "elastic_resize": 0.2}


class Kind(ABC):
    """One operator.

    :param changes: pattern of the calls that change something.
    """

    changes = "redshift:(Pause|Resume|Resize)Cluster"

    @abstractmethod
    def operator(self, name, **common):
        """Make the task."""

    def prepare(self, warehouse):
        """Bring the cluster to where it starts; as it was made, by default."""
        return

    @abstractmethod
    def result(self, warehouse):
        """Give what the task was to change."""

    @property
    @abstractmethod
    def expected(self):
        """What that is in the end."""


class Clusters(Kind):
    """Those that change a cluster."""

    def result(self, warehouse):
        found = warehouse.describe()
        return found["ClusterStatus"], found["NumberOfNodes"]


class Pause(Clusters):
    expected = ("paused", 2)

    def operator(self, name, **common):
        return RedshiftPauseOperator(cluster_identifier=name, **common)


class Resume(Clusters):
    expected = ("available", 2)

    def operator(self, name, **common):
        return RedshiftResumeOperator(cluster_identifier=name, **common)

    def prepare(self, warehouse):
        warehouse.redshift.pause_cluster(ClusterIdentifier=warehouse.cluster)


class Resize(Clusters):
    expected = ("available", 4)

    def operator(self, name, **common):
        return RedshiftResizeOperator(cluster_identifier=name, number_of_nodes=4, **common)


class EnsureState(Clusters):
    expected = ("paused", 4)

    def operator(self, name, **common):
        return RedshiftEnsureStateOperator(
            cluster_identifier=name, state="paused", number_of_nodes=4, **common
        )


class Timetable(Clusters):
    expected = ("paused", 2)
    changes = "redshift:(PauseCluster|CreateTags)"

    def operator(self, name, **common):
        return RedshiftTimetableOperator(cluster_identifier=name, timetable=MIDNIGHT, **common)


class Serverless(Kind):
    expected = (64, 128)
    changes = "redshift-serverless:UpdateWorkgroup"

    def operator(self, name, **common):
        return RedshiftServerlessCapacityOperator(
            workgroup_name=name, base_capacity=64, max_capacity=128, **common
        )

    def prepare(self, warehouse):
        client, name = warehouse.client("redshift-serverless"), warehouse.cluster
        client.create_namespace(
            namespaceName=name, adminUsername="awsuser", adminUserPassword="Secret-1234"
        )
        client.create_workgroup(workgroupName=name, namespaceName=name, baseCapacity=32)

    def result(self, warehouse):
        client = warehouse.client("redshift-serverless")
        found = client.get_workgroup(workgroupName=warehouse.cluster)["workgroup"]
        return found["baseCapacity"], found.get("maxCapacity")


class ScheduledActions(Kind):
    expected = ("cron(0 0 * * ? *)",)
    changes = "redshift:(Create|Modify|Delete)ScheduledAction"

    def operator(self, name, **common):
        given = {key: common[key] for key in ("task_id", "aws_conn_id", "retries")}
        return RedshiftScheduledActionsOperator(
            cluster_identifier=name, operation="apply", timetable=MIDNIGHT, iam_role=ROLE, **given
        )

    def result(self, warehouse):
        condition = {"Name": "cluster-identifier", "Values": [warehouse.cluster]}
        found = warehouse.redshift.describe_scheduled_actions(Filters=[condition])
        return tuple(one["Schedule"] for one in found["ScheduledActions"])


KINDS = {
    "pause": Pause(),
    "resume": Resume(),
    "resize": Resize(),
    "ensure state": EnsureState(),
    "timetable": Timetable(),
    "serverless": Serverless(),
    "scheduled actions": ScheduledActions(),
}
CHOSEN = KINDS if IS_FULL else ("resize",)  # a short sweep has no time for more


def capacity_dag(kind, name, deferrable):
    with DAG("crash", schedule=None) as dag:
        KINDS[kind].operator(
            name,
            task_id="work",
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
            retries=2,
        )
    return dag


def classic_dag(name, deferrable):
    with DAG("crash", schedule=None) as dag:
        RedshiftResizeOperator(
            task_id="work",
            cluster_identifier=name,
            number_of_nodes=3,
            classic=True,
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
            retries=2,
        )
    return dag


def workload_dag(name, deferrable):
    with (
        DAG("crash", schedule=None) as dag,
        resized_cluster(
            "resized",
            cluster_identifier=name,
            number_of_nodes=4,
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
            retries=2,
        ),
    ):
        pass
    return dag


@pytest.fixture
def harm(local_stack, tmp_path):
    def phases(method, **body):
        url = f"{local_stack.endpoint_url}/_local/redshift/phases"
        request = urllib.request.Request(url, json.dumps(body).encode(), method=method)
        urllib.request.urlopen(request, timeout=5).close()

    def harm(subject, changes, check, faults, *, prepare=None, kind=None, deferrable, **times):
        made = {}

        def fresh():
            warehouse = new_warehouse(local_stack.endpoint_url)
            made[warehouse.cluster] = warehouse
            if prepare is not None:
                prepare(warehouse)
            given = {"name": warehouse.cluster, "deferrable": deferrable}
            return given if kind is None else {**given, "kind": kind}

        def checked(arguments, outcome):
            check(made[arguments["name"]], outcome)

        phases("PUT", **SHORT, **times)
        Sweep(subject, local_stack.environment, tmp_path, fresh, checked, changes).run(faults)

    yield harm
    phases("DELETE")


SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")


@SLOTS
@pytest.mark.parametrize("kind", CHOSEN)
def test_the_goal_is_reached(harm, kind, deferrable):
    def check(warehouse, outcome):
        assert outcome.states == {"work": "success"}
        assert KINDS[kind].result(warehouse) == KINDS[kind].expected

    one = KINDS[kind]
    harm(
        Subject(capacity_dag, ("work",)),
        one.changes,
        check,
        KILLS,
        prepare=one.prepare,
        kind=kind,
        deferrable=deferrable,
    )


@SLOTS
@pytest.mark.thorough
def test_a_user_who_ends_the_task_takes_a_classic_resize_back(harm, deferrable):
    """Airflow tells task or trigger; where it does not, the resize goes on."""

    def check(warehouse, outcome):
        warehouse.wait("available")
        nodes = warehouse.describe()["NumberOfNodes"]
        if not outcome.happened or outcome.injection.fault is Fault.CLEAR:
            assert (outcome.states, nodes) == ({"work": "success"}, 3)
        elif outcome.injection.tells_triggers:
            # What had ended before the user came stays.
            assert nodes == 2 or ENDED & set(outcome.counted), outcome.journal
        else:
            assert outcome.states == {"work": "failed"}

    harm(
        Subject(classic_dag, ("work",)),
        "redshift:(Resize|CancelResize|CreateTags)",
        check,
        USER_ACTIONS,
        deferrable=deferrable,
        classic_resize=8.0 if IS_FULL else 4.0,
    )


@pytest.mark.skipif(not IS_FULL, reason="takes too long for a short sweep")
@SLOTS
def test_a_cluster_comes_back_after_the_workload(harm, deferrable):
    def check(warehouse, outcome):
        assert set(outcome.states.values()) == {"success"}
        found = warehouse.describe()
        assert (found["ClusterStatus"], found["NumberOfNodes"]) == ("available", 2)
        assert found["Tags"] == []

    tasks = ("resized.remember", "resized.scale_up", "resized.scale_back")
    harm(
        Subject(workload_dag, tasks),
        "redshift:(CreateTags|DeleteTags|ResizeCluster)",
        check,
        KILLS,
        deferrable=deferrable,
    )
