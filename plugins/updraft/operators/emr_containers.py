"""An operator that runs a job on EMR on EKS."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from airflow.providers.amazon.aws.operators.emr import EmrContainerOperator

from updraft.compat import Context
from updraft.hooks.emr import CONTAINERS
from updraft.operators.emr_job_run_task import EmrJobRunTask
from updraft.operators.emr_job_runs import EmrJobRuns, JobRun, s3_log_uri
from updraft.operators.emr_logs import EmrLogs
from updraft.triggers.emr_job_runs import EmrContainersJobRunTrigger, EmrJobRunTrigger

_NOT_IN_NAMES = re.compile(r"[^.\-_/#A-Za-z0-9]+")


class ContainersJobRuns(EmrJobRuns):
    """Runs of a virtual cluster of EMR on EKS; see :class:`EmrJobRuns`."""

    service: ClassVar[str] = CONTAINERS
    active: ClassVar[tuple[str, ...]] = ("PENDING", "SUBMITTED", "RUNNING")
    cancelling: ClassVar[str] = "CANCEL_PENDING"
    succeeded: ClassVar[str] = "COMPLETED"
    longest_name: ClassVar[int] = 64
    trigger: ClassVar[type[EmrJobRunTrigger]] = EmrContainersJobRunTrigger

    def prepare(self) -> None:
        """Do nothing: a virtual cluster takes jobs as long as it is there."""

    def describe(self, run_id: str) -> JobRun:
        """Ask for a run."""
        run: JobRun = self._calls.call(
            "describe_job_run",
            f"job run {run_id!r}",
            virtualClusterId=self._parent_id,
            id=run_id,
        )["jobRun"]
        return run

    def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        self._calls.call(
            "cancel_job_run", f"job run {run_id!r}", virtualClusterId=self._parent_id, id=run_id
        )

    @property
    def _resource(self) -> str:
        return f"virtual cluster {self._parent_id!r}"

    def _list(self, since: datetime) -> Iterable[JobRun]:
        return self._calls.items(
            "list_job_runs",
            self._resource,
            "jobRuns",
            virtualClusterId=self._parent_id,
            createdAfter=since,
        )

    def _send(self, name: str, token: str, request: Mapping[str, Any]) -> str:
        answer = self._calls.call(
            "start_job_run",
            self._resource,
            virtualClusterId=self._parent_id,
            clientToken=token,
            name=_NOT_IN_NAMES.sub("_", name),
            **request,
        )
        return str(answer["id"])

    def _logs(self, run: JobRun) -> tuple[EmrLogs, str]:
        """Name the logs, https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/emr-eks-jobs-s3.html."""
        logs = EmrLogs(self._calls.hook_parameters, s3_log_uri(run.get("configurationOverrides")))
        return logs, logs.uri(self._parent_id, "jobs", run["id"])


class EmrContainersJobOperator(EmrJobRunTask, EmrContainerOperator):
    """Run a job on EMR on EKS and wait for its end; a retry adopts the run that there is.

    A run that succeeded is not repeated, one that goes on is waited for, and one that failed or
    was cancelled is followed by another one, as is one that succeeded before a user cleared the
    task. A task that is killed cancels its run.

    .. seealso:: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs.html

    :param name: name of the run; it gets a hash by which it is found again. (templated)
    :param virtual_cluster_id: id of the virtual cluster. (templated)
    :param execution_role_arn: role of the job. (templated)
    :param release_label: release of EMR. (templated)
    :param job_driver: what to run, as StartJobRun takes it. (templated)
    :param configuration_overrides: settings of Spark, and where logs go. (templated)
    :param spark_lineage: whether Spark is told which run of Airflow it belongs to, and where
        lineage goes; by default if Airflow's ``[openlineage] spark_inject_parent_job_info`` says
        so. What the overrides say themselves is left alone.
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param inputs: URIs of what the job reads, for lineage. (templated)
    :param outputs: URIs of what the job writes, for lineage. (templated)
    :param kwargs: as the provider's ``EmrContainerOperator``.
    """

    template_fields: Sequence[str] = (*EmrContainerOperator.template_fields, "inputs", "outputs")
    job_runs: ClassVar[type[EmrJobRuns]] = ContainersJobRuns

    def _place(self) -> tuple[str, str]:
        return self.virtual_cluster_id, self.name

    def _particulars(self) -> dict[str, Any]:
        particulars: dict[str, Any] = {"releaseLabel": self.release_label, "tags": self.tags}
        if self.job_retry_max_attempts:
            particulars["retryPolicyConfiguration"] = {"maxAttempts": self.job_retry_max_attempts}
        return particulars

    def _show(self, context: Context, run_id: str) -> None:  # noqa: ARG002 - there is no link to it
        self.job_id = run_id
