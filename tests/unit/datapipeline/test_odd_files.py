"""Files of definitions as people keep them, which are not what the service takes."""

import json

import pytest

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.model import Reference
from updraft.datapipeline.reading import read_file, read_text

OBJECTS = [
    {"id": "Default", "name": "Default", "scheduleType": "ondemand"},
    {"id": "Say", "name": "Say", "type": "ShellCommandActivity", "command": "echo é"},
]
API_OBJECTS = [
    {
        "id": one["id"],
        "name": one["name"],
        "fields": [
            {"key": key, "stringValue": value}
            for key, value in one.items()
            if key not in {"id", "name"}
        ],
    }
    for one in OBJECTS
]


def _command(result):
    (definition,) = result.definitions
    (said,) = [one for one in definition.objects if one.id == "Say"]
    assert said.type == "ShellCommandActivity"
    assert not [one for one in result.findings if one.severity is Severity.ERROR]
    return said.field("command").text


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16-le", "\ufeff"),
        ("utf-16-be", ""),
        ("utf-16-be", "\ufeff"),
        ("utf-32", ""),
        ("cp1252", ""),
    ],
)
def test_encodings(tmp_path, encoding, mark):
    file = tmp_path / "pipeline.json"
    text = json.dumps({"objects": OBJECTS}, ensure_ascii=False)
    file.write_bytes((mark + text).encode(encoding))
    result = read_file(file)
    assert _command(result) == "echo é"
    assert "UTF-8" in f"{result.findings[0].message} {result.findings[0].advice}"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param('"a" // and\n', "a", id="comment of C"),
        pytest.param('/* a */ "a" # a', "a", id="comments"),
        pytest.param('"s3://b/*/ # x" //', "s3://b/*/ # x", id="no comment"),
        pytest.param('"a\n\tb"', "a\n\tb", id="line break"),
        pytest.param(r'"\d \$x \' \" \\ \u00e9"', "\\d \\$x ' \" \\ é", id="escapes"),
        pytest.param(r"'it\'s \x41'", "it's A", id="single quotes"),
        pytest.param("True", "true", id="Python"),
        pytest.param('"a" "stage": "false"', "a", id="no comma"),
        pytest.param("$RETRIES", "#{RETRIES}", id="variable"),
        pytest.param('{% if x %} "a" {# no #}', "a", id="template"),
    ],
)
def test_nearly_json(written, read):
    text = f'{{"objects": [{{"id": "Say", "command": {written}\n}}]}}'
    result = read_text(text, "a.json")
    assert result.definitions[0].objects[0].field("command").text == read
    first = next(one for one in result.findings if "plainly meant" in one.message)
    assert first.severity is Severity.WARNING or "id" in first.message
    template = [one for one in result.findings if "statements are not executed" in one.message]
    assert bool(template) is ("{%" in written)


@pytest.mark.parametrize("text", ['{"objects": [', '{"objects": ["a]}', "{% x %}", "{'a': }"])
def test_what_is_not_nearly_json(text):
    result = read_text(text, "a.json")
    assert not result.definitions
    assert any(one.severity is Severity.ERROR for one in result.findings)


def test_yaml_in_brackets():
    text = "# mine\n{objects: [{id: A, type: EmrActivity, step: s3://b/x.jar}]}"
    (definition,) = read_text(text, "a.yaml").definitions
    assert definition.objects[0].field("step").text == "s3://b/x.jar"


def _terraform():
    blocks = [
        {
            "id": one["id"],
            "name": one["name"],
            "field": [
                {"key": field["key"], "string_value": field["stringValue"], "ref_value": ""}
                for field in one["fields"]
            ],
        }
        for one in API_OBJECTS
    ]
    return {"pipeline_id": "df-1", "pipeline_object": blocks}


PIPELINE = {"id": "df-1", "name": "nightly"}
KIND = "aws_datapipeline_pipeline"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(API_OBJECTS, id="list"),
        pytest.param({"pipelineId": "df-1", "pipelineObjects": API_OBJECTS}, id="arguments"),
        pytest.param({"hasMoreResults": False, "pipelineObjects": API_OBJECTS}, id="described"),
        pytest.param({"note": 1, "definition": {"objects": OBJECTS}}, id="wrapped"),
        pytest.param([{"tasks": [{"data_pipeline": {"objects": API_OBJECTS}}]}], id="playbook"),
        pytest.param(
            {
                "PipelineObjects": [
                    {
                        "Id": one["id"],
                        "Name": one["name"],
                        "Fields": [
                            {"Key": field["key"], "StringValue": field["stringValue"]}
                            for field in one["fields"]
                        ],
                    }
                    for one in API_OBJECTS
                ]
            },
            id="capitals",
        ),
    ],
)
def test_other_forms(document):
    assert _command(read_text(json.dumps(document), "a.json")) == "echo é"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            {
                "version": 4,
                "terraform_version": "1.3.0",
                "resources": [
                    {"type": KIND, "name": "p", "instances": [{"attributes": PIPELINE}]},
                    {
                        "type": f"{KIND}_definition",
                        "name": "d",
                        "instances": [{"attributes": _terraform()}],
                    },
                ],
            },
            id="state",
        ),
        pytest.param(
            {
                "format_version": "1.0",
                "planned_values": {
                    "root_module": {
                        "resources": [{"type": KIND, "name": "p", "values": PIPELINE}],
                        "child_modules": [
                            {
                                "resources": [
                                    {
                                        "type": f"{KIND}_definition",
                                        "name": "d",
                                        "index": 0,
                                        "values": _terraform(),
                                    }
                                ]
                            }
                        ],
                    }
                },
            },
            id="plan",
        ),
    ],
)
def test_states_of_terraform(document):
    result = read_text(json.dumps(document), "terraform.tfstate")
    assert _command(result) == "echo é"
    assert result.definitions[0].pipeline.name == "nightly"


SERVICE = """
service: shop
custom:
  table: users-${opt:stage, 'dev'}
resources:
  - ${file(roles.yml)}
  - Resources:
      Backup:
        Type: AWS::DataPipeline::Pipeline
        Properties:
          Name: ${self:service}-backup
          PipelineObjects:
            - Id: Say
              Name: Say
              Fields:
                - {Key: type, StringValue: ShellCommandActivity}
                - Key: command
                  StringValue: "backup ${self:custom.table} ${self:custom.to} ${env}"
                - {Key: stage, StringValue: no}
"""


def test_a_state_without_a_pipeline():
    result = read_text('{"terraform_version": "1.3.0", "resources": []}', "terraform.tfstate")
    assert [one.severity for one in result.findings] == [Severity.ERROR]


def test_serverless_configuration():
    result = read_text(SERVICE, "serverless.yml", {"opt:stage": ("prod",)})
    assert _command(result) == "backup users-prod #{self_custom_to} ${env}"
    (definition,) = result.definitions
    assert definition.pipeline.name == "shop-backup"
    assert definition.objects[0].field("stage").text == "false"
    assert "${self:custom.to}" in result.findings[0].message


def test_what_ran_and_what_is_empty_are_no_part_of_a_definition():
    objects = [
        {
            "id": "A",
            "onFail": None,
            "dependsOn": [],
            "input": {"ref": ["B", "C"]},
            "@sphere": "COMPONENT",
        },
        {"id": "@A_2024-02-29T00:00:00", "@sphere": "INSTANCE"},
        {"id": "x", "fields": [{"key": "@sphere", "stringValue": "ATTEMPT"}]},
    ]
    result = read_text(json.dumps({"objects": objects}), "a.json")
    (item,) = result.definitions[0].objects
    assert [one.name for one in item.fields] == ["input", "@sphere"]
    assert all(isinstance(one, Reference) for one in item.field("input").values)
    assert len(item.field("input").values) == 2
    assert len(result.findings) == 4


def test_numbered_parts_complete_one_another(tmp_path):
    parts = [
        {"id": "Say", "type": "ShellCommandActivity", "runsOn": {"ref": "Box"}, "command": "x"},
        {"id": "Box", "type": "Ec2Resource", "schedule": {"ref": "Daily"}},
        [{"id": "Daily", "type": "Schedule"}, {"id": "Twice"}],
        {"id": "Twice"},
        {"objects": [{"id": "Default"}, {"id": "Whole"}]},
    ]
    parts[0] |= {"dependsOn": [{"ref": "Twice"}, {"ref": "Whole"}, {"ref": "Other"}]}
    for number, part in enumerate(parts):
        (tmp_path / f"copy-{number}.json").write_text(json.dumps(part))
    (tmp_path / "paste-1.json").write_text('{"id": "Other"}')
    result = read_file(tmp_path / "copy-0.json")
    assert [one.id for one in result.definitions[0].objects] == ["Say", "Box", "Daily"]
    assert [one.object_id for one in result.findings[-2:]] == ["Box", "Daily"]
    assert "copy-1.json" in result.findings[-2].message
    places = {field.position for item in result.definitions[0].objects for field in item.fields}
    assert {one.line for one in places} == {1}
    assert len(read_file(tmp_path / "copy-4.json").definitions[0].objects) == 2


@pytest.mark.parametrize(
    ("name", "completes"),
    [
        ("nightly-node.json", True),
        ("nightly-data-nodes.json", False),
        ("nightly_Resources-3.json", True),
        ("nightly-2.json", True),
        ("nightly.json", False),
        ("daily-node.json", False),
        ("nightly-node.yaml", False),
    ],
)
def test_parts_that_are_named_after_what_they_hold_complete_one_another(tmp_path, name, completes):
    activity = {"id": "Say", "type": "ShellCommandActivity", "runsOn": {"ref": "Box"}}
    (tmp_path / "nightly-activity.json").write_text(json.dumps(activity))
    (tmp_path / name).write_text(json.dumps({"id": "Box", "type": "Ec2Resource"}))
    result = read_file(tmp_path / "nightly-activity.json")
    assert len(result.definitions[0].objects) == 1 + completes
