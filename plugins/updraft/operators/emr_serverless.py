"""An operator that runs a job on EMR Serverless."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from airflow.providers.amazon.aws.operators.emr import EmrServerlessStartJobOperator

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.hooks.emr import SERVERLESS
from updraft.operators.emr_job_run_task import EmrJobRunTask
from updraft.operators.emr_job_runs import EmrJobRuns, JobRun, s3_log_uri
from updraft.operators.emr_logs import EmrLogs
from updraft.triggers.emr_job_runs import EmrJobRunTrigger, EmrServerlessJobRunTrigger

_OWN_ARGUMENTS: Mapping[str, str] = {
    "applicationId": "application_id says which application runs the job",
    "clientToken": "the token is the task instance's, so that a retry starts no second run",
    "executionRoleArn": "give it as execution_role_arn",
    "jobDriver": "give it as job_driver",
}
_STOPPED = frozenset({"CREATED", "STOPPED"})


class ServerlessJobRuns(EmrJobRuns):
    """Runs of an application of EMR Serverless; see :class:`EmrJobRuns`."""

    service: ClassVar[str] = SERVERLESS
    active: ClassVar[tuple[str, ...]] = ("SUBMITTED", "PENDING", "SCHEDULED", "QUEUED", "RUNNING")
    cancelling: ClassVar[str] = "CANCELLING"
    succeeded: ClassVar[str] = "SUCCESS"
    longest_name: ClassVar[int] = 256
    trigger: ClassVar[type[EmrJobRunTrigger]] = EmrServerlessJobRunTrigger

    def prepare(self) -> None:
        """Start an application that does not start by itself when it gets a job.

        :raises ServiceError: when AWS refuses.
        """
        identifiers = {"applicationId": self._parent_id}
        answer = self._calls.call("get_application", self._resource, **identifiers)
        application = answer["application"]
        automatic = application.get("autoStartConfiguration", {}).get("enabled", True)
        if application["state"] in _STOPPED and not automatic:
            self._kill_switch.check()
            self._calls.call("start_application", self._resource, **identifiers)

    def describe(self, run_id: str) -> JobRun:
        """Ask for a run."""
        answer = self._calls.call(
            "get_job_run", f"job run {run_id!r}", applicationId=self._parent_id, jobRunId=run_id
        )
        run = answer["jobRun"]
        return {**run, "id": run["jobRunId"]}

    def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        self._calls.call(
            "cancel_job_run", f"job run {run_id!r}", applicationId=self._parent_id, jobRunId=run_id
        )

    @property
    def _resource(self) -> str:
        return f"application {self._parent_id!r}"

    def _list(self, since: datetime) -> Iterable[JobRun]:
        return self._calls.items(
            "list_job_runs",
            self._resource,
            "jobRuns",
            applicationId=self._parent_id,
            createdAtAfter=since,
        )

    def _send(self, name: str, token: str, request: Mapping[str, Any]) -> str:
        answer = self._calls.call(
            "start_job_run",
            self._resource,
            applicationId=self._parent_id,
            clientToken=token,
            name=name,
            **request,
        )
        return str(answer["jobRunId"])

    def _logs(self, run: JobRun) -> tuple[EmrLogs, str]:
        """Name the driver's logs, https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/logging.html."""
        logs = EmrLogs(self._calls.hook_parameters, s3_log_uri(run.get("configurationOverrides")))
        driver = "HIVE_DRIVER" if "hive" in (run.get("jobDriver") or {}) else "SPARK_DRIVER"
        place = logs.uri("applications", self._parent_id, "jobs", run["id"], driver)
        return logs, place


class EmrServerlessJobOperator(EmrJobRunTask, EmrServerlessStartJobOperator):
    """Run a job on EMR Serverless and wait for its end; a retry adopts the run that there is.

    A run that succeeded is not repeated, one that goes on is waited for, and one that failed or
    was cancelled is followed by another one, as is one that succeeded before a user cleared the
    task. A task that is killed cancels its run.

    .. seealso:: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/jobs.html

    :param application_id: id of the application. (templated)
    :param execution_role_arn: role of the job. (templated)
    :param job_driver: what to run, as StartJobRun takes it. (templated)
    :param configuration_overrides: settings of Spark or Hive, and where logs go. (templated)
    :param config: further parameters of StartJobRun, such as ``executionTimeoutMinutes``.
        (templated)
    :param name: name of the run; it gets a hash by which it is found again. (templated)
    :param spark_lineage: whether Spark is told which run of Airflow it belongs to, and where
        lineage goes; by default if Airflow's ``[openlineage] spark_inject_parent_job_info`` says
        so. What the overrides say themselves is left alone.
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param inputs: URIs of what the job reads, for lineage. (templated)
    :param outputs: URIs of what the job writes, for lineage. (templated)
    :param kwargs: as the provider's ``EmrServerlessStartJobOperator``.
    """

    template_fields: Sequence[str] = (
        *EmrServerlessStartJobOperator.template_fields,
        "inputs",
        "outputs",
    )
    job_runs: ClassVar[type[EmrJobRuns]] = ServerlessJobRuns

    def _check(self) -> None:
        for name, advice in _OWN_ARGUMENTS.items():
            if name in (self.config or {}):
                raise UpdraftError(f"config: it must not have {name}; {advice}.")

    def _place(self) -> tuple[str, str]:
        return self.application_id, self.name or self.config.pop("name", None) or self.task_id

    def _particulars(self) -> dict[str, Any]:
        return dict(self.config)

    def _show(self, context: Context, run_id: str) -> None:
        self.job_id = run_id
        self.persist_links(context)
