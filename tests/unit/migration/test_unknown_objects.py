"""What has no known type must not vanish from the DAG."""

import pytest

from updraft.datapipeline.findings import Severity
from updraft.migration.ledger import Status

_ORDER = {"dependsOn": {"ref": "ExportActivity"}}


def _tasks(conversion):
    assert conversion.report is not None, conversion.findings
    return {one.object_id: one for one in conversion.report.tasks}


def _status(conversion, object_id, field):
    return next(
        one.status
        for one in conversion.report.fields
        if (one.object_id, one.field) == (object_id, field)
    )


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"type": "ShelCommandActivity", "command": "rm #{mySize}"}, "'ShellCommandActivity'"),
        ({"type": "QuantumActivity"}, "object reference"),
        ({"command": "rm #{mySize}"}, "Give it a type"),
        ({"scriptUri": "s3://a/b"}, "Give it a type"),
    ],
)
def test_an_unknown_object_is_a_failing_task_in_its_place(definition, extra, words):
    definition.add({"id": "Extra"} | extra | _ORDER)
    definition.document["parameters"].append({"id": "mySize", "type": "Integer"})
    conversion = definition.convert()
    task = _tasks(conversion)["Extra"]
    assert task.operator == "NotMigratedOperator"
    assert "export_activity >> extra" in conversion.dag_source
    (finding,) = conversion.findings
    assert (finding.severity, finding.object_id) == (Severity.WARNING, "Extra")
    assert words in finding.advice
    size = next(one for one in conversion.report.parameters if one.id == "mySize")
    assert (size.status is Status.DROPPED) == ("command" not in extra)
    for field in extra:
        assert _status(conversion, "Extra", field) is Status.NEEDS_DECISION


def test_a_definition_of_only_unknown_activities_is_no_empty_one(definition):
    definition.item("ExportActivity")["type"] = "QuantumActivity"
    conversion = definition.convert()
    assert not _tasks(conversion)["ExportActivity"].migrated
    assert {"ExportActivity", "Cluster"} <= _tasks(conversion).keys()


def test_what_runs_on_an_unknown_resource_waits_for_it(definition):
    definition.item("Cluster")["type"] = "EmrClster"
    conversion = definition.convert()
    assert "cluster >> export_activity" in conversion.dag_source
    assert _status(conversion, "ExportActivity", "runsOn") is Status.NEEDS_DECISION


def test_an_unknown_data_node_stands_between_its_writer_and_its_reader(definition):
    definition.item("Backup")["type"] = "S3DataNod"
    definition.add(
        {
            "id": "Reader",
            "type": "ShellCommandActivity",
            "command": "ls",
            "workerGroup": "w",
            "input": {"ref": "Backup"},
        }
    )
    conversion = definition.convert()
    assert "export_activity >> backup" in conversion.dag_source
    assert "backup >> reader" in conversion.dag_source
    assert _status(conversion, "ExportActivity", "output") is Status.NEEDS_DECISION


def test_what_only_describes_others_needs_a_decision_but_no_task(definition):
    definition.item("Cluster")["configuration"] = {"ref": "Settings"}
    definition.add({"id": "Settings", "type": "EmrConfig", "classification": "x"})
    conversion = definition.convert()
    assert "Settings" not in _tasks(conversion)
    assert _status(conversion, "Settings", "classification") is Status.NEEDS_DECISION
    assert _status(conversion, "Cluster", "configuration") is Status.NEEDS_DECISION


def test_an_abstract_parent_is_no_task(definition):
    definition.item("ExportActivity")["parent"] = {"ref": "Base"}
    del definition.item("ExportActivity")["runsOn"]
    definition.add({"id": "Base", "maximumRetries": "1", "runsOn": {"ref": "Cluster"}})
    conversion = definition.convert()
    assert conversion.findings == ()
    assert _tasks(conversion).keys() == {"ExportActivity"}
    assert _status(conversion, "Base", "maximumRetries") is Status.CARRIED_OVER


def test_only_a_comment_is_dropped(definition):
    definition.add({"id": "Note", "myComment": "made by hand"})
    conversion = definition.convert()
    assert "Note" not in _tasks(conversion)
    assert [one.object_id for one in conversion.findings] == ["Note"]
