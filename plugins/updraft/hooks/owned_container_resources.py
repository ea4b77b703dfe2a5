"""Tasks of Amazon ECS and jobs of AWS Batch that tasks have started."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks.owned_resources import OwnedResource, OwnedResources, is_of
from updraft.resource_owner import ResourceOwner

_REASON = "the run that started it has ended"
_MOST_DESCRIBED = 100
_LIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
_MISSING_CLUSTER = "ClusterNotFoundException"


class OwnedEcsTasks(OwnedResources):
    """The tasks of ECS, on all clusters."""

    kind: ClassVar[str] = "ECS task"
    client_type: ClassVar[str] = "ecs"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find tasks that are to run.

        :param environment: name of the Airflow environment.
        :returns: the tasks that nobody has told to stop.
        :raises ServiceError: when AWS refuses a call.
        """
        for cluster in self._pages("list_clusters", "clusterArns"):
            for task in self._tasks(cluster):
                tags = {tag["key"]: tag.get("value", "") for tag in task.get("tags", ())}
                if is_of(environment, tags):
                    yield OwnedResource(
                        self.kind,
                        task["taskArn"],
                        task.get("group", ""),
                        task["lastStatus"],
                        task["createdAt"],
                        ResourceOwner.from_tags(tags),
                        {"cluster": cluster},
                    )

    def end(self, resource: OwnedResource) -> None:
        """Stop a task.

        :param resource: the task.
        :raises ServiceError: when AWS refuses.
        """
        with self._explained("ecs:StopTask", f"task {resource.identifier}"):
            self.client.stop_task(
                **resource.parents, task=resource.identifier, reason=f"Updraft: {_REASON}"
            )

    def _tasks(self, cluster: str) -> Iterator[Mapping[str, Any]]:
        try:
            arns = list(self._pages("list_tasks", "taskArns", cluster=cluster))
            for some in _portions(arns):
                with self._explained("ecs:DescribeTasks", f"cluster {cluster}"):
                    answer = self.client.describe_tasks(
                        cluster=cluster, tasks=some, include=["TAGS"]
                    )
                yield from answer["tasks"]
        except ServiceError as error:
            if error.code != _MISSING_CLUSTER:  # it was deleted meanwhile
                raise


class OwnedBatchJobs(OwnedResources):
    """The jobs of AWS Batch, in all queues."""

    kind: ClassVar[str] = "Batch job"
    client_type: ClassVar[str] = "batch"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find jobs that have not ended.

        :param environment: name of the Airflow environment.
        :returns: the jobs that nobody has told to end.
        :raises ServiceError: when AWS refuses a call.
        """
        for queue in self._pages("describe_job_queues", "jobQueues"):
            for job in self._jobs(queue["jobQueueArn"]):
                tags = job.get("tags", {})
                if is_of(environment, tags) and not job.get("isTerminated"):
                    yield OwnedResource(
                        self.kind,
                        job["jobId"],
                        job["jobName"],
                        job["status"],
                        datetime.fromtimestamp(job["createdAt"] / 1000, UTC),
                        ResourceOwner.from_tags(tags),
                    )

    def end(self, resource: OwnedResource) -> None:
        """Terminate a job.

        :param resource: the job.
        :raises ServiceError: when AWS refuses.
        """
        with self._explained("batch:TerminateJob", f"job {resource.identifier}"):
            self.client.terminate_job(jobId=resource.identifier, reason=f"Updraft: {_REASON}")

    def _jobs(self, queue: str) -> Iterator[Mapping[str, Any]]:
        # Of a list of all states there is none. A job that goes on meanwhile comes up twice.
        ids = dict.fromkeys(
            job["jobId"]
            for status in _LIVE
            for job in self._pages("list_jobs", "jobSummaryList", jobQueue=queue, jobStatus=status)
        )
        for some in _portions(list(ids)):
            with self._explained("batch:DescribeJobs", f"queue {queue}"):
                answer = self.client.describe_jobs(jobs=some)
            yield from (job for job in answer["jobs"] if job["status"] in _LIVE)


def _portions(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a list into what one call may describe."""
    for start in range(0, len(names), _MOST_DESCRIBED):
        yield names[start : start + _MOST_DESCRIBED]
