"""What Glue is asked and told about the runs of one job."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.errors import UpdraftError
from updraft.hooks.clients import connected_client
from updraft.hooks.glue import GlueClientHook
from updraft.operators.glue_job_log import DEFAULT_LOG_GROUP, log_link
from updraft.operators.glue_missing_job import named_if_missing

JobRun: TypeAlias = Mapping[str, Any]
"""What GetJobRun says about one run."""

_OLDEST = timedelta(days=8)  # no run takes longer than seven days
_PAGE = 200


class GlueJobCalls:
    """The calls of Glue that concern the runs of a job; each error stands on its own.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param job_name: name of the job.
    :param hook: a hook made of these parameters, if there is one.
    """

    def __init__(
        self,
        hook_parameters: Mapping[str, Any],
        job_name: str,
        hook: GlueClientHook | None = None,
    ) -> None:
        self._hook_parameters = dict(hook_parameters)
        self._hook = hook or GlueClientHook(**self._hook_parameters)
        self._job_name = job_name

    def start(self, arguments: Mapping[str, str], overrides: Mapping[str, Any]) -> str:
        """Start a run, in a single attempt: a repeated call would start another one.

        :param arguments: the arguments of the script.
        :param overrides: further parameters of StartJobRun.
        :returns: id of the run.
        :raises ConcurrentRunsError: when the job has as many runs as it may have.
        :raises ServiceError: when Glue refuses for another reason, or gives no answer.
        """
        start_run = self._hook.client_without_retries.start_job_run
        try:
            with self._named_if_missing(), self._explained("glue:StartJobRun"):
                answer = start_run(JobName=self._job_name, Arguments=arguments, **overrides)
        except ServiceError as error:
            if error.code == "ConcurrentRunsExceededException":
                raise ConcurrentRunsError(
                    f"The Glue job {self._job_name!r} has as many runs as it may have at the same "
                    "time. Raise its MaxConcurrentRuns, or limit the tasks that use it with a pool."
                ) from error
            if error.code == "ResourceNumberLimitExceededException":
                raise ConcurrentRunsError(
                    f"The Glue job {self._job_name!r} cannot be run now, since the account has "
                    f"reached a quota ({error.message}). Let it be raised, or limit the tasks that "
                    "run jobs with a pool."
                ) from error
            raise
        return str(answer["JobRunId"])

    def describe(self, run_id: str) -> JobRun:
        """Look at a run.

        :param run_id: its id.
        :returns: the run.
        :raises ServiceError: when Glue refuses.
        """
        with self._explained("glue:GetJobRun"):
            answer = self._client().get_job_run(JobName=self._job_name, RunId=run_id)
        run: JobRun = answer["JobRun"]
        return run

    def recent(self) -> Iterator[JobRun]:
        """List the runs that may go on.

        :returns: the runs, the latest first as Glue lists them.
        :raises ServiceError: when Glue refuses.
        """
        oldest = datetime.now(UTC) - _OLDEST
        token = ""
        while True:  # an error in the middle of a paginator would stand on its own
            more: dict[str, Any] = {"NextToken": token} if token else {}
            with self._named_if_missing(), self._explained("glue:GetJobRuns"):
                page = self._client().get_job_runs(JobName=self._job_name, MaxResults=_PAGE, **more)
            for run in page["JobRuns"]:
                if run["StartedOn"] < oldest:
                    return
                yield run
            token = page.get("NextToken", "")
            if not token:
                return

    def stop(self, run_ids: Sequence[str]) -> None:
        """Tell Glue to stop runs.

        :param run_ids: their ids.
        :raises ServiceError: when Glue refuses.
        """
        with self._explained("glue:BatchStopJobRun"):
            self._client().batch_stop_job_run(JobName=self._job_name, JobRunIds=list(run_ids))

    def connection(self) -> dict[str, Any]:
        """Say how a trigger reaches the same Glue.

        :returns: arguments of a :class:`GluePollingTrigger`.
        """
        return {
            "aws_conn_id": self._hook.aws_conn_id,
            "region_name": self._client().meta.region_name,
            "verify": self._hook_parameters.get("verify"),
            "botocore_config": self._hook_parameters.get("config"),
        }

    def named(self, run_id: str) -> str:
        """Name a run for a message.

        :param run_id: its id.
        :returns: such as ``Run jr_1 of the Glue job 'copy'``.
        """
        return f"Run {run_id} of the Glue job {self._job_name!r}"

    def log_link(self, run: JobRun) -> str:
        """Say where the log of a run is.

        :param run: the run.
        :returns: address of its errors in the console.
        """
        region: str = self._client().meta.region_name
        group = f"{run.get('LogGroupName') or DEFAULT_LOG_GROUP}/error"
        return log_link(self._hook.conn_partition, region, group, run["Id"])

    def _client(self) -> Any:
        return connected_client(self._hook)

    def _named_if_missing(self) -> AbstractContextManager[None]:
        return named_if_missing(self._hook, self._job_name)

    def _explained(self, action: str) -> AbstractContextManager[None]:
        return explained(action, f"job {self._job_name!r}")


class ConcurrentRunsError(UpdraftError):
    """A job, or the account, has as many runs as it may have at the same time."""


class GlueJobRunError(UpdraftError):
    """A run did not succeed.

    :param text: the whole story.
    :param reason: what Glue says.
    :param run: the run.
    """

    def __init__(self, text: str, reason: str, run: JobRun) -> None:
        super().__init__(text)
        self.reason = reason
        self.run = run
