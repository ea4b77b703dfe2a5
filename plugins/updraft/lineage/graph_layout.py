"""Places the nodes of a graph from left to right, so that what flows crosses as little as it can.

The four steps of Sugiyama, Tagawa and Toda (1981), "Methods for Visual Understanding of
Hierarchical System Structures": edges that close a cycle are turned round, each node gets the layer
behind the last of its predecessors, the order within layers follows the mean of the neighbours, and
the same mean gives the heights.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple, TypeVar

_Node = TypeVar("_Node", bound=Hashable)

_SWEEPS = 6
_GAP_ACROSS = 110.0
_GAP_DOWN = 28.0


class Box(NamedTuple):
    """Where a node is drawn, in pixels.

    :param x: left side.
    :param y: upper side.
    :param width: its width.
    :param height: its height.
    """

    x: float
    y: float
    width: float
    height: float


def lay_out(
    sizes: Mapping[_Node, tuple[float, float]],
    edges: Sequence[tuple[_Node, _Node]],
    gap_across: float = _GAP_ACROSS,
    gap_down: float = _GAP_DOWN,
) -> dict[_Node, Box]:
    """Place nodes.

    :param sizes: width and height of each node; their order decides where nothing else does.
    :param edges: from and to.
    :param gap_across: pixels between layers.
    :param gap_down: pixels between the nodes of a layer.
    :returns: the place of each node; none overlaps another, and but for cycles all edges go right.
    """
    forward = _without_cycles(list(sizes), edges)
    layer = _layers(list(sizes), forward)
    columns: dict[int, list[_Node]] = defaultdict(list)
    for node in sizes:
        columns[layer[node]].append(node)
    neighbours: dict[_Node, list[_Node]] = defaultdict(list)
    for source, target in forward:
        neighbours[source].append(target)
        neighbours[target].append(source)
    _order(columns, layer, neighbours)
    return _places(columns, layer, neighbours, sizes, (gap_across, gap_down))


def _without_cycles(
    nodes: Sequence[_Node], edges: Sequence[tuple[_Node, _Node]]
) -> list[tuple[_Node, _Node]]:
    """Turn round the edges that lead back to where a walk came from; drop those to themselves."""
    targets: dict[_Node, list[_Node]] = defaultdict(list)
    for source, target in edges:
        if source != target:
            targets[source].append(target)
    done: set[_Node] = set()
    on_path: set[_Node] = set()
    forward: list[tuple[_Node, _Node]] = []
    for root in nodes:
        if root in done:
            continue
        stack = [(root, iter(targets[root]))]
        done.add(root)
        on_path.add(root)
        while stack:
            node, rest = stack[-1]
            for target in rest:
                forward.append((target, node) if target in on_path else (node, target))
                if target not in done:
                    done.add(target)
                    on_path.add(target)
                    stack.append((target, iter(targets[target])))
                    break
            else:
                on_path.discard(node)
                stack.pop()
    return list(dict.fromkeys(forward))


def _layers(nodes: Sequence[_Node], edges: Sequence[tuple[_Node, _Node]]) -> dict[_Node, int]:
    targets: dict[_Node, list[_Node]] = defaultdict(list)
    waiting: dict[_Node, int] = dict.fromkeys(nodes, 0)
    for source, target in edges:
        targets[source].append(target)
        waiting[target] += 1
    layer: dict[_Node, int] = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waiting[node]]
    while ready:
        node = ready.pop()
        for target in targets[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    # Whatever is used late stands beside what uses it, not at the far left.
    for node in sorted(nodes, key=layer.__getitem__, reverse=True):
        if targets[node]:
            layer[node] = min(layer[target] for target in targets[node]) - 1
    return layer


def _order(
    columns: Mapping[int, list[_Node]],
    layer: Mapping[_Node, int],
    neighbours: Mapping[_Node, list[_Node]],
) -> None:
    place = {node: float(at) for nodes in columns.values() for at, node in enumerate(nodes)}
    for sweep in range(_SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for number in sorted(columns)[::step]:
            wanted = {
                node: _mean(
                    [
                        place[one]
                        for one in neighbours.get(node, [])
                        if _is_before(layer, one, node, step)
                    ],
                    place[node],
                )
                for node in columns[number]
            }
            nodes = columns[number]
            nodes.sort(key=wanted.__getitem__)
            place.update({node: float(at) for at, node in enumerate(nodes)})


def _places(
    columns: Mapping[int, list[_Node]],
    layer: Mapping[_Node, int],
    neighbours: Mapping[_Node, list[_Node]],
    sizes: Mapping[_Node, tuple[float, float]],
    gaps: tuple[float, float],
) -> dict[_Node, Box]:
    gap_across, gap_down = gaps
    middle: dict[_Node, float] = {}
    for nodes in columns.values():
        _stack(nodes, dict.fromkeys(nodes, 0.0), sizes, middle, gap_down)
    for sweep in range(_SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for number in sorted(columns)[::step]:
            wanted = {
                node: _mean(
                    [
                        middle[one]
                        for one in neighbours.get(node, [])
                        if _is_before(layer, one, node, step)
                    ],
                    middle[node],
                )
                for node in columns[number]
            }
            _stack(columns[number], wanted, sizes, middle, gap_down)
    top = min((middle[node] - sizes[node][1] / 2 for node in sizes), default=0.0)
    boxes: dict[_Node, Box] = {}
    x = 0.0
    for number in sorted(columns):
        width = max(sizes[node][0] for node in columns[number])
        for node in columns[number]:
            own, height = sizes[node]
            boxes[node] = Box(x + (width - own) / 2, middle[node] - height / 2 - top, own, height)
        x += width + gap_across
    return boxes


def _stack(
    nodes: Sequence[_Node],
    wanted: Mapping[_Node, float],
    sizes: Mapping[_Node, tuple[float, float]],
    middle: dict[_Node, float],
    gap_down: float,
) -> None:
    """Place nodes below each other as near as possible to where they are wanted."""
    bottom = float("-inf")
    for node in nodes:
        height = sizes[node][1]
        upper = max(wanted[node] - height / 2, bottom)
        middle[node] = upper + height / 2
        bottom = upper + height + gap_down
    # Nodes were only pushed down; as a whole they move back to where they wanted to be.
    shift = _mean([wanted[node] - middle[node] for node in nodes], 0.0)
    for node in nodes:
        middle[node] += shift


def _is_before(layer: Mapping[_Node, int], one: _Node, node: _Node, step: int) -> bool:
    return (layer[node] - layer[one]) * step > 0


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
