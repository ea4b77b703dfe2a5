"""A provisioned cluster as DescribeClusters shows it: its size, and what can be done with it.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/rs-mgmt-cluster-status.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from updraft.errors import UpdraftError

AVAILABLE = "available"
PAUSED = "paused"
RESIZING = "resizing"

_ENDING = frozenset({"deleting", "final-snapshot"})
_BROKEN = frozenset(
    {
        "hardware-failure",
        "incompatible-hsm",
        "incompatible-network",
        "incompatible-parameters",
        "incompatible-restore",
        "storage-full",
    }
)
_IDENTIFIER = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){0,61}[a-z0-9]|[a-z]")
_SIZE = re.compile(r"(?P<nodes>[1-9]\d*)/(?P<node_type>[a-z0-9.-]+)")


@dataclass(frozen=True, order=True)
class ClusterSize:
    """The size of a cluster.

    :param node_type: type of its nodes, such as ``ra3.xlplus``.
    :param nodes: their number.
    """

    node_type: str
    nodes: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a size from where :meth:`code` has written it.

        :param text: such as ``2/ra3.xlplus``.
        :returns: the size.
        :raises UpdraftError: when it is none.
        """
        found = _SIZE.fullmatch(text)
        if found is None:
            raise UpdraftError(f"{text!r} is no size of a cluster such as 2/ra3.xlplus")
        return cls(found["node_type"], int(found["nodes"]))

    def code(self) -> str:
        """Write the size with characters that a tag can have.

        :returns: such as ``2/ra3.xlplus``.
        """
        return f"{self.nodes}/{self.node_type}"

    @property
    def cluster_type(self) -> str:
        """What the API calls a cluster of so many nodes."""
        return "single-node" if self.nodes == 1 else "multi-node"

    def __str__(self) -> str:
        return f"{self.nodes} x {self.node_type}"


@dataclass(frozen=True)
class Cluster:
    """A cluster at one moment.

    :param identifier: its name.
    :param status: its state, as the API spells it.
    :param size: its size now.
    :param next_size: the size that a resize under way leads to.
    :param tags: its tags.
    :param namespace_arn: ARN of its namespace, which has Region and account.
    """

    identifier: str
    status: str
    size: ClusterSize
    next_size: ClusterSize | None
    tags: Mapping[str, str]
    namespace_arn: str

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Self:
        """Read a cluster.

        :param description: a member of what DescribeClusters answers.
        :returns: the cluster.
        """
        size = ClusterSize(description["NodeType"], description["NumberOfNodes"])
        pending = description.get("PendingModifiedValues") or {}
        next_size = ClusterSize(
            pending.get("NodeType", size.node_type), pending.get("NumberOfNodes", size.nodes)
        )
        return cls(
            identifier=description["ClusterIdentifier"],
            status=description["ClusterStatus"],
            size=size,
            next_size=next_size if next_size != size else None,
            tags={tag["Key"]: tag.get("Value", "") for tag in description.get("Tags", ())},
            namespace_arn=description.get("ClusterNamespaceArn", ""),
        )

    @property
    def is_settled(self) -> bool:
        """Whether it stays as it is until somebody changes it.

        States such as ``available, prep-for-resize`` are steps of a resize.
        """
        return self.status in {AVAILABLE, PAUSED}

    @property
    def settles_as(self) -> str:
        """The state that it comes to if nobody else changes it."""
        return PAUSED if self.status in {PAUSED, "pausing"} else AVAILABLE

    @property
    def trouble(self) -> str | None:
        """Why it never settles by itself; None when it does."""
        if self.status in _ENDING:
            return "it is being deleted"
        if self.status in _BROKEN:
            return f"it is in the state {self.status}, out of which somebody has to help it"
        return None

    def arn(self) -> str:
        """Name the cluster as tags and policies do.

        :returns: its ARN.
        :raises UpdraftError: when AWS has not told its account.
        """
        parts = self.namespace_arn.split(":")
        if len(parts) < 6:  # noqa: PLR2004 - an ARN has six parts
            raise UpdraftError(f"Cluster {self.identifier!r} has no namespace with an account")
        return ":".join([*parts[:5], f"cluster:{self.identifier}"])


def require_identifier(value: str) -> None:
    """Check the name of a cluster.

    :param value: the name.
    :raises UpdraftError: when a cluster can't have it.
    """
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise UpdraftError(
            f"cluster_identifier: {value!r} is no name of a cluster: lower-case letters, digits "
            "and single hyphens, from a letter on, at most 63 of them"
        )
