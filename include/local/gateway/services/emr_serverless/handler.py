"""The operations of Amazon EMR Serverless."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.emr_jobs.job_runs import JobRuns, States
from include.local.gateway.services.emr_serverless.application_operations import (
    ApplicationOperations,
)
from include.local.gateway.services.emr_serverless.applications import Application, Applications
from include.local.gateway.services.emr_serverless.job_operations import JobOperations

_STATES = States(("SUBMITTED", "PENDING", "SCHEDULED"), "SUCCESS", "CANCELLING")


class EmrServerlessHandler:
    """Applications and job runs.

    :param directory: where they are kept.
    :param endpoint_url: address of the gateway.
    :param scheduling: gives the seconds that something new spends before it runs.
    """

    service = "emr-serverless"

    def __init__(self, directory: Path, endpoint_url: str, scheduling: Callable[[], float]) -> None:
        self._runs = JobRuns(directory / "jobs", _STATES)
        self._applications = Applications(
            directory / "applications.json", scheduling, self._last_use
        )
        self._jobs = JobOperations(self._applications, self._runs, endpoint_url, scheduling)

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            **ApplicationOperations(self._applications).operations(),
            **self._jobs.operations(),
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }

    def close(self) -> None:
        """End all processes."""
        self._jobs.close()

    def _last_use(self, application: Application) -> float | None:
        latest = application.created
        for run in self._runs.of_parent(application.region, application.id):
            if run.ended is None:
                return None
            latest = max(latest, run.ended)
        return latest

    def _list_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        return {"tags": self._tagged(request)[0]}

    def _tag(self, request: OperationRequest) -> Mapping[str, Any]:
        tags, keep = self._tagged(request)
        keep({**tags, **request.parameters["tags"]})
        return {}

    def _untag(self, request: OperationRequest) -> Mapping[str, Any]:
        tags, keep = self._tagged(request)
        gone = request.parameters["tagKeys"]
        keep({key: value for key, value in tags.items() if key not in gone})
        return {}

    def _tagged(
        self, request: OperationRequest
    ) -> tuple[Mapping[str, str], Callable[[dict[str, str]], None]]:
        """Find the tags of a resource, and what replaces them."""
        arn = request.parameters["resourceArn"]
        _, _, place = arn.partition(":/applications/")
        application_id, _, run_id = place.partition("/jobruns/")
        application = self._applications.find(request.region, application_id)
        run = self._runs.find(request.region, application_id, run_id) if run_id else None
        if application is None or (run_id and run is None):
            raise AwsError("ResourceNotFoundException", f"Resource {arn} does not exist")
        if run is not None:
            found = run
            return run.tags, lambda tags: self._runs.set_tags(found, tags)

        def keep(tags: dict[str, str]) -> None:
            application.tags = tags
            self._applications.save()

        return application.tags, keep
