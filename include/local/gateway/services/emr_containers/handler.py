"""The operations of Amazon EMR on EKS on job runs.

.. seealso:: https://docs.aws.amazon.com/emr/latest/EMR-on-EKS-DevelopmentGuide/job-runs.html
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import ACCOUNT_ID, Operation, OperationRequest
from include.local.gateway.services.emr.running import moment, validation_error
from include.local.gateway.services.emr_jobs import commands
from include.local.gateway.services.emr_jobs.execution import Job, JobExecution
from include.local.gateway.services.emr_jobs.job_runs import (
    JobRun,
    JobRuns,
    States,
    TokenConflictError,
    new_id,
)
from include.local.gateway.services.emr_jobs.pages import next_page

_STATES = States(("PENDING", "SUBMITTED"), "COMPLETED", "CANCEL_PENDING")
_RELEASE = re.compile(r"emr-\d+\.\d+\.\d+-(?:latest|\d{8})")
_ARN = re.compile(r".*:/virtualclusters/([0-9a-z]+)/jobruns/([0-9a-z]+)")
_ID_LENGTH = 19


class EmrContainersHandler:
    """Job runs on virtual clusters, which moto keeps.

    :param directory: where runs are kept.
    :param endpoint_url: address of the gateway.
    :param scheduling: gives the seconds that runs spend before they run.
    """

    service = "emr-containers"

    def __init__(self, directory: Path, endpoint_url: str, scheduling: Callable[[], float]) -> None:
        self._runs = JobRuns(directory, _STATES)
        self._endpoint_url = endpoint_url
        self._scheduling = scheduling
        self._executions: dict[str, JobExecution] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CancelJobRun": self._cancel,
            "DescribeJobRun": self._describe,
            "ListJobRuns": self._list,
            "ListTagsForResource": self._list_tags,
            "StartJobRun": self._start,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def close(self) -> None:
        """End all processes."""
        for execution in self._executions.values():
            execution.kill()

    def _start(self, request: OperationRequest) -> Mapping[str, Any]:
        given = dict(request.parameters)
        cluster_id = given["virtualClusterId"]
        self._check_cluster(request.region, cluster_id)
        run = JobRun(
            id=new_id(_ID_LENGTH),
            region=request.region,
            parent=cluster_id,
            tags=given.pop("tags", {}),
            request=given,
            settings={},
            created_by=request.principal,
            state=_STATES.waiting[0],
        )
        job = _job(run)
        try:
            added = self._runs.add(run)
        except TokenConflictError as error:
            raise validation_error(
                f"Client token {error} was used for a job run with other parameters"
            ) from error
        if added is run:
            execution = self._executions[run.id] = JobExecution(
                self._runs,
                run,
                job,
                endpoint_url=self._endpoint_url,
                scheduling=self._scheduling,
            )
            execution.start()
        name = {"name": added.request["name"]} if "name" in added.request else {}
        return {"id": added.id, "arn": _arn(added), "virtualClusterId": cluster_id, **name}

    def _check_cluster(self, region: str, cluster_id: str) -> None:
        """Ask moto for the virtual cluster."""
        containers: Any = client(self._endpoint_url, region, self.service)
        try:
            cluster = containers.describe_virtual_cluster(id=cluster_id)["virtualCluster"]
        except ClientError as error:
            message = f"Virtual cluster {cluster_id} doesn't exist."
            raise AwsError("ResourceNotFoundException", message) from error
        if cluster["state"] != "RUNNING":
            raise validation_error(f"Virtual cluster {cluster_id} is {cluster['state']}.")

    def _describe(self, request: OperationRequest) -> Mapping[str, Any]:
        return {"jobRun": _members(self._find(request))}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        states, name = given.get("states"), given.get("name")
        after, before = given.get("createdAfter"), given.get("createdBefore")
        found = []
        for run in self._runs.of_parent(request.region, given["virtualClusterId"]):
            created = moment(run.created).replace(tzinfo=None)
            if (
                (not states or run.state in states)
                and (name is None or name == run.request.get("name"))
                and (after is None or created >= after.replace(tzinfo=None))
                and (before is None or created <= before.replace(tzinfo=None))
            ):
                found.append(_members(run))
        listed, token = next_page(found, given.get("nextToken"), given.get("maxResults", 50))
        return {"jobRuns": listed, **token}

    def _cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        run = self._find(request)
        if _STATES.is_over(run.state) or not self._executions[run.id].cancel():
            raise validation_error(f"Job run {run.id} is not in a cancellable state")
        return {"id": run.id, "virtualClusterId": run.parent}

    def _find(self, request: OperationRequest) -> JobRun:
        run_id = request.parameters["id"]
        run = self._runs.find(request.region, request.parameters["virtualClusterId"], run_id)
        if run is None:
            raise AwsError("ResourceNotFoundException", f"Job run {run_id} doesn't exist.")
        return run

    def _list_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        return {"tags": self._tagged(request).tags}

    def _tag(self, request: OperationRequest) -> Mapping[str, Any]:
        run = self._tagged(request)
        self._runs.set_tags(run, {**run.tags, **request.parameters["tags"]})
        return {}

    def _untag(self, request: OperationRequest) -> Mapping[str, Any]:
        run = self._tagged(request)
        gone = request.parameters["tagKeys"]
        kept = {key: value for key, value in run.tags.items() if key not in gone}
        self._runs.set_tags(run, kept)
        return {}

    def _tagged(self, request: OperationRequest) -> JobRun:
        arn = request.parameters["resourceArn"]
        match = _ARN.fullmatch(arn)
        if match is None:
            raise AwsError(
                NOT_IMPLEMENTED, f"The local stack keeps tags of job runs alone, not of {arn}.", 501
            )
        run = self._runs.find(request.region, match[1], match[2])
        if run is None:
            raise AwsError("ResourceNotFoundException", f"Resource {arn} doesn't exist.")
        return run


def _job(run: JobRun) -> Job:
    """Read out of a request what is to be run."""
    given = run.request
    for name in ("executionRoleArn", "jobDriver", "releaseLabel"):
        if not given.get(name):
            if given.get("jobTemplateId"):
                raise AwsError(NOT_IMPLEMENTED, "The local stack knows no job templates.", 501)
            raise validation_error(f"{name} must be given.")
    if not _RELEASE.fullmatch(given["releaseLabel"]):
        raise validation_error(
            f"Release {given['releaseLabel']} doesn't exist; give one such as emr-7.5.0-latest."
        )
    overrides = given.get("configurationOverrides", {})
    settings = commands.spark_defaults(overrides.get("applicationConfiguration", ()))
    driver = given["jobDriver"]
    if "sparkSubmitJobDriver" in driver:
        command = commands.spark_submit(driver["sparkSubmitJobDriver"], settings)
    elif driver.get("sparkSqlJobDriver", {}).get("entryPoint"):
        command = commands.spark_sql(driver["sparkSqlJobDriver"], settings)
    else:
        raise validation_error("jobDriver must be sparkSubmitJobDriver or sparkSqlJobDriver.")
    monitoring = overrides.get("monitoringConfiguration", {})
    uri = monitoring.get("s3MonitoringConfiguration", {}).get("logUri")
    place = f"{run.parent}/jobs/{run.id}/containers/spark-{run.id}/spark-{run.id}-driver"
    log_group = monitoring.get("cloudWatchMonitoringConfiguration", {})
    stream = "/".join(part for part in (log_group.get("logStreamNamePrefix"), place) if part)
    return Job(
        command,
        attempts=given.get("retryPolicyConfiguration", {}).get("maxAttempts", 1),
        log_uri=f"{uri.rstrip('/')}/{place}" if uri else None,
        log_group=(log_group["logGroupName"], stream) if log_group else None,
    )


def _members(run: JobRun) -> dict[str, Any]:
    members = {
        **run.request,
        "arn": _arn(run),
        "createdAt": moment(run.created),
        "createdBy": run.created_by,
        "id": run.id,
        "state": run.state,
        "stateDetails": run.details,
        "tags": run.tags,
    }
    if "retryPolicyConfiguration" in run.request:
        members["retryPolicyExecution"] = {"currentAttemptCount": run.attempt}
    if run.ended is not None:
        members["finishedAt"] = moment(run.ended)
    if run.state == _STATES.failed:
        members["failureReason"] = "USER_ERROR"
    return members


def _arn(run: JobRun) -> str:
    where = f"arn:aws:emr-containers:{run.region}:{ACCOUNT_ID}"
    return f"{where}:/virtualclusters/{run.parent}/jobruns/{run.id}"
