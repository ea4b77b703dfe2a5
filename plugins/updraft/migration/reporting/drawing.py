"""A graph as a picture: where each node and each line goes, for a template to draw."""

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from unicodedata import combining, east_asian_width

from updraft.lineage.graph_layout import Box, lay_out
from updraft.migration.reporting.graph import Edge, Graph, Node

_HEIGHT = 40.0
_NARROWEST, _WIDEST = 90.0, 250.0
_PADDING = 11.0
_CHARACTER, _SMALL_CHARACTER = 7.9, 6.4  # widths in the fonts of label and detail
_GAP_ACROSS, _GAP_DOWN = 56.0, 12.0
_MARGIN = 10.0
_ROUNDING = 0.01
# What is not tied to anything stands in rows of this width below the rest.
_LEAST_ROW = 900.0
# References that order or move something; the others describe.
FLOW = frozenset({"dependsOn", "input", "output", "precondition", "waits for"})


@dataclass(frozen=True)
class DrawnNode:
    """A node in its place.

    :param node: the node.
    :param box: the place.
    :param label: its label as far as there is room.
    :param detail: its second line, likewise.
    """

    node: Node
    box: Box
    label: str
    detail: str


@dataclass(frozen=True)
class DrawnEdge:
    """A line.

    :param edge: the edge.
    :param path: what goes into the attribute ``d`` of a path.
    :param flows: whether it orders work, rather than describe it.
    """

    edge: Edge
    path: str
    flows: bool


@dataclass(frozen=True)
class Picture:
    """A graph with its places, in pixels.

    :param start: the height at which its flow begins.
    """

    width: int
    height: int
    start: int
    nodes: tuple[DrawnNode, ...]
    edges: tuple[DrawnEdge, ...]


def draw(graph: Graph) -> Picture:
    """Place the nodes of a graph from left to right.

    :param graph: the graph.
    :returns: the picture.
    """
    sizes = {node.id: _size(node) for node in graph.nodes}
    tied = {end for edge in graph.edges for end in (edge.source, edge.target)}
    boxes = lay_out(
        {one: size for one, size in sizes.items() if one in tied},
        [(edge.source, edge.target) for edge in graph.edges],
        _GAP_ACROSS,
        _GAP_DOWN,
    )
    width = max((box.x + box.width for box in boxes.values()), default=0.0)
    height = max((box.y + box.height for box in boxes.values()), default=-_GAP_DOWN)
    boxes |= _rows({one: size for one, size in sizes.items() if one not in tied}, width, height)
    width = max((box.x + box.width for box in boxes.values()), default=0.0)
    height = max((box.y + box.height for box in boxes.values()), default=0.0)
    return Picture(
        width=round(width + 2 * _MARGIN),
        height=round(height + 2 * _MARGIN),
        start=round(min(boxes.values(), default=Box(0, 0, 0, 0)).y + _MARGIN),
        nodes=tuple(_drawn(node, _shifted(boxes[node.id])) for node in graph.nodes),
        edges=tuple(
            DrawnEdge(
                edge,
                _curve(_shifted(boxes[edge.source]), _shifted(boxes[edge.target])),
                edge.field in FLOW,
            )
            for edge in graph.edges
        ),
    )


def without_detours(graph: Graph) -> Graph:
    """Leave out the edges that others imply: what A waits for, B need not wait for behind A.

    :param graph: a graph of tasks.
    :returns: the same order with the fewest edges; with a circle, the graph itself.
    """
    targets: dict[str, set[str]] = {node.id: set() for node in graph.nodes}
    for edge in graph.edges:
        targets[edge.source].add(edge.target)
    try:
        # Whoever has targets comes after them.
        order = list(TopologicalSorter(targets).static_order())
    except CycleError:
        return graph
    behind: dict[str, set[str]] = {}
    for node in order:
        behind[node] = targets[node].union(*(behind[one] for one in targets[node]))
    edges = tuple(
        edge
        for edge in graph.edges
        if not any(edge.target in behind[one] for one in targets[edge.source])
    )
    return graph.model_copy(update={"edges": edges})


def _size(node: Node) -> tuple[float, float]:
    text = max(
        _columns(node.label) * _CHARACTER,
        _columns(node.detail) * _SMALL_CHARACTER,
    )
    return min(max(text + 2 * _PADDING, _NARROWEST), _WIDEST), _HEIGHT


def _rows(sizes: dict[str, tuple[float, float]], width: float, height: float) -> dict[str, Box]:
    """Place nodes that nothing ties to others in rows."""
    boxes: dict[str, Box] = {}
    x, y = 0.0, height + 2 * _GAP_DOWN if height > 0 else 0.0
    for one, (own_width, own_height) in sizes.items():
        if x and x + own_width > max(width, _LEAST_ROW):
            x, y = 0.0, y + own_height + _GAP_DOWN
        boxes[one] = Box(x, y, own_width, own_height)
        x += own_width + _GAP_DOWN
    return boxes


def _shifted(box: Box) -> Box:
    return box._replace(x=box.x + _MARGIN, y=box.y + _MARGIN)


def _drawn(node: Node, box: Box) -> DrawnNode:
    room = box.width - 2 * _PADDING
    return DrawnNode(
        node, box, _cut(node.label, room / _CHARACTER), _cut(node.detail, room / _SMALL_CHARACTER)
    )


def _curve(first: Box, second: Box) -> str:
    start = (first.x + first.width, first.y + first.height / 2)
    end = (second.x, second.y + second.height / 2)
    if first == second:
        # A reference to itself is a loop above the box.
        x, y = first.x + first.width / 2, first.y
        return f"M{x + 12:.1f} {y:.1f}C{x + 26:.1f} {y - 14:.1f} {x - 26:.1f} {y - 14:.1f} " + (
            f"{x - 12:.1f} {y:.1f}"
        )
    bend = max(24.0, (end[0] - start[0]) / 2)
    if second.x <= first.x:
        # Of a circle, one line leads back.
        start = (first.x, first.y + first.height / 2 + 6)
        end = (second.x + second.width, second.y + second.height / 2 + 6)
        bend = -max(24.0, (start[0] - end[0]) / 2)
    return (
        f"M{start[0]:.1f} {start[1]:.1f}C{start[0] + bend:.1f} {start[1]:.1f} "
        f"{end[0] - bend:.1f} {end[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    )


def _columns(text: str) -> int:
    """Count the columns that a text takes: East Asian characters take two, accents none."""
    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )


def _cut(text: str, columns: float) -> str:
    # What breaks lines or turns the direction of writing would spoil the picture.
    text = "".join(character if character.isprintable() else "·" for character in text)
    if _columns(text) <= columns + _ROUNDING:
        return text
    # Names differ at both ends.
    head, tail = _fitting(text, (columns - 1) * 0.6), _fitting(text[::-1], (columns - 1) * 0.4)
    return f"{head}…{tail[::-1]}"


def _fitting(text: str, columns: float) -> str:
    end = 0
    while end < len(text) and _columns(text[: end + 1]) <= columns:
        end += 1
    return text[:end]
