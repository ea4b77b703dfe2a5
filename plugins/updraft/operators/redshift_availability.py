"""Whether a refusal of the Data API comes from the state of a cluster that will pass."""

import logging
from collections.abc import Mapping
from typing import Any

from airflow.providers.amazon.aws.hooks.redshift_cluster import RedshiftHook

from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.errors import UpdraftError
from updraft.hooks.clients import connected_client

log = logging.getLogger(__name__)

# AWS has one code for all that it refuses, and does not document the words.
_REFUSED = "ValidationException"
_AVAILABLE = "available"
_PAUSED = "paused"
_LAST_STATES = frozenset({"deleting", "final-snapshot"})


class Availability:
    """Looks at the state of a cluster when the Data API refuses a statement.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param cluster: identifier of the cluster, ``None`` for a workgroup, which is always available.
    :param waits: whether a task waits until the cluster is available.
    """

    def __init__(
        self, hook_parameters: Mapping[str, Any], cluster: str | None, *, waits: bool
    ) -> None:
        self._hook_parameters = hook_parameters
        self._cluster = cluster
        self._waits = waits

    def is_worth_waiting(self, error: ServiceError) -> bool:
        """Say whether a refusal comes from the state of the cluster, and is to be waited for.

        :param error: the refusal.
        :returns: whether it is; not where the state can't be looked at.
        :raises UpdraftError: when it comes from the state, and is not to be waited for.
        """
        if error.code != _REFUSED or self._cluster is None:
            return False
        state = self._state(self._cluster)
        if state is None or state == _AVAILABLE:
            return False
        if self._waits and state not in _LAST_STATES:
            log.info("Cluster %s is %s", self._cluster, state)
            return True
        advice = "Resume it first, or set" if state == _PAUSED else "Set"
        raise UpdraftError(
            f"Cluster {self._cluster!r} is {state} and takes no statements. {advice} "
            f"wait_for_available=True. AWS says: {error.message}"
        )

    def _state(self, cluster: str) -> str | None:
        try:
            client = connected_client(RedshiftHook(**self._hook_parameters))
            with explained("redshift:DescribeClusters", f"cluster {cluster!r}"):
                found = client.describe_clusters(ClusterIdentifier=cluster)["Clusters"]
        except ServiceError as refusal:
            log.info("The state of the cluster is not known. %s", refusal)
            return None
        return str(found[0]["ClusterStatus"]) if found else None
