"""Job runs of EMR Serverless and of EMR on EKS on the local stack: the scripts really run."""

import gzip
import time
import uuid
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.integration

BUCKET = "emr-jobs"
ROLE = "arn:aws:iam::123456789012:role/jobs"
SCRIPT = b"""
import sys, time
print("arguments", sys.argv[1:], flush=True)
if "fail" in sys.argv:
    raise ValueError("nothing to do")
if "sleep" in sys.argv:
    time.sleep(60)
"""
LOGS = {"s3MonitoringConfiguration": {"logUri": f"s3://{BUCKET}/logs/"}}


@pytest.fixture(scope="module")
def aws(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    clients = {
        name: session.client(service, endpoint_url=local_stack.endpoint_url)
        for name, service in (
            ("serverless", "emr-serverless"),
            ("containers", "emr-containers"),
            ("s3", "s3"),
            ("logs", "logs"),
        )
    }
    clients["s3"].create_bucket(Bucket=BUCKET)
    clients["s3"].put_object(Bucket=BUCKET, Key="job.py", Body=SCRIPT)
    return SimpleNamespace(**clients)


@pytest.fixture(scope="module")
def application(aws):
    return aws.serverless.create_application(
        releaseLabel="emr-7.5.0", type="SPARK", clientToken=str(uuid.uuid4())
    )["applicationId"]


@pytest.fixture(scope="module")
def virtual_cluster(aws):
    return aws.containers.create_virtual_cluster(
        name="tests",
        clientToken=str(uuid.uuid4()),
        containerProvider={
            "type": "EKS",
            "id": "eks",
            "info": {"eksInfo": {"namespace": f"n{uuid.uuid4()}"}},
        },
    )["id"]


def _serverless_request(application, *arguments, monitoring=LOGS, **more):
    return {
        "applicationId": application,
        "executionRoleArn": ROLE,
        "jobDriver": {
            "sparkSubmit": {
                "entryPoint": f"s3://{BUCKET}/job.py",
                "entryPointArguments": list(arguments),
                "sparkSubmitParameters": "--conf spark.executor.memory=20g",
            }
        },
        "configurationOverrides": {"monitoringConfiguration": monitoring},
        **more,
    }


def _containers_request(virtual_cluster, *arguments, **more):
    return {
        "virtualClusterId": virtual_cluster,
        "executionRoleArn": ROLE,
        "releaseLabel": "emr-7.5.0-latest",
        "jobDriver": {
            "sparkSubmitJobDriver": {
                "entryPoint": f"s3://{BUCKET}/job.py",
                "entryPointArguments": list(arguments),
            }
        },
        "configurationOverrides": {"monitoringConfiguration": LOGS},
        **more,
    }


def _until(look, *states, seconds=90):
    deadline = time.monotonic() + seconds
    seen = []
    while (run := look())["state"] not in states:
        if run["state"] not in seen:
            seen.append(run["state"])
        assert time.monotonic() < deadline, run
        time.sleep(0.02)
    return run, seen


def _log(aws, key):
    return gzip.decompress(aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()).decode()


def test_a_serverless_job_runs_once_per_token(aws, application):
    token = str(uuid.uuid4())
    log_group = {"cloudWatchLoggingConfiguration": {"enabled": True, "logGroupName": "/jobs"}}
    request = _serverless_request(application, "a", "b c", monitoring={**LOGS, **log_group})
    tags = {"updraft:dag_id": "orders"}

    started = aws.serverless.start_job_run(clientToken=token, tags=tags, **request)
    again = aws.serverless.start_job_run(clientToken=token, tags=tags, **request)

    job = started["jobRunId"]
    assert again["jobRunId"] == job
    other = _serverless_request(application, "other")
    with pytest.raises(ClientError, match="ConflictException"):
        aws.serverless.start_job_run(clientToken=token, **other)

    def look():
        return aws.serverless.get_job_run(applicationId=application, jobRunId=job)["jobRun"]

    run, seen = _until(look, "SUCCESS", "FAILED")
    assert run["state"] == "SUCCESS", run
    assert seen[-1] == "RUNNING"
    assert run["tags"] == tags
    assert run["createdAt"] < run["startedAt"] < run["endedAt"]
    place = f"applications/{application}/jobs/{job}/SPARK_DRIVER"
    assert _log(aws, f"logs/{place}/stdout.gz") == "arguments ['a', 'b c']\n"
    events = aws.logs.get_log_events(logGroupName="/jobs", logStreamName=f"{place}/stdout")
    assert [event["message"] for event in events["events"]] == ["arguments ['a', 'b c']"]
    listed = aws.serverless.list_job_runs(applicationId=application, states=["SUCCESS"])
    assert [each["id"] for each in listed["jobRuns"]] == [job]
    with pytest.raises(ClientError, match="cannot be cancelled"):
        aws.serverless.cancel_job_run(applicationId=application, jobRunId=job)


def test_a_serverless_job_fails_and_is_tried_again(aws, application):
    request = _serverless_request(application, "fail", retryPolicy={"maxAttempts": 2})
    job = aws.serverless.start_job_run(clientToken=str(uuid.uuid4()), **request)["jobRunId"]

    def look():
        return aws.serverless.get_job_run(applicationId=application, jobRunId=job)["jobRun"]

    run, _ = _until(look, "SUCCESS", "FAILED")
    assert (run["state"], run["attempt"]) == ("FAILED", 2)
    assert run["stateDetails"] == "Job failed, exit code 1: ValueError: nothing to do"
    place = f"applications/{application}/jobs/{job}/SPARK_DRIVER"
    assert _log(aws, f"logs/{place}/stdout.gz").count("arguments") == 2


def test_job_runs_are_cancelled(aws, application, virtual_cluster):
    job = aws.serverless.start_job_run(
        clientToken=str(uuid.uuid4()), **_serverless_request(application, "sleep")
    )["jobRunId"]
    early = aws.containers.start_job_run(
        clientToken=str(uuid.uuid4()), **_containers_request(virtual_cluster, "sleep")
    )["id"]

    def look():
        return aws.serverless.get_job_run(applicationId=application, jobRunId=job)["jobRun"]

    def look_early():
        found = aws.containers.describe_job_run(virtualClusterId=virtual_cluster, id=early)
        return found["jobRun"]

    aws.containers.cancel_job_run(virtualClusterId=virtual_cluster, id=early)
    _until(look_early, "CANCELLED")
    _until(look, "RUNNING")
    aws.serverless.cancel_job_run(applicationId=application, jobRunId=job)
    _, seen = _until(look, "CANCELLED", seconds=15)
    assert set(seen) <= {"RUNNING", "CANCELLING"}


def test_applications_start_stop_and_are_deleted(aws):
    token = str(uuid.uuid4())
    request = {"releaseLabel": "emr-7.5.0", "type": "SPARK", "tags": {"a": "b"}}
    created = aws.serverless.create_application(clientToken=token, name="one", **request)
    application = created["applicationId"]
    again = aws.serverless.create_application(clientToken=token, name="one", **request)
    assert again["applicationId"] == application

    def look():
        return aws.serverless.get_application(applicationId=application)["application"]

    _until(look, "CREATED", seconds=5)
    aws.serverless.start_application(applicationId=application)
    _until(look, "STARTED", seconds=5)
    with pytest.raises(ClientError, match="must be CREATED or STOPPED"):
        aws.serverless.delete_application(applicationId=application)
    aws.serverless.stop_application(applicationId=application)
    _until(look, "STOPPED", seconds=5)
    aws.serverless.tag_resource(resourceArn=created["arn"], tags={"c": "d"})
    tags = aws.serverless.list_tags_for_resource(resourceArn=created["arn"])["tags"]
    assert tags == {"a": "b", "c": "d"}
    aws.serverless.delete_application(applicationId=application)
    assert look()["state"] == "TERMINATED"
    with pytest.raises(ClientError, match="takes no job runs"):
        aws.serverless.start_job_run(clientToken="x", **_serverless_request(application))
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.serverless.get_application(applicationId="00none")


def test_a_job_on_eks_runs_once_per_token(aws, virtual_cluster):
    token = str(uuid.uuid4())
    tags = {"updraft:dag_id": "orders"}
    request = _containers_request(virtual_cluster, "on eks", name="one", tags=tags)

    started = aws.containers.start_job_run(clientToken=token, **request)
    job = started["id"]
    assert aws.containers.start_job_run(clientToken=token, **request)["id"] == job

    def look():
        found = aws.containers.describe_job_run(virtualClusterId=virtual_cluster, id=job)
        return found["jobRun"]

    run, seen = _until(look, "COMPLETED", "FAILED")
    assert run["state"] == "COMPLETED", run
    assert seen[-1] == "RUNNING"
    assert run["tags"] == tags
    pod = f"{virtual_cluster}/jobs/{job}/containers/spark-{job}/spark-{job}-driver"
    assert _log(aws, f"logs/{pod}/stdout.gz") == "arguments ['on eks']\n"
    listed = aws.containers.list_job_runs(virtualClusterId=virtual_cluster, name="one")["jobRuns"]
    assert [each["id"] for each in listed] == [job]
    with pytest.raises(ClientError, match="not in a cancellable state"):
        aws.containers.cancel_job_run(virtualClusterId=virtual_cluster, id=job)


def test_job_runs_that_can_not_run_are_refused(aws, application, virtual_cluster):
    wrong = _containers_request(virtual_cluster, releaseLabel="7.5.0")
    with pytest.raises(ClientError, match=r"Release 7\.5\.0 doesn't exist"):
        aws.containers.start_job_run(clientToken="y", **wrong)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws.containers.start_job_run(clientToken="z", **_containers_request("00none"))
    hive = {**_serverless_request(application), "jobDriver": {"hive": {"query": "s3://a/b.q"}}}
    with pytest.raises(ClientError, match="needs the job driver sparkSubmit"):
        aws.serverless.start_job_run(clientToken="x", **hive)
