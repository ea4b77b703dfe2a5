"""Inheritance, misplaced values and the checks of a whole definition."""

import json

import pytest

from updraft.datapipeline.checking import check
from updraft.datapipeline.findings import MASK, Severity, nearest, shown_value
from updraft.datapipeline.object_types import object_types
from updraft.datapipeline.reading import read_text
from updraft.datapipeline.slots import repair_slots

ACTIVITY = {"id": "A", "type": "ShellCommandActivity", "command": "ls", "workerGroup": "w"}


def _check(*objects, **rest):
    result = read_text(json.dumps({"objects": list(objects), **rest}), "x.json")
    assert result.definition is not None, result.findings
    definition, slots = repair_slots(result.definition)
    resolved, findings = check(definition)
    return resolved, [*slots, *findings]


def _only(findings):
    (finding,) = findings
    return finding


def test_a_sound_definition_has_no_findings():
    assert _check(ACTIVITY)[1] == []


def test_fields_come_from_parents_then_from_default():
    resolved, _ = _check(
        {"id": "Default", "role": "default", "workerGroup": "default", "myX": "default"},
        {"id": "P", "workerGroup": "parent", "myX": "parent"},
        ACTIVITY | {"workerGroup": [], "id": "B"},
        {"id": "A", "type": "ShellCommandActivity", "command": "#{myX}", "parent": {"ref": "P"}},
    )
    item = resolved["A"]
    assert (item.text("workerGroup"), item.text("role")) == ("parent", "default")
    assert item.fields["myX"].owner_id == "P"
    assert resolved["Default"].fields.keys() == {"role", "workerGroup", "myX"}


def test_a_circle_of_parents_is_an_error():
    _, findings = _check(
        ACTIVITY | {"parent": {"ref": "P"}},
        {"id": "P", "parent": {"ref": "Q"}},
        {"id": "Q", "parent": {"ref": "P"}},
    )
    errors = [one for one in findings if one.severity is Severity.ERROR]
    assert {one.object_id for one in errors} == {"A", "P", "Q"}
    assert "ancestor" in errors[0].message


def test_a_long_chain_of_parents_is_an_error():
    chain = [{"id": f"P{n}", "parent": {"ref": f"P{n + 1}"}} for n in range(40)]
    _, findings = _check({**ACTIVITY, "parent": {"ref": "P0"}}, *chain, {"id": "P40"})
    assert any("more than 32" in one.message and one.object_id == "A" for one in findings)
    assert not any(one.object_id == "P20" for one in findings)


@pytest.mark.parametrize(
    ("change", "severity", "field", "value", "advice"),
    [
        pytest.param(
            {"dependsOn": {"ref": "Aa"}}, "error", "dependsOn", "Aa", "Add that", id="dangling"
        ),
        pytest.param(
            {"comand": "x"}, "warning", "comand", "x", "Did you mean 'command'?", id="field"
        ),
        pytest.param(
            {"type": "ShellComandActivity"},
            "warning",
            "type",
            "ShellComandActivity",
            "Did you mean 'ShellCommandActivity'?",
            id="type",
        ),
        pytest.param(
            {"command": "#{formt(@scheduledStartTime, 'Y')}"},
            "error",
            "command",
            "#{formt(@scheduledStartTime, 'Y')}",
            "Did you mean 'format'?",
            id="function",
        ),
        pytest.param(
            {"command": "#{myX"}, "error", "command", "#{myX", "between #{ and }", id="expression"
        ),
        pytest.param(
            {"scheduleType": "crn"},
            "warning",
            "scheduleType",
            "crn",
            "Did you mean 'cron'?",
            id="enumeration",
        ),
        pytest.param(
            {"attemptTimeout": ["1 day", "2 days"]},
            "warning",
            "attemptTimeout",
            "2 days",
            "Keep the one",
            id="too many",
        ),
        pytest.param(
            {"runsOn": "Cluster"}, "error", "runsOn", "Cluster", '{"ref"', id="text for reference"
        ),
    ],
)
def test_findings(change, severity, field, value, advice):
    finding = _only(_check(ACTIVITY | change)[1])
    assert (finding.severity, finding.object_id, finding.field, finding.value) == (
        severity,
        "A",
        field,
        value,
    )
    assert advice in finding.advice
    assert finding.position is not None
    assert finding.file == "x.json"


def test_missing_fields():
    _, findings = _check(
        {"id": "T", "type": "DynamoDBDataNode"},
        {"id": "S", "type": "Schedule", "period": "1 day"},
        {"id": "Nothing"},
    )
    assert [(one.severity, one.object_id, one.field) for one in findings] == [
        ("error", "T", "tableName"),
        ("error", "S", "startAt"),
        ("warning", "Nothing", "type"),
    ]


def test_secret_fields_count_with_and_without_asterisk():
    database = {"id": "D", "type": "RedshiftDatabase", "username": "u", "clusterId": "c"}
    assert _check(database | {"*password": "x"})[1] == []
    assert _only(_check(database)[1]).field == "*password"


def test_duplicate_ids():
    _, findings = _check(ACTIVITY, ACTIVITY, parameters=[{"id": "myX"}, {"id": "myX"}])
    assert [(one.severity, one.object_id, one.field) for one in findings] == [
        ("error", "A", "id"),
        ("error", "myX", "id"),
    ]


def test_references_written_as_text_and_the_reverse_are_read_as_meant():
    resolved, findings = _check(
        {"id": "P", "workerGroup": "w"},
        {"id": "A", "type": "ShellCommandActivity", "command": "ls", "parent": "P"},
        ACTIVITY | {"id": "B", "stage": {"ref": "true"}},
    )
    assert resolved["A"].text("workerGroup") == "w"
    assert resolved["B"].text("stage") == "true"
    assert [(one.severity, one.field) for one in findings] == [
        ("warning", "parent"),
        ("warning", "stage"),
    ]


def test_secrets_are_never_shown():
    _, findings = _check({"id": "D", "type": "CSV", "*pasword": "hunter2"})
    assert _only(findings).value == MASK
    assert "hunter2" not in _only(findings).model_dump_json()


def test_shown_values_are_short_and_printable():
    assert shown_value("x\n\x1b") == "x\\n\\x1b"
    assert len(shown_value("x" * 5000)) == 120


def test_nearest_word_keeps_its_spelling():
    assert nearest("tablename", ["tableName", "other"]) == "tableName"
    assert nearest("quite different", ["tableName"]) is None


def test_the_table_of_types_is_complete():
    types = object_types()
    assert len(types) == 41
    assert types["EmrActivity"].fields["step"].multi
    assert types["DynamoDBDataNode"].fields["tableName"].required
    assert types["EmrActivity"].category == "activity"


@pytest.mark.parametrize(
    ("change", "field", "value", "words"),
    [
        ({"runsOn": {"ref": "S"}, "workerGroup": "w"}, "runsOn", "S", "a resource"),
        ({"schedule": {"ref": "B"}}, "schedule", "B", "a schedule"),
        ({"input": {"ref": "S"}}, "input", "S", "a data node"),
        ({"dependsOn": {"ref": "S"}}, "dependsOn", "S", "activity"),
        ({"dependsOn": {"ref": "A"}}, "dependsOn", "A", "waits for itself"),
        ({"maximumRetries": "many"}, "maximumRetries", "many", "whole number"),
        ({"maximumRetries": "-3"}, "maximumRetries", "-3", "whole number"),
        ({"maximumRetries": "1.5"}, "maximumRetries", "1.5", "whole number"),
    ],
)
def test_wrong_values_are_errors_with_their_place(change, field, value, words):
    schedule = {"id": "S", "type": "Schedule", "period": "1 day", "startAt": "x"}
    _, findings = _check(ACTIVITY | change, ACTIVITY | {"id": "B"}, schedule)
    error = _only([one for one in findings if one.severity is Severity.ERROR])
    assert (error.object_id, error.field, error.value) == ("A", field, value)
    assert error.position is not None
    assert words in error.message


def test_numbers_are_checked_where_they_are_inherited_from():
    _, findings = _check({"id": "Default", "maximumRetries": "many"}, ACTIVITY)
    error = _only([one for one in findings if one.severity is Severity.ERROR])
    assert (error.object_id, error.field) == ("Default", "maximumRetries")


def test_numbers_in_expressions_and_references_to_what_runs_are_right():
    activity = ACTIVITY | {"maximumRetries": "#{myTries}", "dependsOn": {"ref": "B"}}
    assert _check(activity, ACTIVITY | {"id": "B"}, parameters=[{"id": "myTries"}])[1] == []


@pytest.mark.parametrize("text", ["#{@scheduledStartTme}", "#{node.@scheduledStartTme}"])
def test_runtime_fields_are_known(text):
    finding = _only(_check(ACTIVITY | {"command": text})[1])
    assert finding.severity is Severity.ERROR
    assert finding.advice == "Did you mean '@scheduledStartTime'?"


def test_a_deep_chain_of_parents_is_one_error():
    chain = [{"id": f"P{number}", "parent": {"ref": f"P{number + 1}"}} for number in range(300)]
    _, findings = _check(*chain, {"id": "P300"})
    assert len([one for one in findings if one.severity is Severity.ERROR]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "jdbc:mysql://h/db?user=u&password=S3CRET&x=y",
        "jdbc:sqlserver://h;Pwd=S3CRET;x=y",
        "https://user:S3CRET@host/x",
        "https://host/?token=S3CRET",
    ],
)
def test_passwords_inside_of_texts_are_masked(text):
    assert "S3CRET" not in shown_value(text)
    assert MASK in shown_value(text)
    definition = read_text(
        json.dumps({"objects": [{"id": "D", "type": "JdbcDatabase", "connectionString": text}]}),
        "x.json",
    ).definition
    assert "S3CRET" not in definition.shown(definition.objects[0].fields[0])


@pytest.mark.parametrize("text", ["s3://bucket/a@b", "password=#{*myPw}", "https://host:80/x"])
def test_what_holds_no_password_stays(text):
    assert shown_value(text) == text


def test_a_reference_in_the_place_of_a_secret_is_masked():
    _, findings = _check({"id": "D", "type": "RedshiftDatabase", "*password": {"ref": "S3CRETref"}})
    assert findings
    assert "S3CRETref" not in "".join(one.model_dump_json() for one in findings)
