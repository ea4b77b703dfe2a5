"""Commands in jobs of AWS Batch, of which none outlives its task."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.operators.batch import BatchOperator

from updraft.compat import AirflowException, Context
from updraft.dynamodb.service_errors import THROTTLED, ServiceError, explained, is_uncertain
from updraft.errors import UpdraftError
from updraft.hooks.batch import SubmitOnceHook
from updraft.hooks.service_calls import PATIENCE
from updraft.operators.container_base import ENDING_SECONDS, ContainerCommand, container_token
from updraft.operators.try_series import series_digest
from updraft.resource_owner import ResourceOwner
from updraft.triggers.containers import REASON, BatchCommandTrigger

_LONGEST_NAME = 128
_MOST_DESCRIBED = 100
# How jobs end (API reference of AWS Batch, "JobSummary").
_SUCCEEDED, _OVER = "SUCCEEDED", frozenset({"SUCCEEDED", "FAILED"})
_LOOKS, _LOOK_SECONDS = 5, 2.0  # for a job whose submission got no answer
_LONGEST_PAUSE = 60.0


class BatchCommandOperator(ContainerCommand, BatchOperator):
    """Run a job of AWS Batch once for all attempts.

    A retry goes on with the job of an earlier attempt while it runs, and takes it for its own when
    it has succeeded; AWS Batch remembers jobs for at least seven days. When the task is ended,
    takes longer than its ``execution_timeout``, or its last attempt loses its trigger, the job is
    ended. Its name and tags say whose it is, by which the reaper finds it too.

    :param kwargs: as of the provider's ``BatchOperator``. The job has the name given, cut where it
        is too long, a token, and six digits of the attempts that belong together.
    """

    # The base says that it is the provider's hook itself, not one of its kind.
    aws_hook_class = SubmitOnceHook  # type: ignore[assignment]
    _trigger_class = BatchCommandTrigger

    def execute(self, context: Context) -> Any:
        """Submit a job, or find the one that an earlier attempt has submitted, and wait.

        :param context: context of the task instance.
        :returns: as the provider's operator.
        """
        self.tags = {**(self.tags or {}), **ResourceOwner.of(context).tags()}
        self.job_id = self._adopt(container_token(context), context)
        return super().execute(context)

    def submit_job(self, context: Context) -> None:
        """Submit the job, unless an earlier attempt has.

        SubmitJob has no client token. Were it repeated after a lost answer, there would be two
        jobs; so it is made once, and the job is looked for then.

        :param context: context of the task instance.
        """
        if self.job_id:
            return
        token = container_token(context)
        self.job_name = f"{self._name(token)}-{series_digest(context)}"
        self._submit(token, context)
        self._kill_switch.check(self._end_own)

    def _submit(self, token: str, context: Context) -> None:
        give_up_at, pause = time.monotonic() + PATIENCE, 1.0
        while self.job_id is None:
            self._kill_switch.check()
            try:
                super().submit_job(context)
            except AirflowException as wrapped:
                error = self._explained(wrapped)
                if error.code in THROTTLED and time.monotonic() + pause < give_up_at:
                    self.log.info("%s The next attempt is in %.0f s", error, pause)
                    time.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                    continue
                self.job_id = self._look_again(token) if is_uncertain(error) else None
                if self.job_id is None:
                    raise error from wrapped

    def _explained(self, wrapped: AirflowException) -> ServiceError:
        """Say in one sentence what the provider has wrapped."""
        try:
            with explained("batch:SubmitJob", f"queue {self.job_queue!r}"):
                raise wrapped.args[0] if isinstance(wrapped.args[0], Exception) else wrapped
        except ServiceError as error:
            return error

    def _look_again(self, token: str) -> str | None:
        """Find a job whose submission got no answer."""
        for _ in range(_LOOKS):
            time.sleep(_LOOK_SECONDS)
            found = [one for one in self._listed(token) if one["jobName"] == self.job_name]
            if found:
                return str(found[0]["jobId"])
        return None

    @property
    def _container(self) -> str | None:
        return self.job_id

    def _end(self, container: str) -> None:
        client: Any = self.hook.client
        client.terminate_job(jobId=container, reason=REASON)

    def _live(self, token: str) -> Sequence[str]:
        ids = [str(job["jobId"]) for job in self._going_on(token)]
        if not ids:
            return []
        client: Any = self.hook.client
        jobs = client.describe_jobs(jobs=ids[:_MOST_DESCRIBED])["jobs"]
        ended = {job["jobId"] for job in jobs if job.get("isTerminated") or job.get("isCancelled")}
        return [job_id for job_id in ids if job_id not in ended]

    def _succeeded(self, token: str, series: str) -> str | None:
        give_up_at = time.monotonic() + ENDING_SECONDS
        while ending := self._going_on(token):
            self._kill_switch.check()
            if time.monotonic() > give_up_at:
                raise UpdraftError(
                    f"Job {ending[0]['jobId']} was told to end {ENDING_SECONDS} seconds ago, and "
                    "has not. Look at it in the console of AWS Batch."
                )
            time.sleep(_LOOK_SECONDS)
        name = f"{self._name(token)}-{series}"
        for job in self._listed(token):
            if job["jobName"] == name and job["status"] == _SUCCEEDED:
                return str(job["jobId"])
        return None

    def _going_on(self, token: str) -> list[Mapping[str, Any]]:
        return [job for job in self._listed(token) if job["status"] not in _OVER]

    def _listed(self, token: str) -> list[Mapping[str, Any]]:
        """List the jobs of the task instance, the earliest first."""
        client: Any = self.hook.client
        pages = client.get_paginator("list_jobs").paginate(
            jobQueue=self.job_queue,
            filters=[{"name": "JOB_NAME", "values": [f"{self._name(token)}*"]}],
        )
        jobs = [job for page in pages for job in page["jobSummaryList"]]
        return sorted(jobs, key=lambda job: (job["createdAt"], job["jobId"]))

    def _name(self, token: str) -> str:
        """Name the jobs of the task instance, but for their series of attempts."""
        given = self.job_name.partition(f"-{token}")[0]
        room = _LONGEST_NAME - len(f"-{token}-123456")
        return f"{given[:room]}-{token}"
