"""What becomes of clusters and job runs when the local stack ends and comes back."""

import time
import uuid

import boto3
import psutil
import pytest

from include.local import processes
from include.local.stack import LocalStack
from tests.integration.emr_clusters import Clusters, bash

pytestmark = pytest.mark.integration


@pytest.mark.thorough
def test_what_runs_ends_with_the_gateway_and_has_failed_after_it(tmp_path):
    stack, pid_file = LocalStack(tmp_path / "state"), tmp_path / "pid"
    try:
        stack.up()
        clusters = Clusters(stack.endpoint_url)
        cluster = clusters.run(
            bash(f"trap '' TERM; echo $$ > {pid_file}; while true; do sleep 1; done", name="runs"),
            bash("true", name="waits"),
        )
        done = clusters.run()
        clusters.until(done)
        serverless = boto3.client(
            "emr-serverless",
            endpoint_url=stack.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        application = serverless.create_application(
            releaseLabel="emr-7.5.0", type="SPARK", clientToken=str(uuid.uuid4())
        )["applicationId"]
        submit = {"sparkSubmit": {"entryPoint": "s3://none/job.py"}}
        clusters.control("PUT", "phases", scheduling=60)
        job = serverless.start_job_run(
            applicationId=application,
            clientToken=str(uuid.uuid4()),
            executionRoleArn="arn:aws:iam::123456789012:role/jobs",
            jobDriver=submit,
        )["jobRunId"]
        while not (pid_file.is_file() and pid_file.read_text().strip()):
            time.sleep(0.05)
        pid = int(pid_file.read_text())
        assert psutil.pid_exists(pid)

        stack.down()

        assert not psutil.pid_exists(pid)
        assert processes.find(stack.state) == []
        stack.up()
        status = clusters.status(cluster)
        assert status["State"] == "TERMINATED_WITH_ERRORS"
        assert status["StateChangeReason"] == {
            "Code": "INTERNAL_ERROR",
            "Message": "The local stack was stopped or killed while this was going on",
        }
        states = {name: step["State"] for name, step in clusters.steps(cluster).items()}
        assert states == {"runs": "FAILED", "waits": "CANCELLED"}
        assert clusters.status(done)["State"] == "TERMINATED"
        run = serverless.get_job_run(applicationId=application, jobRunId=job)["jobRun"]
        assert (run["state"], "stopped or killed" in run["stateDetails"]) == ("FAILED", True)
    finally:
        stack.down()
