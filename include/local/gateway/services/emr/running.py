"""The clusters with what runs on them, as the operations see them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from include.local.gateway.errors import AwsError
from include.local.gateway.services.emr.clusters import OVER, TERMINATING, Cluster, ClusterStore
from include.local.gateway.services.emr.lifecycle import Lifecycle
from include.local.gateway.services.emr.node import Node
from include.local.gateway.services.emr.settings import ClusterSettings


class RunningClusters:
    """All clusters and their lifecycles.

    :param directory: where clusters are kept.
    :param endpoint_url: address of the gateway.
    :param settings: how clusters behave.
    """

    def __init__(self, directory: Path, endpoint_url: str, settings: ClusterSettings) -> None:
        self.store = ClusterStore(directory)
        self._endpoint_url = endpoint_url
        self._settings = settings
        self._lock = threading.Lock()
        self._lifecycles: dict[str, Lifecycle] = {}

    def start(self, cluster: Cluster) -> None:
        """Let a new cluster begin.

        :param cluster: the cluster.
        """
        node = Node(cluster, self.store.folder(cluster), self._endpoint_url)
        lifecycle = Lifecycle(cluster, self.store, self._settings, node)
        with self._lock:
            self._lifecycles[cluster.id] = lifecycle
        self.store.save(cluster)
        lifecycle.start()

    def find(self, region: str, cluster_id: str) -> Cluster:
        """Find a cluster.

        :param region: its Region.
        :param cluster_id: its id.
        :returns: the cluster.
        :raises AwsError: when there is none.
        """
        cluster = self.store.find(region, cluster_id)
        if cluster is None:
            raise invalid_request(f"Cluster id '{cluster_id}' is not valid.")
        return cluster

    @contextmanager
    def locked(self, cluster: Cluster) -> Iterator[Lifecycle | None]:
        """Read or change a cluster while nothing else does.

        :param cluster: the cluster.
        :returns: its lifecycle; None when it ended before the gateway started.
        """
        lifecycle = self._lifecycles.get(cluster.id)
        if lifecycle is None:
            yield None
            return
        with lifecycle.changed:
            yield lifecycle

    @contextmanager
    def modifiable(self, cluster: Cluster, refusal: AwsError) -> Iterator[Lifecycle]:
        """Change a cluster that is not at its end.

        :param cluster: the cluster.
        :param refusal: raised when it is.
        :returns: its lifecycle.
        """
        with self.locked(cluster) as lifecycle:
            if lifecycle is None or cluster.state in OVER or cluster.state == TERMINATING:
                raise refusal
            yield lifecycle

    def close(self) -> None:
        """End all processes."""
        for lifecycle in self._lifecycles.values():
            lifecycle.close()


def moment(seconds: float) -> datetime:
    """Convert a time.

    :param seconds: since 1970.
    :returns: the time in UTC.
    """
    return datetime.fromtimestamp(seconds, UTC)


def validation_error(message: str) -> AwsError:
    """Make the error for parameters that EMR refuses.

    :param message: why.
    :returns: the error.
    """
    return AwsError("ValidationException", message)


def invalid_request(message: str) -> AwsError:
    """Make the error for a request about something that is not there, or not like that.

    :param message: why.
    :returns: the error.
    """
    return AwsError("InvalidRequestException", message)
