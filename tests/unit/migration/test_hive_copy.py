"""HiveCopyActivity: what copies whole items becomes tasks, all else a placeholder with reason."""

import ast
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.datapipeline.findings import Severity
from updraft.migration.conversion import convert_file
from updraft.migration.ledger import Status


@pytest.fixture
def copying(definition):
    """Let Hive do the export of the shared definition."""
    activity = definition.item("ExportActivity")
    del activity["step"]
    activity.update(id="CopyActivity", type="HiveCopyActivity")
    definition.add({"id": "Whole", "type": "DynamoDBExportDataFormat", "column": "id STRING"})
    for name in ("Table", "Backup"):
        definition.item(name)["dataFormat"] = {"ref": "Whole"}
    definition.item("Table")["region"] = "us-west-2"
    return definition


@pytest.fixture
def between_tables(copying):
    """Let Hive copy from one table to another."""
    copying.item("CopyActivity")["output"] = {"ref": "Target"}
    copying.add(
        {
            "id": "Target",
            "type": "DynamoDBDataNode",
            "tableName": "copy",
            "region": "ap-south-1",
            "dataFormat": {"ref": "Whole"},
        }
    )
    copying.document["objects"].remove(copying.item("Backup"))
    return copying


@pytest.mark.parametrize("selected", ["*", "item"])
def test_a_script_that_copies_whole_items(copying, tasks_of, statuses_of, selected):
    by_the_service = tasks_of(copying.convert_cleanly())
    script = f" insert overwrite TABLE ${{output1}}\nselect {selected} from ${{input1}};"
    copying.item("CopyActivity").update(type="HiveActivity", hiveScript=script, stage="true")
    conversion = copying.convert_cleanly()
    assert tasks_of(conversion) == by_the_service
    statuses = statuses_of(conversion)
    assert statuses["CopyActivity", "hiveScript"][0] is Status.EQUIVALENT
    assert statuses["CopyActivity", "stage"][0] is Status.EQUIVALENT


@pytest.mark.parametrize(
    "change",
    [
        {"hiveScript": "INSERT OVERWRITE TABLE ${output1} SELECT * FROM ${input1} WHERE id > 'm'"},
        {"scriptVariable": "a=b"},
        {"stage": "false"},
    ],
)
def test_a_script_that_does_more_than_copy(copying, tasks_of, change):
    script = "INSERT OVERWRITE TABLE ${output1} SELECT * FROM ${input1}"
    copying.item("CopyActivity").update(type="HiveActivity", hiveScript=script)
    copying.item("CopyActivity").update(change)
    operators = {task["operator"] for task in tasks_of(copying.convert()).values()}
    assert "DynamoDBExportOperator" not in operators


def test_from_a_table_to_s3(copying, tasks_of, statuses_of):
    conversion = copying.convert_cleanly()
    assert tasks_of(conversion) == {
        "copy_activity": {
            "operator": "DynamoDBExportOperator",
            "table_name": "{{ params.myTable }}",
            "s3_uri": "{{ params.myBackup }}/{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
            "read_throughput_ratio": 0.5,
            "region_name": "us-west-2",
        }
    }
    statuses = statuses_of(conversion)
    assert statuses["Table", "region"][0] is Status.CARRIED_OVER
    assert statuses["Cluster", "region"][0] is Status.DROPPED
    assert statuses["Whole", "column"][0] is Status.DROPPED
    status, note = statuses["CopyActivity", "output"]
    assert status is Status.APPROXIMATED
    assert "JSON lines with a `manifest`" in note
    assert Status.NEEDS_DECISION not in {one for one, _ in statuses.values()}


def test_from_s3_to_a_table(copying, tasks_of, statuses_of):
    copying.item("CopyActivity").update(input={"ref": "Backup"}, output={"ref": "Table"})
    conversion = copying.convert_cleanly()
    task = tasks_of(conversion)["copy_activity"]
    assert task["operator"] == "DynamoDBImportOperator"
    assert task["import_format"] == "DATA_PIPELINE"
    assert task["write_throughput_ratio"] == 0.5  # the node sets only the share to read
    assert "0.5 of the write capacity" in statuses_of(conversion)["CopyActivity", "type"][1]


def test_from_table_to_table_goes_through_s3(between_tables, tasks_of, statuses_of):
    conversion = between_tables.convert()
    s3_uri = (
        "{{ params.staging_s3_uri }}/copy_activity/"
        "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}"
    )
    assert tasks_of(conversion) == {
        "copy_activity_export": {
            "operator": "DynamoDBExportOperator",
            "table_name": "{{ params.myTable }}",
            "s3_uri": s3_uri,
            "read_throughput_ratio": 0.5,
            "region_name": "us-west-2",
        },
        "copy_activity_import": {
            "operator": "DynamoDBImportOperator",
            "s3_uri": s3_uri,
            "table_name": "copy",
            "write_throughput_ratio": 0.5,
            "import_format": "DATA_PIPELINE",
            "region_name": "ap-south-1",
        },
    }
    assert "    copy_activity_export >> copy_activity_import\n" in conversion.dag_source
    (warning,) = conversion.findings
    assert warning.severity is Severity.WARNING
    assert "goes through S3" in warning.message
    added = conversion.report.parameters[-1]
    assert (added.id, added.status) == ("staging_s3_uri", Status.NEEDS_DECISION)
    assert statuses_of(conversion)["Table", "tableName"][1].endswith("`copy_activity_export`")
    assert statuses_of(conversion)["Target", "tableName"][1].endswith("`copy_activity_import`")
    assert "the files between them stay" in statuses_of(conversion)["CopyActivity", "type"][1]


def test_others_wait_for_the_last_of_both_tasks(between_tables):
    between_tables.add(
        {"id": "Ready", "type": "DynamoDBTableExists", "tableName": "t"},
        {
            "id": "After",
            "type": "ShellCommandActivity",
            "command": "ls",
            "workerGroup": "w",
            "dependsOn": {"ref": "CopyActivity"},
        },
    )
    between_tables.item("Table")["precondition"] = {"ref": "Ready"}
    source = between_tables.convert().dag_source
    edges = [line.strip() for line in source.splitlines() if ">>" in line]
    assert edges == ["ready >> copy_activity_export >> copy_activity_import >> after"]


def test_the_form_has_one_field_for_all_copies_under_a_free_name(between_tables, tasks_of):
    between_tables.document["parameters"].append({"id": "staging_s3_uri", "type": "String"})
    second = dict(between_tables.item("CopyActivity"), id="Second")
    between_tables.add(second)
    conversion = between_tables.convert()
    assert conversion.dag_source.count('"staging_s3_uri_2": Param(') == 1
    tasks = tasks_of(conversion)
    assert len({task["s3_uri"] for task in tasks.values()}) == 2
    assert all("staging_s3_uri_2" in task["s3_uri"] for task in tasks.values())


@pytest.mark.parametrize(
    ("object_id", "change", "words"),
    [
        ("CopyActivity", {"input": []}, "a copy takes one input, here there are 0"),
        (
            "CopyActivity",
            {"output": [{"ref": "Backup"}, {"ref": "Table"}]},
            "a copy takes one output, here there are 2",
        ),
        (
            "CopyActivity",
            {"input": {"ref": "Backup"}},
            "a copy from S3DataNode to S3DataNode is none with a DynamoDB table",
        ),
        ("Table", {"dataFormat": []}, "Table has no DynamoDBExportDataFormat"),
        ("Backup", {"dataFormat": {"ref": "Columns"}}, "do not agree on whether whole items"),
        ("Backup", {"directoryPath": []}, "names no directory"),
    ],
)
def test_what_can_not_be_kept_is_a_placeholder(copying, object_id, change, words):
    copying.add(
        {"id": "Columns", "type": "DynamoDBDataFormat", "column": "id STRING"},
        {"id": "Script", "type": "ShellScriptConfig", "scriptUri": "s3://b/s"},
    )
    copying.item(object_id).update(change)
    conversion = copying.convert()
    notes = [one.note for one in conversion.report.fields if one.object_id == "CopyActivity"]
    assert any(words in note for note in notes), notes
    assert not any(
        task.migrated for task in conversion.report.tasks if task.object_type != "EmrCluster"
    )
    assert "staging_s3_uri" not in conversion.dag_source


def test_a_placeholder_between_tables_asks_for_no_prefix(between_tables):
    between_tables.item("Target")["tableName"] = "#{format(@scheduledStartTime, 'qq')}"
    conversion = between_tables.convert()
    assert not any(
        task.migrated for task in conversion.report.tasks if task.object_type != "EmrCluster"
    )
    assert "staging_s3_uri" not in conversion.dag_source


def test_a_ratio_out_of_bounds_is_an_error_at_its_node(copying):
    copying.item("Table")["readThroughputPercent"] = "7"
    conversion = copying.convert()
    (error,) = [one for one in conversion.findings if one.severity is Severity.ERROR]
    assert (error.object_id, error.field, error.value) == ("Table", "readThroughputPercent", "7")
    assert "0.1 to 1.0" in error.message
    assert "copy_activity" in conversion.placeholders


def test_an_export_that_always_goes_to_the_same_place_is_a_warning(copying):
    copying.item("Backup")["directoryPath"] = "s3://backups/orders"
    (warning,) = copying.convert().findings
    assert (warning.object_id, warning.field) == ("Backup", "directoryPath")
    assert warning.severity is Severity.WARNING


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_mutated_copies_end_in_a_dag_or_in_errors(between_tables, tmp_path, data):
    document = json.loads(json.dumps(between_tables.document))
    for _ in range(data.draw(st.integers(1, 3))):
        item = data.draw(st.sampled_from(document["objects"]))
        name = data.draw(st.sampled_from([*item, "region", "dataFormat", "input", "output"]))
        item[name] = data.draw(
            st.sampled_from(["", "#{", "#{myX}", None, 7, [], ["a", "b"], {"ref": "Table"}])
            | st.sampled_from([{"ref": "Whole"}, {"ref": "nobody"}, {"ref": "CopyActivity"}])
        )
    path = tmp_path / "mutated.json"
    path.write_text(json.dumps(document))
    conversion = convert_file(path, "mutated")
    ast.parse(conversion.dag_source or "")
    assert not conversion.failed
