"""Clusters of the local stack: each way through their states, with steps that really run."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.integration.emr_clusters import ENDED, LOG_BUCKET, Clusters, bash, command_step

pytestmark = pytest.mark.integration

SHUT_DOWN = "A job flow that is shutting down, terminated, or finished may not be modified."


@pytest.fixture(scope="module")
def clusters(local_stack):
    clusters = Clusters(local_stack.endpoint_url)
    yield clusters
    clusters.control("DELETE", "holds")
    clusters.control("DELETE", "failures")
    clusters.end()


@pytest.fixture(scope="module")
def waiting(clusters):
    """A cluster that waits for steps; a test leaves it as it found it."""
    cluster = clusters.run(keep=True)
    clusters.until(cluster, "WAITING")
    return cluster


def _message(error):
    return error.value.response["Error"]["Message"]


def test_a_transient_cluster_runs_its_steps_in_order_and_ends(clusters):
    cluster = clusters.run(
        bash("echo 1; date +%s%N", name="first"),
        bash("echo 2; echo oops >&2; exit 3", name="second"),
        bash("echo 3", name="third"),
    )

    status = clusters.until(cluster)

    assert status["State"] == "TERMINATED"
    assert status["StateChangeReason"] == {
        "Code": "ALL_STEPS_COMPLETED",
        "Message": "Steps completed with errors",
    }
    timeline = status["Timeline"]
    assert timeline["CreationDateTime"] < timeline["ReadyDateTime"] < timeline["EndDateTime"]
    steps = clusters.steps(cluster)
    assert [step["State"] for step in steps.values()] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert steps["second"]["FailureDetails"] == {
        "Reason": "Unknown Error.",
        "Message": "oops",
        "LogFile": f"s3://{LOG_BUCKET}/logs/{cluster}/steps/{steps['second']['Id']}/stderr.gz",
    }
    ends = [step["Timeline"]["EndDateTime"] for step in steps.values()]
    assert ends == sorted(ends)


def test_logs_of_a_step_are_in_s3(clusters):
    cluster = clusters.run(bash("echo out; echo err >&2; pwd; exit 4"))
    clusters.until(cluster)

    (step,) = (step["Id"] for step in clusters.steps(cluster).values())

    assert clusters.log(cluster, step, "stdout").splitlines()[0] == "out"
    assert clusters.log(cluster, step, "stdout").rstrip().endswith(step)
    assert clusters.log(cluster, step, "stderr") == "err\n"
    controller = clusters.log(cluster, step, "controller")
    assert "startExec 'bash -c" in controller
    assert "exited with code 4" in controller
    assert clusters.log(cluster, step, "syslog") == ""


def test_a_cluster_without_steps_ends_or_waits_as_it_was_asked(clusters):
    transient, lasting = clusters.run(), clusters.run(keep=True)

    assert clusters.until(transient)["StateChangeReason"]["Message"] == "Steps completed"
    reason = clusters.until(lasting, "WAITING")["StateChangeReason"]
    assert reason == {"Message": "Cluster ready to run steps."}


@pytest.mark.parametrize("action", ["TERMINATE_CLUSTER", "TERMINATE_JOB_FLOW"])
def test_a_step_that_fails_can_end_the_cluster(clusters, action):
    cluster = clusters.run(
        bash("exit 1", name="fails", action=action), bash("true", name="never"), keep=True
    )

    status = clusters.until(cluster)

    assert status["State"] == "TERMINATED_WITH_ERRORS"
    assert status["StateChangeReason"] == {
        "Code": "STEP_FAILURE",
        "Message": "Shut down as step failed",
    }
    assert {name: step["State"] for name, step in clusters.steps(cluster).items()} == {
        "fails": "FAILED",
        "never": "CANCELLED",
    }


def test_a_step_that_fails_can_cancel_the_others(clusters):
    cluster = clusters.run(
        bash("sleep 0.3; exit 1", name="fails", action="CANCEL_AND_WAIT"),
        bash("true", name="never"),
        keep=True,
    )
    clusters.until(cluster, "RUNNING")

    reason = clusters.until(cluster, "WAITING")["StateChangeReason"]

    assert reason["Message"] == "Cluster ready after last step cancelled."
    assert [step["State"] for step in clusters.steps(cluster).values()] == ["FAILED", "CANCELLED"]


def test_a_protected_cluster_survives_failure_and_termination(clusters):
    cluster = clusters.run(
        bash("exit 1", action="TERMINATE_CLUSTER"),
        Instances={
            "MasterInstanceType": "m5.xlarge",
            "InstanceCount": 1,
            "KeepJobFlowAliveWhenNoSteps": True,
            "TerminationProtected": True,
        },
    )
    (step,) = (step["Id"] for step in clusters.steps(cluster).values())
    clusters.until_step(cluster, step, "FAILED")
    clusters.until(cluster, "WAITING")

    with pytest.raises(ClientError, match="termination protected"):
        clusters.emr.terminate_job_flows(JobFlowIds=[cluster])

    clusters.emr.set_termination_protection(JobFlowIds=[cluster], TerminationProtected=False)
    clusters.emr.terminate_job_flows(JobFlowIds=[cluster])
    assert clusters.until(cluster)["StateChangeReason"]["Code"] == "USER_REQUEST"


def test_termination_interrupts_what_runs(clusters, tmp_path):
    trace = tmp_path / "trace"
    cluster = clusters.run(
        bash(f"echo begun > {trace}; sleep 30; echo done >> {trace}", name="runs"),
        bash("true", name="waits"),
    )
    steps = clusters.steps(cluster)
    clusters.until_step(cluster, steps["runs"]["Id"], "RUNNING")
    while not trace.is_file():
        time.sleep(0.01)

    clusters.emr.terminate_job_flows(JobFlowIds=[cluster])
    status = clusters.until(cluster, seconds=10)

    assert status["StateChangeReason"] == {
        "Code": "USER_REQUEST",
        "Message": "Terminated by user request",
    }
    states = {name: step["State"] for name, step in clusters.steps(cluster).items()}
    assert states == {"runs": "INTERRUPTED", "waits": "CANCELLED"}
    assert trace.read_text() == "begun\n"
    clusters.emr.terminate_job_flows(JobFlowIds=[cluster])  # which changes nothing
    assert clusters.status(cluster) == status


def test_an_ended_cluster_takes_no_changes(clusters):
    cluster = clusters.run()
    clusters.until(cluster)

    with pytest.raises(ClientError, match="ValidationException") as error:
        clusters.add(cluster, bash("true"))
    assert _message(error) == SHUT_DOWN
    with pytest.raises(ClientError, match="InvalidRequestException"):
        clusters.emr.modify_cluster(ClusterId=cluster, StepConcurrencyLevel=2)
    with pytest.raises(ClientError, match="InvalidRequestException"):
        clusters.emr.add_tags(ResourceId=cluster, Tags=[{"Key": "a", "Value": "b"}])


def test_steps_run_one_at_a_time_unless_more_are_allowed(clusters, waiting):
    def overlap():
        begun = [bash("sleep 0.5", name=str(uuid.uuid4())) for _ in range(2)]
        ids = clusters.add(waiting, *begun)
        ended = [clusters.until_step(waiting, step, "COMPLETED") for step in ids]
        first, second = (step["Timeline"] for step in ended)
        return second["StartDateTime"] < first["EndDateTime"]

    assert not overlap()
    assert (
        clusters.emr.modify_cluster(ClusterId=waiting, StepConcurrencyLevel=2)[
            "StepConcurrencyLevel"
        ]
        == 2
    )
    try:
        assert overlap()
        with pytest.raises(ClientError, match="ActionOnFailure TERMINATE_CLUSTER is not valid"):
            clusters.add(waiting, bash("true", action="TERMINATE_CLUSTER"))
    finally:
        clusters.emr.modify_cluster(ClusterId=waiting, StepConcurrencyLevel=1)


@pytest.mark.parametrize("option", ["SEND_INTERRUPT", "TERMINATE_PROCESS"])
def test_steps_are_cancelled(clusters, waiting, option, tmp_path):
    trace = tmp_path / "trace"
    stubborn = f"trap 'echo asked > {trace}; exit 0' TERM; touch {tmp_path}/up; sleep 30 & wait"
    running, pending = clusters.add(waiting, bash(stubborn), bash("true"))
    clusters.until_step(waiting, running, "RUNNING")
    while not (tmp_path / "up").is_file():
        time.sleep(0.01)

    answer = clusters.emr.cancel_steps(
        ClusterId=waiting, StepIds=[pending, running], StepCancellationOption=option
    )["CancelStepsInfoList"]

    assert [(info["StepId"], info["Status"]) for info in answer] == [
        (pending, "SUBMITTED"),
        (running, "SUBMITTED"),
    ]
    assert clusters.step(waiting, pending)["State"] == "CANCELLED"
    clusters.until_step(waiting, running, "CANCELLED")
    assert trace.is_file() == (option == "SEND_INTERRUPT")
    (again,) = clusters.emr.cancel_steps(ClusterId=waiting, StepIds=[running])[
        "CancelStepsInfoList"
    ]
    assert (again["Status"], "CANCELLED" in again["Reason"]) == ("FAILED", True)


def test_old_releases_cancel_only_what_is_pending(clusters):
    cluster = clusters.run(bash("sleep 2", name="runs"), bash("true"), ReleaseLabel="emr-5.27.0")
    step = clusters.steps(cluster)["runs"]["Id"]
    clusters.until_step(cluster, step, "RUNNING")

    (info,) = clusters.emr.cancel_steps(ClusterId=cluster, StepIds=[step])["CancelStepsInfoList"]

    assert info["Status"] == "FAILED"
    assert clusters.until_step(cluster, step, "COMPLETED")["State"] == "COMPLETED"


def test_bootstrap_actions_run_before_steps(clusters):
    clusters.s3.put_object(
        Bucket=LOG_BUCKET,
        Key="code/prepare.sh",
        Body=b'#!/bin/bash\nset -e\necho "$1 and $2" > prepared\necho told\n',
    )
    action = {
        "Name": "prepare",
        "ScriptBootstrapAction": {
            "Path": f"s3://{LOG_BUCKET}/code/prepare.sh",
            "Args": ["this one", "that"],
        },
    }
    cluster = clusters.run(bash("cat ~/prepared"), BootstrapActions=[action])
    clusters.until(cluster)

    (step,) = (step["Id"] for step in clusters.steps(cluster).values())
    assert clusters.log(cluster, step, "stdout") == "this one and that\n"
    (listed,) = clusters.emr.list_bootstrap_actions(ClusterId=cluster)["BootstrapActions"]
    assert listed["ScriptPath"].endswith("/prepare.sh")
    keys = clusters.s3.list_objects_v2(Bucket=LOG_BUCKET, Prefix=f"logs/{cluster}/node/")
    assert any(key["Key"].endswith("/1/stdout.gz") for key in keys["Contents"])


def test_a_bootstrap_action_that_fails_ends_the_cluster(clusters):
    missing = {"Name": "a", "ScriptBootstrapAction": {"Path": f"s3://{LOG_BUCKET}/no/such.sh"}}
    cluster = clusters.run(bash("true", name="never"), BootstrapActions=[missing], keep=True)

    status = clusters.until(cluster)

    assert status["State"] == "TERMINATED_WITH_ERRORS"
    assert status["StateChangeReason"]["Code"] == "BOOTSTRAP_FAILURE"
    assert "bootstrap action 1 returned a non-zero" in status["StateChangeReason"]["Message"]
    assert clusters.steps(cluster)["never"]["State"] == "CANCELLED"


def test_an_idle_cluster_ends_by_its_policy(clusters):
    with pytest.raises(ClientError, match="IdleTimeout 59 is not valid"):
        clusters.run(keep=True, AutoTerminationPolicy={"IdleTimeout": 59})
    cluster = clusters.run(keep=True, AutoTerminationPolicy={"IdleTimeout": 60})
    policy = clusters.emr.get_auto_termination_policy(ClusterId=cluster)["AutoTerminationPolicy"]
    assert policy == {"IdleTimeout": 60}
    clusters.emr.remove_auto_termination_policy(ClusterId=cluster)
    assert "AutoTerminationPolicy" not in clusters.emr.get_auto_termination_policy(
        ClusterId=cluster
    )


def test_managed_scaling_is_kept(clusters, waiting):
    limits = {"UnitType": "Instances", "MinimumCapacityUnits": 1, "MaximumCapacityUnits": 3}
    policy = {"ComputeLimits": limits}
    clusters.emr.put_managed_scaling_policy(ClusterId=waiting, ManagedScalingPolicy=policy)

    kept = clusters.emr.get_managed_scaling_policy(ClusterId=waiting)["ManagedScalingPolicy"]

    assert kept["ComputeLimits"] == limits
    clusters.emr.remove_managed_scaling_policy(ClusterId=waiting)


def test_a_cluster_can_be_held_and_can_fail(clusters):
    held, failing = f"held-{uuid.uuid4()}", f"spot-{uuid.uuid4()}"
    words = "The requested number of spot instances exceeds your limit."
    clusters.control("PUT", "holds", name=held, state="STARTING")
    clusters.control("PUT", "failures", name=failing, code="VALIDATION_ERROR", message=words)
    first, second = clusters.run(Name=held), clusters.run(Name=failing, keep=True)

    status = clusters.until(second)
    assert status["State"] == "TERMINATED_WITH_ERRORS"
    assert status["StateChangeReason"] == {"Code": "VALIDATION_ERROR", "Message": words}
    assert clusters.status(first)["State"] == "STARTING"
    (step,) = clusters.add(first, bash("true"))
    assert clusters.step(first, step)["State"] == "PENDING"
    clusters.control("DELETE", "holds", name=held)
    clusters.until(first)
    assert clusters.step(first, step)["State"] == "COMPLETED"


def test_a_cluster_is_terminated_before_it_is_ready(clusters):
    name = f"early-{uuid.uuid4()}"
    clusters.control("PUT", "holds", name=name, state="BOOTSTRAPPING")
    cluster = clusters.run(bash("true", name="never"), Name=name)
    clusters.until(cluster, "BOOTSTRAPPING")

    clusters.emr.terminate_job_flows(JobFlowIds=[cluster])

    status = clusters.until(cluster)
    assert status["State"] == "TERMINATED"
    assert "ReadyDateTime" not in status["Timeline"]
    assert clusters.steps(cluster)["never"]["State"] == "CANCELLED"


def test_clusters_are_found(clusters, waiting):
    tags = [{"Key": "updraft:dag_id", "Value": "orders"}]
    clusters.emr.add_tags(ResourceId=waiting, Tags=tags)
    cluster = clusters.emr.describe_cluster(ClusterId=waiting)["Cluster"]
    assert cluster["Tags"] == tags
    assert cluster["ClusterArn"].endswith(f":cluster/{waiting}")
    clusters.emr.remove_tags(ResourceId=waiting, TagKeys=["updraft:dag_id"])
    assert clusters.emr.describe_cluster(ClusterId=waiting)["Cluster"]["Tags"] == []

    def listed(**filters):
        pages = clusters.emr.get_paginator("list_clusters").paginate(**filters)
        return [cluster["Id"] for page in pages for cluster in page["Clusters"]]

    assert waiting in listed(ClusterStates=["WAITING"])
    assert waiting not in listed(ClusterStates=list(ENDED))
    now = datetime.now(UTC)
    assert waiting in listed(CreatedAfter=now - timedelta(hours=1))
    assert waiting not in listed(CreatedAfter=now)
    assert waiting not in listed(CreatedBefore=now - timedelta(hours=1))
    groups = clusters.emr.list_instance_groups(ClusterId=waiting)["InstanceGroups"]
    assert [(each["InstanceGroupType"], each["RunningInstanceCount"]) for each in groups] == [
        ("MASTER", 1),
        ("CORE", 1),
    ]
    instances = clusters.emr.list_instances(ClusterId=waiting, InstanceGroupTypes=["CORE"])
    assert [each["InstanceGroupId"] for each in instances["Instances"]] == [groups[1]["Id"]]
    with pytest.raises(ClientError, match="Cluster id 'j-NONE' is not valid"):
        clusters.emr.describe_cluster(ClusterId="j-NONE")


def test_steps_are_listed_newest_first_in_pages(clusters):
    name = f"pages-{uuid.uuid4()}"
    clusters.control("PUT", "holds", name=name, state="STARTING")
    cluster = clusters.run(*(bash("true", name=str(number)) for number in range(60)), Name=name)

    first = clusters.emr.list_steps(ClusterId=cluster)
    second = clusters.emr.list_steps(ClusterId=cluster, Marker=first["Marker"])

    names = [int(step["Name"]) for step in first["Steps"] + second["Steps"]]
    assert names == list(range(59, -1, -1))
    assert "Marker" not in second
    ids = [step["Id"] for step in second["Steps"][:2]]
    chosen = clusters.emr.list_steps(ClusterId=cluster, StepIds=ids)["Steps"]
    assert [step["Id"] for step in chosen] == ids
    with pytest.raises(ClientError, match=r"Maximum number of active steps\(256\)"):
        clusters.add(cluster, *(bash("true") for _ in range(197)))
    clusters.emr.terminate_job_flows(JobFlowIds=[cluster])
    states = clusters.emr.list_steps(ClusterId=cluster, StepStates=["COMPLETED"])["Steps"]
    assert states == []
    clusters.control("DELETE", "holds", name=name)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ReleaseLabel": "7.5.0"}, "The supplied release label is invalid: 7.5.0."),
        ({"JobFlowRole": ""}, "InstanceProfile is required for creating cluster."),
        ({"ServiceRole": ""}, "ServiceRole is required for creating cluster."),
        ({"Instances": {}}, "missing the instances"),
        (
            {
                "Instances": {
                    "InstanceGroups": [
                        {"InstanceRole": "MASTER", "InstanceType": "m5.large", "InstanceCount": 1}
                    ],
                    "InstanceFleets": [
                        {"InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 1}
                    ],
                }
            },
            "Instance fleets and instance groups are mutually exclusive",
        ),
        ({"StepConcurrencyLevel": 300}, "Invalid StepConcurrencyLevel 300"),
        (
            {"StepConcurrencyLevel": 2, "Steps": [bash("true", action="CANCEL_AND_WAIT")]},
            "ActionOnFailure CANCEL_AND_WAIT is not valid",
        ),
    ],
)
def test_what_emr_refuses_is_refused(clusters, change, message):
    with pytest.raises(ClientError, match="ValidationException") as error:
        clusters.run(**change)
    assert message in _message(error)


def test_a_program_that_is_not_there_fails_its_step(clusters, waiting):
    (step,) = clusters.add(waiting, command_step("no-such-program", "x"))

    status = clusters.until_step(waiting, step, "FAILED")

    assert status["FailureDetails"]["Message"] == "no-such-program: No such file or directory"
