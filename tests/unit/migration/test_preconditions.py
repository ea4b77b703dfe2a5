"""Preconditions: which sensor looks at what, how long, and what it goes before and after."""

from itertools import pairwise

import pytest

from updraft.migration.ledger import Status

_KEY = {"id": "P", "type": "S3KeyExists", "role": "r", "s3Key": "s3://bucket/flag"}


def _guard(definition, *preconditions, node="Backup"):
    definition.add(*preconditions)
    definition.item(node)["precondition"] = [{"ref": one["id"]} for one in preconditions]


def _edges(conversion):
    chains = [line.strip().split(" >> ") for line in conversion.dag_source.splitlines()]
    return [f"{one} >> {other}" for chain in chains for one, other in pairwise(chain)]


@pytest.mark.parametrize(
    ("precondition", "expected"),
    [
        (
            _KEY,
            {"operator": "S3KeySensor", "bucket_key": "s3://bucket/flag", "deferrable": True},
        ),
        (
            {**_KEY, "s3Key": "s3://bucket/a?b/#{myTable}"},
            {
                "operator": "S3KeySensor",
                "bucket_name": "bucket",
                "bucket_key": "a?b/{{ params.myTable }}",
                "deferrable": True,
            },
        ),
        (
            {"type": "S3PrefixNotEmpty", "role": "r", "s3Prefix": "s3://bucket/day=1"},
            {"operator": "S3PrefixNotEmptySensor", "s3_uri": "s3://bucket/day=1"},
        ),
        (
            {"type": "DynamoDBTableExists", "role": "r", "tableName": "#{node.tableName}"},
            {
                "operator": "DynamoDBTableExistsSensor",
                "table_name": "{{ params.myTable }}",
                "region_name": "eu-west-3",
            },
        ),
        (
            {"type": "DynamoDBDataExists", "role": "r", "tableName": "orders"},
            {
                "operator": "DynamoDBDataExistsSensor",
                "table_name": "orders",
                "region_name": "eu-west-3",
            },
        ),
    ],
)
def test_what_is_looked_at(definition, tasks_of, statuses_of, precondition, expected):
    definition.item("Table")["region"] = "eu-west-3"
    _guard(definition, {**precondition, "id": "P", "preconditionTimeout": "3 hours"}, node="Table")
    conversion = definition.convert_cleanly()
    waits = {"poke_interval": "timedelta(minutes=10)", "timeout": "timedelta(hours=3)"}
    assert tasks_of(conversion)["p"] == expected | waits
    assert _edges(conversion) == ["p >> export_activity"]
    statuses = statuses_of(conversion)
    assert statuses["P", "type"][0] is Status.CARRIED_OVER
    assert statuses["P", "role"][0] is Status.DROPPED
    assert statuses["P", "preconditionTimeout"] == (Status.CARRIED_OVER, "`timeout`")


def test_how_often_and_how_long(definition, tasks_of, statuses_of):
    definition.item("Default")["retryDelay"] = "7 minutes"
    own = {"retryDelay": "2 minutes", "maximumRetries": "4", "attemptTimeout": "1 hour"}
    _guard(definition, _KEY, {**_KEY, "id": "Q", **own}, node="Table")
    conversion = definition.convert_cleanly()
    tasks = tasks_of(conversion)
    assert tasks["p"]["poke_interval"] == "timedelta(minutes=7)"
    assert tasks["p"]["timeout"] == "timedelta(days=7)"
    assert "retries" not in tasks["p"]
    assert tasks["q"]["poke_interval"] == "timedelta(minutes=2)"
    assert "retry_delay" not in tasks["q"]
    assert tasks["q"]["retries"] == 4
    assert "execution_timeout" not in tasks["q"]
    statuses = statuses_of(conversion)
    assert "waited for ever" in statuses["P", "type"][1]
    assert statuses["Q", "maximumRetries"][0] is Status.APPROXIMATED
    assert statuses["Q", "attemptTimeout"][0] is Status.DROPPED


def test_a_time_that_is_not_fixed_is_decided_by_people(definition, statuses_of):
    _guard(definition, {**_KEY, "preconditionTimeout": "#{myTable}"}, node="Table")
    status, note = statuses_of(definition.convert_cleanly())["P", "preconditionTimeout"]
    assert status is Status.NEEDS_DECISION
    assert "7 days" in note


@pytest.mark.parametrize(
    ("path", "looked_at"),
    [
        ({"filePath": "s3://bucket/file"}, {"bucket_key": "s3://bucket/file", "deferrable": True}),
        ({"directoryPath": "s3://bucket/dir"}, {"s3_uri": "s3://bucket/dir/"}),
        ({"directoryPath": "s3://bucket/dir/"}, {"s3_uri": "s3://bucket/dir/"}),
        ({"directoryPath": "#{myBackup}"}, {"s3_uri": "{{ params.myBackup.rstrip('/') }}/"}),
    ],
)
def test_exists_looks_for_its_data_node(definition, tasks_of, path, looked_at):
    definition.add({"id": "There", "type": "Exists"}, {"id": "In", "type": "S3DataNode", **path})
    definition.item("In")["precondition"] = {"ref": "There"}
    definition.item("ExportActivity")["dependsOn"] = {"ref": "In"}
    task = tasks_of(definition.convert_cleanly())["there"]
    assert looked_at.items() <= task.items()


def test_exists_looks_for_a_table_in_its_database(definition, tasks_of, statuses_of):
    definition.add(
        {"id": "There", "type": "Exists", "preconditionTimeout": "1 hour"},
        {
            "id": "Warehouse DB",
            "type": "RedshiftDatabase",
            "clusterId": "c",
            "username": "u",
            "*password": "#{*mySecret}",
        },
        {
            "id": "Rows",
            "type": "RedshiftDataNode",
            "database": {"ref": "Warehouse DB"},
            "tableName": "events",
            "schemaName": "#{myTable}",
            "precondition": {"ref": "There"},
        },
    )
    definition.document["parameters"].append({"id": "*mySecret", "type": "String"})
    definition.item("ExportActivity")["dependsOn"] = {"ref": "Rows"}
    conversion = definition.convert()
    task = tasks_of(conversion)["there"]
    assert task["conn_id"] == "warehouse_db"
    assert task["mode"] == "reschedule"
    assert task["parameters"] == ["events", "{{ params.myTable }}"]
    statuses = statuses_of(conversion)
    assert statuses["There", "type"][0] is Status.APPROXIMATED
    assert statuses["Warehouse DB", "clusterId"] == (
        Status.CARRIED_OVER,
        "goes into the connection `warehouse_db`",
    )
    assert statuses["Warehouse DB", "*password"][0] is Status.NEEDS_DECISION
    assert statuses["Rows", "database"][0] is Status.CARRIED_OVER


@pytest.mark.parametrize(
    ("precondition", "node", "words"),
    [
        ({"type": "Exists"}, "Table", "DynamoDBTableExists or DynamoDBDataExists"),
        ({"type": "Exists"}, "ExportActivity", "ExportActivity is none"),
        ({**_KEY, "s3Key": "s3://b/#{node.@actualStartTime}"}, "Table", "before it runs"),
        ({**_KEY, "s3Key": "s3://b/#{*mySecret}"}, "Table", "secret"),
        (
            {"type": "ShellCommandPrecondition", "command": "x #{node.@actualStartTime}"},
            "Table",
            "not known before it runs",
        ),
    ],
)
def test_what_can_not_be_looked_at_is_a_placeholder(
    definition, precondition, node, words, tasks_of
):
    definition.document["parameters"].append({"id": "*mySecret", "type": "String"})
    _guard(definition, {**precondition, "id": "P"}, node=node)
    conversion = definition.convert()
    (task,) = [one for one in conversion.report.tasks if one.object_id == "P"]
    assert not task.migrated
    assert words in tasks_of(conversion)["p"]["reason"]
    assert "p >> export_activity" in _edges(conversion)


def test_what_guards_nothing_is_left_out(definition, statuses_of):
    definition.add(_KEY, {**_KEY, "id": "Q", "type": "ShellCommandPrecondition", "command": "x"})
    conversion = definition.convert()
    assert [task.object_id for task in conversion.report.tasks] == ["ExportActivity"]
    for object_id in ("P", "Q"):
        assert statuses_of(conversion)[object_id, "type"] == (
            Status.DROPPED,
            "nothing waits for it",
        )


def test_one_look_serves_all_that_wait_for_the_same(definition, tasks_of):
    definition.item("ExportActivity")["precondition"] = {"ref": "P"}
    _guard(definition, _KEY, node="Table")
    conversion = definition.convert_cleanly()
    assert set(tasks_of(conversion)) == {"export_activity", "p"}


def test_what_is_written_first_is_looked_at_afterwards(definition, tasks_of):
    """A shared precondition becomes one sensor for each data node it asks for."""
    definition.add(
        {"id": "Ready", "type": "S3PrefixNotEmpty", "role": "r", "s3Prefix": "#{node.myPath}"},
        {"id": "In", "type": "S3DataNode", "directoryPath": "s3://b/in", "myPath": "s3://b/in/"},
        {
            "id": "Second",
            "type": "EmrActivity",
            "runsOn": {"ref": "Cluster"},
            "input": {"ref": "Backup"},
            "step": "s3://b/x.jar",
        },
    )
    definition.item("Backup")["myPath"] = "#{directoryPath}/"
    for node in ("In", "Backup"):
        definition.item(node)["precondition"] = {"ref": "Ready"}
    definition.item("ExportActivity")["dependsOn"] = {"ref": "In"}
    conversion = definition.convert_cleanly()
    tasks = tasks_of(conversion)
    assert tasks["ready_in"]["s3_uri"] == "s3://b/in/"
    assert tasks["ready_backup"]["s3_uri"].startswith("{{ params.myBackup }}/")
    edges = _edges(conversion)
    assert "ready_in >> export_activity" in edges
    assert "export_activity >> ready_backup" in edges
    assert any("ready_backup" in edge and edge.endswith(">> cluster") for edge in edges)


def test_a_placeholder_stands_where_its_sensor_would(definition):
    _guard(definition, {"id": "P", "type": "ShellCommandPrecondition", "command": "#{*mySecret}"})
    definition.document["parameters"].append({"id": "*mySecret", "type": "String"})
    assert "export_activity >> p" in _edges(definition.convert())
    definition.item("Table")["precondition"] = {"ref": "P"}
    assert _edges(definition.convert()) == ["p >> export_activity"]


def test_who_reads_what_it_writes_waits_before(definition):
    definition.item("ExportActivity")["input"] = [{"ref": "Table"}, {"ref": "Backup"}]
    _guard(definition, _KEY, node="Backup")
    conversion = definition.convert()
    assert [
        one.message for one in conversion.findings if "wait for one another" in one.message
    ] == []
