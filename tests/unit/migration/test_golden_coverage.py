"""The definitions behind the golden files use together all that the legacy language has."""

from contextlib import chdir
from functools import cache

import pytest

from tests.unit.migration.golden_files import FOLDER, PROJECT, cases
from updraft.datapipeline.expression_tree import (
    Call,
    Embedded,
    ListOf,
    Member,
    Name,
    Negation,
    Number,
    Operation,
    Secret,
    String,
    walk,
)
from updraft.datapipeline.expressions import parse_text
from updraft.datapipeline.functions import FUNCTIONS
from updraft.datapipeline.model import Reference
from updraft.datapipeline.object_types import all_field_names, object_types
from updraft.migration.inputs import read_input


@cache
def definitions():
    with chdir(PROJECT):
        return tuple(
            definition
            for case in cases()
            for definition in read_input(case.definition, {}).definitions
        )


@cache
def trees():
    """Give all nodes of all expressions."""
    return tuple(
        node
        for definition in definitions()
        for item in definition.objects
        for field in item.fields
        for text in field.texts
        for part in parse_text(text)
        if isinstance(part, Embedded)
        for node in walk(part.tree)
    )


def values(field_name, type_name=None):
    """Give all texts of a field, in lower case."""
    return {
        text.lower()
        for definition in definitions()
        for item in definition.objects
        if type_name is None or item.type == type_name
        for field in item.fields
        if field.name == field_name
        for text in field.texts
    }


def test_there_are_enough():
    assert len(cases()) >= 30


def test_the_purpose_of_each_is_told():
    rows = (FOLDER / "README.md").read_text("utf-8").splitlines()
    assert [row.split("`")[1] for row in rows if row.startswith("| `")] == [
        case.name for case in cases()
    ]


def test_every_object_type():
    used = {item.type for definition in definitions() for item in definition.objects}
    assert set(object_types()) - used == set()


def test_every_field():
    used = {
        field.name
        for definition in definitions()
        for item in definition.objects
        for field in item.fields
    }
    assert all_field_names() - used == set()


def test_every_function():
    assert set(FUNCTIONS) - {node.function for node in trees() if isinstance(node, Call)} == set()


def test_every_operator():
    used = {node.operator for node in trees() if isinstance(node, Operation)}
    assert used == {"+", "-", "*", "/", "^"}


@pytest.mark.parametrize(
    "kind", [Number, String, Name, Secret, Member, Call, Operation, Negation, ListOf]
)
def test_every_kind_of_expression(kind):
    assert any(isinstance(node, kind) for node in trees())


def test_functions_as_methods():
    assert any(isinstance(node, Call) and node.method for node in trees())


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("input", "directoryPath"),
        ("output", "directoryPath"),
        ("node", "name"),
        ("node", "@scheduledStartTime"),
        ("node", "@actualStartTime"),
        ("node", "@actualEndTime"),
        ("node", "@status"),
        ("node", "@pipelineId"),
        ("node", "errorMessage"),
        ("node", "errorStackTrace"),
        ("node", "hostname"),
        ("node", "tableName"),
        ("node.input", "filePath"),
        ("input.myReference", "directoryPath"),
    ],
)
def test_references(target, name):
    def dotted(node):
        return f"{dotted(node.target)}.{node.name}" if isinstance(node, Member) else node.name

    found = {dotted(node) for node in trees() if isinstance(node, Member)}
    assert f"{target}.{name}" in found


@pytest.mark.parametrize("name", ["@scheduledStartTime", "@scheduledEndTime", "@pipelineId", "id"])
def test_names_of_the_object_itself(name):
    assert Name(name) in trees()


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("scheduleType", {"cron", "timeseries", "ondemand"}),
        ("startAt", {"first_activation_date_time"}),
        ("occurrences", {"10"}),
        ("failureAndRerunMode", {"cascade", "none"}),
        ("insertMode", {"append", "truncate", "keep_existing", "overwrite_existing"}),
        ("compression", {"none", "gzip"}),
        ("actionOnTaskFailure", {"continue", "terminate"}),
        ("actionOnResourceFailure", {"retryall", "retrynone"}),
        ("stage", {"true", "false"}),
    ],
)
def test_every_choice(field, expected):
    assert expected - values(field) == set()


def test_periods_of_every_unit():
    units = {text.split()[1].rstrip("s") for text in values("period", "Schedule")}
    assert {"minute", "hour", "day", "week", "month"} <= units


def test_parameters_of_every_type():
    declared = [one for definition in definitions() for one in definition.parameters]
    assert {"string", "integer", "double", "aws::s3::objectkey"} <= {
        one.type.lower() for one in declared
    }
    assert any(one.id.startswith("*") for one in declared)
    assert any(one.is_array for one in declared)
    assert any(one.allowed_values for one in declared)
    assert any(one.optional for one in declared)
    assert any(one.origin for one in declared)


def test_inheritance_by_several_steps():
    parents = {
        item.id: field.values[0].object_id
        for definition in definitions()
        for item in definition.objects
        for field in item.fields
        if field.name == "parent" and isinstance(field.values[0], Reference)
    }
    assert any(parents.get(parent) for parent in parents.values())


def test_several_schedules_and_several_pipelines():
    schedules = [
        sum(item.type == "Schedule" for item in definition.objects) for definition in definitions()
    ]
    assert max(schedules) > 1
    assert len(definitions()) > len(cases())


@pytest.mark.parametrize(
    ("suffix", "word"),
    [
        (".json", '"objects"'),
        (".json", '"pipelineObjects"'),
        (".json", '"AWS::DataPipeline::Pipeline"'),
        (".yaml", "AWS::DataPipeline::Pipeline"),
        (".tf", "aws_datapipeline_pipeline_definition"),
    ],
)
def test_every_form_of_a_file(suffix, word):
    files = [PROJECT / case.definition for case in cases()]
    assert any(word in file.read_text("utf-8") for file in files if file.suffix == suffix)
