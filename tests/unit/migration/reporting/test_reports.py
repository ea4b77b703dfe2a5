"""The report of one pipeline, over all of them, and their three views."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from updraft.datapipeline.findings import Finding, Severity
from updraft.migration.batch import convert_all
from updraft.migration.conversion import Conversion, convert_file
from updraft.migration.given_values import Given
from updraft.migration.ledger import FieldAccount, Status
from updraft.migration.output_files import write_overview
from updraft.migration.parameters import ParameterAccount
from updraft.migration.reporting.drawing import without_detours
from updraft.migration.reporting.effort import Effort, Stage, effort_of, stage_of
from updraft.migration.reporting.graph import Edge, Graph, Node, NodeKind
from updraft.migration.reporting.model import Coverage, coverage_of
from updraft.migration.reporting.overview import overview_of, report_file_name
from updraft.migration.reporting.page import page

_NASTY = "<script>alert(1)</script>"


def _definition(**changes):
    objects = [
        {"id": "Default", "scheduleType": "ondemand", "myWord": "x"},
        {
            "id": "Machine",
            "type": "Ec2Resource",
            "instanceType": "m1.small",
            "imageId": "ami-12345678",
            "securityGroups": "old",
            "terminateAfter": "1 hour",
        },
        {
            "id": "Cluster",
            "type": "EmrCluster",
            "amiVersion": "2.4.2",
            "hadoopVersion": "1.0.3",
            "masterInstanceType": "m3.2xlarge",
            "coreInstanceType": "m1.small",
            "terminateAfter": "1 hour",
        },
        {"id": "In", "type": "S3DataNode", "directoryPath": "s3://b/in"},
        {
            "id": "Work",
            "type": "ShellCommandActivity",
            "command": f"echo {_NASTY}",
            "runsOn": {"ref": "Machine"},
            "input": {"ref": "In"},
            "name": _NASTY,
            "*password": "hunter2",
        },
        {
            "id": "Steps",
            "type": "EmrActivity",
            "step": "command-runner.jar,hive-script,--hive-versions,0.11,-f,s3://b/q",
            "runsOn": {"ref": "Cluster"},
            "dependsOn": {"ref": "Work"},
            **changes,
        },
    ]
    return {"objects": objects}


@pytest.fixture(scope="module")
def conversion(tmp_path_factory):
    path = tmp_path_factory.mktemp("reports") / "nightly.json"
    path.write_text(json.dumps(_definition()))
    return convert_file(path, "nightly")


def test_graphs_have_every_object_and_every_task(conversion):
    report = conversion.report
    assert [one.id for one in report.before.nodes] == [
        one["id"] for one in _definition()["objects"]
    ]
    assert {(one.source, one.target, one.field) for one in report.before.edges} == {
        ("Machine", "Work", "runsOn"),
        ("In", "Work", "input"),
        ("Cluster", "Steps", "runsOn"),
        ("Work", "Steps", "dependsOn"),
    }
    assert [one.id for one in report.after.nodes] == [one.task_id for one in report.tasks]
    kinds = {one.id: one.kind.value for one in report.after.nodes}
    assert kinds["machine"] == "setup"
    assert kinds["machine_terminate"] == "teardown"
    ends = {(one.source, one.target) for one in report.after.edges}
    assert ("machine", "machine_terminate") in ends


def test_what_can_not_be_launched_has_a_proposal(conversion):
    found = {(one.object_id, one.field): one for one in conversion.report.retired}
    assert found.keys() == {
        ("Machine", "instanceType"),
        ("Machine", "imageId"),
        ("Machine", "securityGroups"),
        ("Cluster", "amiVersion"),
        ("Cluster", "hadoopVersion"),
        ("Cluster", "masterInstanceType"),
        ("Cluster", "coreInstanceType"),
        ("Steps", "step"),
    }
    assert found["Cluster", "amiVersion"].gone
    assert found["Cluster", "amiVersion"].value == "2.4.2"
    assert "m5.2xlarge" in found["Cluster", "masterInstanceType"].proposal
    # EMR takes nothing as small as the successor of an m1.small.
    assert "m5.xlarge" in found["Cluster", "coreInstanceType"].proposal
    assert "t3.small" in found["Machine", "instanceType"].proposal


@pytest.mark.parametrize("text", ["#{*mySize}", "#{mySize}", "#{myOther}", "m1.#{mySize}"])
def test_no_secret_is_evaluated_for_the_report(tmp_path, text):
    document = _definition()
    document["objects"][0]["myOther"] = "#{*mySize}"
    document["objects"][1]["instanceType"] = text
    document["parameters"] = [{"id": "*mySize", "type": "String", "default": "m1.hunter2"}]
    path = tmp_path / "secret.json"
    path.write_text(json.dumps(document))
    overview = overview_of([convert_file(path, "secret")])
    for view in (overview.to_json(), overview.to_markdown(), page(overview)):
        assert "m1.hunter2" not in view
    found = {(one.object_id, one.field) for one in overview.pipelines[0].retired}
    assert ("Machine", "instanceType") not in found
    assert ("Cluster", "coreInstanceType") in found


def _account(object_id, status, note):
    return FieldAccount(
        object_id=object_id, object_type="-", field="f", value="", status=status, note=note
    )


def test_effort_counts_each_thing_once():
    fields = [
        _account("A", Status.NEEDS_DECISION, "choose"),
        _account("A", Status.NEEDS_DECISION, "choose"),
        _account("B", Status.NEEDS_DECISION, "choose"),
        _account("Placeholder", Status.NEEDS_DECISION, "the task fails"),
        _account("A", Status.APPROXIMATED, "a little later"),
        _account("B", Status.APPROXIMATED, "a little later"),
        _account("A", Status.DROPPED, "gone"),
    ]
    parameters = [
        ParameterAccount(
            id=name, type="String", value="-", status=Status.NEEDS_DECISION, note="decide"
        )
        for name in ("*mySecret", "myOfPlaceholder", "myUnused")
    ]
    used = {"mySecret": [("A", "f")], "myOfPlaceholder": [("Placeholder", "f")]}
    effort = effort_of(fields, parameters, ["Placeholder", "Placeholder"], used)
    assert effort == Effort(tasks_to_write=2, decisions=4, checks=1)
    assert effort.points == 5 * 2 + 2 * 4 + 1


@pytest.mark.parametrize(
    ("effort", "errors", "stage"),
    [
        (Effort(), False, Stage.READY),
        (Effort(checks=1), False, Stage.CHECK),
        (Effort(checks=1, decisions=1), False, Stage.DECIDE),
        (Effort(tasks_to_write=1, decisions=1), False, Stage.WRITE),
        (Effort(), True, Stage.MEND),
    ],
)
def test_stages(effort, errors, stage):
    assert stage_of(effort, has_errors=errors) is stage


def test_a_hundred_per_cent_means_all():
    accounts = [_account("A", Status.CARRIED_OVER, "")] * 9999
    coverage = coverage_of((*accounts, _account("A", Status.NEEDS_DECISION, "")))
    assert coverage.settled_percent == 99.9
    assert (Coverage() + coverage_of(tuple(accounts))).kept_percent == 100
    assert Coverage().kept_percent == 100


def test_totals_count_a_pipeline_of_several_dags_once(conversion, tmp_path):
    report = conversion.report
    other = report.model_copy(update={"dag_id": "nightly_b"})
    finding = Finding(severity=Severity.ERROR, message="no JSON", file=str(tmp_path / "bad.json"))
    overview = overview_of(
        [
            conversion,
            Conversion(conversion.path, "nightly_b", (), "text", other),
            Conversion(tmp_path / "bad.json", "bad", (finding,)),
        ]
    )
    totals = overview.totals
    assert (totals.pipelines, totals.dags, totals.unconverted) == (1, 2, 1)
    assert totals.coverage == report.coverage
    assert totals.activity_coverage == report.activity_coverage
    assert totals.effort.points == 2 * report.effort.points
    assert totals.errors == 1
    assert sum(totals.stages.values()) == 3
    assert str(tmp_path) not in overview.to_json()
    assert {one.object_type for one in overview.types} >= {"EmrCluster", "Ec2Resource", "-"}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def _parsed(html):
    tags = _Tags()
    tags.feed(html)
    return tags


def test_page_shows_what_stands_in_a_definition_as_text(conversion):
    html = page(overview_of([conversion]))
    tags = _parsed(html)
    assert [tag for tag, _ in tags.found].count("script") == 1
    assert any(_NASTY in text for text in tags.text)
    assert "hunter2" not in html
    links = {attrs[name] for _, attrs in tags.found for name in ("href", "src") if name in attrs}
    assert links == {"#p0"}
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}
    # A script that a definition smuggles in would not run either.
    policy = next(attrs["content"] for tag, attrs in tags.found if "http-equiv" in attrs)
    assert "script-src 'sha256-" in policy
    assert "default-src 'none'" in policy


def test_page_draws_every_node(conversion):
    tags = _parsed(page(overview_of([conversion])))
    report = conversion.report
    shapes = [attrs for tag, attrs in tags.found if tag == "rect"]
    assert len(shapes) == len(report.before.nodes) + len(report.after.nodes)


def _graph(*edges):
    nodes = sorted({end for edge in edges for end in edge})
    return Graph(
        nodes=tuple(Node(id=one, label=one, detail="", kind=NodeKind.TASK) for one in nodes),
        edges=tuple(Edge(source=one, target=two, field="waits for") for one, two in edges),
    )


def test_arrows_that_others_imply_are_left_out():
    graph = _graph("ab", "bc", "ac", "ad", "cd")
    drawn = without_detours(graph)
    assert [(one.source, one.target) for one in drawn.edges] == [("a", "b"), ("b", "c"), ("c", "d")]
    circle = _graph("ab", "ba", "bc")
    assert without_detours(circle) == circle


def test_the_same_definition_gives_the_same_bytes(conversion):
    again = convert_file(conversion.path, "nightly")
    first, second = overview_of([conversion]), overview_of([again])
    assert page(first) == page(second)
    assert first.to_json() == second.to_json()
    assert first.to_markdown() == second.to_markdown()


def test_files_of_the_report_over_all(conversion, tmp_path):
    overview = overview_of([conversion])
    assert write_overview(tmp_path / "reports", overview) == tmp_path / "reports" / "index.html"
    names = {path.name for path in (tmp_path / "reports").iterdir()}
    assert names == {"index.html", "index.md", "report.json"}
    document = json.loads((tmp_path / "reports" / "report.json").read_text())
    assert document["format"] == 1
    assert document["pipelines"][0]["dag_id"] == "nightly"
    assert document["totals"]["effort"]["points"] == conversion.report.effort.points


@pytest.mark.parametrize("dag_id", ["index", "report", "Index", "REPORT"])
def test_no_dag_takes_the_place_of_the_report_over_all(dag_id):
    names = {report_file_name(dag_id, suffix).casefold() for suffix in (".md", ".json")}
    assert not names & {"index.md", "report.json", "index.html"}
    assert report_file_name("nightly", ".md") == "nightly.md"


def test_markdown_holds_no_markup_of_a_definition(conversion):
    assert re.search(r"(?<!\\)<script", conversion.report.to_markdown()) is None


def test_large_and_odd_definitions_are_drawn(tmp_path):
    names = ["<b>&\"'", "データ" * 20, "a\u202eb", "x" * 300, "line\nbreak"]
    objects = [{"id": "Default", "scheduleType": "ondemand"}]
    objects += [
        {
            "id": f"A{number}",
            "name": names[number % len(names)],
            "type": "ShellCommandActivity",
            "command": "true",
            "workerGroup": "own",
            **({"dependsOn": {"ref": f"A{number - 7}"}} if number >= 7 else {}),
        }
        for number in range(200)
    ]
    path = Path(tmp_path / "odd.json")
    path.write_text(json.dumps({"objects": objects}))
    conversions = convert_all([path], None, Given(), lambda _: None)
    assert not conversions[0].failed
    tags = _parsed(page(overview_of(conversions)))
    shapes = [attrs for tag, attrs in tags.found if tag == "rect"]
    assert len(shapes) == 201 + 200
    assert max(float(one["width"]) for one in shapes) <= 250


def _keys(value):
    if isinstance(value, dict):
        for name, one in value.items():
            yield name
            # These are words, not names of members.
            if name not in {"counts", "stages"}:
                yield from _keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from _keys(one)


def test_every_key_is_documented(conversion):
    text = (Path(__file__).parents[4] / "docs" / "migration-report.md").read_text("utf-8")
    documented = set(re.findall(r"`(\w+)`", text[text.index("## `report.json`") :]))
    written = set(_keys(json.loads(overview_of([conversion]).to_json())))
    assert written <= documented
