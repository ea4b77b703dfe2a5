"""What a task that makes a cluster has to remember while it is deferred."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass
class ClusterProgress:
    """How far the cluster of a task is.

    :param limit_ends_at: when waiting for room for a cluster ends, in seconds since 1970.
    :param cluster_id: id of the cluster, ``None`` as long as there is none.
    :param give_up_at: when the cluster has to be ready, in seconds since 1970.
    :param adopted: whether an earlier attempt has made it.
    """

    limit_ends_at: float
    cluster_id: str | None = None
    give_up_at: float = 0.0
    adopted: bool = False

    def carried(self) -> dict[str, Any]:
        """Write it down.

        :returns: what can be written as JSON.
        """
        return {
            "limit_ends_at": self.limit_ends_at,
            "cluster_id": self.cluster_id,
            "give_up_at": self.give_up_at,
            "adopted": self.adopted,
        }

    @classmethod
    def read(cls, carried: Mapping[str, Any]) -> Self:
        """Read what was written down.

        :param carried: what :meth:`carried` gave.
        :returns: the progress.
        """
        return cls(**carried)
