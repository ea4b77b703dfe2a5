"""What requests to Amazon ECS and AWS Batch do, by the service authorization reference."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.integration.machine_permissions import Found, Tags

_ACCOUNT = "us-east-1:123456789012"
_ON_NO_RESOURCE = ("DescribeJobQueues", "DescribeJobs", "ListJobs")
ECS_TARGET = "AmazonEC2ContainerServiceV20141113."
_BATCH_PATHS = {
    "/v1/describejobqueues": "DescribeJobQueues",
    "/v1/describejobs": "DescribeJobs",
    "/v1/listjobs": "ListJobs",
    "/v1/submitjob": "SubmitJob",
    "/v1/terminatejob": "TerminateJob",
}


def ecs_accesses(operation: str, request: Mapping[str, Any], tags_of: Tags) -> Iterator[Found]:
    """Say what a request to ECS does.

    :param operation: its operation.
    :param request: its parameters.
    :param tags_of: tags of the tasks that were started, by ARN.
    :returns: action, resource and context of each access.
    """
    action = f"ecs:{operation}"
    name = str(request.get("cluster")).rpartition("/")[2]
    cluster = {"ecs:cluster": _arn("ecs", "cluster", name)}
    if operation == "ListClusters":
        yield action, "*", {}
    elif operation == "ListTasks":
        yield action, "*", cluster
    elif operation == "RunTask":
        asked = {f"aws:RequestTag/{tag['key']}": tag["value"] for tag in request.get("tags", ())}
        definition = _arn("ecs", "task-definition", f"{request['taskDefinition']}:1")
        yield action, definition, {**cluster, **asked}
        context = {**asked, "ecs:CreateAction": operation}
        yield "ecs:TagResource", _arn("ecs", "task", f"{name}/new"), context
        role = "arn:aws:iam::123456789012:role/container"
        yield "iam:PassRole", role, {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    else:
        for task in request.get("tasks") or [request["task"]]:
            yield action, task, {**cluster, **_tags(tags_of.get(task, {}))}


def batch_operation(target: str) -> str | None:
    """Tell which operation of Batch a request is for.

    :param target: its path.
    :returns: the operation, None when it is for another service.
    """
    return _BATCH_PATHS.get(target)


def batch_accesses(operation: str, request: Mapping[str, Any], tags_of: Tags) -> Iterator[Found]:
    """Say what a request to Batch does.

    :param operation: its operation.
    :param request: its parameters.
    :param tags_of: tags of the jobs that were submitted, by id.
    :returns: action, resource and context of each access.
    """
    action = f"batch:{operation}"
    if operation in _ON_NO_RESOURCE:
        yield action, "*", {}
    elif operation == "SubmitJob":
        asked = {f"aws:RequestTag/{key}": value for key, value in request.get("tags", {}).items()}
        yield action, _arn("batch", "job-definition", f"{request['jobDefinition']}:1"), asked
        yield action, _arn("batch", "job-queue", request["jobQueue"]), asked
        yield "batch:TagResource", _arn("batch", "job", "new"), asked
    else:
        job = request["jobId"]
        yield action, _arn("batch", "job", job), _tags(tags_of.get(job, {}))


def started_containers(
    answer: bytes, request: Mapping[str, Any]
) -> Mapping[str, Mapping[str, str]]:
    """Read which containers a request has started, and their tags.

    :param answer: the answer to RunTask or SubmitJob.
    :param request: its parameters.
    :returns: tags by ARN of a task, or id of a job.
    """
    made = json.loads(answer)
    if "jobId" in made:
        return {made["jobId"]: request.get("tags", {})}
    given: Sequence[Mapping[str, str]] = request.get("tags", ())
    return {task["taskArn"]: {tag["key"]: tag["value"] for tag in given} for task in made["tasks"]}


def _tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def _arn(service: str, kind: str, name: str) -> str:
    return f"arn:aws:{service}:{_ACCOUNT}:{kind}/{name}"
