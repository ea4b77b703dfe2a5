"""The operations of Amazon ECS on tasks; moto keeps clusters, task definitions and services."""

import json
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.records import page, plain
from include.local.gateway.services.ecs.execution import TaskExecution
from include.local.gateway.services.ecs.tasks import RUNNING, STOPPED, Task, TaskStore
from include.local.gateway.services.ecs.views import task_members

_PAGE = 100
_MOST_CHARACTERS = 8192
_DEFAULT_CLUSTER = "default"


class EcsHandler:
    """Tasks that somebody runs; services, which keep tasks running, run none here.

    :param directory: where tasks are kept.
    :param endpoint_url: address of the gateway.
    """

    service = "ecs"

    def __init__(self, directory: Path, endpoint_url: str) -> None:
        self._store = TaskStore(directory)
        self._endpoint_url = endpoint_url
        self._starting = threading.Lock()
        self._executions: dict[str, TaskExecution] = {}

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "DescribeTasks": self._describe,
            "ListTasks": self._list,
            "RunTask": self._run,
            "StopTask": self._stop,
        }

    def close(self) -> None:
        """End all containers."""
        for execution in self._executions.values():
            execution.kill()

    def _run(self, request: OperationRequest) -> Mapping[str, Any]:
        """Run tasks, once for each client token.

        .. seealso::
            https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
        """
        given = plain(request.parameters)
        cluster = self._cluster(request)
        definition = self._definition(request)
        _check(given, definition)
        with self._starting:
            started = self._of_token(request.region, given) or [
                self._start(Task(uuid.uuid4().hex, request.region, cluster, given, definition))
                for _ in range(int(given.get("count") or 1))
            ]
        return {"tasks": [task_members(task) for task in started], "failures": []}

    def _of_token(self, region: str, given: Mapping[str, Any]) -> list[Task]:
        token = given.get("clientToken")
        found = [one for one in self._store.of_region(region) if _token(one) == token]
        if token is None or not found:
            return []
        if found[0].request != given:
            raise AwsError(
                "ConflictException",
                "The provided clientToken is already in use with a different RunTask request.",
            )
        return found

    def _start(self, task: Task) -> Task:
        self._store.save(task)
        execution = self._executions[task.id] = TaskExecution(self._store, task, self._endpoint_url)
        execution.start()
        return task

    def _stop(self, request: OperationRequest) -> Mapping[str, Any]:
        cluster = self._cluster(request)
        task = self._find(request.region, cluster, request.parameters["task"])
        if task is None:
            raise AwsError("InvalidParameterException", "The referenced task was not found.")
        execution = self._executions.get(task.id)
        if execution is not None and task.desired != STOPPED:
            execution.stop(request.parameters.get("reason") or "Task stopped by user")
        return {"task": task_members(task)}

    def _describe(self, request: OperationRequest) -> Mapping[str, Any]:
        given, cluster = request.parameters, self._cluster(request)
        if len(given["tasks"]) > _PAGE:
            message = f"Tasks can have at most {_PAGE} entries."
            raise AwsError("InvalidParameterException", message)
        with_tags = "TAGS" in (given.get("include") or ())
        tasks, failures = [], []
        for name in given["tasks"]:
            task = self._find(request.region, cluster, name)
            if task is None:
                failures.append({"arn": name, "reason": "MISSING"})
            else:
                tasks.append(task_members(task, with_tags=with_tags))
        return {"tasks": tasks, "failures": failures}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given, cluster = request.parameters, self._cluster(request)
        for name in ("containerInstance", "serviceName"):
            if given.get(name):
                raise AwsError(NOT_IMPLEMENTED, f"The local stack knows no tasks by {name}.", 501)
        found = [
            task.arn
            for task in self._store.of_region(request.region)
            if task.cluster == cluster
            and task.is_visible
            and task.desired == (given.get("desiredStatus") or RUNNING)
            and given.get("startedBy") in {None, task.request.get("startedBy")}
            and given.get("family") in {None, task.definition["family"]}
            and given.get("launchType") in {None, task.request.get("launchType") or "EC2"}
        ]
        return page(found, "taskArns", given, _PAGE)

    def _find(self, region: str, cluster: str, name: str) -> Task | None:
        task = self._store.find(region, name.rpartition("/")[2])
        return task if task is not None and task.cluster == cluster and task.is_visible else None

    def _cluster(self, request: OperationRequest) -> str:
        name = str(request.parameters.get("cluster") or _DEFAULT_CLUSTER).rpartition("/")[2]
        answer = self._moto(request.region).describe_clusters(clusters=[name])
        if not any(one["status"] == "ACTIVE" for one in answer["clusters"]):
            raise AwsError("ClusterNotFoundException", "Cluster not found.")
        return name

    def _definition(self, request: OperationRequest) -> dict[str, Any]:
        name = request.parameters["taskDefinition"]
        try:
            answer = self._moto(request.region).describe_task_definition(taskDefinition=name)
        except ClientError as error:
            raise AwsError("ClientException", "TaskDefinition not found.") from error
        found: dict[str, Any] = json.loads(json.dumps(answer["taskDefinition"], default=str))
        if found.get("status", "ACTIVE") != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        return found

    def _moto(self, region: str) -> Any:
        return client(self._endpoint_url, region, "ecs")


def _check(given: Mapping[str, Any], definition: Mapping[str, Any]) -> None:
    """Check a request against its task definition, as far as a process can be what it asks for."""
    containers = [one["name"] for one in definition["containerDefinitions"]]
    if len(containers) != 1:
        message = "The local stack runs tasks of one container alone."
        raise AwsError(NOT_IMPLEMENTED, message, 501)
    overrides = given.get("overrides") or {}
    for one in overrides.get("containerOverrides") or ():
        if one.get("name") not in containers:
            message = f"Override for container named {one.get('name')} is not a container in the "
            raise AwsError("InvalidParameterException", f"{message}TaskDefinition.")
    if len(json.dumps(overrides)) > _MOST_CHARACTERS:
        message = f"Container Overrides length must be at most {_MOST_CHARACTERS}"
        raise AwsError("InvalidParameterException", message)
    if given.get("launchType") and given.get("capacityProviderStrategy"):
        message = "specifying both a launch type and capacity provider strategy is not supported"
        raise AwsError("InvalidParameterException", f"{message}. Remove one and try again.")
    if definition.get("networkMode") == "awsvpc" and not given.get("networkConfiguration"):
        message = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        raise AwsError("InvalidParameterException", message)


def _token(task: Task) -> str | None:
    token: str | None = task.request.get("clientToken")
    return token
