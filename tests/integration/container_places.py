"""Where commands run in containers: a cluster of Amazon ECS, and a queue of AWS Batch."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from tests.integration.glue_tasks import wait_until

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/container"
LOG_GROUP = "/ecs/commands"
OVER = frozenset({"STOPPED", "SUCCEEDED", "FAILED"})
_MOST = 100
QUICKLY: dict[str, dict[str, Any]] = {
    "ecs": {"waiter_delay": 1, "aws_conn_id": None},
    "batch": {"poll_interval": 1, "aws_conn_id": None},
}
"""How operators wait in tests, by ``kind``."""


def look_often(_: object = None) -> None:
    """Take the place of ``BatchClientHook.delay``, which waits half a minute in a task's slot."""
    time.sleep(0.5)


class ContainerPlaces:
    """One of each, with definitions of one container, new and under names of their own.

    :param endpoint_url: address of the local stack.
    """

    def __init__(self, endpoint_url: str) -> None:
        session = boto3.Session("local", "local", region_name=REGION)
        self.ecs, self.batch, self.iam, self.logs = (
            session.client(name, endpoint_url=endpoint_url)
            for name in ("ecs", "batch", "iam", "logs")
        )
        self.name = f"commands-{uuid.uuid4()}"
        self.ecs.create_cluster(clusterName=self.name)
        self.task_definition = self.define_task()
        self.queue = self._queue()
        self.define_job()

    @property
    def form(self) -> dict[str, str]:
        """What the form of a converted pipeline asks for."""
        return {
            "ecs_cluster": self.name,
            "ecs_task_definition": self.name,
            "ecs_container": "main",
            "ecs_subnet": "subnet-1",
            "batch_job_queue": self.name,
            "batch_job_definition": self.name,
        }

    def define_task(self, **container: Any) -> str:
        """Register a revision of the task definition; give its ARN."""
        options = {"awslogs-group": LOG_GROUP, "awslogs-stream-prefix": "run"}
        options["awslogs-region"] = REGION
        answer = self.ecs.register_task_definition(
            family=self.name,
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[
                {
                    "name": "main",
                    "image": "commands",
                    "environment": [{"name": "WORD", "value": "defined"}],
                    "logConfiguration": {"logDriver": "awslogs", "options": options},
                    **container,
                }
            ],
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def define_job(self, **more: Any) -> None:
        """Register a revision of the job definition."""
        requirements = {"VCPU": "0.25", "MEMORY": "512"}
        self.batch.register_job_definition(
            jobDefinitionName=self.name,
            type="container",
            platformCapabilities=["FARGATE"],
            containerProperties={
                "image": "commands",
                "environment": [{"name": "WORD", "value": "defined"}],
                "executionRoleArn": ROLE,
                "resourceRequirements": [
                    {"type": name, "value": value} for name, value in requirements.items()
                ],
            },
            **more,
        )

    def _queue(self) -> str:
        role = self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument="{}")
        environment = self.batch.create_compute_environment(
            computeEnvironmentName=self.name,
            type="UNMANAGED",
            state="ENABLED",
            serviceRole=role["Role"]["Arn"],
        )
        order = [{"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}]
        answer = self.batch.create_job_queue(
            jobQueueName=self.name, state="ENABLED", priority=1, computeEnvironmentOrder=order
        )
        return str(answer["jobQueueArn"])

    def run(self, command: str, **more: Any) -> dict[str, Any]:
        """Run a task of ECS by a call of AWS."""
        overrides = {"containerOverrides": [{"name": "main", "command": ["bash", "-c", command]}]}
        answer = self.ecs.run_task(
            cluster=self.name,
            taskDefinition=self.name,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            **{"overrides": overrides, **more},
        )
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def submit(self, command: str, **more: Any) -> str:
        """Submit a job by a call of AWS; give its id."""
        request = {"jobName": "job", "containerOverrides": {"command": ["bash", "-c", command]}}
        answer = self.batch.submit_job(
            jobQueue=self.name, jobDefinition=self.name, **{**request, **more}
        )
        return str(answer["jobId"])

    def task(self, arn: str) -> dict[str, Any]:
        """Describe a task with its tags."""
        (task,) = self.ecs.describe_tasks(cluster=self.name, tasks=[arn], include=["TAGS"])["tasks"]
        return dict(task)

    def job(self, job_id: str) -> dict[str, Any]:
        """Describe a job."""
        (job,) = self.batch.describe_jobs(jobs=[job_id])["jobs"]
        return dict(job)

    def stopped(self, arn: str) -> dict[str, Any]:
        """Wait until a task has stopped."""
        return _until(lambda: self.task(arn), lambda task: task["lastStatus"] == "STOPPED")

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait until a job has ended."""
        return _until(
            lambda: self.job(job_id), lambda one: one["status"] in {"SUCCEEDED", "FAILED"}
        )

    def printed(self, group: str, stream: str) -> list[str]:
        """Read what a container has printed."""
        events = self.logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        return [event["message"] for event in events]

    def arguments(self, kind: str, command: str) -> dict[str, Any]:
        """Give the arguments of an operator.

        :param kind: ``ecs`` or ``batch``.
        :param command: what bash is to run.
        """
        words = ["bash", "-c", command]
        if kind == "batch":
            return {
                "job_name": "work",
                "job_queue": self.name,
                "job_definition": self.name,
                "container_overrides": {"command": words},
                **QUICKLY[kind],
            }
        return {
            "cluster": self.name,
            "task_definition": self.name,
            "launch_type": "FARGATE",
            "overrides": {"containerOverrides": [{"name": "main", "command": words}]},
            "network_configuration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            **QUICKLY[kind],
        }

    def containers(self, kind: str) -> list[Mapping[str, Any]]:
        """Describe the last hundred containers, each with ``id``, ``status`` and ``tags``.

        :param kind: ``ecs`` or ``batch``.
        """
        if kind == "batch":
            filters = [{"name": "JOB_NAME", "values": ["*"]}]
            found = self.batch.list_jobs(jobQueue=self.name, filters=filters, maxResults=_MOST)
            ids = [one["jobId"] for one in found["jobSummaryList"]]
            jobs = self.batch.describe_jobs(jobs=ids)["jobs"] if ids else []
            return [{**one, "id": one["jobId"]} for one in jobs]
        arns = [
            arn
            for state in ("RUNNING", "STOPPED")
            for arn in self.ecs.list_tasks(cluster=self.name, desiredStatus=state)["taskArns"]
        ][:_MOST]
        request = {"cluster": self.name, "tasks": arns, "include": ["TAGS"]}
        tasks = self.ecs.describe_tasks(**request)["tasks"] if arns else []
        return [
            {
                **one,
                "id": one["taskArn"],
                "status": one["lastStatus"],
                "tags": {tag["key"]: tag["value"] for tag in one["tags"]},
            }
            for one in sorted(tasks, key=lambda one: one["createdAt"], reverse=True)
        ]

    def live(self, kind: str) -> list[str]:
        """Name the containers that have not ended.

        :param kind: ``ecs`` or ``batch``.
        """
        return [one["id"] for one in self.containers(kind) if one["status"] not in OVER]

    def end_all(self) -> None:
        """End what has not ended."""
        for arn in self.live("ecs"):
            self.ecs.stop_task(cluster=self.name, task=arn)
        for job_id in self.live("batch"):
            self.batch.terminate_job(jobId=job_id, reason="the test is over")


def _until(
    describe: Callable[[], dict[str, Any]], is_so: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    return wait_until(lambda: found if is_so(found := describe()) else None, 30) or {}
