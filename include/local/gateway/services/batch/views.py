"""Jobs as the API describes them; it counts time in milliseconds since 1970."""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.services.batch.jobs import Job


def summary_members(job: Job) -> dict[str, Any]:
    """Describe a job in a list.

    :param job: the job.
    :returns: the members of ``JobSummary``.
    """
    return _given(
        {
            "container": _given({"exitCode": job.exit_code, "reason": job.container_reason}),
            "createdAt": _moment(job.created),
            "jobArn": job.arn,
            "jobDefinition": job.definition["jobDefinitionArn"],
            "jobId": job.id,
            "jobName": job.name,
            "startedAt": _moment(job.started),
            "status": job.status,
            "statusReason": job.reason,
            "stoppedAt": _moment(job.stopped),
        }
    )


def job_members(job: Job) -> dict[str, Any]:
    """Describe a job in full.

    :param job: the job.
    :returns: the members of ``JobDetail``.
    """
    given = job.definition["containerProperties"]
    override = job.request.get("containerOverrides") or {}
    timeout = job.request.get("timeout") or job.definition.get("timeout")
    return _given(
        {
            **summary_members(job),
            "attempts": [_attempt_members(one) for one in job.attempts],
            "container": _given(
                {
                    "command": override.get("command") or given.get("command") or [],
                    "environment": override.get("environment") or given.get("environment") or [],
                    "executionRoleArn": given.get("executionRoleArn"),
                    "exitCode": job.exit_code,
                    "image": given.get("image"),
                    "jobRoleArn": given.get("jobRoleArn"),
                    "logStreamName": job.log_stream,
                    "mountPoints": [],
                    "networkInterfaces": [],
                    "reason": job.container_reason,
                    "resourceRequirements": override.get("resourceRequirements")
                    or given.get("resourceRequirements")
                    or [],
                    "secrets": [],
                    "ulimits": [],
                    "volumes": [],
                }
            ),
            "dependsOn": [],
            "isCancelled": job.is_cancelled,
            "isTerminated": job.is_terminated,
            "jobQueue": job.queue_arn,
            "parameters": job.request.get("parameters") or {},
            "platformCapabilities": job.definition.get("platformCapabilities") or ["EC2"],
            "propagateTags": job.request.get("propagateTags"),
            "retryStrategy": {"attempts": job.most_attempts, "evaluateOnExit": []},
            "tags": job.request.get("tags") or {},
            "timeout": timeout,
        }
    )


def _attempt_members(attempt: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **attempt,
        "container": _given(attempt["container"]),
        "startedAt": _moment(attempt["startedAt"]),
        "stoppedAt": _moment(attempt["stoppedAt"]),
    }


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what there is nothing to say about."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def _moment(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)
