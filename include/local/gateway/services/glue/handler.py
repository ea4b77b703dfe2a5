"""The operations of Glue on runs of jobs."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import MANUAL, NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.glue.bookmarks import JobBookmarks
from include.local.gateway.services.glue.column_statistics import ColumnStatistics
from include.local.gateway.services.glue.crawler import Crawlers
from include.local.gateway.services.glue.data_quality import DataQuality
from include.local.gateway.services.glue.execution import Execution
from include.local.gateway.services.glue.job_log import follow_log
from include.local.gateway.services.glue.job_runs import GOING_ON, JobRun, JobRuns
from include.local.gateway.services.glue.workflows import Workflows

_PAGE = 200
_TIMEOUT_MINUTES = 480
_LOG_GROUPS = {"glueetl": "/aws-glue/jobs", "pythonshell": "/aws-glue/python-jobs"}
_OF_JOB_OR_RUN = ("MaxCapacity", "NumberOfWorkers", "Timeout", "WorkerType")


class GlueHandler:
    """Runs jobs; moto keeps the jobs themselves and the data catalog.

    :param directory: where runs are kept.
    :param endpoint_url: address of the gateway.
    """

    service = "glue"

    def __init__(self, directory: Path, endpoint_url: str) -> None:
        self._runs = JobRuns(directory)
        self._bookmarks = JobBookmarks(directory / "bookmarks")
        self._endpoint_url = endpoint_url
        self._executions: dict[str, Execution] = {}
        self._parts = (
            ColumnStatistics(endpoint_url),
            Crawlers(endpoint_url),
            DataQuality(endpoint_url),
            Workflows(endpoint_url),
        )

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        others = {
            name: function for part in self._parts for name, function in part.operations().items()
        }
        return {
            **others,
            "BatchStopJobRun": self._stop,
            "GetJobBookmark": self._get_bookmark,
            "GetJobRun": self._get,
            "GetJobRuns": self._list,
            "ResetJobBookmark": self._reset_bookmark,
            "StartJobRun": self._start,
            "UpdateJob": self._update,
        }

    def close(self) -> None:
        """End the processes of all runs."""
        for execution in self._executions.values():
            execution.kill()

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        job = self._job(request)
        command = job["Command"]
        if command["Name"] not in _LOG_GROUPS:
            raise AwsError(
                NOT_IMPLEMENTED,
                f"The local stack runs jobs of the kinds glueetl and pythonshell, not "
                f"{command['Name']!r}. {MANUAL} says how to add it.",
                501,
            )
        run = JobRun(
            id=f"jr_{secrets.token_hex(32)}",
            region=request.region,
            job=job["Name"],
            arguments=dict(given.get("Arguments", {})),
            settings=_settings(job, given),
        )
        most = job.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)
        if not self._runs.add(run, most):
            raise AwsError(
                "ConcurrentRunsExceededException", f"Concurrent runs exceeded for {run.job}"
            )
        execution = self._executions[run.id] = Execution(
            self._runs,
            run,
            command=command["Name"],
            script=command["ScriptLocation"],
            arguments={
                **(job.get("DefaultArguments") or {}),
                **run.arguments,
                **(job.get("NonOverridableArguments") or {}),
            },
            timeout=run.settings["Timeout"] * 60,
            endpoint_url=self._endpoint_url,
        )
        execution.start()
        follow_log(self._endpoint_url, run, self._runs.folder(run))
        return {"JobRunId": run.id}

    def _update(self, request: OperationRequest) -> Mapping[str, Any]:
        """Replace a job as a whole: what is not given falls back to its default."""
        job = self._job(request)
        glue: Any = client(self._endpoint_url, request.region, self.service)
        arn = f"arn:aws:glue:{request.region}:{request.account_id}:job/{job['Name']}"
        tags = glue.get_tags(ResourceArn=arn)["Tags"]
        # moto's own CreateJob takes the place of a job of the same name.
        glue.create_job(Name=job["Name"], Tags=tags, **request.parameters["JobUpdate"])
        return {"JobName": job["Name"]}

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        run = self._runs.find(request.region, given["JobName"], given["RunId"])
        if run is None:
            raise AwsError("EntityNotFoundException", f"Job run {given['RunId']} does not exist")
        return {"JobRun": run.members()}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        runs = list(self._runs.of_job(request.region, self._job(request)["Name"]))
        token = given.get("NextToken")
        if token:
            ids = [run.id for run in runs]
            if token not in ids:
                raise AwsError("InvalidInputException", f"NextToken {token!r} is not valid")
            runs = runs[ids.index(token) + 1 :]
        size = given.get("MaxResults", _PAGE)
        page: dict[str, Any] = {"JobRuns": [run.members() for run in runs[:size]]}
        if len(runs) > size:
            page["NextToken"] = runs[size - 1].id
        return page

    def _stop(self, request: OperationRequest) -> Mapping[str, Any]:
        name = request.parameters["JobName"]
        submitted, errors = [], []
        for run_id in request.parameters["JobRunIds"]:
            run = self._runs.find(request.region, name, run_id)
            which = {"JobName": name, "JobRunId": run_id}
            if run is None:
                problem = ("EntityNotFoundException", f"Job run {run_id} does not exist")
            elif run.state not in GOING_ON or not self._executions[run_id].stop():
                problem = (
                    "InvalidInputException",
                    f"Job run {run_id} is {run.state} and can not be stopped",
                )
            else:
                submitted.append(which)
                continue
            detail = dict(zip(("ErrorCode", "ErrorMessage"), problem, strict=True))
            errors.append({**which, "ErrorDetail": detail})
        return {"SuccessfulSubmissions": submitted, "Errors": errors}

    def _get_bookmark(self, request: OperationRequest) -> Mapping[str, Any]:
        job, given = self._job(request)["Name"], request.parameters
        return {"JobBookmarkEntry": self._bookmarks.get(request.region, job, given.get("RunId"))}

    def _reset_bookmark(self, request: OperationRequest) -> Mapping[str, Any]:
        job, given = self._job(request)["Name"], request.parameters
        return {"JobBookmarkEntry": self._bookmarks.reset(request.region, job, given.get("RunId"))}

    def _job(self, request: OperationRequest) -> dict[str, Any]:
        """Ask moto for the job."""
        glue: Any = client(self._endpoint_url, request.region, self.service)
        try:
            job: dict[str, Any] = glue.get_job(JobName=request.parameters["JobName"])["Job"]
        except ClientError as error:
            detail = error.response["Error"]
            raise AwsError(detail["Code"], detail["Message"]) from error
        return job


def _settings(job: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a run takes from its job, and what it may have of its own."""
    settings = {
        name: given.get(name, job.get(name))
        for name in _OF_JOB_OR_RUN
        if given.get(name, job.get(name)) is not None
    }
    return {
        "Timeout": _TIMEOUT_MINUTES,
        "GlueVersion": job.get("GlueVersion") or "5.0",
        "LogGroupName": _LOG_GROUPS[job["Command"]["Name"]],
        "ExecutionClass": given.get("ExecutionClass") or "STANDARD",
        **settings,
    }
