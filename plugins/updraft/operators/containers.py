"""Commands in containers of Amazon ECS and of AWS Batch, of which none outlives its task.

The provider's operators start and wait. What they leave open is what happens when an attempt dies,
or when somebody ends it: a retry of theirs starts a second job in AWS Batch, and of a task that
waits in the triggerer, the container runs on. Here a retry finds what an earlier attempt has
started, by a token of the task instance: ``startedBy`` of an ECS task, the end of the name of a
job.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NoReturn

from airflow.providers.amazon.aws.operators.batch import BatchOperator
from airflow.providers.amazon.aws.operators.ecs import EcsRunTaskOperator
from airflow.triggers.base import BaseTrigger

from updraft.compat import Context
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.trigger_failure import TRIGGER_FAILED, StopsAfterTrigger
from updraft.operators.try_series import try_series
from updraft.resource_owner import ResourceOwner
from updraft.triggers.containers import REASON, BatchCommandTrigger, EcsTaskTrigger

_TIMED_OUT = "timeout"
_LONGEST_NAME = 128
# How jobs end (API reference of AWS Batch, "JobSummary").
_SUCCEEDED, _FAILED = "SUCCEEDED", "FAILED"


class _Container(StopsAfterTrigger):
    """What both kinds of containers have in common."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._kill_switch = KillSwitch()

    _trigger_class: type[BaseTrigger]
    """Waits as the provider's trigger does, and ends the container with the task."""

    @abstractmethod
    def _stop(self) -> None:
        """End what the task has started; nothing when there is nothing."""

    @abstractmethod
    def _find(self, token: str) -> None:
        """Adopt what an earlier attempt has started.

        :param token: the token of the attempts that belong together.
        """

    def stop_after_trigger(self, context: Context) -> None:
        """End the container, because the trigger that watched it has failed.

        :param context: context of the task instance.
        """
        self._find(self._token(context))
        self._stop_quietly()

    def defer(
        self,
        *,
        trigger: BaseTrigger,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> NoReturn:
        """Wait in the triggerer, by a trigger that ends the container with the task.

        :param trigger: the provider's trigger.
        :param method_name: the method to go on with.
        :param kwargs: its arguments.
        :param timeout: longest time to wait.
        """
        _, arguments = trigger.serialize()
        own = self._trigger_class(**arguments)
        limit = self._limit(timeout)
        super().defer(trigger=own, method_name=method_name, kwargs=kwargs, timeout=limit)

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Go on after a trigger; a container that has taken too long is ended in any attempt.

        :param next_method: method to go on with.
        :param next_kwargs: its arguments.
        :param context: context of the task instance.
        :returns: what the method returns.
        """
        error = str((next_kwargs or {}).get("error", ""))
        if next_method == TRIGGER_FAILED and _TIMED_OUT in error.casefold():
            self.stop_after_trigger(context)
        return super().resume_execution(next_method, next_kwargs, context)

    def on_kill(self) -> None:
        """End the container; called from a signal handler."""
        self._kill_switch.throw()
        self._stop_quietly()

    def _token(self, context: Context) -> str:
        return ResourceOwner.of(context).token("container", try_series(context))

    def _limit(self, timeout: timedelta | float | None) -> timedelta | None:
        """Let the limit of an attempt hold also while the task waits in the triggerer."""
        given = timedelta(seconds=timeout) if isinstance(timeout, int | float) else timeout
        return min((one for one in (given, self.execution_timeout) if one), default=None)

    def _stop_quietly(self) -> None:
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
        )

        try:
            self._stop()
        except (BotoCoreError, ClientError):
            self.log.exception("The container could not be ended, see to it in the console of AWS")


class EcsCommandOperator(_Container, EcsRunTaskOperator):
    """Run a task of Amazon ECS once for all attempts.

    A retry goes on with the container of an earlier attempt while it runs, and takes it for its own
    when it has succeeded; ECS remembers containers that have ended for an hour. When the task is
    ended, takes longer than its ``execution_timeout``, or its last attempt loses its trigger, the
    container is stopped.

    :param kwargs: as of the provider's ``EcsRunTaskOperator``, but for ``reattach``, which has no
        say here.
    """

    _trigger_class = EcsTaskTrigger

    def execute(self, context: Context) -> Any:
        """Start a container, or find the one that an earlier attempt has started, and wait.

        :param context: context of the task instance.
        :returns: as the provider's operator.
        """
        token = self._token(context)
        self.reattach = False
        self._started_by = token
        self._find(token)
        if self.arn is not None:
            self.log.info("An earlier attempt has started %s", self.arn)
        return super().execute(context)  # type: ignore[no-untyped-call]

    def _start_task(self) -> None:
        self._kill_switch.check()
        super()._start_task()  # type: ignore[no-untyped-call]
        self._kill_switch.check(self._stop_quietly)

    def _stop(self) -> None:
        client: Any = self.client
        if self.arn is not None:
            client.stop_task(cluster=self.cluster, task=self.arn, reason=REASON)

    def _find(self, token: str) -> None:
        self.arn = None
        client: Any = self.client
        pages = client.get_paginator("list_tasks")
        for state in ("RUNNING", "STOPPED"):
            found = [
                arn
                for page in pages.paginate(
                    cluster=self.cluster, startedBy=token, desiredStatus=state
                )
                for arn in page["taskArns"]
            ]
            if found and state == "STOPPED":
                answer = client.describe_tasks(cluster=self.cluster, tasks=found[:100])
                found = [one["taskArn"] for one in answer["tasks"] if _has_succeeded(one)]
            if found:
                self.arn = found[0]
                return


class BatchCommandOperator(_Container, BatchOperator):
    """Run a job of AWS Batch once for all attempts.

    A retry goes on with the job of an earlier attempt while it runs, and takes it for its own when
    it has succeeded; AWS Batch remembers jobs for at least seven days. When the task is ended,
    takes longer than its ``execution_timeout``, or its last attempt loses its trigger, the job is
    ended.

    :param kwargs: as of the provider's ``BatchOperator``. The job has the name given and a token.
    """

    _trigger_class = BatchCommandTrigger

    def execute(self, context: Context) -> Any:
        """Submit a job, or find the one that an earlier attempt has submitted, and wait.

        :param context: context of the task instance.
        :returns: as the provider's operator.
        """
        self._find(self._token(context))
        return super().execute(context)

    def submit_job(self, context: Context) -> None:
        """Submit the job, unless an earlier attempt has.

        :param context: context of the task instance.
        """
        if self.job_id:
            self.log.info("An earlier attempt has submitted %s", self.job_id)
            return
        self._kill_switch.check()
        self.job_name = _job_name(self.job_name, self._token(context))
        super().submit_job(context)
        self._kill_switch.check(self._stop_quietly)

    def _stop(self) -> None:
        client: Any = self.hook.client
        if self.job_id:
            client.terminate_job(jobId=self.job_id, reason=REASON)

    def _find(self, token: str) -> None:
        name = _job_name(self.job_name, token)
        filters = [{"name": "JOB_NAME", "values": [name]}]
        client: Any = self.hook.client
        pages = client.get_paginator("list_jobs")
        jobs = [
            job
            for page in pages.paginate(jobQueue=self.job_queue, filters=filters)
            for job in page["jobSummaryList"]
        ]
        self.job_id = _adoptable(jobs)


def _job_name(name: str, token: str) -> str:
    return name if name.endswith(token) else f"{name[: _LONGEST_NAME - len(token) - 1]}-{token}"


def _adoptable(jobs: Iterable[Mapping[str, Any]]) -> str | None:
    """Choose a job that runs, else one that has succeeded."""
    usable = [job for job in jobs if job["status"] != _FAILED]
    usable.sort(key=lambda job: bool(job["status"] == _SUCCEEDED))
    return str(usable[0]["jobId"]) if usable else None


def _has_succeeded(task: Mapping[str, Any]) -> bool:
    # A program that is told to stop may end with zero before its work is done.
    by_itself = task.get("stopCode") == "EssentialContainerExited"
    containers = task.get("containers") or [{}]
    return by_itself and all(one.get("exitCode") == 0 for one in containers)
