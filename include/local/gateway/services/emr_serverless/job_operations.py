"""The operations on job runs.

.. seealso:: https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/job-states.html
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.emr.running import moment, validation_error
from include.local.gateway.services.emr_jobs import commands
from include.local.gateway.services.emr_jobs.execution import Job, JobExecution
from include.local.gateway.services.emr_jobs.job_runs import (
    JobRun,
    JobRuns,
    TokenConflictError,
    new_id,
)
from include.local.gateway.services.emr_jobs.pages import next_page
from include.local.gateway.services.emr_serverless.application_operations import (
    application_arn,
    find_application,
)
from include.local.gateway.services.emr_serverless.applications import (
    STARTED,
    STARTING,
    TERMINATED,
    Application,
    Applications,
)

_ID_LENGTH = 16
_TIMEOUT_MINUTES = 720
_LOG_GROUP = "/aws/emr-serverless"
_DRIVERS = {"Spark": "sparkSubmit", "Hive": "hive"}
_WORKERS = {"Spark": "SPARK_DRIVER", "Hive": "HIVE_DRIVER"}


class JobOperations:
    """The operations.

    :param applications: the applications.
    :param runs: the job runs.
    :param endpoint_url: address of the gateway.
    :param scheduling: gives the seconds that runs spend before they run.
    """

    def __init__(
        self,
        applications: Applications,
        runs: JobRuns,
        endpoint_url: str,
        scheduling: Callable[[], float],
    ) -> None:
        self._applications = applications
        self._runs = runs
        self._endpoint_url = endpoint_url
        self._scheduling = scheduling
        self._executions: dict[str, JobExecution] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CancelJobRun": self._cancel,
            "GetJobRun": self._get,
            "ListJobRuns": self._list,
            "StartJobRun": self._start,
        }

    def close(self) -> None:
        """End all processes."""
        for execution in self._executions.values():
            execution.kill()

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        given = dict(request.parameters)
        application = find_application(self._applications, request)
        _check_usable(application)
        tags = given.pop("tags", {})
        run = JobRun(
            id=new_id(_ID_LENGTH),
            region=request.region,
            parent=application.id,
            request=given,
            settings={
                "releaseLabel": application.request["releaseLabel"],
                "type": application.request["type"],
            },
            created_by=request.principal,
            state=self._runs.states.waiting[0],
            tags=tags,
        )
        job = _job(run)
        try:
            added = self._runs.add(run)
        except TokenConflictError as error:
            raise AwsError(
                "ConflictException",
                f"Client token {error} was used for a job run with other parameters",
                409,
            ) from error
        if added is run:
            if application.state not in {STARTED, STARTING}:
                self._applications.move(application, STARTING)
            execution = self._executions[run.id] = JobExecution(
                self._runs,
                run,
                job,
                endpoint_url=self._endpoint_url,
                scheduling=self._scheduling,
            )
            execution.start()
        return {
            "applicationId": application.id,
            "jobRunId": added.id,
            "arn": job_arn(application, added),
        }

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        application, run = self._find(request)
        members = {
            "attempt": run.attempt,
            "executionTimeoutMinutes": _TIMEOUT_MINUTES,
            **{
                name: value
                for name, value in run.request.items()
                if name not in {"clientToken", "executionRoleArn"}
            },
            **_common(application, run),
            "applicationId": application.id,
            "jobRunId": run.id,
            "tags": run.tags,
            "totalExecutionDurationSeconds": int(
                (run.ended or time.time()) - (run.started or run.ended or time.time())
            ),
        }
        members.pop("type")
        for name, at in (("startedAt", run.started), ("endedAt", run.ended)):
            if at is not None:
                members[name] = moment(at)
        return {"jobRun": members}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        application = find_application(self._applications, request)
        states, mode = given.get("states"), given.get("mode")
        after, before = given.get("createdAtAfter"), given.get("createdAtBefore")
        found = []
        for run in self._runs.of_parent(request.region, application.id):
            created = moment(run.created).replace(tzinfo=None)
            if (
                (not states or run.state in states)
                and (mode is None or mode == run.request.get("mode", "BATCH"))
                and (after is None or created >= after.replace(tzinfo=None))
                and (before is None or created <= before.replace(tzinfo=None))
            ):
                found.append({**_common(application, run), "id": run.id, "attempt": run.attempt})
        listed, token = next_page(found, given.get("nextToken"), given.get("maxResults", 50))
        return {"jobRuns": listed, **token}

    def _cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        application, run = self._find(request)
        if self._runs.states.is_over(run.state) or not self._executions[run.id].cancel():
            raise validation_error(f"Job run {run.id} is {run.state} and cannot be cancelled.")
        return {"applicationId": application.id, "jobRunId": run.id}

    def _find(self, request: OperationRequest) -> tuple[Application, JobRun]:
        application = find_application(self._applications, request)
        run_id = request.parameters["jobRunId"]
        run = self._runs.find(request.region, application.id, run_id)
        if run is None:
            raise AwsError("ResourceNotFoundException", f"Job run {run_id} does not exist")
        return application, run


def job_arn(application: Application, run: JobRun) -> str:
    """Name a job run as other services do.

    :param application: its application.
    :param run: the run.
    :returns: its ARN.
    """
    return f"{application_arn(application)}/jobruns/{run.id}"


def _check_usable(application: Application) -> None:
    """Refuse job runs where the application neither runs nor may be started."""
    automatic = application.request.get("autoStartConfiguration", {}).get("enabled", True)
    is_up = application.state in {STARTED, STARTING}
    if application.state == TERMINATED or not (is_up or automatic):
        raise validation_error(
            f"Application {application.id} is {application.state}; it takes no job runs."
        )


def _job(run: JobRun) -> Job:
    """Read out of a request what is to be run."""
    given, engine = run.request, run.settings["type"]
    driver = given.get("jobDriver", {}).get(_DRIVERS[engine])
    if driver is None:
        raise validation_error(
            f"A job run on an application of type {engine.upper()} needs the job driver "
            f"{_DRIVERS[engine]}."
        )
    if given.get("mode", "BATCH") != "BATCH":
        raise AwsError(NOT_IMPLEMENTED, "The local stack runs jobs in mode BATCH alone.", 501)
    overrides = given.get("configurationOverrides", {})
    if engine == "Spark":
        settings = commands.spark_defaults(overrides.get("applicationConfiguration", ()))
        command = commands.spark_submit(driver, settings)
    elif driver.get("initQueryFile"):
        raise AwsError(NOT_IMPLEMENTED, "The local stack knows no initQueryFile of Hive.", 501)
    else:
        command = commands.hive(driver)
    monitoring = overrides.get("monitoringConfiguration", {})
    uri = monitoring.get("s3MonitoringConfiguration", {}).get("logUri")
    place = f"applications/{run.parent}/jobs/{run.id}/{_WORKERS[engine]}"
    log_group = monitoring.get("cloudWatchLoggingConfiguration", {})
    stream = "/".join(part for part in (log_group.get("logStreamNamePrefix"), place) if part)
    minutes = given.get("executionTimeoutMinutes", _TIMEOUT_MINUTES)
    return Job(
        command,
        timeout=minutes * 60 or None,
        attempts=given.get("retryPolicy", {}).get("maxAttempts", 1),
        log_uri=f"{uri.rstrip('/')}/{place}" if uri else None,
        log_group=(
            (log_group.get("logGroupName", _LOG_GROUP), stream)
            if log_group.get("enabled")
            else None
        ),
    )


def _common(application: Application, run: JobRun) -> dict[str, Any]:
    common = {
        "arn": job_arn(application, run),
        "createdAt": moment(run.created),
        "createdBy": run.created_by,
        "executionRole": run.request["executionRoleArn"],
        "mode": run.request.get("mode", "BATCH"),
        "releaseLabel": run.settings["releaseLabel"],
        "state": run.state,
        "stateDetails": run.details,
        "type": run.settings["type"],
        "updatedAt": moment(run.updated),
    }
    return {**common, "name": run.request["name"]} if "name" in run.request else common
