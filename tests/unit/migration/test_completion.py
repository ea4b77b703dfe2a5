"""Definitions with errors: what they lack is a task that fails, the rest is converted."""

from itertools import pairwise

import pytest

from updraft.migration.ledger import Status

SHELL = {"id": "Shell", "type": "ShellCommandActivity", "command": "ls", "workerGroup": "w"}


_ROLES = {"input", "output"}


def _add_shell(definition, **fields):
    definition.add(SHELL | fields)
    return definition


def _edges(conversion):
    chains = [line.strip().split(" >> ") for line in conversion.dag_source.splitlines()]
    return [f"{one} >> {other}" for chain in chains for one, other in pairwise(chain)]


@pytest.mark.parametrize("field", ["dependsOn", "input", "precondition"])
def test_what_is_missing_fails_in_its_place(definition, field, tasks_of):
    conversion = _add_shell(definition, **{field: {"ref": "Nobody"}}).convert()
    tasks = tasks_of(conversion)
    assert conversion.placeholders == ("nobody",)
    assert tasks["nobody"]["reason"] == "the definition has no object with this id"
    assert tasks["shell"]["command"] == "ls"
    assert "nobody >> shell" in _edges(conversion)


def test_a_text_that_names_no_object_is_a_missing_object(definition):
    conversion = _add_shell(definition, dependsOn="Nobody").convert()
    assert conversion.placeholders == ("nobody",)


def test_a_command_waits_for_the_computer_that_nobody_describes(definition, tasks_of, statuses_of):
    _add_shell(definition, runsOn={"ref": "Machine"})
    del definition.document["objects"][-1]["workerGroup"]
    conversion = definition.convert()
    assert conversion.placeholders == ("machine",)
    assert tasks_of(conversion)["shell"]["instance_id"] == "machine.output"
    statuses = statuses_of(conversion)
    assert statuses["Shell", "command"][0] is Status.CARRIED_OVER
    assert statuses["Shell", "runsOn"][0] is Status.NEEDS_DECISION
    assert not any(object_id == "Machine" for object_id, _ in statuses)


def test_a_copy_that_needs_no_cluster_misses_none(definition):
    definition.item("ExportActivity")["runsOn"] = {"ref": "Gone"}
    assert definition.convert().placeholders == ()


def test_a_name_without_a_value_becomes_a_parameter(definition, tasks_of):
    conversion = _add_shell(definition, command="ls #{myUnknown}").convert()
    assert conversion.placeholders == ()
    assert tasks_of(conversion)["shell"]["command"] == "ls {{ params.myUnknown }}"
    (row,) = [one for one in conversion.report.parameters if one.id == "myUnknown"]
    assert row.status is Status.NEEDS_DECISION


def test_what_describes_an_activity_takes_it_along(definition, tasks_of):
    definition.add(
        {"id": "Sql", "type": "SqlActivity", "script": "x", "database": {"ref": "D"}},
        {"id": "D", "type": "RedshiftDatabase", "username": "u", "*password": "p"},
    )
    conversion = definition.convert()
    assert conversion.placeholders == ("sql",)
    reason = tasks_of(conversion)["sql"]["reason"]
    assert reason == "D.clusterId: RedshiftDatabase needs a field 'clusterId' or 'connectionString'"


def test_an_odd_setting_of_the_pipeline_breaks_no_activity(definition, statuses_of):
    definition.item("Default")["retryDelay"] = "soon"
    conversion = definition.convert()
    assert conversion.placeholders == ()
    assert statuses_of(conversion)["Default", "retryDelay"][0] is Status.NEEDS_DECISION


def test_objects_of_the_same_id_are_both_there(definition, tasks_of):
    definition.add(SHELL, SHELL | {"command": "rm"})
    conversion = definition.convert()
    assert conversion.placeholders == ("shell_2",)
    assert tasks_of(conversion)["shell"]["command"] == "ls"
    rows = [one.value for one in conversion.report.fields if one.field == "command"]
    assert rows == ["ls", "rm"]


def test_who_refers_to_one_of_two_objects_may_have_meant_either(definition):
    definition.add({"id": "Backup", "type": "S3DataNode", "directoryPath": "s3://other/p"})
    assert definition.convert().placeholders == ("export_activity",)


def test_a_parent_with_an_error_takes_its_heirs_along(definition):
    definition.add({"id": "Parent", "attemptTimeout": "soon"})
    _add_shell(definition, parent={"ref": "Parent"})
    assert definition.convert().placeholders == ("shell",)


def test_what_is_no_object_fails_under_its_place(definition):
    definition.add(7)
    assert definition.convert().placeholders == ("object_6",)


def test_an_object_without_id_goes_by_its_name(definition, tasks_of):
    definition.add({"name": "Shell", **{key: SHELL[key] for key in SHELL if key != "id"}})
    conversion = definition.convert()
    assert conversion.placeholders == ()
    assert "shell" in tasks_of(conversion)


def test_a_schedule_that_is_missing_is_not_guessed(definition):
    definition.item("Default").update(scheduleType="cron", schedule={"ref": "Nobody"})
    definition.add(
        {"id": "S", "type": "Schedule", "period": "1 day", "startDateTime": "2024-01-01T00:00:00"}
    )
    assert "schedule=None" in definition.convert().dag_source


def test_texts_have_the_times_of_the_schedule_that_is_decided_on(definition, tasks_of):
    definition.item("Default")["scheduleType"] = "cron"
    command = "ls #{@scheduledStartTime} #{@scheduledEndTime}"
    _add_shell(definition, command=command, schedule={"ref": "Nobody"})
    assert tasks_of(definition.convert())["shell"]["command"] == (
        "ls {{ data_interval_start.strftime('%Y-%m-%dT%H:%M:%S') }} "
        "{{ data_interval_end.strftime('%Y-%m-%dT%H:%M:%S') }}"
    )


def test_a_cluster_by_itself_is_made_and_ended(definition, tasks_of):
    definition.document["objects"] = [definition.item("Cluster")]
    definition.document["parameters"] = []
    assert set(tasks_of(definition.convert())) == {"cluster", "cluster_terminate"}


def test_a_value_that_does_not_fit_is_asked_for(definition):
    definition.document["parameters"].append({"id": "myN", "type": "Integer", "default": "many"})
    _add_shell(definition, command="ls #{myN}")
    conversion = definition.convert()
    (row,) = [one for one in conversion.report.parameters if one.id == "myN"]
    assert row.status is Status.NEEDS_DECISION
    assert conversion.dag_source.partition('"myN": Param(')[2].lstrip().startswith("type=")


def test_a_scheduled_dag_checks_what_nobody_has_given(definition, tasks_of):
    definition.item("Default").update(scheduleType="cron", schedule={"ref": "S"})
    definition.add(
        {"id": "S", "type": "Schedule", "period": "1 day", "startDateTime": "2024-01-01T00:00:00"}
    )
    conversion = definition.convert()
    tasks = tasks_of(conversion)
    assert tasks["check_parameters"]["names"] == ["myTable", "myBackup"]
    assert _edges(conversion) == ["check_parameters >> export_activity"]
    assert 'type=["null", "string"]' in conversion.dag_source


def _copy(definition, object_type, object_id, source, target, **fields):
    definition.document["objects"] = [
        {"id": "Default", "scheduleType": "ondemand"},
        {
            "id": object_id,
            "type": object_type,
            "input": {"ref": source},
            "output": {"ref": target},
            "runsOn": {"ref": "Machine"},
            **fields,
        },
    ]
    definition.document["parameters"] = []


@pytest.mark.parametrize(
    ("object_id", "source", "target"),
    [
        ("Load", "MyS3DataNode", "RedshiftDataNodeId1"),
        ("S3ToRedshift", "In", "Out"),
        ("Load_s3_to_Redshift", "In", "Out"),
    ],
)
def test_a_load_keeps_all_but_the_data_that_nobody_describes(
    definition, tasks_of, object_id, source, target
):
    _copy(definition, "RedshiftCopyActivity", object_id, source, target, insertMode="TRUNCATE")
    definition.item(object_id)["commandOptions"] = ["EMPTYASNULL"]
    conversion = definition.convert()
    tasks = {one["operator"]: one for one in tasks_of(conversion).values()}
    assert tasks["RedshiftCopyOperator"] == {
        "operator": "RedshiftCopyOperator",
        "cluster_identifier": f"{{{{ params.my_{target}_database_clusterId }}}}",
        "database": f"{{{{ params.my_{target}_database_databaseName }}}}",
        "db_user": f"{{{{ params.my_{target}_database_username }}}}",
        "table": f"{{{{ params.my_{target}_tableName }}}}",
        "s3_uri": f"{{{{ params.my_{source}_filePath }}}}",
        "iam_role": "default",
        "insert_mode": "TRUNCATE",
        "copy_options": ["EMPTYASNULL"],
    }
    assert len(conversion.placeholders) == 2
    statuses = {
        one.field: one.status for one in conversion.report.fields if one.object_id == object_id
    }
    assert statuses["input"] is statuses["output"] is Status.NEEDS_DECISION
    assert statuses["insertMode"] is statuses["commandOptions"] is Status.CARRIED_OVER
    asked = [one for one in conversion.report.parameters if one.id == f"my_{source}_filePath"]
    assert [one.status for one in asked] == [Status.NEEDS_DECISION]
    assert f"the definition has no {source}" in asked[0].note


def test_files_that_nobody_describes_are_copied_from_where_the_form_says(definition, tasks_of):
    _copy(definition, "CopyActivity", "Copy", "s3nodeOne", "s3nodeTwo")
    definition.document["parameters"] = [{"id": "my_s3nodeTwo_filePath", "type": "String"}]
    conversion = definition.convert()
    assert tasks_of(conversion)["copy"] == {
        "operator": "CopyS3ToS3Operator",
        "source_s3_uri": "{{ params.my_s3nodeOne_filePath }}",
        "dest_s3_uri": "{{ params.my_s3nodeTwo_filePath_2 }}",
    }
    assert "s3node_one >> copy >> s3node_two" in conversion.dag_source


@pytest.mark.parametrize(
    ("object_type", "source", "target"),
    [
        ("CopyActivity", "InputData", "OutputData"),
        ("CopyActivity", "MyMySqlTable", "MyS3Files"),
        ("RedshiftCopyActivity", "S3OrRedshift", "Redshift"),
    ],
)
def test_data_whose_name_says_nothing_are_not_guessed(definition, object_type, source, target):
    _copy(definition, object_type, "Move", source, target, insertMode="APPEND")
    assert "move" in definition.convert().placeholders


def test_a_format_that_is_missing_stops_those_only_who_read_it(definition, tasks_of, statuses_of):
    node = {"id": "Files", "type": "S3DataNode", "filePath": "s3://bkt/a"}
    definition.add(node | {"dataFormat": {"ref": "Gone"}}, node | {"id": "Others"})
    _add_shell(definition, input={"ref": "Files"})
    definition.add(
        {
            "id": "Copy",
            "type": "CopyActivity",
            "workerGroup": "w",
            "input": {"ref": "Files"},
            "output": {"ref": "Others"},
        }
    )
    conversion = definition.convert()
    assert conversion.placeholders == ("copy",)
    assert tasks_of(conversion)["shell"]["command"] == "ls"
    assert statuses_of(conversion)["Files", "dataFormat"][0] is Status.NEEDS_DECISION
    definition.document["objects"].pop()
    conversion = definition.convert()
    assert conversion.placeholders == ()
    assert statuses_of(conversion)["Files", "dataFormat"] == (
        Status.NEEDS_DECISION,
        "refers to Gone, and the definition has no such object",
    )


def test_a_copy_waits_for_a_format_that_only_its_name_tells(definition, tasks_of):
    node = {"id": "s3In", "type": "S3DataNode", "filePath": "s3://bkt/a"}
    _copy(definition, "CopyActivity", "Copy", "s3In", "s3Out")
    definition.add(node | {"dataFormat": {"ref": "CSVId1"}})
    definition.add(node | {"id": "s3Out", "dataFormat": {"ref": "Lines"}})
    definition.add({"id": "Lines", "type": "TSV"})
    conversion = definition.convert()
    assert conversion.placeholders == ("csv_id1",)
    task = tasks_of(conversion)["copy"]
    assert (task["source_format"], task["dest_format"]) == ("csv", "tsv")
    assert "csv_id1 >> copy" in _edges(conversion)


@pytest.mark.parametrize("described", [True, False])
def test_a_script_of_hive_takes_tables_in_the_place_of_what_is_missing(
    definition, tasks_of, described
):
    node = {"id": "In", "type": "S3DataNode", "directoryPath": "s3://bkt/a"}
    definition.document["objects"] = [
        {"id": "Default", "scheduleType": "ondemand"},
        {
            "id": "Hive",
            "type": "HiveActivity",
            "hiveScript": "INSERT INTO ${output1} SELECT * FROM ${input1}, ${INPUT2};",
            "input": [{"ref": "In"}, {"ref": "My-In"}],
            "output": {"ref": "Out"},
            "runsOn": {"ref": "Cluster"},
        },
        {"id": "Cluster", "type": "EmrCluster", "releaseLabel": "emr-7.9.0"},
        node | ({"dataFormat": {"ref": "Lines"}} if described else {}),
        {"id": "Lines", "type": "CSV", "column": "a STRING"},
    ]
    definition.document["parameters"] = []
    conversion = definition.convert()
    assert conversion.placeholders == (("my_in", "out") if described else ("my_in", "hive", "out"))
    if described:
        arguments = tasks_of(conversion)["hive"]["steps"][0]["HadoopJarStep"]["Args"]
        variables = [one for one in arguments if one.partition("=")[0].casefold()[:-1] in _ROLES]
        assert variables[1:] == [
            "output1={{ params.my_Out_table }}",
            "INPUT2={{ params.my_My_In_table }}",
        ]
