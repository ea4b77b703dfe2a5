"""The operations of Amazon Redshift on provisioned clusters."""

from collections.abc import Mapping
from pathlib import Path

from include.local.gateway.control import ControlInterface
from include.local.gateway.handlers import Operation
from include.local.gateway.services.redshift.cluster_operations import ClusterOperations
from include.local.gateway.services.redshift.clusters import Clusters
from include.local.gateway.services.redshift.resize_operations import ResizeOperations
from include.local.gateway.services.redshift.scheduled_actions import ScheduledActions
from include.local.gateway.services.redshift.settings import RedshiftSettings
from include.local.gateway.services.redshift_engine.warehouses import Warehouses


class RedshiftHandler:
    """Clusters; moto keeps parameter groups, subnet groups and the like.

    :param directory: where clusters are kept.
    :param warehouses: their databases.
    """

    service = "redshift"

    def __init__(self, directory: Path, warehouses: Warehouses) -> None:
        self.settings = RedshiftSettings()
        self.clusters = Clusters(directory / "clusters.json", self.settings, warehouses)
        self._resizes = ResizeOperations(self.clusters)
        self._operations = ClusterOperations(self.clusters, self._resizes)
        targets = {**self._operations.operations(), **self._resizes.operations()}
        self._schedules = ScheduledActions(directory / "scheduled-actions.json", targets)
        self._warehouses = warehouses
        settings = self.settings
        self.control = ControlInterface(
            "/_local/redshift/",
            {
                "failures": {
                    "GET": settings.get_rules,
                    "PUT": settings.put_failure,
                    "DELETE": settings.delete_failures,
                },
                "holds": {
                    "GET": settings.get_rules,
                    "PUT": settings.put_hold,
                    "DELETE": settings.delete_holds,
                },
                "phases": {
                    "GET": settings.get_phases,
                    "PUT": settings.put_phases,
                    "DELETE": settings.delete_phases,
                },
            },
        )

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            **self._operations.operations(),
            **self._resizes.operations(),
            **self._schedules.operations(),
        }

    def close(self) -> None:
        """End the databases and the schedules."""
        self._schedules.close()
        self._warehouses.close()
