"""A trigger that waits for a run of a Glue job."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
from airflow.triggers.base import TriggerEvent

from updraft.hooks.glue import GlueClientHook


class GlueJobRunTrigger(AwsBaseWaiterTrigger):
    """Wait for the end of a run, with the provider's waiter.

    The event has ``status`` (``success`` or ``error``), ``message`` with an error, ``run_id`` and
    ``give_up_at``. An error only says that the waiting ended, so the task has to look again.

    :param job_name: name of the job.
    :param run_id: id of the run.
    :param give_up_at: when the waiting ends, in seconds since 1970. The task hands it on if it has
        to wait again.
    :param kwargs: ``waiter_delay`` (seconds between two looks) and ``waiter_max_attempts``, and
        how AWS is reached: ``aws_conn_id``, ``region_name``, ``verify`` and ``botocore_config``.
    """

    aws_hook_class: ClassVar[type[GlueClientHook]] = GlueClientHook
    """The provider asks triggers for it from version 9.37 on."""

    def __init__(self, *, job_name: str, run_id: str, give_up_at: float, **kwargs: Any) -> None:
        super().__init__(
            serialized_fields={"job_name": job_name, "run_id": run_id, "give_up_at": give_up_at},
            waiter_name="job_complete",
            waiter_args={"JobName": job_name, "RunId": run_id},
            failure_message=f"Run {run_id} of {job_name} failed",
            status_message=f"Status of {run_id}",
            status_queries=["JobRun.JobRunState", "JobRun.ErrorMessage"],
            return_key="run_id",
            return_value=run_id,
            **kwargs,
        )
        self.job_name = job_name
        self.run_id = run_id
        self.give_up_at = give_up_at

    def hook(self) -> GlueClientHook:
        """Make the hook with everything that the task was given for its own.

        :returns: the hook.
        """
        return GlueClientHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait.

        What botocore raises becomes an event as well. Left to the triggerer, it would fail the
        task without letting it look at the run.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            async for event in super().run():
                yield self._completed(event.payload)
        except (BotoCoreError, ClientError) as error:
            yield self._completed({"status": "error", "message": str(error), "run_id": self.run_id})

    async def on_kill(self) -> None:
        """Stop the run, because a user has ended the task; Airflow calls it from 3.3 on."""
        hook: Any = self.hook()
        async with await hook.get_async_conn() as client:
            await client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[self.run_id])

    def _completed(self, payload: dict[str, Any]) -> TriggerEvent:
        return TriggerEvent(  # type: ignore[no-untyped-call]
            {**payload, "give_up_at": self.give_up_at}
        )
