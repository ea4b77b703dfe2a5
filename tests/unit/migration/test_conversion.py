"""Whole conversions: what becomes a task, what a placeholder, and the account of every field."""

import ast
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.model import ParameterValue
from updraft.errors import UpdraftError
from updraft.migration.batch import check_all
from updraft.migration.conversion import convert_file
from updraft.migration.ledger import Status


def _statuses(conversion):
    return {(one.object_id, one.field): one.status for one in conversion.report.fields}


def _errors(conversion):
    return [one for one in conversion.findings if one.severity is Severity.ERROR]


def _parameter(conversion, name):
    return next(one for one in conversion.report.parameters if one.id == name)


def _value(name, value):
    return ParameterValue(id=name, values=(value,), source="--set")


def _calls(source):
    return {
        ast.literal_eval(keywords["task_id"]): keywords
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and "task_id" in (keywords := {one.arg: one.value for one in node.keywords})
    }


def test_the_console_template_becomes_an_export(definition):
    conversion = definition.convert()
    assert conversion.findings == ()
    arguments = _calls(conversion.dag_source)["export_activity"]
    assert {name: ast.literal_eval(value) for name, value in arguments.items()} == {
        "task_id": "export_activity",
        "table_name": "{{ params.myTable }}",
        "s3_uri": "{{ params.myBackup }}/{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
        "read_throughput_ratio": 0.5,
        "region_name": "eu-west-1",
    }
    statuses = _statuses(conversion)
    assert statuses["Table", "tableName"] is Status.CARRIED_OVER
    assert statuses["Backup", "directoryPath"] is Status.CARRIED_OVER
    assert statuses["Cluster", "coreInstanceCount"] is Status.DROPPED
    assert statuses["Cluster", "region"] is Status.CARRIED_OVER
    assert Status.NEEDS_DECISION not in statuses.values()


def test_every_field_is_accounted_for(definition):
    definition.add(
        {"id": "Alarm", "type": "SnsAlarm", "topicArn": "t", "subject": "s", "message": "m"}
    )
    definition.item("ExportActivity")["onFail"] = {"ref": "Alarm"}
    conversion = definition.convert()
    statuses = _statuses(conversion)
    written = {
        (one["id"], name)
        for one in definition.document["objects"]
        for name in one
        if name not in {"id", "name"}
    }
    assert statuses.keys() == written
    assert conversion.report.coverage.total == len(written)
    assert statuses["ExportActivity", "onFail"] is Status.CARRIED_OVER
    assert statuses["Alarm", "topicArn"] is Status.CARRIED_OVER


def test_retries_and_time_limits(definition):
    definition.item("Default").update(maximumRetries="1", retryDelay="5 minutes")
    definition.item("ExportActivity").update(
        maximumRetries="4", retryDelay="1 hour", attemptTimeout="90 minutes"
    )
    definition.item("Cluster")["terminateAfter"] = "2 Hours"
    source = definition.convert().dag_source
    assert '"retries": 1' in source
    assert '"retry_delay": timedelta(minutes=5)' in source
    assert "retries=4" in source
    assert "retry_delay=timedelta(hours=1)" in source
    assert "execution_timeout=timedelta(minutes=90)" in source


@pytest.mark.parametrize("segments", [1, 12, 1_000_000])
def test_total_segments(definition, segments):
    definition.item("ExportActivity")["step"] += f",{segments}"
    assert f"total_segments={segments}" in definition.convert().dag_source


def test_surplus_arguments_of_an_export_make_a_placeholder(definition):
    definition.item("ExportActivity")["step"] += ",4,EXTRA"
    conversion = definition.convert()
    assert "the export tool takes 4 arguments, the step has 5" in conversion.dag_source
    assert not any(
        task.migrated for task in conversion.report.tasks if task.object_type != "EmrCluster"
    )
    assert _statuses(conversion)["ExportActivity", "step"] is Status.NEEDS_DECISION


def test_a_placeholder_takes_one_task_id(definition):
    definition.item("Cluster")["region"] = "#{format(@scheduledStartTime, 'qq')}"
    conversion = definition.convert()
    assert "export_activity" in {task.task_id for task in conversion.report.tasks}


@pytest.mark.parametrize(
    ("first", "second"), [("1 Export", "Task 1 Export"), ("class", "TaskClass")]
)
def test_tasks_with_like_names_have_variables_of_their_own(definition, first, second):
    definition.item("ExportActivity")["name"] = first
    definition.add(
        {
            "id": "Second",
            "name": second,
            "type": "ShellCommandActivity",
            "command": "ls",
            "workerGroup": "w",
            "dependsOn": {"ref": "ExportActivity"},
        }
    )
    conversion = definition.convert()
    tree = ast.parse(conversion.dag_source)
    names = [node.targets[0].id for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    assert len(names) == len(set(names)) == 2
    edge = next(node for node in ast.walk(tree) if isinstance(node, ast.BinOp))
    assert [edge.left.id, edge.right.id] == names


def test_other_activities_become_failing_placeholders_in_order(definition):
    definition.add(
        {
            "id": "Load",
            "type": "ShellCommandActivity",
            "command": "x #{@actualEndTime}",
            "input": {"ref": "Backup"},
            "runsOn": {"ref": "Cluster"},
        }
    )
    conversion = definition.convert()
    assert {task.task_id: task.migrated for task in conversion.report.tasks} == {
        "export_activity": True,
        "cluster": True,
        "load": False,
        "cluster_terminate": True,
    }
    assert (
        "\n    export_activity >> cluster >> load >> cluster_terminate\n" in conversion.dag_source
    )
    assert _statuses(conversion)["Load", "command"] is Status.NEEDS_DECISION


def test_a_precondition_goes_before(definition):
    definition.add({"id": "Ready", "type": "DynamoDBTableExists", "tableName": "t"})
    definition.item("Table")["precondition"] = {"ref": "Ready"}
    assert "ready >> export_activity" in definition.convert().dag_source


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("preStepCommand", "ls", "preStepCommand"),
        (
            "step",
            ["s3://j.jar,org.apache.hadoop.dynamodb.tools.DynamoDBExport", "s3://x.jar,Main"],
            "it runs 2 steps in a row",
        ),
    ],
)
def test_what_an_export_can_not_do_becomes_a_placeholder(definition, field, value, words):
    definition.item("ExportActivity")[field] = value
    conversion = definition.convert()
    assert "NotMigratedOperator" in conversion.dag_source
    assert words in conversion.dag_source


def test_an_untranslatable_date_becomes_a_placeholder(definition):
    definition.item("Backup")["directoryPath"] = "s3://b/#{format(@scheduledStartTime, 'qq')}"
    conversion = definition.convert()
    assert "no letter of Joda-Time" in conversion.dag_source
    (task,) = (one for one in conversion.report.tasks if one.object_id == "ExportActivity")
    assert not task.migrated


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        pytest.param({"input": []}, "step", "'input' is neither a field nor", id="no table"),
        pytest.param(
            {"step": "x.jar,org.apache.hadoop.dynamodb.tools.DynamoDbExport,s3://b/p"},
            "step",
            "lacks its table and read throughput ratio",
            id="short step",
        ),
        pytest.param(
            {"step": "x.jar,org.apache.hadoop.dynamodb.tools.DynamoDbExport,s3://b/p,t,7"},
            "step",
            "0.1 to 1.0",
            id="ratio",
        ),
        pytest.param(
            {"step": "x.jar,org.apache.hadoop.dynamodb.tools.DynamoDbExport,s3://b/p,t,1,0"},
            "step",
            "segments 0 does not lie between",
            id="no segments",
        ),
        pytest.param(
            {"step": "x.jar,org.apache.hadoop.dynamodb.tools.DynamoDbExport,s3://b/p,t,1,1000001"},
            "step",
            "between 1 and 1,000,000",
            id="too many segments",
        ),
        pytest.param(
            {"step": "x.jar,org.apache.hadoop.dynamodb.tools.DynamoDbExport,s3://b/p,t,1,-1"},
            "step",
            "segments -1",
            id="negative segments",
        ),
        pytest.param({"attemptTimeout": "soon"}, "attemptTimeout", "takes a period", id="period"),
        pytest.param({"dependsOn": {"ref": "Tabel"}}, "dependsOn", "not exist", id="dangling"),
    ],
)
def test_errors_name_the_place_and_give_a_task_that_fails(definition, change, field, words):
    definition.item("ExportActivity").update(change)
    conversion = definition.convert()
    (error,) = _errors(conversion)
    assert (error.object_id, error.field) == ("ExportActivity", field)
    assert words in error.message
    assert error.position.line > 1
    assert error.advice
    assert len(conversion.placeholders) == 1
    assert "**Before it is switched on.**" in conversion.dag_source
    assert error.advice.rstrip(".") in " ".join(conversion.dag_source.split())


@pytest.mark.parametrize(
    ("object_id", "field"), [("Cluster", "region"), ("Backup", "directoryPath")]
)
def test_what_is_missing_is_reported_where_it_is_read(definition, object_id, field):
    definition.item(object_id)[field] = "#{directoryPaht}"
    definition.add({"id": "Other", "type": "S3DataNode", "directoryPaht": "s3://b/p"})
    (error,) = _errors(definition.convert())
    assert (error.object_id, error.field) == (object_id, field)
    assert error.value == "#{directoryPaht}"
    assert error.message.startswith("'directoryPaht' is neither a field nor a parameter")


@pytest.mark.parametrize("activity", ["ExportActivity", "Shell"])
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("myTabel", "Did you mean 'myTable'?"),
        ("items", "Declare it under 'parameters', or give its value by --set or --values"),
    ],
)
def test_a_name_that_nothing_gives_a_value_is_an_error(definition, activity, name, advice):
    definition.add(
        {"id": "Shell", "type": "ShellCommandActivity", "command": "ls", "workerGroup": "w"}
    )
    field = "step" if activity == "ExportActivity" else "command"
    definition.item(activity)[field] += f",#{{{name}}}"
    (error,) = _errors(definition.convert())
    assert (error.object_id, error.field, error.advice) == (activity, field, advice)
    assert f"'{name}' is neither a field nor a parameter" in error.message
    assert error.position.line > 1


def test_an_undeclared_name_with_a_value_is_a_parameter(definition):
    definition.item("Table")["tableName"] = "#{items}"
    conversion = definition.convert((_value("items", "orders"),))
    (warning,) = conversion.findings
    assert warning.severity is Severity.WARNING
    assert "not declared" in warning.message
    call = _calls(conversion.dag_source)["export_activity"]
    assert ast.literal_eval(call["table_name"]) == "{{ params['items'] }}"
    assert 'Param("orders", ' in " ".join(conversion.dag_source.split()).replace("( ", "(")


def test_a_ratio_of_any_name_has_its_bounds(definition):
    definition.item("Table")["readThroughputPercent"] = "#{values}"
    definition.document["parameters"].append({"id": "values", "type": "Double"})
    assert "maximum=1.0" in definition.convert().dag_source


def test_a_circle_of_dependencies_is_an_error(definition):
    definition.item("ExportActivity")["dependsOn"] = {"ref": "B"}
    definition.add(
        {
            "id": "B",
            "type": "PigActivity",
            "script": "x",
            "workerGroup": "w",
            "dependsOn": {"ref": "ExportActivity"},
        }
    )
    conversion = definition.convert()
    (error,) = _errors(conversion)
    assert "wait for one another" in error.message
    assert conversion.placeholders == ("b_waits_for_export_activity",)
    assert "    b_waits_for_export_activity >> b >> export_activity\n" in conversion.dag_source


def test_a_definition_without_activity_gives_a_report_alone(definition):
    definition.document["objects"] = [definition.item("Table")]
    definition.document["parameters"].pop()
    conversion = definition.convert()
    (warning,) = conversion.findings
    assert "Nothing in the definition runs" in warning.message
    assert conversion.dag_source is None
    assert not conversion.failed
    assert "There is no DAG" in conversion.report.to_markdown()


@pytest.mark.parametrize(
    ("schedule", "status", "words"),
    [
        pytest.param(
            {"startAt": "FIRST_ACTIVATION_DATE_TIME", "occurrences": "1"},
            Status.EQUIVALENT,
            "ran once",
            id="once",
        ),
        pytest.param(
            {"startDateTime": "2012-11-22T00:00:00", "endDateTime": "2012-11-25T00:00:00"},
            Status.CARRIED_OVER,
            "It runs every day at 00:00 UTC, when its period begins; the first one begins on "
            "2012-11-22, the last one on 2012-11-24.",
            id="daily",
        ),
        pytest.param(
            {"startAt": "FIRST_ACTIVATION_DATE_TIME"},
            Status.NEEDS_DECISION,
            "every day from its first activation",
            id="from activation",
        ),
    ],
)
def test_schedules(definition, schedule, status, words):
    definition.item("Default").update(scheduleType="cron", schedule={"ref": "S"})
    definition.add({"id": "S", "type": "Schedule", "period": "1 Day", **schedule})
    conversion = definition.convert()
    assert words in conversion.report.to_markdown()
    assert _statuses(conversion)["S", "period"] is status
    assert ("schedule=None" in conversion.dag_source) == (status is not Status.CARRIED_OVER)


def test_parameters_become_typed_form_fields(definition):
    definition.item("Table")["readThroughputPercent"] = "#{myRatio}"
    definition.document["parameters"] += [
        {"id": "myRatio", "type": "Double", "default": "0.3", "watermark": "0.1 to 1"},
        {"id": "myUnused", "type": "Integer"},
    ]
    conversion = definition.convert((_value("myTable", "orders"),))
    source = " ".join(conversion.dag_source.split()).replace("( ", "(")
    for expected in (
        'Param("orders", ',
        'pattern="^s3://[^/]+"',
        "Param(0.3, ",
        "minimum=0.1",
        "maximum=1.0",
        'description_md="0.1 to 1"',
    ):
        assert expected in source
    assert "myUnused" not in source
    assert _parameter(conversion, "myUnused").status is Status.DROPPED
    assert _parameter(conversion, "myTable").value == "orders"


@pytest.mark.parametrize(
    ("name", "value"),
    [("myDbPassword", "hunter2"), ("myTable", "#{format(minusDays(#{myDay}, 1))}")],
)
def test_values_that_no_form_may_hold_or_knows(definition, name, value):
    definition.item("Backup")["directoryPath"] = f"s3://b/#{{{name}}}"
    definition.document["parameters"] = [
        one for one in definition.document["parameters"] if one["id"] != name
    ] + [{"id": name, "type": "String", "default": value}]
    conversion = definition.convert()
    assert value not in conversion.dag_source
    assert _parameter(conversion, name).status is Status.NEEDS_DECISION
    assert "hunter2" not in conversion.report.to_markdown() + conversion.report.to_json()
    assert {one.field for one in conversion.findings} == {"default"}


def test_a_form_offers_no_choice_that_it_would_not_evaluate(definition):
    choices = ["orders", "orders-#{format(@scheduledStartTime, 'YYYY')}"]
    table = next(one for one in definition.document["parameters"] if one["id"] == "myTable")
    table["allowedValues"] = choices
    conversion = definition.convert()
    assert "enum=" not in conversion.dag_source
    assert "A choice holds an expression" in " ".join(one.message for one in conversion.findings)


@pytest.mark.parametrize(
    ("watermark", "expected"),
    [
        ("eu-west-1", 'examples=["eu-west-1"]'),
        ("s3://bucket/folder", 'examples=["s3://bucket/folder"]'),
        ("Enter a name", 'description_md="Enter a name"'),
        ("subnet-...", 'description_md="subnet-..."'),
        ("password", 'description_md="password"'),
    ],
)
def test_a_watermark_that_is_a_value_is_proposed(definition, watermark, expected):
    definition.document["parameters"][0].update(type="String", watermark=watermark)
    assert expected in definition.convert().dag_source


def test_optional_and_limited_parameters(definition):
    definition.document["parameters"][0].update(
        optional="true", allowedValues=["a", "b"], type="string"
    )
    source = definition.convert().dag_source
    assert 'type=["null", "string"]' in source
    assert 'enum=[None, "a", "b"]' in source
    assert "Param(None, " in " ".join(source.split()).replace("( ", "(")


def test_optional_numbers_are_limited_to_numbers(definition):
    definition.document["parameters"][0].update(
        optional="true", allowedValues=["1", "2"], type="Integer"
    )
    assert "enum=[None, 1, 2]" in definition.convert().dag_source


def test_allowed_numbers_are_compared_as_numbers(definition):
    definition.document["parameters"][0].update(
        default="1", allowedValues=["1.0", "2.0"], type="Double"
    )
    assert definition.convert().findings == ()


@pytest.mark.parametrize("given", ["default", "values"])
def test_several_values_need_a_list(definition, given):
    parameter = definition.document["parameters"][0]
    if given == "default":
        parameter["default"] = ["a", "b"]
    else:
        definition.document["values"] = {"myTable": ["a", "b"]}
    (error,) = _errors(definition.convert())
    assert (error.object_id, error.value) == ("myTable", "a, b")
    assert "takes one value, here it has 2" in error.message
    assert "isArray" in error.advice


@pytest.mark.parametrize(
    ("attributes", "severity"),
    [
        ({"type": "Integer", "default": "many"}, "error"),
        ({"type": "Double", "default": "nan"}, "error"),
        ({"type": "Text", "default": "x"}, "warning"),
        ({"default": "c", "allowedValues": ["a"]}, "warning"),
        ({"type": "AWS::S3::ObjectKey", "default": "bucket"}, "warning"),
    ],
)
def test_parameters_that_do_not_fit(definition, attributes, severity):
    definition.document["parameters"][0] = {"id": "myTable", **attributes}
    (finding,) = definition.convert().findings
    assert (finding.severity, finding.object_id) == (severity, "myTable")
    assert finding.advice


def test_a_value_for_an_unknown_parameter_is_an_error(definition):
    (error,) = _errors(definition.convert((_value("myTabel", "x"),)))
    assert error.advice == "Did you mean 'myTable'?"


def test_secrets_reach_neither_dag_nor_report(definition):
    definition.add(
        {
            "id": "Copy",
            "type": "ShellCommandActivity",
            "workerGroup": "w",
            "command": "run #{*myPassword}",
        },
        {
            "id": "D",
            "type": "RedshiftDatabase",
            "username": "u",
            "clusterId": "c",
            "*password": "hunter2",
        },
    )
    definition.document["parameters"].append({"id": "*myPassword", "default": "hunter2"})
    definition.document["values"] = {"*myPassword": "hunter2"}
    conversion = definition.convert()
    written = conversion.dag_source + conversion.report.to_markdown() + conversion.report.to_json()
    assert "hunter2" not in written
    assert "***" in written
    assert "params.myPassword" not in conversion.dag_source
    account = _parameter(conversion, "*myPassword")
    assert (account.status, account.note) == (
        Status.APPROXIMATED,
        "secrets don't go through the form: see Copy.command",
    )


def _template(folder, **properties):
    """Write a template of CloudFormation with a pipeline of one command."""
    fields = {"type": "ShellCommandActivity", "command": "ls", "workerGroup": "w"}
    shell = {
        "Id": "Shell",
        "Name": "Shell",
        "Fields": [
            {"Key": key, "StringValue": value}
            for key, value in {**fields, "myComment": "lists"}.items()
        ],
    }
    resource = {
        "Type": "AWS::DataPipeline::Pipeline",
        "Properties": {"PipelineObjects": [shell], **properties},
    }
    path = folder / "x.json"
    path.write_text(
        json.dumps({"Parameters": {"Stage": {"Type": "String"}}, "Resources": {"P": resource}})
    )
    return path


def test_description_and_tags_of_the_pipeline(tmp_path):
    path = _template(
        tmp_path,
        Name="nightly",
        Description="Copies {{ orders }}",
        Activate=True,
        PipelineTags=[{"Key": "team", "Value": "data"}],
    )
    conversion = convert_file(path, "x")
    assert 'description="Copies {{ orders }}"' in conversion.dag_source
    assert 'tags=["data-pipeline", "team=data"]' in conversion.dag_source
    assert 'doc_md="lists"' in conversion.dag_source
    rows = {one.property: one.status for one in conversion.report.properties}
    assert rows["description"] is rows["tag"] is Status.CARRIED_OVER
    assert rows["activate"] is Status.APPROXIMATED
    assert "| description | Copies {{ orders }} |" in conversion.report.to_markdown()


def test_what_a_template_leaves_open_is_no_text_of_the_dag(tmp_path):
    path = _template(
        tmp_path,
        Name={"Fn::Sub": "${Stage}-nightly"},
        Description={"Fn::Sub": "Copies for ${Stage}"},
        PipelineTags=[
            {"Key": "team", "Value": "data"},
            {"Key": "stage", "Value": {"Ref": "Stage"}},
        ],
    )
    conversion = convert_file(path, "x")
    assert "#{" not in conversion.dag_source
    assert 'tags=["data-pipeline", "team=data"]' in conversion.dag_source
    rows = {one.value: one.status for one in conversion.report.properties}
    assert rows["stage=#{Stage}"] is rows["Copies for #{Stage}"] is Status.NEEDS_DECISION
    settled = convert_file(path, "x", (_value("Stage", "prod"),))
    assert 'tags=["data-pipeline", "team=data", "stage=prod"]' in settled.dag_source


def test_the_parent_of_what_runs_is_the_object_itself(definition):
    definition.item("Backup")["directoryPath"] = "s3://b/#{parent.@id}"
    assert 's3_uri="s3://b/Backup"' in definition.convert().dag_source


def test_the_same_input_gives_the_same_bytes(definition):
    first, second = definition.convert(), definition.convert()
    assert first.dag_source == second.dag_source
    assert first.report.to_json() == second.report.to_json()


def test_hostile_texts_stay_texts(definition):
    nasty = 'x"""\n\\N{x}{{ boom }}{% raw %}\' + "|`'
    definition.item("ExportActivity")["name"] = nasty
    definition.document["parameters"][0]["description"] = nasty
    definition.item("Table")["tableName"] = nasty
    conversion = definition.convert()
    assert conversion.dag_source is not None
    tree = ast.parse(conversion.dag_source)
    assert ast.get_docstring(tree)
    compile(tree, "export.py", "exec")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_mutated_definitions_end_in_a_dag_or_in_errors(definition, tmp_path, data):
    document = json.loads(json.dumps(definition.document))
    for _ in range(data.draw(st.integers(1, 3))):
        item = data.draw(st.sampled_from(document["objects"]))
        name = data.draw(st.sampled_from([*item, "dependsOn", "parent", "precondition", "myX"]))
        item[name] = data.draw(
            st.sampled_from(["", "#{", "#{myX}", "x,y", None, 7, [], ["a", "b"], {"ref": "Table"}])
            | st.sampled_from([{"ref": "Cluster"}, {"ref": "nobody"}, {"x": 1}, "EmrActivity"])
            | st.text(max_size=10)
        )
    path = tmp_path / "mutated.json"
    path.write_text(json.dumps(document))
    conversion = convert_file(path, "mutated")
    assert not conversion.failed
    ast.parse(conversion.dag_source or "")


def test_a_step_without_its_table_says_so(definition):
    item = definition.item("ExportActivity")
    item["step"] = item["step"].replace(",#{input.tableName}", "")
    (error,) = _errors(definition.convert())
    assert "lacks its table" in error.message
    assert "ratio" not in error.message


def test_a_password_in_a_default_is_not_written(definition):
    definition.document["parameters"][0]["default"] = "jdbc:x://h/?password=S3CRET"
    conversion = definition.convert()
    assert "S3CRET" not in conversion.dag_source
    assert "S3CRET" not in conversion.report.to_json()
    assert "S3CRET" not in conversion.report.to_markdown()
    assert [one.object_id for one in conversion.findings] == ["myTable"]


def test_every_parameter_is_explained_and_required_texts_are_not_empty(definition):
    definition.item("Table")["myNote"] = "#{myNote} #{mySize} #{myKind}"
    definition.item("ExportActivity")["postStepCommand"] = "#{input.myNote}"
    definition.document["parameters"] += [
        {"id": "myNote", "type": "String", "optional": "true"},
        {"id": "mySize", "type": "Integer", "default": "1"},
        {"id": "myKind", "type": "String", "allowedValues": ["a", "b"]},
    ]
    source = definition.convert().dag_source
    params = {
        key.value: {one.arg: ast.literal_eval(one.value) for one in value.keywords}
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "Param"
    }
    assert {"myTable", "myBackup"} <= params.keys()
    assert all(one["title"] for one in params.values())
    assert params["myTable"]["title"] == "Table to export"
    assert "description_md" not in params["myTable"]  # it would only say the same again
    assert {name for name, one in params.items() if one.get("minLength") == 1} == {"myTable"}


def test_what_does_not_tell_when_to_run_is_said(definition):
    del definition.item("Default")["scheduleType"]
    conversion = definition.convert()
    assert ("ExportActivity", "schedule") in [
        (one.object_id, one.field) for one in conversion.findings
    ]
    assert "schedule=None" in conversion.dag_source


def test_a_missing_type_of_schedule_is_said(definition):
    del definition.item("Default")["scheduleType"]
    definition.item("Default")["schedule"] = {"ref": "S"}
    fields = {"period": "1 day", "startDateTime": "2024-01-01T00:00:00"}
    definition.add({"id": "S", "type": "Schedule", **fields})
    conversion = definition.convert()
    assert "taken for timeseries" in conversion.findings[0].message
    assert "CronDataIntervalTimetable" in conversion.dag_source


def test_a_parameter_may_settle_the_schedule(definition):
    definition.item("Default").update(scheduleType="cron", schedule={"ref": "S"})
    fields = {"period": "#{myPeriod}", "startDateTime": "makeDate(2024, 1, 31)"}
    definition.add({"id": "S", "type": "Schedule", **fields})
    definition.document["parameters"].append({"id": "myPeriod", "default": "1 month"})
    conversion = definition.convert_cleanly()
    assert '"1 month", run_at="start"' in conversion.dag_source
    assert _parameter(conversion, "myPeriod").status is Status.EQUIVALENT
    assert "myPeriod" not in conversion.dag_source


def test_several_schedules_without_a_start_wait_for_a_decision(definition):
    definition.item("Default").update(scheduleType="cron", schedule={"ref": "S"})
    begins = {"type": "Schedule", "startDateTime": "2024-01-01T00:00:00"}
    definition.add(
        {"id": "S", "period": "1 hour", **begins},
        {
            "id": "Often",
            "type": "Schedule",
            "period": "20 minutes",
            "startAt": "FIRST_ACTIVATION_DATE_TIME",
        },
        {
            "id": "Other",
            "type": "ShellCommandActivity",
            "command": "c",
            "runsOn": {"ref": "Cluster"},
            "schedule": {"ref": "Often"},
        },
    )
    conversion = definition.convert()
    assert conversion.others == ()
    assert "schedule=None" in conversion.dag_source
    assert "`Other` ran every 20 minutes" in conversion.report.schedule
    assert [(row.activities, len(row.legacy), row.airflow) for row in conversion.report.runs] == [
        (("ExportActivity",), 3, ()),
        (("Other",), 0, ()),
    ]
    assert "when triggered" in conversion.report.to_markdown()


def test_a_dag_for_airflow_2(definition):
    definition.item("Backup")["directoryPath"] = "s3://b/#{format(@scheduledStartTime, 'YYYY')}"
    definition.add({"id": "Unused", "type": "Schedule", "period": "1 day"})
    conversion = definition.convert(airflow="2.11")

    assert "from airflow import DAG\n" in conversion.dag_source
    assert "airflow.sdk" not in conversion.dag_source
    assert "{{ logical_date.strftime('%Y') }}" in conversion.dag_source
    assert conversion.report.requires == "Airflow 2.11"


@pytest.mark.parametrize(
    ("airflow", "modules"),
    [
        ("3.2", ("airflow.sdk", "airflow.sdk")),
        ("3.0", ("airflow.sdk", "airflow.timetables.trigger")),
        ("2.11", ("airflow", "airflow.timetables.trigger")),
    ],
)
def test_a_timetable_comes_from_where_each_airflow_has_it(definition, airflow, modules):
    definition.item("Default").update(scheduleType="cron", schedule={"ref": "S"})
    fields = {"period": "1 day", "startDateTime": "2024-01-01T03:00:00"}
    definition.add({"id": "S", "type": "Schedule", **fields})
    conversion = definition.convert(airflow=airflow)
    origins = {
        alias.name: node.module
        for node in ast.walk(ast.parse(conversion.dag_source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert (origins["DAG"], origins["CronTriggerTimetable"]) == modules
    assert conversion.report.requires == f"Airflow {airflow}"
    (checked,) = check_all([conversion])
    (row,) = checked.report.runs
    assert not checked.failed
    assert row.airflow == row.legacy
    assert len(row.airflow) == 3


def test_airflow_3_is_what_the_default_is_for(definition):
    assert definition.convert(airflow="3").dag_source == definition.convert().dag_source


def test_an_unknown_airflow_is_named(definition):
    with pytest.raises(UpdraftError, match=r"'2\.10'.*did you mean '2\.11'"):
        definition.convert(airflow="2.10")
