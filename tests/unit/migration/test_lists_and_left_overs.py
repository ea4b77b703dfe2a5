"""Lists of parameters, names read in other objects, and fields that are not the user's."""

import json

import pytest
from jinja2 import Environment

from updraft.datapipeline.macros import template_macros
from updraft.emr.request_numbers import with_numbers
from updraft.errors import UpdraftError
from updraft.migration.conversion import convert_file
from updraft.migration.ledger import NO_RULE, Status

PASSWORD = {"id": "*myPassword", "type": "String"}


@pytest.fixture
def converted(tmp_path, tasks_of):
    def convert(objects, *parameters, default=None):
        file = tmp_path / "pipeline.json"
        first = {"id": "Default", "scheduleType": "ondemand", **(default or {})}
        document = {"objects": [first, *objects], "parameters": list(parameters)}
        file.write_text(json.dumps(document))
        conversion = convert_file(file, "pipeline")
        assert all(one.note != NO_RULE for one in conversion.report.fields)
        return conversion, tasks_of(conversion)

    return convert


def _list(name, *default):
    return {"id": name, "type": "String", "isArray": "true", "default": list(default)}


def _statuses(conversion):
    return {(one.object_id, one.field): one.status for one in conversion.report.fields}


def test_a_load_with_lists_of_options_and_keys(converted):
    conversion, tasks = converted(
        [
            {"id": "Db", "type": "RedshiftDatabase", "clusterId": "c", "databaseName": "d"}
            | {"username": "u", "*password": "#{*myPassword}"},
            {"id": "To", "type": "RedshiftDataNode", "database": {"ref": "Db"}}
            | {"tableName": "t", "primaryKeys": "#{myKeys}"},
            {"id": "From", "type": "S3DataNode", "directoryPath": "s3://b/in"},
            {"id": "Load", "type": "RedshiftCopyActivity", "workerGroup": "w"}
            | {"input": {"ref": "From"}, "output": {"ref": "To"}, "insertMode": "APPEND"}
            | {"commandOptions": ["GZIP", "#{myOptions}"]},
        ],
        PASSWORD,
        _list("myOptions", "EMPTYASNULL"),
        _list("myKeys", "id"),
    )
    assert not conversion.placeholders
    (load,) = [one for one in tasks.values() if one["operator"] == "RedshiftCopyOperator"]
    assert "params.myOptions" in load["copy_options"]
    assert "tojson" in load["copy_options"]
    assert "params.myKeys" in load["primary_keys"]


def test_a_cluster_with_lists_of_groups_and_a_proxy(converted):
    groups = "additionalMasterSecurityGroupIds"
    conversion, tasks = converted(
        [
            {"id": "C", "type": "EmrCluster", "releaseLabel": "emr-6.15.0"}
            | {groups: "#{myGroups}", "httpProxy": {"ref": "Proxy"}},
            {"id": "Proxy", "type": "HttpProxy", "hostname": "proxy", "port": "3128"},
            {"id": "Run", "type": "EmrActivity", "runsOn": {"ref": "C"}, "step": "s3://b/x.jar,1"},
        ],
        _list("myGroups", "sg-1", "sg-2"),
    )
    assert not conversion.placeholders
    (cluster,) = [one for one in tasks.values() if one["operator"] == "EmrClusterOperator"]
    assert "params.myGroups" in str(cluster["cluster"])
    statuses = _statuses(conversion)
    assert statuses["C", groups] is Status.CARRIED_OVER
    assert statuses["C", "httpProxy"] is Status.DROPPED


def test_a_request_takes_the_json_of_a_list():
    name = "AdditionalSlaveSecurityGroups"
    assert with_numbers({"Instances": {name: '["sg-1"]'}}) == {"Instances": {name: ["sg-1"]}}
    with pytest.raises(UpdraftError, match="neither a list nor the JSON of one"):
        with_numbers({"Instances": {name: "sg-1, sg-2"}})


def test_what_nobody_filled_in_is_no_part_of_a_request():
    unused = {"InstanceRole": "TASK", "InstanceType": "", "InstanceCount": ""}
    core = {"InstanceRole": "CORE", "InstanceType": "m5.xlarge", "InstanceCount": "2"}
    request = {"Instances": {"Ec2KeyName": "", "InstanceGroups": [core, unused]}}
    request |= {"Configurations": [{"Properties": {"empty": ""}}], "LogUri": ""}
    assert with_numbers(request) == {
        "Instances": {"InstanceGroups": [core | {"InstanceCount": 2}]},
        "Configurations": [{"Properties": {"empty": ""}}],
    }


CONSOLE = [
    {"id": "C", "type": "EmrCluster", "releaseLabel": "emr-6.15.0"}
    | {"bootstrapAction": "#{myActions}"},
    {"id": "Run", "type": "EmrActivity", "runsOn": {"ref": "C"}, "step": "#{mySteps}"},
    {"id": "Had", "type": "HadoopActivity", "runsOn": {"ref": "C"}, "jarUri": "s3://b/x.jar"}
    | {"argument": ["a", "#{myArguments}"]},
]


@pytest.mark.parametrize("is_list", [True, False])
def test_steps_in_a_parameter_are_written_out(converted, is_list):
    step = "s3://b/my.jar,#{@scheduledStartTime},b"
    steps = _list("mySteps", step, "command-runner.jar,x") if is_list else {"id": "mySteps"}
    conversion, tasks = converted(
        CONSOLE,
        {"default": step} | steps,
        _list("myArguments", "b,c"),
        {"id": "myActions", "isArray": "true", "optional": "true"},
    )
    assert not conversion.placeholders
    jars = [one["HadoopJarStep"] for one in tasks["run"]["steps"]]
    assert [one["Jar"] for one in jars] == ["s3://b/my.jar", "command-runner.jar"][: 1 + is_list]
    assert jars[0]["Args"][0].startswith("{{ ")
    assert jars[0]["Args"][1:] == ["b"]
    assert tasks["had"]["steps"][0]["HadoopJarStep"]["Args"] == ["a", "b,c"]
    assert "BootstrapActions" not in tasks["c"]["cluster"]
    assert "mySteps" not in conversion.dag_source
    notes = {one.id: (one.status, one.note) for one in conversion.report.parameters}
    assert notes["mySteps"] == (
        Status.EQUIVALENT,
        "its value is written out in Run.step: change it there",
    )


@pytest.mark.parametrize(("given", "in_form"), [("s3://b/x.sh", True), ("s3://b/x.sh,1", False)])
def test_a_path_alone_stays_in_the_form(converted, given, in_form):
    asked = {"id": "myActions", "type": "String", "default": given}
    _, tasks = converted(CONSOLE[:2], asked, _list("mySteps", "a.jar"))
    (action,) = tasks["c"]["cluster"]["BootstrapActions"]
    path = action["ScriptBootstrapAction"]["Path"]
    assert path == ("{{ params.myActions }}" if in_form else "s3://b/x.sh")


@pytest.mark.parametrize(("is_list", "given"), [(True, ["a.jar,1", "b.jar"]), (False, "a.jar,1")])
def test_steps_that_only_the_form_has(converted, is_list, given):
    asked = {"id": "mySteps", "isArray": str(is_list).lower(), "type": "String"}
    conversion, tasks = converted(CONSOLE[:2], asked, _list("myActions", "s3://b/boot.sh"))
    assert not conversion.placeholders
    updraft = {one.__name__: one for one in template_macros()}
    template = Environment(autoescape=True).from_string(tasks["run"]["steps"])
    made = json.loads(template.render(macros={"updraft": updraft}, params={"mySteps": given}))
    expected = [
        ("Run 1/2", "CANCEL_AND_WAIT", "a.jar", ["1"]),
        ("Run 2/2", "CONTINUE", "b.jar", []),
    ]
    expected = expected if is_list else [("Run", "CONTINUE", "a.jar", ["1"])]
    found = [
        (
            one["Name"],
            one["ActionOnFailure"],
            one["HadoopJarStep"]["Jar"],
            one["HadoopJarStep"]["Args"],
        )
        for one in made
    ]
    assert found == expected
    assert _statuses(conversion)["Run", "step"] is Status.APPROXIMATED


def test_a_step_in_a_parameter_beside_others_needs_its_value(converted):
    asked = {"id": "mySteps", "type": "String"}
    run = CONSOLE[1] | {"preStepCommand": "date"}
    conversion, _ = converted([CONSOLE[0], run], asked, _list("myActions", "s3://b/boot.sh"))
    assert conversion.placeholders == ("run",)
    assert "give the value by --set" in str(conversion.report.fields)


def test_a_name_is_read_in_the_object_referred_to(converted):
    conversion, tasks = converted(
        [
            {"id": "In", "type": "S3DataNode", "directoryPath": "s3://b/in", "myDay": "Monday"},
            {"id": "Say", "type": "ShellCommandActivity", "workerGroup": "w"}
            | {"input": {"ref": "In"}, "command": "echo #{input.myDay} #{input.myRegion}"},
            {"id": "No", "type": "ShellCommandActivity", "workerGroup": "w"}
            | {"input": {"ref": "In"}, "command": "echo #{input.myOther}"},
        ],
        {"id": "myRegion", "type": "String", "default": "eu-west-1"},
    )
    assert tasks["say"]["command"] == "echo Monday {{ params.myRegion }}"
    assert conversion.placeholders == ("no",)


def test_a_field_with_several_texts_is_a_list(converted):
    _, tasks = converted(
        [
            {"id": "Say", "type": "ShellCommandActivity", "workerGroup": "w", "command": "say $@"}
            | {"myDays": ["Mon", "Tue"], "scriptArgument": "#{'on ' + myDays}"}
        ]
    )
    assert "'Mon', 'Tue'" in tasks["say"]["arguments"]


def test_fields_of_the_service_and_fields_of_nobody(converted):
    conversion, _ = converted(
        [
            {"id": "Say", "type": "ShellCommandActivity", "workerGroup": "w", "command": "x"}
            | {"@status": "FINISHED", "@activeInstances": {"ref": "@Say_2024"}}
            | {"comand": "y", "zzz": "1"}
        ],
        default={"@pipelineState": "SCHEDULED", "uniqueId": "1"},
    )
    statuses = _statuses(conversion)
    for name in ("@status", "@activeInstances", "zzz"):
        assert statuses["Say", name] is Status.DROPPED
    assert statuses["Say", "comand"] is Status.NEEDS_DECISION
    assert statuses["Default", "uniqueId"] is Status.DROPPED
    assert not conversion.placeholders
    said = [one for one in conversion.findings if "The service filled in 4 fields" in one.message]
    assert len(said) == 1


def test_an_empty_end_is_no_end(converted):
    conversion, _ = converted(
        [
            {"id": "S", "type": "Schedule", "period": "1 day", "endDateTime": "#{myEnd}"}
            | {"startDateTime": "2024-02-29T00:00:00"},
            {"id": "Say", "type": "ShellCommandActivity", "workerGroup": "w"}
            | {"command": "#{@scheduledEndTime}"},
        ],
        {"id": "myEnd", "type": "String", "optional": "true"},
        default={"scheduleType": "cron", "schedule": {"ref": "S"}},
    )
    assert not conversion.placeholders
    assert "end_date" not in conversion.dag_source


def test_a_field_of_several_inputs_is_several_arguments(converted):
    inputs = [{"id": one, "type": "S3DataNode", "directoryPath": f"s3://{one}"} for one in "pq"]
    work = {
        "id": "Work",
        "type": "ShellCommandActivity",
        "workerGroup": "w",
        "command": "ls $@",
        "input": [{"ref": "p"}, {"ref": "q"}],
        "scriptArgument": "#{input.directoryPath}",
    }
    conversion, tasks = converted([work, *inputs])
    assert conversion.placeholders == ()
    updraft = {one.__name__: one for one in template_macros()}
    template = Environment(autoescape=True).from_string(tasks["work"]["arguments"])
    assert json.loads(template.render(macros={"updraft": updraft})) == ["s3://p", "s3://q"]
