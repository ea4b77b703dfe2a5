"""Checks of what the service wants: slots, limits, choices, orders and parameters."""

import json
from datetime import UTC, datetime

import pytest

from updraft.datapipeline.file_checking import check_result
from updraft.datapipeline.findings import MASK
from updraft.datapipeline.object_types import FieldType, object_types
from updraft.datapipeline.periods import Period
from updraft.datapipeline.reading import read_text
from updraft.datapipeline.typed_values import TypedValueError, typed_value

DEFAULT = {"id": "Default", "scheduleType": "ondemand"}
ACTIVITY = {"id": "A", "type": "ShellCommandActivity", "command": "ls", "workerGroup": "w"}


def findings(*objects, **rest):
    text = json.dumps({"objects": [DEFAULT, *objects], **rest}, indent=1)
    return check_result(read_text(text, "x.json"))


def only(found):
    (finding,) = found
    assert finding.position
    assert finding.advice
    return finding


def test_the_table_has_every_object_type():
    assert len(object_types()) == 41
    slots = {one.slot for entry in object_types().values() for one in entry.fields.values()}
    assert slots >= {"string", "ref", "period", "integer", "double", "boolean", "datetime"}
    runtime = object_types()["EmrActivity"].runtime_fields
    assert runtime["@scheduledStartTime"] == "datetime"


@pytest.mark.parametrize(
    ("slot", "text", "value"),
    [
        ("period", "2 Days", Period(2, "days")),
        ("period", "ONDEMAND_PERIOD", "ONDEMAND_PERIOD"),
        ("period", "#{myPeriod}", "#{myPeriod}"),
        ("integer", "03", 3),
        ("double", ".5", 0.5),
        ("boolean", "True", True),
        ("datetime", "2024-02-29T23:59:59", datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)),
        ("datetime", "makeDate(2011,5,24)", "makeDate(2011,5,24)"),
        ("string", " x ", " x "),
    ],
)
def test_typed_values(slot, text, value):
    assert typed_value("f", FieldType(slot=slot), text) == value


@pytest.mark.parametrize(
    ("slot", "text"),
    [
        ("period", "0 days"),
        ("period", "1 fortnight"),
        ("integer", "-1"),
        ("integer", "1.0"),
        ("double", "nan"),
        ("boolean", "yes"),
        ("datetime", "2023-02-29T00:00:00"),
        ("datetime", "2023-02-28"),
    ],
)
def test_texts_that_do_not_fit_their_slot(slot, text):
    with pytest.raises(TypedValueError):
        typed_value("f", FieldType(slot=slot), text)


@pytest.mark.parametrize(
    ("change", "severity", "field", "words"),
    [
        ({"attemptTimeout": "soon"}, "error", "attemptTimeout", "takes a period"),
        ({"stage": "perhaps"}, "error", "stage", "takes true or false"),
        ({"command": {"ref": "Default"}}, "error", "command", "takes text"),
        ({"maximumRetries": "6"}, "warning", "maximumRetries", "at most 5"),
        ({"retryDelay": "1 minute"}, "warning", "retryDelay", "at least 2 minutes"),
        ({"lateAfterTimeout": "5 minutes"}, "warning", "lateAfterTimeout", "at least 15 minutes"),
        ({"command": "x" * 10_241}, "warning", "command", "10,241 bytes"),
        ({"scriptUri": "s3://b/k"}, "warning", "scriptUri", "either 'command' or 'scriptUri'"),
        ({"scriptArgument": ["x"] * 50}, "warning", None, "52 fields"),
    ],
)
def test_single_findings(change, severity, field, words):
    finding = only(findings(ACTIVITY | change))
    assert (finding.severity, finding.object_id, finding.field) == (severity, "A", field)
    assert words in finding.message


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"period": "10 minutes"}, "at least 15 minutes"),
        ({"period": "4 years"}, "at most 3 years"),
        ({"startAt": "FIRST_ACTIVATION_DATE_TIME"}, "either 'startAt' or 'startDateTime'"),
        ({"endDateTime": "2023-12-31T00:00:00"}, "ends before it starts"),
    ],
)
def test_schedules(schedule, words):
    item = {"id": "S", "type": "Schedule", "period": "1 day"}
    item |= {"startDateTime": "2024-01-01T00:00:00", **schedule}
    assert words in only(findings(ACTIVITY, item)).message


def test_an_activity_needs_a_schedule_unless_it_runs_on_demand():
    default = DEFAULT | {"scheduleType": "cron"}
    text = json.dumps({"objects": [default, ACTIVITY]})
    assert only(check_result(read_text(text, "x.json"))).field == "schedule"


def test_a_data_node_needs_a_place():
    node = {"id": "N", "type": "S3DataNode"}
    assert "'filePath' or 'directoryPath'" in only(findings(ACTIVITY, node)).message


def test_a_resource_runs_nowhere():
    box = {"id": "B", "type": "Ec2Resource", "workerGroup": "w"}
    assert only(findings(ACTIVITY, box)).message == "workerGroup is not allowed on Ec2Resource"


def test_objects_that_wait_for_one_another():
    node = {"id": "N", "type": "S3DataNode", "filePath": "s3://b/k"}
    found = findings(
        ACTIVITY | {"dependsOn": {"ref": "B"}, "output": {"ref": "N"}},
        ACTIVITY | {"id": "B", "input": {"ref": "N"}},
        ACTIVITY | {"id": "C", "dependsOn": {"ref": "D"}},
        ACTIVITY | {"id": "D", "dependsOn": {"ref": "C"}},
        ACTIVITY | {"id": "E", "input": {"ref": "M"}, "output": {"ref": "M"}},
        node,
        node | {"id": "M"},
    )
    circles = [one.message for one in found if "wait for one another" in one.message]
    assert circles == [
        "The objects wait for one another: A → B → A",
        "The objects wait for one another: C → D → C",
    ]


def test_many_objects_and_parameters():
    objects = [ACTIVITY | {"id": f"A{n}"} for n in range(100)]
    parameters = [{"id": f"myP{n}"} for n in range(51)]
    messages = [one.message for one in findings(*objects, parameters=parameters)]
    assert messages == [
        "The definition has 101 objects, the service takes 100",
        "The definition has 51 parameters, the service takes 50",
    ]


@pytest.mark.parametrize(
    ("parameter", "severity", "field", "words"),
    [
        ({"type": "Integer", "default": "x"}, "error", "default", "does not fit"),
        ({"type": "Double", "default": "inf"}, "error", "default", "does not fit"),
        ({"type": "Strin"}, "warning", "default", "unknown type"),
        ({"allowedValues": ["a"], "default": "b"}, "warning", "default", "none of the allowed"),
        ({"default": ["a", "b"]}, "error", "default", "takes one value"),
        ({"optional": "maybe"}, "warning", "optional", "true or false"),
        ({"descripton": "x"}, "warning", "descripton", "no attribute"),
    ],
)
def test_parameters(parameter, severity, field, words):
    finding = only(findings(ACTIVITY, parameters=[{"id": "myX", **parameter}]))
    assert (finding.severity, finding.object_id, finding.field) == (severity, "myX", field)
    assert words in finding.message


def test_a_parameter_has_a_name_of_its_own():
    assert only(findings(ACTIVITY, parameters=[{"id": "x"}])).field == "id"


def test_values_of_secrets_are_not_shown():
    found = findings(ACTIVITY, parameters=[{"id": "*myX", "default": ["hunter2", "hunter3"]}])
    assert only(found).value == MASK


def test_everything_is_found_although_reading_found_errors():
    broken = ACTIVITY | {"stage": None, "comand": "x"}
    text = json.dumps({"objects": [{"name": "N", "type": "Emrcluster"}, broken]}, indent=1)
    found = check_result(read_text(text, "x.json"))
    assert [(one.object_id, one.field) for one in found] == [
        (None, "id"),
        ("N", "type"),
        ("A", "stage"),
        ("A", "comand"),
    ]
