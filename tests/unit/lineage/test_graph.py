import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.unit.lineage.lineage_events import BASE, SAMPLE, events
from updraft.cli.lineage import lineage_app
from updraft.errors import ArgumentError
from updraft.lineage.graph import Column, JobName, LineageGraph
from updraft.lineage.graph_drawing import Drawing
from updraft.lineage.graph_layout import lay_out
from updraft.lineage.naming import DatasetName

SVG = "{http://www.w3.org/2000/svg}"
_runner = CliRunner()


def dataset(name: str, columns: dict | None = None, sources: dict | None = None) -> dict:
    facets = {}
    if columns:
        fields = [{"name": column, "type": type_} for column, type_ in columns.items()]
        facets["schema"] = {**BASE, "fields": fields}
    if sources:
        fields = {
            target: {
                "inputFields": [
                    {
                        "namespace": "db",
                        "name": table,
                        "field": column,
                        "transformations": [{"type": kind}],
                    }
                    for table, column, kind in found
                ]
            }
            for target, found in sources.items()
        }
        facets["columnLineage"] = {**BASE, "fields": fields}
    return {"namespace": "db", "name": name, "facets": facets}


def event(job: str, inputs: list[dict], outputs: list[dict]) -> dict:
    return {
        **SAMPLE,
        "job": {**SAMPLE["job"], "namespace": "env", "name": job},
        "inputs": inputs,
        "outputs": outputs,
    }


EVENTS = [
    event("load", [dataset("files/a")], [dataset("orders", {"id": "int", "amount": "decimal"})]),
    event(
        "sum",
        [dataset("orders")],
        [
            dataset(
                "sales",
                {"total": "decimal"},
                {"total": [("orders", "amount", "DIRECT"), ("orders", "id", "INDIRECT")]},
            )
        ],
    ),
    event("vacuum", [dataset("sales")], [dataset("sales")]),
    event("idle", [], []),
]


@pytest.fixture
def graph() -> LineageGraph:
    graph = LineageGraph()
    for one in EVENTS:
        graph.add(one)
    return graph


def table(name: str) -> DatasetName:
    return DatasetName("db", name)


def test_tables_columns_and_jobs(graph):
    assert set(graph.datasets) == {table("files/a"), table("orders"), table("sales")}
    assert graph.datasets[table("orders")].columns == {"id": "int", "amount": "decimal"}
    assert graph.reads == {
        (table("files/a"), JobName("env", "load")),
        (table("orders"), JobName("env", "sum")),
        (table("sales"), JobName("env", "vacuum")),
    }
    assert {(job.name, name.name) for job, name in graph.writes} == {
        ("load", "orders"),
        ("sum", "sales"),
        ("vacuum", "sales"),
    }
    target = Column(table("sales"), "total")
    assert graph.columns == {
        (Column(table("orders"), "amount"), target): False,
        (Column(table("orders"), "id"), target): True,
    }
    assert JobName("env", "idle") not in graph.nodes()


def test_around_a_table(graph):
    near = graph.around(graph.find("ORDERS"), 1)
    assert near.nodes() == graph.nodes()
    near = graph.around(graph.find("files"), 1)
    assert {node.name for node in near.nodes()} == {"files/a", "load", "orders"}
    assert near.columns == {}
    with pytest.raises(ArgumentError, match="no table and no job has 'nothing'"):
        graph.find("nothing")


edges = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25)


@settings(max_examples=80, deadline=None)
@given(edges=edges, heights=st.lists(st.integers(20, 400), min_size=10, max_size=10))
def test_boxes_do_not_overlap_and_what_flows_goes_right(edges, heights):
    sizes = {node: (100.0 + node, float(height)) for node, height in enumerate(heights)}
    boxes = lay_out(sizes, edges)
    assert boxes == lay_out(sizes, edges)
    assert boxes.keys() == sizes.keys()
    placed = list(boxes.values())
    for at, one in enumerate(placed):
        assert one.y >= -0.001
        for other in placed[at + 1 :]:
            beside = one.x + one.width <= other.x or other.x + other.width <= one.x
            below = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert beside or below
    acyclic = [(one, other) for one, other in edges if one < other]
    boxes = lay_out(sizes, acyclic)
    assert all(boxes[one].x + boxes[one].width < boxes[other].x for one, other in acyclic)


def test_the_picture_has_every_node_column_and_line(graph):
    root = ET.fromstring(Drawing(graph).svg())
    titles = {
        group.find(f"{SVG}title").text
        for group in root.iter(f"{SVG}g")
        if group.find(f"{SVG}title") is not None
    }
    assert titles == {"db/files/a", "db/orders", "db/sales", "env/load", "env/sum", "env/vacuum"}
    ids = {one.get("id") for one in root.iter() if one.get("id")}
    lines = [
        (one.get("class"), one.get("data-from"), one.get("data-to"))
        for one in root.iter(f"{SVG}path")
        if one.get("data-from")
    ]
    assert len([line for line in lines if line[0] == "flow"]) == 6
    assert sorted(line[0] for line in lines if line[0] != "flow") == ["filter", "value"]
    assert all({start, end} <= ids for _, start, end in lines)


def test_columns_that_are_not_shown_share_a_row():
    graph = LineageGraph()
    columns = {f"c{number}": "int" for number in range(100)}
    sources = {name: [("a", name, "DIRECT")] for name in columns}
    graph.add(event("copy", [dataset("a", columns)], [dataset("b", columns, sources)]))
    text = Drawing(graph, most_columns=10).svg()
    assert text.count('class="column"') == 20
    assert text.count("… 91 more") == 2
    assert text.count('class="value"') == 10


@settings(max_examples=25, deadline=None)
@given(found=st.lists(events, max_size=4))
def test_any_events_make_a_picture(found):
    graph = LineageGraph()
    for one in found:
        graph.add(one)
    ET.fromstring(Drawing(graph, 3).svg())


def test_characters_that_xml_does_not_know():
    graph = LineageGraph()
    graph.add(event("a\x00\x1b\ud800\uffff", [dataset("b")], []))
    assert "a\ufffd\ufffd\ufffd\ufffd" in ET.tostring(
        ET.fromstring(Drawing(graph).svg()), encoding="unicode"
    )


def test_names_are_text_in_the_page():
    graph = LineageGraph()
    nasty = '<script>alert("x")</script>&\'<!-- script -->'
    graph.add(event(nasty, [dataset(nasty, {nasty: nasty})], [dataset("b")]))

    class Scripts(HTMLParser):
        found = 0

        def handle_starttag(self, tag, attrs):
            self.found += tag == "script"

    parser = Scripts()
    page = Drawing(graph).html("Lineage")
    parser.feed(page)
    assert parser.found == 1
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)


def test_the_command(tmp_path: Path):
    source, page, picture = (tmp_path / name for name in ("e.json", "x.html", "x.svg"))
    source.write_text(json.dumps([*EVENTS, {"eventTime": 1}]))
    run = lambda *options: _runner.invoke(lineage_app, ["show", *map(str, options)])  # noqa: E731
    result = run(source, "--output", page)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{page}: 3 tables, 4 jobs, 2 lines between columns\n"
    assert result.stderr == "events left out: 1 not valid\n"
    assert page.read_text().startswith("<!DOCTYPE html>")
    run(source, "--output", picture, "--focus", "files", "--depth", 1)
    assert "env/load" in picture.read_text()
    assert "env/sum" not in picture.read_text()
    outbox = tmp_path / "outbox"
    log = tmp_path / "x.log"
    log.write_text("".join(f"{json.dumps(one)}\n" for one in EVENTS))
    _runner.invoke(lineage_app, ["harvest", "--file", str(log), "--outbox", str(outbox)])
    both = tmp_path / "y.html"
    assert run("--outbox", outbox, "--output", both).exit_code == 0
    whole = tmp_path / "z.html"
    run(source, "--output", whole)
    assert both.read_text() == whole.read_text()
    (tmp_path / "cut.log").write_text(log.read_text()[:-20])
    upper = tmp_path / "x.SVG"
    result = run(tmp_path / "cut.log", "--output", upper)
    assert result.stderr == "events left out: 1 cut\n"
    assert upper.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give files or --outbox"),
        (("missing.json",), "cannot read missing.json: No such file"),
        (("{source}", "--focus", "nothing"), "no table and no job has 'nothing'"),
        (("{source}", "--output", "/nowhere/x.html"), "/nowhere/x.html: No such file"),
    ],
)
def test_wrong_options(tmp_path: Path, options, message):
    source = tmp_path / "e.json"
    source.write_text(json.dumps(EVENTS))
    result = _runner.invoke(
        lineage_app, ["show", *(option.format(source=source) for option in options)]
    )
    assert result.exit_code != 0
    assert message in " ".join(result.stderr.replace("│", " ").split())
