"""Operations that change the size of a cluster.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/resizing-cluster.html
"""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.redshift.clusters import (
    AVAILABLE,
    CLASSIC,
    ELASTIC,
    Clusters,
    Resize,
    state_error,
)
from include.local.gateway.services.redshift.node_types import (
    NODE_TYPES,
    elastic_targets,
    require_count,
    require_node_type,
)
from include.local.gateway.services.redshift.settings import CANCELLING_RESIZE, RESIZING
from include.local.gateway.services.redshift.views import show_cluster, show_resize


class ResizeOperations:
    """Functions by operation.

    :param clusters: the clusters.
    """

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "CancelResize": self.cancel,
            "DescribeNodeConfigurationOptions": self.describe_options,
            "DescribeResize": self.describe,
            "ResizeCluster": self.start,
        }

    def start(self, request: OperationRequest) -> Mapping[str, Any]:
        """Begin a resize (ResizeCluster)."""
        given = request.parameters
        cluster = self._clusters.require(request.region, given["ClusterIdentifier"])
        self._clusters.settings.fail_if_asked(cluster.id, request.operation)
        if cluster.status != AVAILABLE:
            raise state_error(cluster.id, f"A cluster that is {cluster.status} can't be resized")
        node_type = require_node_type(given.get("NodeType", cluster.node_type))
        kind = given.get("ClusterType")
        nodes = given.get("NumberOfNodes", 1 if kind == "single-node" else cluster.nodes)
        if kind == "single-node" and nodes != 1:
            message = "Number of nodes for cluster type single-node must be 1"
            raise AwsError("InvalidParameterCombination", message)
        if kind == "multi-node" and nodes < 2:  # noqa: PLR2004 - "multi"
            message = (
                "Number of nodes for cluster type multi-node must be greater than or equal to 2"
            )
            raise AwsError("InvalidParameterCombination", message)
        require_count(node_type, nodes)
        if (node_type.name, nodes) == (cluster.node_type, cluster.nodes):
            message = (
                f"The cluster {cluster.id} already has {nodes} nodes of the type {node_type.name}"
            )
            raise AwsError("InvalidParameterCombination", message)
        classic = bool(given.get("Classic", False))
        targets = elastic_targets(NODE_TYPES[cluster.node_type], cluster.nodes, node_type)
        if not classic and nodes not in targets:
            if request.operation == "ModifyCluster":
                classic = True
            else:
                sizes = ", ".join(map(str, targets)) or "none"
                message = (
                    f"Elastic resize of {cluster.nodes} {cluster.node_type} to {nodes} "
                    f"{node_type.name} is not supported (allowed numbers of nodes: {sizes}). Use "
                    "classic resize instead."
                )
                raise AwsError("UnsupportedOption", message)
        phases = self._clusters.settings.phases
        with self._clusters.lock:
            cluster.resize = Resize(CLASSIC if classic else ELASTIC, node_type.name, nodes)
            seconds = phases.classic_resize if classic else phases.elastic_resize
            self._clusters.move(cluster, RESIZING, seconds)
        return {"Cluster": show_cluster(cluster)}

    def describe(self, request: OperationRequest) -> Mapping[str, Any]:
        """Tell how the latest resize is going (DescribeResize)."""
        cluster = self._clusters.require(request.region, request.parameters["ClusterIdentifier"])
        self._clusters.settings.fail_if_asked(cluster.id, request.operation)
        if cluster.resize is None:
            raise _no_resize(cluster.id)
        return show_resize(cluster, cluster.resize)

    def cancel(self, request: OperationRequest) -> Mapping[str, Any]:
        """Take a classic resize back (CancelResize)."""
        cluster = self._clusters.require(request.region, request.parameters["ClusterIdentifier"])
        self._clusters.settings.fail_if_asked(cluster.id, request.operation)
        with self._clusters.lock:
            if cluster.resize is None or cluster.status != RESIZING:
                raise _no_resize(cluster.id)
            if cluster.resize.kind == ELASTIC:
                raise state_error(cluster.id, "An elastic resize can't be cancelled")
            seconds = self._clusters.settings.phases.cancelling_resize
            self._clusters.move(cluster, CANCELLING_RESIZE, seconds)
        return show_resize(cluster, cluster.resize)

    def describe_options(self, request: OperationRequest) -> Mapping[str, Any]:
        """List the sizes that a resize can lead to (DescribeNodeConfigurationOptions)."""
        given = request.parameters
        if given["ActionType"] != "resize-cluster":
            message = f"Only the action resize-cluster is known here, not {given['ActionType']}"
            raise AwsError("UnsupportedOperation", message)
        if "ClusterIdentifier" not in given:
            message = "ClusterIdentifier is required for the action resize-cluster"
            raise AwsError("InvalidParameterCombination", message)
        cluster = self._clusters.require(request.region, given["ClusterIdentifier"])
        self._clusters.settings.fail_if_asked(cluster.id, request.operation)
        options = [
            {"NodeType": name, "NumberOfNodes": count, "EstimatedDiskUtilizationPercent": 10.0}
            for name, node_type in sorted(NODE_TYPES.items())
            for count in elastic_targets(NODE_TYPES[cluster.node_type], cluster.nodes, node_type)
            if (name, count) != (cluster.node_type, cluster.nodes)
        ]
        for condition in given.get("Filters", ()):
            options = [one for one in options if _fits(one, condition)]
        first = int(given.get("Marker", "0"))
        most = given.get("MaxRecords", 500)
        more = {"Marker": str(first + most)} if len(options) > first + most else {}
        return {"NodeConfigurationOptionList": options[first : first + most], **more}


_FIELDS = {
    "NodeType": "NodeType",
    "NumberOfNodes": "NumberOfNodes",
    "EstimatedDiskUtilizationPercent": "EstimatedDiskUtilizationPercent",
}


def _fits(option: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    name = _FIELDS.get(condition.get("Name", ""))
    if name is None:
        return True  # the mode, which all options share
    value = option[name]
    wanted = [str(one) for one in condition.get("Values", ())]
    operator = condition.get("Operator", "eq")
    if operator == "in" or name == "NodeType":
        return str(value) in wanted
    numbers = [float(one) for one in wanted]
    if operator == "between":
        return bool(numbers[0] <= value <= numbers[-1])
    compared: dict[str, bool] = {
        "eq": value == numbers[0],
        "lt": value < numbers[0],
        "gt": value > numbers[0],
        "le": value <= numbers[0],
        "ge": value >= numbers[0],
    }
    return compared[operator]


def _no_resize(identifier: str) -> AwsError:
    return AwsError(
        "ResizeNotFound", f"A resize operation for cluster {identifier} was not found", 404
    )
