"""Runs of Glue jobs and of workflows that tasks have started."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.owned_resources import OwnedResource, OwnedResources, is_of
from updraft.resource_owner import ResourceOwner

_LIVE = frozenset({"STARTING", "RUNNING", "WAITING"})
_MISSING = "EntityNotFoundException"
_OLDEST = timedelta(days=8)  # no run takes longer than seven days
_PAGE = 200
_ARGUMENTS = {
    "--updraft_environment": "updraft:environment",
    "--updraft_dag_id": "updraft:dag_id",
    "--updraft_run_id": "updraft:run_id",
    "--updraft_task_id": "updraft:task_id",
    "--updraft_map_index": "updraft:map_index",
    "--updraft_owner": "updraft:token",
}


def owner_arguments(owner: ResourceOwner) -> dict[str, str]:
    """Write an owner as arguments of a job run, which takes no tags.

    :param owner: the task instance that starts the run.
    :returns: value by name of the argument.
    """
    tags = owner.tags()
    return {argument: tags[tag] for argument, tag in _ARGUMENTS.items()}


def tags_of_arguments(arguments: Mapping[str, str]) -> dict[str, str]:
    """Read the arguments of a job run as tags.

    :param arguments: all arguments.
    :returns: what :func:`owner_arguments` wrote, by key of the tag.
    """
    return {tag: arguments[name] for name, tag in _ARGUMENTS.items() if name in arguments}


class OwnedGlueJobRuns(OwnedResources):
    """The runs of Glue jobs."""

    kind: ClassVar[str] = "Glue job run"
    client_type: ClassVar[str] = "glue"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find runs of all jobs.

        :param environment: name of the Airflow environment.
        :returns: the runs that have not ended.
        :raises ServiceError: when AWS refuses a call.
        """
        for job in self._pages("list_jobs", "JobNames"):
            for run in self._recent_runs(job):
                tags = tags_of_arguments(run.get("Arguments", {}))
                if run["JobRunState"] in _LIVE and is_of(environment, tags):
                    yield OwnedResource(
                        self.kind,
                        run["Id"],
                        job,
                        run["JobRunState"],
                        run["StartedOn"],
                        ResourceOwner.from_tags(tags),
                        {"JobName": job},
                    )

    def end(self, resource: OwnedResource) -> None:
        """Stop a run.

        :param resource: the run.
        :raises ServiceError: when AWS refuses the call.
        :raises UpdraftError: when Glue does not stop the run.
        """
        with self._explained("glue:BatchStopJobRun", f"run {resource.identifier}"):
            answer = self.client.batch_stop_job_run(
                **resource.parents, JobRunIds=[resource.identifier]
            )
        for error in answer.get("Errors", []):
            detail = error.get("ErrorDetail", {})
            raise UpdraftError(
                f"Glue did not stop run {resource.identifier}: {detail.get('ErrorMessage', error)}"
            )

    def _recent_runs(self, job: str) -> Iterator[Mapping[str, Any]]:
        oldest = datetime.now(UTC) - _OLDEST
        try:
            runs = self._pages("get_job_runs", "JobRuns", JobName=job, MaxResults=_PAGE)
            for run in runs:
                if run["StartedOn"] < oldest:
                    return
                yield run
        except ServiceError as error:
            if error.code != _MISSING:  # the job was deleted meanwhile
                raise


class OwnedGlueWorkflowRuns(OwnedResources):
    """The runs of Glue workflows, which have the tags of their owner as properties."""

    kind: ClassVar[str] = "Glue workflow run"
    client_type: ClassVar[str] = "glue"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find runs of all workflows.

        :param environment: name of the Airflow environment.
        :returns: the runs that have not ended.
        :raises ServiceError: when AWS refuses a call.
        """
        for workflow in self._pages("list_workflows", "Workflows"):
            for run in self._runs(workflow):
                properties = run.get("WorkflowRunProperties", {})
                if run["Status"] == "RUNNING" and is_of(environment, properties):
                    yield OwnedResource(
                        self.kind,
                        run["WorkflowRunId"],
                        workflow,
                        run["Status"],
                        run["StartedOn"],
                        ResourceOwner.from_tags(properties),
                        {"Name": workflow},
                    )

    def end(self, resource: OwnedResource) -> None:
        """Stop a run, with the jobs and crawlers that it has started.

        :param resource: the run.
        :raises ServiceError: when AWS refuses the call.
        """
        with self._explained("glue:StopWorkflowRun", f"run {resource.identifier}"):
            self.client.stop_workflow_run(**resource.parents, RunId=resource.identifier)

    def _runs(self, workflow: str) -> Iterator[Mapping[str, Any]]:
        try:
            yield from self._pages("get_workflow_runs", "Runs", Name=workflow)
        except ServiceError as error:
            if error.code != _MISSING:  # the workflow was deleted meanwhile
                raise
