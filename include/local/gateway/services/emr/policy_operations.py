"""The operations on the policies of a cluster: auto-termination and managed scaling."""

from collections.abc import Mapping
from typing import Any

from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.emr.cluster_validation import check_idle_timeout
from include.local.gateway.services.emr.running import RunningClusters, invalid_request

_POLICIES = {
    "AutoTerminationPolicy": "auto_termination",
    "ManagedScalingPolicy": "managed_scaling",
}


class PolicyOperations:
    """The operations. Managed scaling is kept and changes nothing: there is one machine.

    :param clusters: the clusters.
    """

    def __init__(self, clusters: RunningClusters) -> None:
        self._clusters = clusters

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            f"{verb}{policy}": operation
            for policy in _POLICIES
            for verb, operation in (
                ("Get", self._get),
                ("Put", self._put),
                ("Remove", self._remove),
            )
        }

    def _get(self, request: OperationRequest) -> Mapping[str, Any]:
        cluster = self._clusters.find(request.region, request.parameters["ClusterId"])
        policy = request.operation.removeprefix("Get")
        value = getattr(cluster, _POLICIES[policy])
        return {} if value is None else {policy: value}

    def _put(self, request: OperationRequest) -> Mapping[str, Any]:
        policy = request.operation.removeprefix("Put")
        value = request.parameters.get(policy, {})
        if policy == "AutoTerminationPolicy":
            check_idle_timeout(value)
        self._set(request, policy, dict(value))
        return {}

    def _remove(self, request: OperationRequest) -> Mapping[str, Any]:
        self._set(request, request.operation.removeprefix("Remove"), None)
        return {}

    def _set(self, request: OperationRequest, policy: str, value: Mapping[str, Any] | None) -> None:
        cluster = self._clusters.find(request.region, request.parameters["ClusterId"])
        refusal = invalid_request(
            "A job flow that is shutting down, terminated, or finished may not be modified."
        )
        with self._clusters.modifiable(cluster, refusal) as lifecycle:
            setattr(cluster, _POLICIES[policy], value)
            lifecycle.save()
