"""Clusters on the local stack, for the tests of what they do."""

import gzip
import json
import time
import urllib.request
import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import boto3
from botocore.exceptions import ClientError

LOG_BUCKET = "emr-logs"
ENDED = ("TERMINATED", "TERMINATED_WITH_ERRORS")


def bash(command: str, name: str = "step", action: str = "CONTINUE") -> dict[str, Any]:
    """Write a step that runs a line of bash."""
    return command_step("bash", "-c", command, name=name, action=action)


def command_step(*arguments: str, name: str = "step", action: str = "CONTINUE") -> dict[str, Any]:
    """Write a step for command-runner.jar."""
    jar = {"Jar": "command-runner.jar", "Args": list(arguments)}
    return {"Name": name, "ActionOnFailure": action, "HadoopJarStep": jar}


class Clusters:
    """Starts clusters and looks at them; ends those that are left."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        session = boto3.Session(
            aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
        )
        self.emr, self.s3 = (
            session.client(service, endpoint_url=endpoint_url) for service in ("emr", "s3")
        )
        self.s3.create_bucket(Bucket=LOG_BUCKET)
        self.started: list[str] = []

    def run(self, *steps: dict[str, Any], keep: bool = False, **request: Any) -> str:
        """Start a cluster."""
        instances = {
            "MasterInstanceType": "m5.xlarge",
            "InstanceCount": 2,
            "KeepJobFlowAliveWhenNoSteps": keep,
        }
        defaults = {
            "Name": f"test-{uuid.uuid4()}",
            "ReleaseLabel": "emr-7.5.0",
            "LogUri": f"s3://{LOG_BUCKET}/logs/",
            "Instances": instances,
            "JobFlowRole": "EMR_EC2_DefaultRole",
            "ServiceRole": "EMR_DefaultRole",
            "Steps": list(steps),
        }
        cluster = str(self.emr.run_job_flow(**{**defaults, **request})["JobFlowId"])
        self.started.append(cluster)
        return cluster

    def add(self, cluster: str, *steps: dict[str, Any]) -> list[str]:
        """Add steps."""
        return list(self.emr.add_job_flow_steps(JobFlowId=cluster, Steps=list(steps))["StepIds"])

    def status(self, cluster: str) -> dict[str, Any]:
        """Look at a cluster."""
        return dict(self.emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"])

    def until(self, cluster: str, *states: str, seconds: float = 60) -> dict[str, Any]:
        """Wait for a cluster to be in one of some states, else for its end."""
        deadline = time.monotonic() + seconds
        while (status := self.status(cluster))["State"] not in (states or ENDED):
            assert time.monotonic() < deadline, status
            assert status["State"] not in ENDED, status
            time.sleep(0.05)
        return status

    def until_step(self, cluster: str, step: str, *states: str) -> dict[str, Any]:
        """Wait for a step to be in one of some states."""
        deadline = time.monotonic() + 60
        while (status := self.step(cluster, step))["State"] not in states:
            assert time.monotonic() < deadline, status
            time.sleep(0.05)
        return status

    def step(self, cluster: str, step: str) -> dict[str, Any]:
        """Look at a step."""
        return dict(self.emr.describe_step(ClusterId=cluster, StepId=step)["Step"]["Status"])

    def steps(self, cluster: str) -> dict[str, dict[str, Any]]:
        """Look at all steps: status by name, in order of submission."""
        listed = self.emr.list_steps(ClusterId=cluster)["Steps"]
        return {step["Name"]: {**step["Status"], "Id": step["Id"]} for step in reversed(listed)}

    def log(self, cluster: str, step: str, name: str) -> str:
        """Read a log of a step from S3."""
        key = f"logs/{cluster}/steps/{step}/{name}.gz"
        body = self.s3.get_object(Bucket=LOG_BUCKET, Key=key)["Body"].read()
        return gzip.decompress(body).decode()

    def control(self, method: str, resource: str, **given: Any) -> Any:
        """Change or show a setting of the local stack."""
        url = f"{self.endpoint_url}/_local/emr/{resource}"
        body = json.dumps(given).encode() if method == "PUT" else None
        if method != "PUT" and given:
            url += f"?{urlencode(given)}"
        request = urllib.request.Request(url, body, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def end(self) -> None:
        """End all clusters that were started."""
        left = [cluster for cluster in self.started if self.status(cluster)["State"] not in ENDED]
        for cluster in left:
            with suppress(ClientError):  # it may end by itself at this moment
                self.emr.set_termination_protection(
                    JobFlowIds=[cluster], TerminationProtected=False
                )
                self.emr.terminate_job_flows(JobFlowIds=[cluster])
        for cluster in left:
            self.until(cluster)
