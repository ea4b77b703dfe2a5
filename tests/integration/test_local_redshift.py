"""Redshift clusters and Serverless on the local stack: states, sizes, schedules, restarts."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.integration.redshift_warehouse import ROLE, Warehouse, new_warehouse

pytestmark = pytest.mark.integration


@pytest.fixture
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    yield warehouse
    for resource in ("phases", "holds", "failures"):
        warehouse.control(resource, "DELETE")


def code_of(call, **parameters):
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def test_elastic_resize_shows_what_is_pending_and_then_the_new_size(warehouse):
    me = {"ClusterIdentifier": warehouse.cluster}
    assert code_of(warehouse.redshift.describe_resize, **me) == "ResizeNotFound"
    warehouse.control("holds", "PUT", name=warehouse.cluster, state="resizing")
    warehouse.redshift.resize_cluster(**me, NumberOfNodes=4)
    time.sleep(0.7)
    cluster = warehouse.describe()
    assert cluster["ClusterStatus"] == "resizing"
    assert cluster["ClusterAvailabilityStatus"] == "Modifying"
    assert cluster["PendingModifiedValues"] == {"NumberOfNodes": 4}
    assert cluster["ResizeInfo"] == {"ResizeType": "ElasticResize", "AllowCancelResize": False}
    assert cluster["NumberOfNodes"] == 2
    assert warehouse.redshift.describe_resize(**me)["Status"] == "IN_PROGRESS"
    assert code_of(warehouse.redshift.pause_cluster, **me) == "InvalidClusterState"
    warehouse.control("holds", "DELETE")
    warehouse.wait("available")
    cluster = warehouse.describe()
    assert (cluster["NumberOfNodes"], cluster["PendingModifiedValues"]) == (4, {})
    assert "ResizeInfo" not in cluster
    resize = warehouse.redshift.describe_resize(**me)
    assert (resize["Status"], resize["TargetNumberOfNodes"]) == ("SUCCEEDED", 4)


def test_sizes_that_an_elastic_resize_can_lead_to(warehouse):
    me = {"ClusterIdentifier": warehouse.cluster}
    options = warehouse.redshift.describe_node_configuration_options(
        ActionType="resize-cluster",
        **me,
        Filters=[{"Name": "NodeType", "Operator": "eq", "Values": ["ra3.xlplus"]}],
    )["NodeConfigurationOptionList"]
    assert [one["NumberOfNodes"] for one in options] == [4]
    resize = warehouse.redshift.resize_cluster
    assert code_of(resize, **me, NumberOfNodes=3) == "UnsupportedOption"
    assert code_of(resize, **me, NumberOfNodes=2) == "InvalidParameterCombination"
    assert code_of(resize, **me, NumberOfNodes=99) == "NumberOfNodesPerClusterLimitExceeded"
    assert code_of(resize, **me, NodeType="x9.huge") == "InvalidParameterValue"
    assert code_of(resize, ClusterIdentifier="nosuch", NumberOfNodes=4) == "ClusterNotFound"


def test_classic_resize_reads_only_and_can_be_cancelled(warehouse):
    me = {"ClusterIdentifier": warehouse.cluster}
    warehouse.run("create table t (a int)")
    warehouse.control("phases", "PUT", classic_resize=30)
    warehouse.redshift.resize_cluster(**me, NumberOfNodes=3, Classic=True)
    assert warehouse.describe()["ResizeInfo"]["AllowCancelResize"] is True
    assert warehouse.rows("select count(*) from t") == [[0]]
    with pytest.raises(Exception, match="read-only transaction"):
        warehouse.run("insert into t values (1)")
    assert warehouse.redshift.cancel_resize(**me)["Status"] == "CANCELLING"
    warehouse.wait("available")
    assert warehouse.describe()["NumberOfNodes"] == 2


def test_pause_ends_statements_and_resume_brings_the_data_back(warehouse):
    me = {"ClusterIdentifier": warehouse.cluster}
    warehouse.run("create table t as select 7 as a")
    running = warehouse.submit("select count(pg_sleep(900)) as n")
    while warehouse.data.describe_statement(Id=running)["Status"] != "STARTED":
        time.sleep(0.02)
    paused = warehouse.redshift.pause_cluster(**me)["Cluster"]
    assert paused["ClusterStatus"] == "pausing"
    assert warehouse.finish(running)["Status"] == "FAILED"
    assert code_of(warehouse.redshift.resume_cluster, **me) == "InvalidClusterState"
    warehouse.wait("paused")
    assert code_of(warehouse.redshift.pause_cluster, **me) == "InvalidClusterState"
    with pytest.raises(ClientError, match="is paused; statements need one that is available"):
        warehouse.submit("select 1")
    assert warehouse.redshift.resume_cluster(**me)["Cluster"]["ClusterStatus"] == "resuming"
    warehouse.wait("available")
    assert warehouse.rows("select a from t") == [[7]]


def test_faults_that_were_asked_for(warehouse):
    me = {"ClusterIdentifier": warehouse.cluster}
    warehouse.control(
        "failures",
        "PUT",
        name=warehouse.cluster,
        operation="ResizeCluster",
        code="InsufficientClusterCapacity",
        message="none left",
        times=1,
    )
    resize = warehouse.redshift.resize_cluster
    assert code_of(resize, **me, NumberOfNodes=4) == "InsufficientClusterCapacity"
    warehouse.control(
        "failures", "PUT", name=warehouse.cluster, operation="Resize", message="a node was lost"
    )
    resize(**me, NumberOfNodes=4)
    warehouse.wait("available")
    found = warehouse.redshift.describe_resize(**me)
    assert (found["Status"], found["Message"]) == ("FAILED", "a node was lost")
    assert warehouse.describe()["NumberOfNodes"] == 2


def test_scheduled_action_fires_and_is_over(warehouse):
    soon = datetime.now(UTC) + timedelta(seconds=2)
    target = {"PauseCluster": {"ClusterIdentifier": warehouse.cluster}}
    name = f"pause-{uuid.uuid4().hex[:8]}"
    shown = warehouse.redshift.create_scheduled_action(
        ScheduledActionName=name,
        TargetAction=target,
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        IamRole=ROLE,
    )
    assert (shown["State"], len(shown["NextInvocations"])) == ("ACTIVE", 1)
    warehouse.wait("paused")
    [after] = warehouse.redshift.describe_scheduled_actions(ScheduledActionName=name)[
        "ScheduledActions"
    ]
    assert (after["State"], after["NextInvocations"]) == ("DISABLED", [])


def test_scheduled_actions_are_kept_changed_and_removed(warehouse):
    name = f"resize-{uuid.uuid4().hex[:8]}"
    client = warehouse.redshift
    action = {
        "ScheduledActionName": name,
        "TargetAction": {
            "ResizeCluster": {"ClusterIdentifier": warehouse.cluster, "NumberOfNodes": 4}
        },
        "Schedule": "cron(15 14 ? * MON-FRI *)",
        "IamRole": ROLE,
    }
    shown = client.create_scheduled_action(**action)
    times = shown["NextInvocations"]
    assert {(one.hour, one.minute) for one in times} == {(14, 15)}
    assert all(one.weekday() < 5 for one in times)
    assert code_of(client.create_scheduled_action, **action) == "ScheduledActionAlreadyExists"
    wrong = {**action, "ScheduledActionName": "other", "Schedule": "cron(15 14 * * MON *)"}
    assert code_of(client.create_scheduled_action, **wrong) == "InvalidSchedule"
    changed = client.modify_scheduled_action(ScheduledActionName=name, Enable=False)
    assert (changed["State"], changed["NextInvocations"]) == ("DISABLED", [])
    filters = [{"Name": "cluster-identifier", "Values": [warehouse.cluster]}]
    found = client.describe_scheduled_actions(Filters=filters)["ScheduledActions"]
    assert [one["ScheduledActionName"] for one in found] == [name]
    client.delete_scheduled_action(ScheduledActionName=name)
    assert code_of(client.delete_scheduled_action, ScheduledActionName=name) == (
        "ScheduledActionNotFound"
    )


def test_tags_roles_and_deletion(warehouse):
    me = {"ClusterIdentifier": warehouse.cluster}
    arn = f"arn:aws:redshift:us-east-1:123456789012:cluster:{warehouse.cluster}"
    warehouse.redshift.create_tags(ResourceName=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert warehouse.describe()["Tags"] == [{"Key": "k", "Value": "v"}]
    [tagged] = warehouse.redshift.describe_tags(ResourceName=arn)["TaggedResources"]
    assert tagged["Tag"] == {"Key": "k", "Value": "v"}
    warehouse.redshift.modify_cluster_iam_roles(**me, RemoveIamRoles=[ROLE])
    warehouse.wait("available")
    assert warehouse.describe()["IamRoles"] == []
    delete = warehouse.redshift.delete_cluster
    assert code_of(delete, **me) == "InvalidParameterCombination"
    delete(**me, SkipFinalClusterSnapshot=True)
    until = time.monotonic() + 5
    while warehouse.redshift.describe_clusters()["Clusters"] and time.monotonic() < until:
        if warehouse.cluster not in {
            one["ClusterIdentifier"] for one in warehouse.redshift.describe_clusters()["Clusters"]
        }:
            break
    assert code_of(warehouse.redshift.describe_clusters, **me) == "ClusterNotFound"


def test_serverless_capacity_changes_and_statements_run(local_stack):
    warehouse = Warehouse(local_stack.endpoint_url, "unused")
    client = warehouse.client("redshift-serverless")
    name = f"wg-{uuid.uuid4().hex[:8]}"

    def settled():
        until = time.monotonic() + 5
        while (found := client.get_workgroup(workgroupName=name)["workgroup"])["status"] != (
            "AVAILABLE"
        ):
            assert time.monotonic() < until
            time.sleep(0.03)
        return found

    client.create_namespace(namespaceName=name, iamRoles=[ROLE])
    client.create_workgroup(workgroupName=name, namespaceName=name, baseCapacity=8)
    settled()
    changing = client.update_workgroup(workgroupName=name, baseCapacity=16)["workgroup"]
    assert (changing["status"], changing["baseCapacity"]) == ("MODIFYING", 8)
    assert code_of(client.update_workgroup, workgroupName=name, maxCapacity=64) == (
        "ConflictException"
    )
    assert settled()["baseCapacity"] == 16
    client.update_workgroup(workgroupName=name, maxCapacity=64)
    assert settled()["maxCapacity"] == 64
    assert code_of(client.update_workgroup, workgroupName=name, baseCapacity=72) == (
        "ValidationException"
    )
    assert code_of(client.update_workgroup, workgroupName=name, baseCapacity=15) == (
        "ValidationException"
    )
    done = warehouse.data.execute_statement(
        WorkgroupName=name, Database="dev", Sql="select current_user"
    )
    warehouse.finish(done["Id"])
    assert warehouse.result(done["Id"]) == [["IAM:local"]]
