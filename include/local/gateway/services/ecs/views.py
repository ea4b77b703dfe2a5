"""Tasks as the API describes them."""

from datetime import UTC, datetime
from typing import Any

from include.local.gateway.services.ecs.tasks import (
    DEPROVISIONING,
    PROVISIONING,
    RUNNING,
    STOPPED,
    STOPPING,
    Task,
)

_CONTAINER_STATES = {
    PROVISIONING: "PENDING",
    DEPROVISIONING: STOPPED,
    STOPPING: RUNNING,
}


def task_members(task: Task, *, with_tags: bool = True) -> dict[str, Any]:
    """Describe a task.

    :param task: the task.
    :param with_tags: whether its tags are wanted.
    :returns: the members of ``Task``.
    """
    given, definition = task.request, task.definition
    members = {
        "attachments": [],
        "attributes": [],
        "availabilityZone": f"{task.region}a",
        "clusterArn": task.cluster_arn,
        "connectivity": "CONNECTED",
        "containers": [_container_members(task)],
        "cpu": str((given.get("overrides") or {}).get("cpu") or definition.get("cpu") or "256"),
        "createdAt": _moment(task.created),
        "desiredStatus": task.desired,
        "enableExecuteCommand": bool(given.get("enableExecuteCommand")),
        "group": given.get("group") or f"family:{definition['family']}",
        "lastStatus": task.status,
        "launchType": given.get("launchType") or "EC2",
        "memory": str(definition.get("memory") or "512"),
        "overrides": given.get("overrides") or {},
        "startedAt": _moment(task.started),
        "startedBy": given.get("startedBy"),
        "stopCode": task.stop_code or None,
        "stoppedAt": _moment(task.stopped),
        "stoppedReason": task.reason or None,
        "stoppingAt": _moment(task.stopping),
        "tags": given.get("tags") or [] if with_tags else None,
        "taskArn": task.arn,
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "version": 1,
    }
    return {name: value for name, value in members.items() if value is not None}


def _container_members(task: Task) -> dict[str, Any]:
    container = task.definition["containerDefinitions"][0]
    members = {
        "containerArn": f"{task.arn.replace(':task/', ':container/')}/{container['name']}",
        "cpu": str(container.get("cpu", 0)),
        "exitCode": task.exit_code,
        "image": container["image"],
        "lastStatus": _CONTAINER_STATES.get(task.status, task.status),
        "name": container["name"],
        "networkInterfaces": [],
        "reason": task.container_reason or None,
        "taskArn": task.arn,
    }
    return {name: value for name, value in members.items() if value is not None}


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
