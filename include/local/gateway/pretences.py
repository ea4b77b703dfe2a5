"""Operations that moto or ministack accept and only pretend to carry out.

A pretended success is worse than a refusal: a test over it proves nothing. What stands here is
refused until a handler of our own executes it; the handler then takes precedence by itself.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.local.gateway.calls import Call


@dataclass(frozen=True, slots=True)
class Pretence:
    """Why an operation is refused.

    :param reason: what would silently be wrong, as a clause that follows a colon.
    :param applies: decides by the JSON parameters of the request; None refuses every request.
    """

    reason: str
    applies: Callable[[Mapping[str, Any]], bool] | None = None


def _table(service: str, reason: str, operations: Iterable[str]) -> dict[str, Pretence]:
    return {f"{service}.{operation}": Pretence(reason) for operation in operations}


def _needs_pattern_language(parameters: Mapping[str, Any]) -> bool:
    """Whether a filter of CloudWatch Logs is more than words, which is all that moto knows."""
    pattern = str(parameters.get("filterPattern") or "")
    return re.search(r'[{}\[\]%"?]|(?:^|\s)-', pattern) is not None


def _has_parameters(parameters: Mapping[str, Any]) -> bool:
    return bool(parameters.get("parameterObjects") or parameters.get("parameterValues"))


_S3_SUBRESOURCES = (
    "AnalyticsConfiguration",
    "IntelligentTieringConfiguration",
    "MetricsConfiguration",
)

PRETENCES: Mapping[str, Pretence] = {
    **_table(
        "redshift",
        "moto knows none of the clusters",
        (
            "CreateClusterSnapshot",
            "DisableSnapshotCopy",
            "EnableSnapshotCopy",
            "ModifySnapshotCopyRetentionPeriod",
            "RestoreFromClusterSnapshot",
        ),
    ),
    **_table(
        "emr",
        "moto knows none of the clusters, which have one machine, this one",
        (
            "AddInstanceFleet",
            "AddInstanceGroups",
            "DescribeJobFlows",
            "ModifyInstanceFleet",
            "ModifyInstanceGroups",
            "PutAutoScalingPolicy",
            "RemoveAutoScalingPolicy",
        ),
    ),
    **_table(
        "ec2",
        "moto knows none of the instances, which are processes of this machine",
        (
            "DescribeInstanceAttribute",
            "DescribeTags",
            "GetConsoleOutput",
            "ModifyInstanceAttribute",
            "MonitorInstances",
            "RebootInstances",
            "RequestSpotInstances",
            "StartInstances",
            "StopInstances",
        ),
    ),
    **_table(
        "ecs",
        "moto knows none of the tasks, which are processes of this machine",
        ("GetTaskProtection", "StartTask", "UpdateTaskProtection"),
    ),
    **_table(
        "athena",
        "moto runs no SQL and reports SUCCEEDED for anything",
        ("StartQueryExecution",),
    ),
    **_table("logs", "moto ignores the filters of a query", ("StartQuery",)),
    "logs.FilterLogEvents": Pretence(
        "moto knows only plain words in a filterPattern and returns every event for others",
        _needs_pattern_language,
    ),
    "datapipeline.PutPipelineDefinition": Pretence(
        "moto drops parameterObjects and parameterValues", _has_parameters
    ),
    **_table(
        "s3",
        "moto ignores the subresource and acts on the bucket or the object instead",
        (
            *(
                f"{verb}Bucket{kind}"
                for verb in ("Delete", "Get", "Put")
                for kind in _S3_SUBRESOURCES
            ),
            *(f"ListBucket{kind}s" for kind in _S3_SUBRESOURCES),
            "CreateBucketMetadataConfiguration",
            "CreateBucketMetadataTableConfiguration",
            "CreateSession",
            "DeleteBucketMetadataConfiguration",
            "DeleteBucketMetadataTableConfiguration",
            "DeleteObjectAnnotation",
            "GetBucketAbac",
            "GetBucketMetadataConfiguration",
            "GetBucketMetadataTableConfiguration",
            "GetBucketRequestPayment",
            "GetObjectAnnotation",
            "GetObjectRetention",
            "GetObjectTorrent",
            "ListDirectoryBuckets",
            "ListObjectAnnotations",
            "PutBucketAbac",
            "PutBucketRequestPayment",
            "PutObjectAnnotation",
            "RenameObject",
            "UpdateObjectEncryption",
        ),
    ),
}


def reason_to_refuse(call: Call, body: bytes) -> str | None:
    """Say why a call must not go to moto or ministack.

    :param call: the call.
    :param body: body of the request; looked into only where the table asks for it.
    :returns: the reason, None when the call may go through.
    """
    pretence = PRETENCES.get(f"{call.service}.{call.operation}")
    if pretence is None:
        return None
    if pretence.applies is not None:
        try:
            parameters = json.loads(body)
        except ValueError:
            return None
        if not isinstance(parameters, dict) or not pretence.applies(parameters):
            return None
    return pretence.reason
