"""Node types and the numbers of nodes that clusters can have of them.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/working-with-clusters.html,
    https://docs.aws.amazon.com/redshift/latest/mgmt/resizing-cluster.html
"""

from dataclasses import dataclass

from include.local.gateway.errors import AwsError


@dataclass(frozen=True, slots=True)
class NodeType:
    """A node type.

    :param name: its name.
    :param least: least number of nodes.
    :param most: greatest number of nodes.
    :param factor: how far an elastic resize goes in either direction.
    :param slices: slices per node.
    """

    name: str
    least: int
    most: int
    factor: int
    slices: int


NODE_TYPES = {
    one.name: one
    for one in (
        NodeType("dc2.8xlarge", 2, 128, 2, 16),
        NodeType("dc2.large", 1, 32, 2, 2),
        NodeType("ra3.16xlarge", 2, 128, 4, 16),
        NodeType("ra3.4xlarge", 2, 128, 4, 4),
        NodeType("ra3.large", 1, 16, 2, 2),
        NodeType("ra3.xlplus", 1, 32, 2, 2),
    )
}


def require_node_type(name: str) -> NodeType:
    """Look a node type up.

    :param name: its name.
    :returns: the node type.
    :raises AwsError: when there is none of that name.
    """
    found = NODE_TYPES.get(name)
    if found is None:
        message = f"Invalid node type: {name}. Choose from {', '.join(NODE_TYPES)}"
        raise AwsError("InvalidParameterValue", message)
    return found


def require_count(node_type: NodeType, count: int) -> None:
    """Check a number of nodes.

    :param node_type: the node type.
    :param count: how many.
    :raises AwsError: when a cluster can't have so many.
    """
    if count > node_type.most:
        message = (
            f"The number of nodes {count} exceeds the limit of {node_type.most} for "
            f"{node_type.name}"
        )
        raise AwsError("NumberOfNodesPerClusterLimitExceeded", message)
    if count < node_type.least:
        message = f"{node_type.name} needs at least {node_type.least} nodes, {count} were given"
        raise AwsError("InvalidParameterValue", message)


def elastic_targets(current: NodeType, count: int, wanted: NodeType) -> list[int]:
    """List the numbers of nodes that an elastic resize can lead to.

    :param current: present node type.
    :param count: present number of nodes.
    :param wanted: node type afterwards.
    :returns: the numbers, smallest first.
    """
    if count == 1 or wanted.least > wanted.most:
        # A single node has no second one to redistribute with.
        return []
    equal = count * current.slices
    scale = current.slices / wanted.slices
    least = max(2, wanted.least, -(-equal // (wanted.slices * wanted.factor)))
    most = min(wanted.most, int(equal * wanted.factor / wanted.slices))
    if wanted.factor > 2 or wanted.name != current.name:  # noqa: PLR2004 - halves and doubles
        return list(range(least, most + 1))
    base = int(count * scale)
    return sorted({n for n in (base // 2, base, base * 2) if least <= n <= most})
