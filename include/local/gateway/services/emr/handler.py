"""The operations of Amazon EMR on clusters and steps."""

from collections.abc import Mapping
from pathlib import Path

from include.local.gateway.control import ControlInterface
from include.local.gateway.handlers import Operation
from include.local.gateway.services.emr.cluster_operations import ClusterOperations
from include.local.gateway.services.emr.instance_operations import InstanceOperations
from include.local.gateway.services.emr.policy_operations import PolicyOperations
from include.local.gateway.services.emr.running import RunningClusters
from include.local.gateway.services.emr.settings import ClusterSettings
from include.local.gateway.services.emr.step_operations import StepOperations


class EmrHandler:
    """Clusters and steps; moto keeps security configurations and studios.

    :param directory: where clusters are kept.
    :param endpoint_url: address of the gateway.
    """

    service = "emr"

    def __init__(self, directory: Path, endpoint_url: str) -> None:
        self.settings = ClusterSettings()
        self._clusters = RunningClusters(directory, endpoint_url, self.settings)
        self.control = ControlInterface(
            "/_local/emr/",
            {
                "failures": {
                    "GET": self.settings.get_rules,
                    "PUT": self.settings.put_failure,
                    "DELETE": self.settings.delete_failures,
                },
                "holds": {
                    "GET": self.settings.get_rules,
                    "PUT": self.settings.put_hold,
                    "DELETE": self.settings.delete_holds,
                },
                "phases": {
                    "GET": self.settings.get_phases,
                    "PUT": self.settings.put_phases,
                    "DELETE": self.settings.delete_phases,
                },
            },
        )

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            **ClusterOperations(self._clusters).operations(),
            **InstanceOperations(self._clusters).operations(),
            **PolicyOperations(self._clusters).operations(),
            **StepOperations(self._clusters).operations(),
        }

    def close(self) -> None:
        """End all processes."""
        self._clusters.close()
