"""Clusters as DescribeClusters shows them."""

import time
from datetime import UTC, datetime
from typing import Any

from include.local.gateway.handlers import ACCOUNT_ID
from include.local.gateway.services.redshift.clusters import AVAILABLE, CLASSIC, Cluster, Resize
from include.local.gateway.services.redshift.settings import (
    CANCELLING_RESIZE,
    CREATING,
    MODIFYING,
    RESIZING,
)

_PORT = 5439
_MEGABYTES = 1024.0  # what a resize is said to move, in total


def cluster_arn(region: str, identifier: str) -> str:
    """Name a cluster.

    :param region: its Region.
    :param identifier: its identifier.
    """
    return f"arn:aws:redshift:{region}:{ACCOUNT_ID}:cluster:{identifier}"


def show_cluster(cluster: Cluster) -> dict[str, Any]:
    """Give a cluster in the members of the model.

    :param cluster: the cluster.
    :returns: the members.
    """
    request = cluster.request
    shown: dict[str, Any] = {
        "ClusterIdentifier": cluster.id,
        "NodeType": cluster.node_type,
        "ClusterStatus": cluster.status,
        "ClusterAvailabilityStatus": _availability(cluster),
        "MasterUsername": cluster.user,
        "DBName": cluster.database,
        "ClusterCreateTime": datetime.fromtimestamp(cluster.created, UTC),
        "AutomatedSnapshotRetentionPeriod": request.get("AutomatedSnapshotRetentionPeriod", 1),
        "ManualSnapshotRetentionPeriod": request.get("ManualSnapshotRetentionPeriod", -1),
        "ClusterSecurityGroups": [],
        "VpcSecurityGroups": [
            {"VpcSecurityGroupId": group, "Status": "active"}
            for group in request.get("VpcSecurityGroupIds", ())
        ],
        "ClusterParameterGroups": [
            {
                "ParameterGroupName": request.get(
                    "ClusterParameterGroupName", "default.redshift-1.0"
                ),
                "ParameterApplyStatus": "in-sync",
            }
        ],
        "PreferredMaintenanceWindow": request.get(
            "PreferredMaintenanceWindow", "sun:06:00-sun:06:30"
        ),
        "ClusterVersion": request.get("ClusterVersion", "1.0"),
        "AllowVersionUpgrade": request.get("AllowVersionUpgrade", True),
        "NumberOfNodes": cluster.nodes,
        "PubliclyAccessible": request.get("PubliclyAccessible", False),
        "Encrypted": request.get("Encrypted", False),
        "Tags": [{"Key": key, "Value": value} for key, value in cluster.tags.items()],
        "EnhancedVpcRouting": request.get("EnhancedVpcRouting", False),
        "IamRoles": [{"IamRoleArn": arn, "ApplyStatus": "in-sync"} for arn in cluster.roles],
        "MaintenanceTrackName": request.get("MaintenanceTrackName", "current"),
        "ElasticResizeNumberOfNodeOptions": "",
        "ClusterNamespaceArn": (
            f"arn:aws:redshift:{cluster.region}:{ACCOUNT_ID}:namespace:{cluster.id}"
        ),
        "PendingModifiedValues": {},
        "MultiAZ": "Disabled",
    }
    if cluster.default_role:
        shown["DefaultIamRoleArn"] = cluster.default_role
    if cluster.status != CREATING:
        host = f"{cluster.id}.local.{cluster.region}.redshift.amazonaws.com"
        shown["Endpoint"] = {"Address": host, "Port": request.get("Port", _PORT)}
    if cluster.resize is not None and cluster.status in {RESIZING, CANCELLING_RESIZE}:
        shown["PendingModifiedValues"] = _pending(cluster, cluster.resize)
        shown["ResizeInfo"] = {
            "ResizeType": cluster.resize.kind,
            "AllowCancelResize": cluster.status == RESIZING and cluster.resize.kind == CLASSIC,
        }
    return shown


def _availability(cluster: Cluster) -> str:
    if cluster.status == AVAILABLE:
        return "Available"
    if cluster.status in {CREATING, MODIFYING, RESIZING, CANCELLING_RESIZE}:
        return "Modifying"
    return "Unavailable"


def _pending(cluster: Cluster, resize: Resize) -> dict[str, Any]:
    pending: dict[str, Any] = {}
    if resize.node_type != cluster.node_type:
        pending["NodeType"] = resize.node_type
    if resize.nodes != cluster.nodes:
        pending["NumberOfNodes"] = resize.nodes
    if (resize.nodes == 1) != (cluster.nodes == 1):
        pending["ClusterType"] = "single-node" if resize.nodes == 1 else "multi-node"
    return pending


def show_resize(cluster: Cluster, resize: Resize) -> dict[str, Any]:
    """Give a resize in the members of DescribeResize.

    :param cluster: the cluster.
    :param resize: its latest resize.
    :returns: the members.
    """
    status = "CANCELLING" if cluster.status == CANCELLING_RESIZE else resize.status
    now = resize.ended or time.time()
    elapsed = now - resize.started
    left = max(0.0, (cluster.until or now) - now) if resize.ended is None else 0.0
    share = 1.0 if status == "SUCCEEDED" else elapsed / max(elapsed + left, 0.001)
    shown: dict[str, Any] = {
        "TargetNodeType": resize.node_type,
        "TargetNumberOfNodes": resize.nodes,
        "TargetClusterType": "single-node" if resize.nodes == 1 else "multi-node",
        "Status": status,
        "ResizeType": resize.kind,
        "ElapsedTimeInSeconds": int(elapsed),
        "EstimatedTimeToCompletionInSeconds": int(left),
        "TotalResizeDataInMegaBytes": int(_MEGABYTES),
        "ProgressInMegaBytes": int(_MEGABYTES * share),
        "AvgResizeRateInMegaBytesPerSecond": _MEGABYTES * share / max(elapsed, 0.001),
        "TargetEncryptionType": "NONE",
        "DataTransferProgressPercent": share * 100,
    }
    if resize.message:
        shown["Message"] = resize.message
    return shown
