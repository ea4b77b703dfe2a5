"""Jobs of EMR Serverless and EMR on EKS by the operators, really run by Spark."""

import asyncio
import time
import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, TaskDeferred

from updraft.hooks.owned_emr_resources import (
    OwnedEmrContainersJobRuns,
    OwnedEmrServerlessJobRuns,
)
from updraft.operators.emr import EmrContainersJobOperator, EmrServerlessJobOperator
from updraft.resource_owner import ResourceOwner

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/emr"
AWS = {"aws_conn_id": None, "poll_interval": 1}

# What it does is said by its argument.
SCRIPT = b"""
import sys
import time

if sys.argv[1] == "fail":
    raise ValueError("no such day")
if sys.argv[1] == "wait":
    time.sleep(120)
print("done")
"""


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, serverless, containers = (
        session.client(name, endpoint_url=local_stack.endpoint_url)
        for name in ("s3", "emr-serverless", "emr-containers")
    )
    bucket = f"jobs-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="job.py", Body=SCRIPT)
    return SimpleNamespace(s3=s3, serverless=serverless, containers=containers, bucket=bucket)


@pytest.fixture
def context(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    run_id = f"run-{uuid.uuid4()}"

    def made(attempt=1):
        instance = SimpleNamespace(
            dag_id="d",
            run_id=run_id,
            task_id="job",
            map_index=-1,
            try_number=attempt,
            xcom_push=lambda **_: None,
        )
        return {"ti": instance}

    return made


def _monitoring(cloud):
    uri = f"s3://{cloud.bucket}/logs"
    return {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": uri}}}


@pytest.fixture(scope="module")
def application(cloud):
    return cloud.serverless.create_application(
        name="jobs", releaseLabel="emr-7.5.0", type="SPARK", clientToken=str(uuid.uuid4())
    )["applicationId"]


@pytest.fixture(scope="module")
def virtual_cluster(cloud):
    return cloud.containers.create_virtual_cluster(
        name="jobs",
        containerProvider={
            "id": "eks",
            "type": "EKS",
            "info": {"eksInfo": {"namespace": "default"}},
        },
    )["id"]


def _serverless(cloud, application, argument, **others):
    return EmrServerlessJobOperator(
        task_id="job",
        application_id=application,
        execution_role_arn=ROLE,
        name="nightly",
        job_driver={
            "sparkSubmit": {
                "entryPoint": f"s3://{cloud.bucket}/job.py",
                "entryPointArguments": [argument],
            }
        },
        configuration_overrides=_monitoring(cloud),
        **{**AWS, "deferrable": False, **others},
    )


def _runs(cloud, application, run_id):
    found = cloud.serverless.list_job_runs(applicationId=application)["jobRuns"]
    tags = [
        cloud.serverless.list_tags_for_resource(resourceArn=one["arn"])["tags"] for one in found
    ]
    return [one for one, its in zip(found, tags, strict=True) if its["updraft:run_id"] == run_id]


def _event(trigger):
    async def events():
        return [event.payload async for event in trigger.run()]

    (event,) = asyncio.run(asyncio.wait_for(events(), 120))
    return event


def test_a_serverless_job_runs_once_and_is_adopted(cloud, application, context):
    with pytest.raises(TaskDeferred):
        _serverless(cloud, application, "succeed", deferrable=True).execute(context())
    operator = _serverless(cloud, application, "succeed", deferrable=True)
    with pytest.raises(TaskDeferred) as adopted:
        operator.execute(context(2))
    run = operator.execute_complete(context(2), _event(adopted.value.trigger))

    assert _serverless(cloud, application, "succeed").execute(context(3)) == run
    (found,) = _runs(cloud, application, context()["ti"].run_id)
    assert (found["id"], found["state"]) == (run, "SUCCESS")


def test_a_serverless_job_that_fails_is_one_error_and_the_retry_starts_another(
    cloud, application, context
):
    for attempt in (1, 2):
        with pytest.raises(AirflowException) as raised:
            _serverless(cloud, application, "fail").execute(context(attempt))
        message = str(raised.value)
        assert "ended as FAILED" in message
        assert "ValueError: no such day" in message
        assert f"s3://{cloud.bucket}/logs/applications/{application}/jobs/" in message
    assert len(_runs(cloud, application, context()["ti"].run_id)) == 2


def test_a_kill_in_the_triggerer_cancels_a_serverless_job(cloud, application, context):
    with pytest.raises(TaskDeferred) as deferred:
        _serverless(cloud, application, "wait", deferrable=True).execute(context())
    trigger = deferred.value.trigger

    asyncio.run(trigger.on_kill())

    _event(trigger)
    time.sleep(0.1)
    (run,) = _runs(cloud, application, context()["ti"].run_id)
    assert run["state"] == "CANCELLED"


def _on_eks(cloud, virtual_cluster, argument, **others):
    return EmrContainersJobOperator(
        task_id="job",
        name="nightly job",
        virtual_cluster_id=virtual_cluster,
        execution_role_arn=ROLE,
        release_label="emr-7.5.0-latest",
        job_driver={
            "sparkSubmitJobDriver": {
                "entryPoint": f"s3://{cloud.bucket}/job.py",
                "entryPointArguments": [argument],
            }
        },
        configuration_overrides=_monitoring(cloud),
        **{**AWS, "deferrable": False, **others},
    )


def test_a_job_on_eks_runs_once_and_is_adopted(cloud, virtual_cluster, context):
    with pytest.raises(TaskDeferred) as deferred:
        _on_eks(cloud, virtual_cluster, "succeed", deferrable=True).execute(context())
    run = _on_eks(cloud, virtual_cluster, "succeed").execute(context(2))

    assert run == deferred.value.trigger.run_id
    (found,) = cloud.containers.list_job_runs(virtualClusterId=virtual_cluster)["jobRuns"]
    assert (found["id"], found["state"]) == (run, "COMPLETED")
    assert found["tags"]["updraft:run_id"] == context()["ti"].run_id


@pytest.mark.parametrize("kind", [OwnedEmrServerlessJobRuns, OwnedEmrContainersJobRuns])
def test_the_reaper_finds_what_a_task_has_left(cloud, kind, request, context):
    if kind is OwnedEmrServerlessJobRuns:
        parent = request.getfixturevalue("application")
        operator = _serverless(cloud, parent, "wait", deferrable=True)
    else:
        parent = request.getfixturevalue("virtual_cluster")
        operator = _on_eks(cloud, parent, "wait", deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(context())
    trigger, resources = deferred.value.trigger, kind({"aws_conn_id": None})
    owner = ResourceOwner.of(context())

    (orphan,) = [one for one in resources.find(owner.environment) if one.owner == owner]
    assert orphan.identifier == trigger.run_id
    assert orphan.name.startswith("nightly")
    assert list(resources.find("another")) == []

    resources.end(orphan)
    assert _event(trigger)["status"] == "ended"
    with pytest.raises(AirflowException, match="ended as CANCELLED"):
        operator.execute_complete(context(), {"status": "ended", "carried": trigger.carried})
    assert [one for one in resources.find(owner.environment) if one.owner == owner] == []
