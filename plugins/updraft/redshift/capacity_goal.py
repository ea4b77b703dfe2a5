"""What a cluster shall be like, and the next step on the way there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from updraft.choices import require_choice
from updraft.errors import UpdraftError
from updraft.redshift.clusters import AVAILABLE, PAUSED, Cluster, ClusterSize

PAUSE, RESUME, RESIZE = "pause", "resume", "resize"

IF_PAUSED = ("fail", "resume", "skip")
"""What a resize does with a cluster that is paused, which can't be resized."""

_NODE_TYPE = re.compile(r"[a-z0-9]+\.[a-z0-9]+")
_CLUSTER_TYPES = ("single-node", "multi-node")


@dataclass(frozen=True)
class WantedSize:
    """The size that a cluster shall have.

    :param node_type: type of the nodes; None for that which it has.
    :param nodes: number of nodes; None for that which it has.
    """

    node_type: str | None = None
    nodes: int | None = None

    def of(self, size: ClusterSize) -> ClusterSize:
        """Fill in what is left as it is.

        :param size: the present size.
        :returns: the wanted one.
        """
        return ClusterSize(self.node_type or size.node_type, self.nodes or size.nodes)


def wanted_size(
    node_type: str | None, number_of_nodes: int | str | None, cluster_type: str | None = None
) -> WantedSize | None:
    """Read the arguments that name a size.

    :param node_type: type of the nodes, empty for that which the cluster has.
    :param number_of_nodes: their number, empty likewise.
    :param cluster_type: ``single-node`` or ``multi-node``, empty if the number says it.
    :returns: the size, None when nothing is given.
    :raises UpdraftError: when one is wrong, or contradicts another.
    """
    if node_type and not _NODE_TYPE.fullmatch(node_type):
        raise UpdraftError(f"node_type: {node_type!r} is no type of nodes such as ra3.xlplus")
    nodes = None
    if number_of_nodes not in {None, ""}:
        if not re.fullmatch(r"[1-9]\d{0,3}", str(number_of_nodes)):
            raise UpdraftError(f"number_of_nodes: {number_of_nodes!r} is no number from 1 on")
        nodes = int(str(number_of_nodes))
    if cluster_type:
        require_choice("cluster_type", cluster_type, _CLUSTER_TYPES)
        if cluster_type == "single-node":
            nodes = nodes or 1
        if nodes is None:
            raise UpdraftError("number_of_nodes: it is missing; cluster_type is multi-node")
        if (nodes == 1) != (cluster_type == "single-node"):
            raise UpdraftError(f"number_of_nodes: {nodes} does not fit cluster_type {cluster_type}")
    return WantedSize(node_type or None, nodes) if node_type or nodes else None


@dataclass(frozen=True)
class CapacityGoal:
    """What a cluster shall be like.

    :param state: ``available`` or ``paused``; None for either.
    :param size: its size; None for any.
    :param if_paused: what to do when the size of a paused cluster differs, one of
        :data:`IF_PAUSED`. It counts where ``state`` is None.
    """

    state: str | None = None
    size: WantedSize | None = None
    if_paused: str = "resume"

    def next_action(self, state: str, size: ClusterSize) -> str | None:
        """Say what to do next.

        :param state: ``available`` or ``paused``, where the cluster is now.
        :param size: its present size.
        :returns: :data:`PAUSE`, :data:`RESUME` or :data:`RESIZE`; None when the goal is reached.
        :raises UpdraftError: when it is paused and may not be resumed.
        """
        if self.size is not None and self.size.of(size) != size:
            if state == AVAILABLE:
                return RESIZE
            may_resume = self.state is not None or self.if_paused == "resume"
            if may_resume:
                return RESUME
            if self.if_paused == "fail":
                raise UpdraftError(
                    "It is paused, and a paused cluster can't be resized. Set if_paused to "
                    "'resume', which leaves it available, or to 'skip'."
                )
        if self.state is not None and self.state != state:
            return PAUSE if self.state == PAUSED else RESUME
        return None

    def is_reached_by(self, cluster: Cluster) -> bool:
        """Tell whether nothing has to be done.

        :param cluster: the cluster.
        """
        return cluster.is_settled and self.next_action(cluster.status, cluster.size) is None

    def actions(self, state: str, size: ClusterSize) -> Iterator[str]:
        """List everything that has to be done, if nobody else changes anything.

        :param state: where the cluster is now.
        :param size: its present size.
        :returns: the actions in their order.
        :raises UpdraftError: as :meth:`next_action`.
        """
        while (action := self.next_action(state, size)) is not None:
            yield action
            if action == RESIZE and self.size is not None:
                size = self.size.of(size)
            else:
                state = PAUSED if action == PAUSE else AVAILABLE
