"""Commands and invocations as the API shows them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.local.gateway.services.ssm.commands import (
    CANCELLED,
    FAILED,
    OVER,
    SUCCESS,
    TIMED_OUT,
    Command,
    Invocation,
)

_MOST_OUTPUT = 24_000
_MOST_ERRORS = 8_000
_TRUNCATED = "\n---Output truncated---"
_PLUGIN = "aws:runShellScript"


def command_members(command: Command) -> dict[str, Any]:
    """Describe a command.

    :param command: the command.
    :returns: the members of ``Command``.
    """
    given, statuses = command.request, [one.status for one in command.invocations]
    seconds = command.requested + command.delivery_timeout + command.execution_timeout
    return {
        "CommandId": command.id,
        "Comment": given.get("Comment", ""),
        "CompletedCount": sum(status in OVER for status in statuses),
        "DeliveryTimedOutCount": 0,
        "DocumentName": given["DocumentName"],
        "DocumentVersion": given.get("DocumentVersion", "$DEFAULT"),
        "ErrorCount": sum(status in {FAILED, TIMED_OUT} for status in statuses),
        "ExpiresAfter": datetime.fromtimestamp(seconds, UTC),
        "InstanceIds": given.get("InstanceIds") or [],
        "MaxConcurrency": given.get("MaxConcurrency", "50"),
        "MaxErrors": given.get("MaxErrors", "0"),
        "OutputS3BucketName": given.get("OutputS3BucketName", ""),
        "OutputS3KeyPrefix": given.get("OutputS3KeyPrefix", ""),
        "Parameters": given.get("Parameters") or {},
        "RequestedDateTime": datetime.fromtimestamp(command.requested, UTC),
        "Status": command.status,
        "StatusDetails": command.status,
        "TargetCount": len(statuses),
        "Targets": given.get("Targets") or [],
        "TimeoutSeconds": int(command.delivery_timeout),
    }


def invocation_members(command: Command, invocation: Invocation) -> dict[str, Any]:
    """Describe an invocation in a list.

    :param command: the command.
    :param invocation: the invocation.
    :returns: the members of ``CommandInvocation``.
    """
    return {
        "CommandId": command.id,
        "CommandPlugins": [],
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.request["DocumentName"],
        "InstanceId": invocation.instance_id,
        "RequestedDateTime": datetime.fromtimestamp(command.requested, UTC),
        "Status": invocation.status,
        "StatusDetails": invocation.details,
    }


def result_members(command: Command, invocation: Invocation, logs: Path) -> dict[str, Any]:
    """Describe an invocation with its output, which is there when it has ended.

    :param command: the command.
    :param invocation: the invocation.
    :param logs: directory with the output.
    :returns: the members of the result of GetCommandInvocation.
    """
    over = invocation.status in {SUCCESS, FAILED, CANCELLED, TIMED_OUT}
    bucket = command.request.get("OutputS3BucketName")
    urls: dict[str, str] = {}
    if bucket:
        prefix = (command.request.get("OutputS3KeyPrefix") or "").strip("/")
        place = "/".join(filter(None, [bucket, prefix, command.id, invocation.instance_id]))
        base = f"https://s3.{command.region}.amazonaws.com/{place}/awsrunShellScript"
        urls = {
            "StandardErrorUrl": f"{base}/0.awsrunShellScript/stderr",
            "StandardOutputUrl": f"{base}/0.awsrunShellScript/stdout",
        }
    return {
        "CommandId": command.id,
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.request["DocumentName"],
        "ExecutionEndDateTime": _moment(invocation.ended),
        "ExecutionStartDateTime": _moment(invocation.started),
        "InstanceId": invocation.instance_id,
        "PluginName": _PLUGIN,
        "ResponseCode": invocation.code,
        "StandardErrorContent": _text(logs / "stderr", _MOST_ERRORS) if over else "",
        "StandardOutputContent": _text(logs / "stdout", _MOST_OUTPUT) if over else "",
        "Status": invocation.status,
        "StatusDetails": invocation.details,
        **urls,
    }


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _text(path: Path, most: int) -> str:
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return ""
    return text if len(text) <= most else text[: most - len(_TRUNCATED)] + _TRUNCATED
