"""A secret reaches neither DAG nor report nor terminal, however a definition passes it on."""

import json

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from updraft.cli.convert import convert
from updraft.datapipeline.findings import MASK, has_errors, mask_passwords
from updraft.datapipeline.model import ParameterValue
from updraft.migration.ledger import Status

MARKER = "hunter2secret"
DATABASE = {"id": "Base", "type": "RedshiftDatabase", "username": "u", "clusterId": "c"}


def _add(document, *, objects=(), parameters=(), default=None, values=None, table=None):
    document["objects"] += objects
    document["parameters"] += parameters
    document["objects"][0].update(default or {})
    document.setdefault("values", {}).update(values or {})
    if table is not None:
        next(one for one in document["objects"] if one["id"] == "Table")["tableName"] = table


# Each way has names of its own, so that they can be combined.
WAYS = {
    "literal": {"objects": [DATABASE | {"*password": MARKER}]},
    "parameter without asterisk": {
        "objects": [DATABASE | {"id": "B1", "*password": "#{myA}"}],
        "parameters": [{"id": "myA", "default": MARKER, "optional": "true"}],
    },
    "given value": {
        "objects": [DATABASE | {"id": "B2", "*password": "#{myB}"}],
        "parameters": [{"id": "myB"}],
        "values": {"myB": MARKER},
    },
    "asterisk on the value only": {
        "parameters": [{"id": "myC"}],
        "values": {"*myC": MARKER},
        "table": "#{myC}",
    },
    "asterisk on the declaration only": {
        "parameters": [{"id": "*myD", "allowedValues": ["x"]}],
        "values": {"myD": MARKER},
        "table": "#{myD}",
    },
    "asterisk where it is read": {
        "objects": [
            {
                "id": "Run",
                "type": "ShellCommandActivity",
                "workerGroup": "w",
                "command": "run #{*myE}",
            }
        ],
        "parameters": [{"id": "myE", "default": MARKER}],
        "table": "#{myE}",
    },
    "user fields at any remove": {
        "objects": [DATABASE | {"id": "B3", "*password": "#{myF}"}],
        "default": {"myF": "p#{myG}", "myG": "#{myH}"},
        "parameters": [{"id": "myH", "default": MARKER}],
        "table": "#{myG}",
    },
    "user field with the value": {
        "objects": [DATABASE | {"id": "B4", "*password": "#{myI}"}],
        "default": {"myI": MARKER},
        "table": "#{myI}",
    },
    "field of another object": {
        "objects": [
            DATABASE | {"id": "B5", "*password": "#{parent.myJ}", "parent": {"ref": "Keeper"}},
            {"id": "Keeper", "myJ": MARKER},
        ],
    },
    "asterisk behind a dot": {
        "objects": [DATABASE | {"id": "B6", "*password": "x", "databaseName": "#{parent.*myK}"}],
        "default": {"myK": MARKER},
    },
    "unused and dropped": {
        "objects": [
            {
                "id": "Gone",
                "type": "Schedule",
                "period": "1 day",
                "startAt": "FIRST_ACTIVATION_DATE_TIME",
                "*myL": MARKER,
            }
        ],
        "parameters": [{"id": "*myM", "type": "Integer", "default": MARKER}],
    },
    "broken expression": {
        "objects": [DATABASE | {"id": "B7", "*password": "#{myN + }"}],
        "parameters": [{"id": "myN", "type": "Integer", "default": MARKER}],
        "table": "#{myN}",
    },
    "expression by chance": {
        "objects": [DATABASE | {"id": "B8", "*password": f"#{{{MARKER}()}}#{{{MARKER}}}"}]
    },
    "dangling reference": {"objects": [DATABASE | {"id": "B9", "*password": {"ref": MARKER}}]},
    "unknown field": {"objects": [{"id": "Format", "type": "CSV", "*pasword": MARKER}]},
    "several values": {
        "parameters": [{"id": "myO", "type": "Integer"}, {"id": "myP", "default": "#{myO}"}],
        "objects": [DATABASE | {"id": "B10", "*password": "#{myP}"}],
        "values": {"myO": [MARKER, f"{MARKER}2"]},
        "table": "#{myO}",
    },
    "undeclared": {"values": {"*myQ": MARKER}, "table": "#{myQ}"},
    "starred field read as a parameter": {"default": {"*myR": MARKER}, "table": "#{myR}"},
}


def _texts(conversion):
    yield from (one.model_dump_json() for one in conversion.findings)
    if not conversion.failed:
        yield conversion.dag_source or ""
        yield conversion.report.to_markdown()
        yield conversion.report.to_json()


def _plant(document, ways):
    for way in ways:
        _add(document, **json.loads(json.dumps(WAYS[way])))


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_shows_nowhere(definition, way):
    _plant(definition.document, [way])
    conversion = definition.convert()
    assert MARKER in json.dumps(definition.document)
    assert not any(MARKER in text for text in _texts(conversion))
    erroneous = {
        "broken expression",
        "expression by chance",
        "dangling reference",
        "several values",
    }
    assert has_errors(conversion.findings) == (way in erroneous)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sets(st.sampled_from(sorted(WAYS)), min_size=2))
def test_combined_ways_show_nothing_either(definition, ways):
    before = json.dumps(definition.document)
    try:
        _plant(definition.document, sorted(ways))
        assert not any(MARKER in text for text in _texts(definition.convert()))
    finally:
        definition.document = json.loads(before)


def test_a_task_that_needs_a_secret_waits_for_a_connection(definition):
    _plant(definition.document, ["parameter without asterisk"])
    definition.item("Table")["tableName"] = "#{myA}"
    conversion = definition.convert()
    assert not any(
        task.migrated for task in conversion.report.tasks if task.object_type != "EmrCluster"
    )
    assert "the secret 'myA' must come from a connection" in conversion.dag_source
    account = next(one for one in conversion.report.parameters if one.id == "myA")
    assert (account.value, account.status) == (MASK, Status.NEEDS_DECISION)
    assert '"myA": Param' not in conversion.dag_source


def test_a_value_from_the_command_line_makes_a_secret(definition):
    value = ParameterValue(id="*myTable", values=(MARKER,), source="--set")
    conversion = definition.convert((value,))
    assert not conversion.failed
    assert not any(MARKER in text for text in _texts(conversion))


def test_what_is_no_text_stays_visible(definition):
    definition.add(DATABASE | {"*password": "#{input.tableName}#{@scheduledStartTime}#{id}"})
    rows = {(one.object_id, one.field): one.value for one in definition.convert().report.fields}
    assert rows["Table", "tableName"] == MASK
    assert rows["ExportActivity", "input"] == "→ Table"
    assert rows["ExportActivity", "type"] == "EmrActivity"


def test_the_terminal_shows_none(definition, tmp_path):
    _plant(definition.document, sorted(WAYS))
    path = tmp_path / "definition.json"
    path.write_text(json.dumps(definition.document))
    app = typer.Typer()
    app.command()(convert)
    values = ["--set", f"myTable={MARKER}", "--set", f"*myTable={MARKER}"]
    result = CliRunner().invoke(app, [str(path), "--output", str(tmp_path / "dags"), *values])
    assert result.exit_code == 1
    assert MASK in result.output
    assert MARKER not in result.output


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sqoop --username u --password hunter2 --table t", True),
        ("mysql -password 'hunter2'", True),
        ("PGPASSWORD=hunter2 psql", True),
        ("jdbc:mysql://h/d?password=$hunter2", True),
        ("PGPASSWORD=$(aws ssm get-parameter) psql", False),
        ("mysql --password $DB_PASSWORD", False),
        ("mysql --password '#{*myPassword}'", False),
        ("sqoop --password-file hdfs:///p --password --verbose", False),
    ],
)
def test_passwords_of_commands(text, masked):
    shown = mask_passwords(text)
    assert ("***" in shown) is masked
    assert not masked or "hunter2" not in shown
