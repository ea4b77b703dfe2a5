"""Says what would be done to a cluster, and what that costs in node-hours."""

from typing import Any

from updraft.operators.redshift_resizing import Resizing
from updraft.redshift.capacity_goal import PAUSE, RESIZE, CapacityGoal
from updraft.redshift.clusters import AVAILABLE, Cluster, ClusterSize


def planned_steps(goal: CapacityGoal, cluster: Cluster, resizing: Resizing) -> list[str]:
    """Say what would be done if nobody else changed the cluster.

    :param goal: what the cluster shall be like.
    :param cluster: the cluster.
    :param resizing: knows the sizes that it can be resized to.
    :returns: the steps.
    :raises UpdraftError: when they are not possible.
    """
    plan = []
    state, size = cluster.settles_as, cluster.size
    if not cluster.is_settled:
        size = cluster.next_size or size
        plan.append(f"wait: it is {cluster.status}, and becomes {state} with {size}")
    for action in goal.actions(state, size):
        if action == RESIZE and goal.size is not None:
            target = goal.size.of(size)
            if cluster.status == AVAILABLE:
                resizing.require_allowed(size, target)
            kind = "classic" if resizing.is_classic else "elastic"
            change = node_hours(size, size.nodes, target, target.nodes)
            plan.append(f"resize ({kind}): from {size} to {target}; {change}")
            size = target
        else:
            before, after = (size.nodes, 0) if action == PAUSE else (0, size.nodes)
            plan.append(f"{action}: {node_hours(size, before, size, after)}")
    return plan


def shown(cluster: Cluster) -> dict[str, Any]:
    """Give what the result of a task says about a cluster.

    :param cluster: the cluster.
    :returns: its name, state and size.
    """
    return {
        "cluster_identifier": cluster.identifier,
        "state": cluster.status,
        "node_type": cluster.size.node_type,
        "number_of_nodes": cluster.size.nodes,
    }


def node_hours(old: ClusterSize, before: int, new: ClusterSize, after: int) -> str:
    """Say what a change costs or saves, in what AWS bills on demand.

    :param old: size before.
    :param before: nodes that were billed; none of a paused cluster are.
    :param new: size afterwards.
    :param after: nodes that are billed then.
    :returns: text for people.
    """
    if before and after and old.node_type != new.node_type:
        return (
            f"{before} node-hours an hour of {old.node_type} become {after} of {new.node_type}, at "
            "another price"
        )
    kind = new.node_type if after else old.node_type
    return f"{before} node-hours an hour of {kind} become {after}"
