"""The operations of AWS Batch on jobs; moto keeps environments, queues and definitions."""

import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.local.gateway.clients import client
from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.records import page, plain
from include.local.gateway.services.batch.execution import JobExecution
from include.local.gateway.services.batch.jobs import BEFORE_CONTAINER, RUNNING, Job, JobStore
from include.local.gateway.services.batch.views import job_members, summary_members

_MOST_DESCRIBED = 100
_PAGE = 1000  # what a request with a filter gets at most
_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,127}", re.ASCII)
_SHORTEST_TIMEOUT = 60
_MOST_ATTEMPTS = 10
_NOT_HERE = (
    "arrayProperties",
    "dependsOn",
    "ecsPropertiesOverride",
    "eksPropertiesOverride",
    "nodeOverrides",
    "shareIdentifier",
)


class BatchHandler:
    """Jobs with one container each.

    :param directory: where jobs are kept.
    :param endpoint_url: address of the gateway.
    """

    service = "batch"

    def __init__(self, directory: Path, endpoint_url: str) -> None:
        self._store = JobStore(directory)
        self._endpoint_url = endpoint_url
        self._executions: dict[str, JobExecution] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CancelJob": self._cancel,
            "DescribeJobs": self._describe,
            "ListJobs": self._list,
            "SubmitJob": self._submit,
            "TerminateJob": self._terminate,
        }

    def close(self) -> None:
        """End all containers."""
        for execution in self._executions.values():
            execution.kill()

    def _submit(self, request: OperationRequest) -> Mapping[str, Any]:
        given = plain(request.parameters)
        queue = self._queue(request.region, given["jobQueue"])
        if queue["state"] != "ENABLED":
            raise _refusal(f"JobQueue {queue['jobQueueArn']} is not in ENABLED state")
        definition = self._definition(request.region, given["jobDefinition"])
        _check(given, definition)
        job = Job(str(uuid.uuid4()), request.region, queue["jobQueueArn"], given, definition)
        _check_limits(job)
        self._store.save(job)
        execution = self._executions[job.id] = JobExecution(self._store, job, self._endpoint_url)
        execution.start()
        return {"jobArn": job.arn, "jobName": job.name, "jobId": job.id}

    def _describe(self, request: OperationRequest) -> Mapping[str, Any]:
        ids = request.parameters["jobs"]
        if len(ids) > _MOST_DESCRIBED:
            raise _refusal(f"Cannot describe more than {_MOST_DESCRIBED} jobs")
        found = [self._store.find(request.region, one.rpartition("/")[2]) for one in ids]
        return {"jobs": [job_members(job) for job in found if job is not None]}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        if not given.get("jobQueue"):
            raise AwsError(NOT_IMPLEMENTED, "The local stack lists jobs by queue alone.", 501)
        queue = self._queue(request.region, given["jobQueue"])["jobQueueArn"]
        jobs = [one for one in self._store.of_region(request.region) if one.queue_arn == queue]
        filters = given.get("filters") or ()
        if len(filters) > 1:
            raise _refusal("Only one filter can be used at a time")
        if filters:
            jobs = [one for one in jobs if _fits(one, filters[0])]
        else:
            jobs = [one for one in jobs if one.status == (given.get("jobStatus") or RUNNING)]
        return page([summary_members(one) for one in jobs], "jobSummaryList", given, _PAGE)

    def _terminate(self, request: OperationRequest) -> Mapping[str, Any]:
        execution = self._executions.get(self._find(request).id)
        if execution is not None:
            execution.terminate(request.parameters["reason"])
        return {}

    def _cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        job = self._find(request)
        if job.status in BEFORE_CONTAINER:
            self._store.ask_to_end(job, request.parameters["reason"])
        return {}

    def _find(self, request: OperationRequest) -> Job:
        job_id = request.parameters["jobId"]
        job = self._store.find(request.region, job_id)
        if job is None:
            raise _refusal(f"Job {job_id} does not exist")
        return job

    def _queue(self, region: str, name: str) -> dict[str, Any]:
        found = self._moto(region).describe_job_queues(jobQueues=[name])["jobQueues"]
        if not found:
            raise _refusal(f"JobQueue {name} not found")
        queue: dict[str, Any] = found[0]
        return queue

    def _definition(self, region: str, name: str) -> dict[str, Any]:
        """Find a job definition by its ARN, its name and revision, or its name: the latest then."""
        answer = self._moto(region).describe_job_definitions(jobDefinitions=[name])
        active = [one for one in answer["jobDefinitions"] if one["status"] == "ACTIVE"]
        if not active:
            raise _refusal(f"JobDefinition {name} not found or inactive")
        latest = max(active, key=lambda one: int(one["revision"]))
        found: dict[str, Any] = json.loads(json.dumps(latest, default=str))
        return found

    def _moto(self, region: str) -> Any:
        return client(self._endpoint_url, region, "batch")


def _check(given: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Check a request, as far as a process can be what it asks for."""
    if not _NAME.fullmatch(given["jobName"]):
        raise _refusal(
            "Job name should match valid pattern: the first character must be alphanumeric, and "
            "up to 128 letters, numbers, hyphens and underscores are allowed"
        )
    for name in _NOT_HERE:
        if given.get(name):
            raise AwsError(NOT_IMPLEMENTED, f"The local stack runs no jobs with {name}.", 501)
    if (given.get("retryStrategy") or definition.get("retryStrategy") or {}).get("evaluateOnExit"):
        raise AwsError(NOT_IMPLEMENTED, "The local stack knows no evaluateOnExit.", 501)
    if definition.get("type") != "container" or "containerProperties" not in definition:
        message = "The local stack runs jobs of containerProperties alone."
        raise AwsError(NOT_IMPLEMENTED, message, 501)


def _check_limits(job: Job) -> None:
    if job.timeout is not None and job.timeout < _SHORTEST_TIMEOUT:
        raise _refusal(f"The timeout of a job is at least {_SHORTEST_TIMEOUT} seconds")
    if not 1 <= job.most_attempts <= _MOST_ATTEMPTS:
        raise _refusal(f"A job has between 1 and {_MOST_ATTEMPTS} attempts")


def _fits(job: Job, wanted: Mapping[str, Any]) -> bool:
    """Tell whether a job fits a filter; one that ends in an asterisk fits what begins so."""
    name, values = wanted["name"], [str(one) for one in wanted["values"]]
    if name != "JOB_NAME":
        raise AwsError(NOT_IMPLEMENTED, f"The local stack knows no filter {name}.", 501)
    return any(
        job.name.lower().startswith(value[:-1].lower())
        if value.endswith("*")
        else job.name.lower() == value.lower()
        for value in values
    )


def _refusal(message: str) -> AwsError:
    return AwsError("ClientException", message)
