"""Triggers that wait for containers, and end them when a user ends the task."""

from typing import Any

from airflow.providers.amazon.aws.hooks.ecs import EcsHook
from airflow.providers.amazon.aws.triggers.batch import BatchJobTrigger
from airflow.providers.amazon.aws.triggers.ecs import TaskDoneTrigger

REASON = "the Airflow task was ended"
"""What the console of AWS shows about a container that was ended."""


class EcsTaskTrigger(TaskDoneTrigger):
    """The provider's trigger, which leaves the container of a task running that a user ends."""

    async def on_kill(self) -> None:
        """Stop the container; Airflow calls it from 3.3 on."""
        hook: Any = EcsHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )
        async with await hook.get_async_conn() as client:
            await client.stop_task(cluster=self.cluster, task=self.task_arn, reason=REASON)


class BatchCommandTrigger(BatchJobTrigger):
    """The provider's trigger, which leaves the job of a task running that a user ends.

    :param job_id: the job.
    :param kwargs: as of the provider's trigger.
    """

    def __init__(self, *, job_id: str, **kwargs: Any) -> None:
        super().__init__(job_id=job_id, **kwargs)
        self.job_id = job_id

    async def on_kill(self) -> None:
        """End the job; Airflow calls it from 3.3 on."""
        hook: Any = self.hook()
        async with await hook.get_async_conn() as client:
            await client.terminate_job(jobId=self.job_id, reason=REASON)
