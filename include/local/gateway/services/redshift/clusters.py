"""Clusters, what they are on their way to, and the file that keeps them.

States: https://docs.aws.amazon.com/redshift/latest/mgmt/rs-mgmt-cluster-status.html
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.services.redshift.node_types import NODE_TYPES
from include.local.gateway.services.redshift.settings import (
    CANCELLING_RESIZE,
    CREATING,
    DELETING,
    MODIFYING,
    PAUSING,
    REBOOTING,
    RESIZING,
    RedshiftSettings,
)
from include.local.gateway.services.redshift_engine.warehouses import Warehouses

AVAILABLE, PAUSED = "available", "paused"
ELASTIC, CLASSIC = "ElasticResize", "ClassicResize"


@dataclass
class Resize:
    """A resize, under way or over.

    :param kind: :data:`ELASTIC` or :data:`CLASSIC`.
    :param node_type: node type afterwards.
    :param nodes: number of nodes afterwards.
    :param status: as DescribeResize tells it.
    :param started: when it began, in seconds since 1970.
    :param ended: when it ended.
    :param message: why it failed.
    """

    kind: str
    node_type: str
    nodes: int
    status: str = "IN_PROGRESS"
    started: float = field(default_factory=time.time)
    ended: float | None = None
    message: str | None = None


@dataclass
class Cluster:
    """A cluster.

    :param id: its identifier.
    :param region: its Region.
    :param node_type: its node type.
    :param nodes: its number of nodes.
    :param user: its administrator.
    :param database: the database that it was made with.
    :param request: the parameters of CreateCluster, as later calls have changed them.
    :param roles: ARNs of its roles.
    :param default_role: the one that ``default`` means.
    :param tags: its tags.
    :param status: its state.
    :param until: when it leaves that state, in seconds since 1970; None when it stays.
    :param resize: the latest resize.
    :param created: when it was made.
    """

    id: str
    region: str
    node_type: str
    nodes: int
    user: str
    database: str
    request: dict[str, Any]
    roles: list[str] = field(default_factory=list)
    default_role: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    status: str = CREATING
    until: float | None = None
    resize: Resize | None = None
    created: float = field(default_factory=time.time)

    @property
    def key(self) -> str:
        """Name of its data directory."""
        return f"{self.region}.{self.id}"

    @property
    def slices(self) -> int:
        """Number of its slices."""
        return self.nodes * NODE_TYPES[self.node_type].slices

    @property
    def is_reachable(self) -> bool:
        """Whether statements run on it."""
        return self.status in {AVAILABLE, MODIFYING, RESIZING, CANCELLING_RESIZE}

    @property
    def is_read_only(self) -> bool:
        """Whether statements can only read: during a classic resize."""
        return self.status == RESIZING and self.resize is not None and self.resize.kind == CLASSIC


class Clusters:
    """All clusters.

    Nothing waits for a cluster: whoever looks at it first moves it on when its time has come.

    :param file: where they are kept.
    :param settings: how long they stay in their states.
    :param warehouses: their databases.
    """

    def __init__(self, file: Path, settings: RedshiftSettings, warehouses: Warehouses) -> None:
        self.lock = threading.RLock()
        self.settings = settings
        self._file = file
        self._warehouses = warehouses
        self._clusters: dict[tuple[str, str], Cluster] = {}
        if file.exists():
            for values in json.loads(file.read_text()):
                resize = values.pop("resize")
                cluster = Cluster(**values, resize=Resize(**resize) if resize else None)
                self._clusters[cluster.region, cluster.id] = cluster

    def add(self, cluster: Cluster) -> None:
        """Add a cluster that is being made.

        :param cluster: the cluster.
        :raises AwsError: when there is one of that name.
        """
        with self.lock:
            self.settle()
            if (cluster.region, cluster.id) in self._clusters:
                raise AwsError("ClusterAlreadyExists", "Cluster already exists")
            self._clusters[cluster.region, cluster.id] = cluster
            self.move(cluster, CREATING, self.settings.phases.creating)

    def find(self, region: str, identifier: str) -> Cluster | None:
        """Find a cluster as it is now.

        :param region: its Region.
        :param identifier: its name.
        """
        with self.lock:
            self.settle()
            return self._clusters.get((region, identifier.lower()))

    def require(self, region: str, identifier: str) -> Cluster:
        """Find a cluster as it is now.

        :param region: its Region.
        :param identifier: its name.
        :raises AwsError: when there is none.
        """
        found = self.find(region, identifier)
        if found is None:
            raise AwsError("ClusterNotFound", f"Cluster {identifier} not found.", 404)
        return found

    def of_region(self, region: str) -> Iterator[Cluster]:
        """List clusters, by name."""
        with self.lock:
            self.settle()
            found = sorted(self._clusters.items())
        return (cluster for (place, _), cluster in found if place == region)

    def move(self, cluster: Cluster, status: str, seconds: float | None = None) -> None:
        """Put a cluster into another state.

        :param cluster: the cluster.
        :param status: the state.
        :param seconds: how long it stays there; None is until somebody moves it.
        """
        with self.lock:
            cluster.status = status
            cluster.until = None if seconds is None else time.time() + seconds
            self.save()

    def save(self) -> None:
        """Keep all clusters as they are."""
        with self.lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._file.with_suffix(".new")
            values = [asdict(cluster) for cluster in self._clusters.values()]
            temporary.write_text(json.dumps(values, indent=1, default=str))
            temporary.replace(self._file)

    def disconnect(self, cluster: Cluster) -> None:
        """End all statements and sessions of a cluster.

        :param cluster: the cluster.
        """
        self._warehouses.stop(cluster.key)

    def settle(self) -> None:
        """Move on whatever has been in its state for long enough."""
        with self.lock:
            now = time.time()
            for cluster in list(self._clusters.values()):
                due = cluster.until is not None and cluster.until <= now
                if due and not self.settings.is_held(cluster.id, cluster.status):
                    self._leave(cluster)

    def _leave(self, cluster: Cluster) -> None:
        if cluster.status == DELETING:
            del self._clusters[cluster.region, cluster.id]
            self._warehouses.delete(cluster.key)
            self.save()
            return
        if cluster.status == PAUSING:
            self._warehouses.stop(cluster.key)
            self.move(cluster, PAUSED)
            return
        if cluster.status == RESIZING and cluster.resize is not None:
            self._end_resize(cluster, cluster.resize)
        elif cluster.status == CANCELLING_RESIZE and cluster.resize is not None:
            cluster.resize.status, cluster.resize.ended = "NONE", time.time()
        elif cluster.status == REBOOTING:
            self._warehouses.stop(cluster.key)
        self.move(cluster, AVAILABLE)

    def _end_resize(self, cluster: Cluster, resize: Resize) -> None:
        resize.ended = time.time()
        fault = self.settings.take_fault(cluster.id, "Resize")
        if fault is not None:
            resize.status, resize.message = "FAILED", fault.message
            return
        resize.status = "SUCCEEDED"
        cluster.node_type, cluster.nodes = resize.node_type, resize.nodes
        if resize.kind == CLASSIC:
            # The endpoint moves to the new cluster; connections to the old one end.
            self._warehouses.stop(cluster.key)


def state_error(identifier: str, text: str) -> AwsError:
    """Make the error for a cluster that is in another state.

    :param identifier: its name.
    :param text: what can't be done.
    """
    return AwsError("InvalidClusterState", f"{text} (cluster {identifier})")
