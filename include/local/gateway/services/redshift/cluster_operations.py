"""The operations of Amazon Redshift on clusters.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/APIReference/Welcome.html
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from include.local.gateway.errors import NOT_IMPLEMENTED, AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.redshift.clusters import (
    AVAILABLE,
    PAUSED,
    Cluster,
    Clusters,
    state_error,
)
from include.local.gateway.services.redshift.node_types import require_count, require_node_type
from include.local.gateway.services.redshift.resize_operations import ResizeOperations
from include.local.gateway.services.redshift.settings import (
    DELETING,
    MODIFYING,
    PAUSING,
    REBOOTING,
    RESUMING,
)
from include.local.gateway.services.redshift.views import cluster_arn, show_cluster

_IDENTIFIER = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){0,61}[a-z0-9]|[a-z]")
_PAGE = 100
_RESIZES = ("NodeType", "NumberOfNodes", "ClusterType")
_CHANGEABLE = {
    *("AllowVersionUpgrade", "AutomatedSnapshotRetentionPeriod", "ClusterParameterGroupName"),
    *("ClusterVersion", "EnhancedVpcRouting", "MaintenanceTrackName", "MasterUserPassword"),
    *("ManualSnapshotRetentionPeriod", "PreferredMaintenanceWindow", "PubliclyAccessible"),
    *("VpcSecurityGroupIds", "Port"),
}


class ClusterOperations:
    """Functions by operation.

    :param clusters: the clusters.
    :param resizes: what changes their size.
    """

    def __init__(self, clusters: Clusters, resizes: ResizeOperations) -> None:
        self._clusters = clusters
        self._resizes = resizes

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CreateCluster": self.create,
            "CreateTags": self.create_tags,
            "DeleteCluster": self.delete,
            "DeleteTags": self.delete_tags,
            "DescribeClusters": self.describe,
            "DescribeTags": self.describe_tags,
            "GetClusterCredentials": self.get_credentials,
            "GetClusterCredentialsWithIAM": self.get_credentials_with_iam,
            "ModifyCluster": self.modify,
            "ModifyClusterIamRoles": self.modify_roles,
            "PauseCluster": self.pause,
            "RebootCluster": self.reboot,
            "ResumeCluster": self.resume,
        }

    def create(self, request: OperationRequest) -> Mapping[str, Any]:
        """Make a cluster (CreateCluster)."""
        given = dict(request.parameters)
        identifier = str(given["ClusterIdentifier"]).lower()
        if not _IDENTIFIER.fullmatch(identifier):
            message = f"The cluster identifier {identifier!r} is not valid"
            raise AwsError("InvalidParameterValue", message)
        self._clusters.settings.fail_if_asked(identifier, request.operation)
        nodes = given.get("NumberOfNodes", 1)
        if given.get("ClusterType", "multi-node") == "single-node" and nodes != 1:
            message = "Number of nodes for cluster type single-node must be 1"
            raise AwsError("InvalidParameterCombination", message)
        if given.get("ClusterType") == "multi-node" and nodes < 2:  # noqa: PLR2004 - "multi"
            message = (
                "Number of nodes for cluster type multi-node must be greater than or equal to 2"
            )
            raise AwsError("InvalidParameterCombination", message)
        if "MasterUserPassword" not in given and not given.get("ManageMasterPassword"):
            raise AwsError("InvalidParameterCombination", "Give MasterUserPassword")
        node_type = require_node_type(given["NodeType"])
        require_count(node_type, nodes)
        roles = list(given.get("IamRoles", ()))
        default = given.get("DefaultIamRoleArn")
        if default and default not in roles:
            roles.append(default)
        cluster = Cluster(
            id=identifier,
            region=request.region,
            node_type=node_type.name,
            nodes=nodes,
            user=str(given["MasterUsername"]).lower(),
            database=str(given.get("DBName", "dev")).lower(),
            request={name: value for name, value in given.items() if "Password" not in name},
            roles=roles,
            default_role=default,
            tags={tag["Key"]: tag.get("Value", "") for tag in given.get("Tags", ())},
        )
        self._clusters.add(cluster)
        return {"Cluster": show_cluster(cluster)}

    def describe(self, request: OperationRequest) -> Mapping[str, Any]:
        """List clusters (DescribeClusters)."""
        given = request.parameters
        identifier = given.get("ClusterIdentifier")
        self._clusters.settings.fail_if_asked(identifier or "", request.operation)
        if identifier is not None:
            return {"Clusters": [show_cluster(self._clusters.require(request.region, identifier))]}
        keys, values = set(given.get("TagKeys", ())), set(given.get("TagValues", ()))
        found = [
            cluster
            for cluster in self._clusters.of_region(request.region)
            if (not keys or keys & set(cluster.tags))
            and (not values or values & set(cluster.tags.values()))
            and cluster.id > given.get("Marker", "")
        ]
        most = given.get("MaxRecords", _PAGE)
        page = found[:most]
        more = {"Marker": page[-1].id} if len(found) > most else {}
        return {"Clusters": [show_cluster(cluster) for cluster in page], **more}

    def modify(self, request: OperationRequest) -> Mapping[str, Any]:
        """Change a cluster (ModifyCluster); a new size begins a resize."""
        given = {k: v for k, v in request.parameters.items() if k != "ClusterIdentifier"}
        cluster = self._for_change(request)
        if any(name in given for name in _RESIZES):
            if set(given) - set(_RESIZES):
                message = "Size and other settings can't be changed in one call"
                raise AwsError("InvalidParameterCombination", message)
            return self._resizes.start(request)
        unknown = set(given) - _CHANGEABLE
        if unknown:
            raise _refused(f"ModifyCluster with {', '.join(sorted(unknown))}")
        with self._clusters.lock:
            cluster.request |= {k: v for k, v in given.items() if "Password" not in k}
            self._clusters.move(cluster, MODIFYING, self._clusters.settings.phases.modifying)
        return {"Cluster": show_cluster(cluster)}

    def modify_roles(self, request: OperationRequest) -> Mapping[str, Any]:
        """Change the roles of a cluster (ModifyClusterIamRoles)."""
        given = request.parameters
        cluster = self._for_change(request)
        with self._clusters.lock:
            gone = set(given.get("RemoveIamRoles", ()))
            added = [arn for arn in given.get("AddIamRoles", ()) if arn not in cluster.roles]
            cluster.roles = [arn for arn in [*cluster.roles, *added] if arn not in gone]
            if "DefaultIamRoleArn" in given:
                cluster.default_role = given["DefaultIamRoleArn"] or None
            if cluster.default_role is not None and cluster.default_role not in cluster.roles:
                cluster.roles.append(cluster.default_role)
            self._clusters.move(cluster, MODIFYING, self._clusters.settings.phases.modifying)
        return {"Cluster": show_cluster(cluster)}

    def pause(self, request: OperationRequest) -> Mapping[str, Any]:
        """Pause a cluster (PauseCluster)."""
        cluster = self._for_change(request)
        with self._clusters.lock:
            self._clusters.disconnect(cluster)
            self._clusters.move(cluster, PAUSING, self._clusters.settings.phases.pausing)
        return {"Cluster": show_cluster(cluster)}

    def resume(self, request: OperationRequest) -> Mapping[str, Any]:
        """Resume a cluster (ResumeCluster)."""
        cluster = self._clusters.require(request.region, request.parameters["ClusterIdentifier"])
        self._clusters.settings.fail_if_asked(cluster.id, request.operation)
        with self._clusters.lock:
            if cluster.status != PAUSED:
                raise state_error(
                    cluster.id,
                    f"You can only resume a paused cluster, this one is {cluster.status}",
                )
            self._clusters.move(cluster, RESUMING, self._clusters.settings.phases.resuming)
        return {"Cluster": show_cluster(cluster)}

    def reboot(self, request: OperationRequest) -> Mapping[str, Any]:
        """Restart the database of a cluster (RebootCluster)."""
        cluster = self._for_change(request)
        with self._clusters.lock:
            self._clusters.move(cluster, REBOOTING, self._clusters.settings.phases.modifying)
        return {"Cluster": show_cluster(cluster)}

    def delete(self, request: OperationRequest) -> Mapping[str, Any]:
        """Delete a cluster (DeleteCluster)."""
        given = request.parameters
        cluster = self._clusters.require(request.region, given["ClusterIdentifier"])
        self._clusters.settings.fail_if_asked(cluster.id, request.operation)
        if given.get("SkipFinalClusterSnapshot") and given.get("FinalClusterSnapshotIdentifier"):
            message = "A final snapshot can't be both named and skipped"
            raise AwsError("InvalidParameterCombination", message)
        if not given.get("SkipFinalClusterSnapshot"):
            if not given.get("FinalClusterSnapshotIdentifier"):
                message = (
                    "FinalClusterSnapshotIdentifier is required unless SkipFinalClusterSnapshot is "
                    "specified."
                )
                raise AwsError("InvalidParameterCombination", message)
            raise _refused("DeleteCluster with a final snapshot (set SkipFinalClusterSnapshot)")
        with self._clusters.lock:
            if cluster.status not in {AVAILABLE, PAUSED}:
                raise state_error(
                    cluster.id, f"A cluster that is {cluster.status} can't be deleted"
                )
            self._clusters.move(cluster, DELETING, self._clusters.settings.phases.deleting)
        return {"Cluster": show_cluster(cluster)}

    def create_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        """Tag a cluster (CreateTags)."""
        cluster = self._tagged(request)
        with self._clusters.lock:
            for tag in request.parameters["Tags"]:
                cluster.tags[tag["Key"]] = tag.get("Value", "")
            self._clusters.save()
        return {}

    def delete_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        """Take tags off a cluster (DeleteTags)."""
        cluster = self._tagged(request)
        with self._clusters.lock:
            for key in request.parameters["TagKeys"]:
                cluster.tags.pop(key, None)
            self._clusters.save()
        return {}

    def describe_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        """List tags of clusters (DescribeTags)."""
        given = request.parameters
        if "ResourceName" in given:
            clusters = [self._tagged(request)]
        elif given.get("ResourceType", "cluster") != "cluster":
            raise _refused("tags of other resources than clusters")
        else:
            clusters = list(self._clusters.of_region(request.region))
        keys, values = set(given.get("TagKeys", ())), set(given.get("TagValues", ()))
        return {
            "TaggedResources": [
                {
                    "Tag": {"Key": key, "Value": value},
                    "ResourceName": cluster_arn(cluster.region, cluster.id),
                    "ResourceType": "cluster",
                }
                for cluster in clusters
                for key, value in cluster.tags.items()
                if (not keys or key in keys) and (not values or value in values)
            ]
        }

    def get_credentials(self, request: OperationRequest) -> Mapping[str, Any]:
        """Give a temporary password (GetClusterCredentials)."""
        given = request.parameters
        self._clusters.require(request.region, given["ClusterIdentifier"])
        prefix = "IAMA" if given.get("AutoCreate") else "IAM"
        return _credentials(f"{prefix}:{given['DbUser']}", given)

    def get_credentials_with_iam(self, request: OperationRequest) -> Mapping[str, Any]:
        """Give a temporary password for the caller (GetClusterCredentialsWithIAM)."""
        given = request.parameters
        self._clusters.require(request.region, given["ClusterIdentifier"])
        found = dict(_credentials(f"IAM:{request.access_key}", given))
        found["NextRefreshTime"] = found["Expiration"]
        return found

    def _for_change(self, request: OperationRequest) -> Cluster:
        """Find a cluster that can be changed."""
        cluster = self._clusters.require(request.region, request.parameters["ClusterIdentifier"])
        self._clusters.settings.fail_if_asked(cluster.id, request.operation)
        if cluster.status != AVAILABLE:
            what = f"{request.operation} needs a cluster that is available, this one is"
            raise state_error(cluster.id, f"{what} {cluster.status}")
        return cluster

    def _tagged(self, request: OperationRequest) -> Cluster:
        arn = str(request.parameters["ResourceName"])
        kind, _, name = arn.split(":", 5)[-1].partition(":")
        if not arn.startswith("arn:") or not name:
            raise AwsError("InvalidParameterValue", f"{arn} is no ARN of Amazon Redshift")
        if kind != "cluster":
            raise _refused(f"tags of a {kind}")
        cluster = self._clusters.find(request.region, name)
        if cluster is None:
            raise AwsError("ResourceNotFoundFault", f"{arn} doesn't exist", HTTPStatus.NOT_FOUND)
        return cluster


def _credentials(user: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    seconds = given.get("DurationSeconds", 900)
    if not 900 <= seconds <= 3600:  # noqa: PLR2004 - bounds of the service
        message = f"DurationSeconds {seconds} is not between 900 and 3600"
        raise AwsError("InvalidParameterValue", message)
    return {
        "DbUser": user,
        "DbPassword": secrets.token_urlsafe(48),
        "Expiration": datetime.now(UTC) + timedelta(seconds=seconds),
    }


def _refused(what: str) -> AwsError:
    message = (
        f"The local stack does not implement {what}; docs/local-redshift.md lists what it does"
    )
    return AwsError(NOT_IMPLEMENTED, message, HTTPStatus.NOT_IMPLEMENTED)
