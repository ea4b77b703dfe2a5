"""Draws a lineage graph as SVG, or as an HTML page that needs nothing else."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from updraft.lineage.graph import Column, Dataset, JobName, LineageGraph, Node
from updraft.lineage.graph_layout import Box, lay_out
from updraft.lineage.naming import DatasetName

_ROW = 20.0
_HEAD = 44.0
_MARGIN = 24.0
_CHARACTER = 7.9  # width in the font of names
_SMALL_CHARACTER = 5.9
_NARROWEST, _WIDEST = 150.0, 340.0
# https://www.w3.org/TR/xml/#charsets
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ASSETS = Path(__file__).parent / "graph_assets"

_Place = tuple[float, float]


class Drawing:
    """A picture of a graph.

    :param graph: the graph.
    :param most_columns: how many columns of a table are shown; the others share one row.
    """

    def __init__(self, graph: LineageGraph, most_columns: int = 40) -> None:
        self._graph = graph
        self._rows = {
            name: _rows(dataset, most_columns) for name, dataset in graph.datasets.items()
        }
        nodes = graph.nodes()
        self._ids: dict[Node, str] = {node: f"n{number}" for number, node in enumerate(nodes)}
        self._boxes = lay_out({node: self._size(node) for node in nodes}, graph.edges())

    def svg(self) -> str:
        """Return the picture as a document of its own.

        :returns: SVG.
        """
        style = (_ASSETS / "graph.css").read_text("utf-8")
        return self._svg(f"<style>{style}</style>")

    def html(self, title: str) -> str:
        """Return a page that shows what is up- and downstream of what is pointed at.

        :param title: what it is about.
        :returns: HTML with all that it needs.
        """
        page = (_ASSETS / "graph.html").read_text("utf-8")
        tables, jobs = len(self._graph.datasets), len(self._ids) - len(self._graph.datasets)
        parts = {
            "title": _escaped(title),
            "summary": f"{tables:,} tables, {jobs:,} jobs, {len(self._graph.columns):,} lines "
            "between columns",
            "style": (_ASSETS / "graph.css").read_text("utf-8"),
            "script": (_ASSETS / "graph.js").read_text("utf-8"),
            "picture": self._svg(""),
        }
        for name, part in parts.items():
            page = page.replace(f"<!-- {name} -->", part)
        return page

    def _svg(self, style: str) -> str:
        width = max((box.x + box.width for box in self._boxes.values()), default=200.0)
        height = max((box.y + box.height for box in self._boxes.values()), default=50.0)
        size = (width + 2 * _MARGIN, height + 2 * _MARGIN)
        body = "\n".join([*self._edges(), *self._column_edges(), *self._nodes()])
        if not self._boxes:
            body = '<text x="0" y="20" class="note">no tables and no jobs that use any</text>'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="lineage" role="img" '
            f'aria-label="Lineage of tables and columns" width="{size[0]:.0f}" '
            f'height="{size[1]:.0f}" viewBox="{-_MARGIN:.0f} {-_MARGIN:.0f} '
            f'{size[0]:.0f} {size[1]:.0f}">{style}'
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" class="head"/>'
            f"</marker></defs>\n{body}\n</svg>\n"
        )

    def _size(self, node: Node) -> tuple[float, float]:
        name, place = _label(node), self._second_line(node)
        text = max(len(name) * _CHARACTER, len(place) * _SMALL_CHARACTER)
        rows = self._rows.get(node, []) if isinstance(node, DatasetName) else []
        for row in rows:
            text = max(text, len(row[0]) * _CHARACTER + len(row[1]) * _SMALL_CHARACTER + 16)
        return min(max(text + 28, _NARROWEST), _WIDEST), _HEAD + _ROW * len(rows)

    def _nodes(self) -> Iterator[str]:
        for node, box in self._boxes.items():
            is_job = isinstance(node, JobName)
            yield (
                f'<g class="{"job" if is_job else "table"}" id="{self._ids[node]}" '
                f'transform="translate({box.x:.1f} {box.y:.1f})">'
                f"<title>{_escaped('/'.join(node))}</title>"
                f'<rect width="{box.width:.1f}" height="{box.height:.1f}" '
                f'rx="{14 if is_job else 4}"/>'
                + _text((12, 19), _cut(_label(node), box.width - 20, _CHARACTER), "name")
                + _text(
                    (12, 35),
                    _cut(self._second_line(node), box.width - 20, _SMALL_CHARACTER),
                    "place",
                )
                + ("" if is_job else "".join(self._column_rows(node, box)))
                + "</g>"
            )

    def _second_line(self, node: Node) -> str:
        if isinstance(node, JobName):
            job = self._graph.jobs[node]
            return " · ".join(filter(None, (job.kind or _place_text(node), job.state)))
        return _place_text(node)

    def _column_rows(self, node: Node, box: Box) -> Iterator[str]:
        rows = self._rows[DatasetName(*node)]
        if rows:
            yield f'<path class="line" d="M0 {_HEAD:.0f}h{box.width:.1f}"/>'
        for number, (name, kind) in enumerate(rows):
            y = _HEAD + _ROW * number
            space = box.width - 20 - len(kind) * _SMALL_CHARACTER
            yield (
                f'<g class="column" id="{self._ids[node]}c{number}">'
                f'<rect x="1" y="{y + 1:.0f}" width="{box.width - 2:.1f}" height="{_ROW - 2:.0f}"/>'
                + _text((12, y + 14), _cut(name, space, _CHARACTER), "field")
                + f'<text x="{box.width - 8:.1f}" y="{y + 14:.0f}" class="type">'
                f"{_escaped(kind)}</text></g>"
            )

    def _edges(self) -> Iterator[str]:
        for source, target in self._graph.edges():
            first, second = self._boxes[source], self._boxes[target]
            ends = f'data-from="{self._ids[source]}" data-to="{self._ids[target]}"'
            path = _curve(first, second, first.y + _HEAD / 2, second.y + _HEAD / 2)
            yield f'<path class="flow" {ends} marker-end="url(#arrow)" d="{path}"/>'

    def _column_edges(self) -> Iterator[str]:
        drawn: dict[tuple[str, str], bool] = {}
        paths: dict[tuple[str, str], str] = {}
        for (source, target), filters in sorted(self._graph.columns.items()):
            first, second = self._row_of(source), self._row_of(target)
            ids = (self._row_id(source, first), self._row_id(target, second))
            drawn[ids] = drawn.get(ids, True) and filters
            paths[ids] = _curve(
                self._boxes[source.dataset],
                self._boxes[target.dataset],
                self._boxes[source.dataset].y + _HEAD + _ROW * (first + 0.5),
                self._boxes[target.dataset].y + _HEAD + _ROW * (second + 0.5),
            )
        for (source_id, target_id), filters in drawn.items():
            yield (
                f'<path class="{"filter" if filters else "value"}" data-from="{source_id}" '
                f'data-to="{target_id}" d="{paths[source_id, target_id]}"/>'
            )

    def _row_of(self, column: Column) -> int:
        """Find the row of a column; those that are not shown have the last one."""
        names = [name for name, _ in self._rows[column.dataset]]
        return names.index(column.name) if column.name in names else len(names) - 1

    def _row_id(self, column: Column, row: int) -> str:
        return f"{self._ids[column.dataset]}c{row}"


def _rows(dataset: Dataset, most: int) -> list[tuple[str, str]]:
    rows = list(dataset.columns.items())
    if len(rows) <= most:
        return rows
    return [*rows[: most - 1], (f"… {len(rows) - most + 1:,} more", "")]


def _label(node: Node) -> str:
    """Name a node by what tells it from its neighbours: the last parts of its name."""
    name = node.name.strip("/") or node.namespace
    if isinstance(node, JobName):
        return name
    parts = name.split("/")
    return "/".join(parts[-2:])


def _place_text(node: Node) -> str:
    rest = node.name.strip("/").split("/")[:-2] if isinstance(node, DatasetName) else []
    return "/".join([node.namespace, *rest])


def _escaped(text: str) -> str:
    return html.escape(_NOT_IN_XML.sub("\ufffd", text))


def _cut(text: str, space: float, character: float) -> str:
    """Leave out the middle of a text that does not fit: names differ at both ends."""
    most = max(int(space / character), 4)
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[:half]}…{text[-(most - 1 - half) :]}"


def _text(place: _Place, text: str, kind: str) -> str:
    x, y = place
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}">{_escaped(text)}</text>'


def _curve(first: Box, second: Box, from_y: float, to_y: float) -> str:
    """Draw from the right side of a box to the left side of another; back if that stands left."""
    if second.x > first.x:
        start: _Place = (first.x + first.width, from_y)
        end: _Place = (second.x, to_y)
        bend = max((end[0] - start[0]) / 2, 30.0)
    else:
        start, end = (first.x, from_y + 8), (second.x + second.width, to_y + 8)
        bend = -max((start[0] - end[0]) / 2, 30.0)
    return (
        f"M{start[0]:.1f} {start[1]:.1f}C{start[0] + bend:.1f} {start[1]:.1f} "
        f"{end[0] - bend:.1f} {end[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    )
