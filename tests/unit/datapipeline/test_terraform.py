"""Pipelines in Terraform configurations: HCL and JSON, expressions, and what they leave open."""

import json
from pathlib import Path

import pytest

from updraft.datapipeline.findings import has_errors
from updraft.datapipeline.reading import read_file, read_text, read_values

TEMPLATES = Path(__file__).parent / "templates"
BLOCK = """
{rest}
resource "aws_datapipeline_pipeline_definition" "p" {{
  pipeline_object {{
    id   = "A"
    name = "A"
    field {{
      key          = "myX"
      string_value = {value}
    }}
  }}
}}
"""


def field(value, rest="", **given):
    result = read_text(
        BLOCK.format(value=value, rest=rest),
        "x.tf",
        {name: (text,) for name, text in given.items()},
    )
    return result, result.definitions[0].objects[0].field("myX")


@pytest.fixture(scope="module")
def module():
    return read_file(TEMPLATES / "main.tf")


def test_a_module(module):
    (definition,) = module.definitions
    default, schedule, hello = definition.objects
    assert default.field("workerGroup").text == "wg"
    assert default.field("schedule").references == ("Schedule",)
    assert schedule.type == "Schedule"
    assert schedule.field("period").text == "1 hour"
    assert hello.field("command").text == (
        'echo "hello #{who}" ${INPUT1_STAGING_DIR} #{format(@scheduledStartTime, pattern)}\n'
        "  aws s3 cp s3://logs-prod/x #{aws_sns_topic_t_arn} A-PROD\n"
    )
    assert hello.field("command").values[0].position.line == 62
    assert (definition.pipeline.key, definition.pipeline.name) == ("example", "tf-prod")
    assert definition.pipeline.tags == (("team", "data"), ("k-2", "prod"))
    assert {one.id for one in definition.parameters if one.origin} == {
        "aws_sns_topic_t_arn",
        "local_loop_a",
        "pattern",
        "who",
    }
    assert definition.parameters_by_name["pattern"].description == "Pattern of a day"
    assert not definition.values


def test_what_is_wrong_in_a_module(module):
    found = {(one.position.line, one.object_id, one.message) for one in module.findings}
    assert (16, None, "local.loop_a is made of itself") in found
    assert any(line == 84 and name == "*myPass" for line, name, _ in found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"a${1 + 2}b"', "a3b"),
        ('"$${x} %%{y} #{myY}"', "${x} %{y} #{myY}"),
        ('"tab\\t\\"quote\\" \\u00e9"', 'tab\t"quote" é'),
        ("var.given", "yes"),
        ('var.given == "yes" ? "a" : "b"', "a"),
        ("!(1 > 2) && 2 >= 2 ? 1 : 0", "1"),
        ('format("%s-%03d", "a", 7)', "a-007"),
        ('join(",", [for x in ["a", "b", "c"] : upper(x) if x != "b"])', "A,C"),
        ('{ for k, v in { a = "x" } : v => k }["x"]', "a"),
        ('lookup({ a = "b" }, "z", "none")', "none"),
        ('element(concat(["a"], ["b"]), 3)', "b"),
        ('["a", "b"][1]', "b"),
        ("jsonencode({ a = [1, true, null] })", '{"a":[1,true,null]}'),
        ('replace(trimspace(" a-b "), "-", "_")', "a_b"),
        ("local.nested.list[1].key", "deep"),
        ("<<EOT\nline ${var.given}\n  two\nEOT\n", "line yes\n  two\n"),
        ("data.aws_region.now.name", "#{data_aws_region_now_name}"),
        ('"${module.net.subnet}/x"', "#{module_net_subnet}/x"),
        ("aws_s3_bucket.b[0].arn", "#{aws_s3_bucket_b_0_arn}"),
        ("var.open == 1 ? 2 : 3", "#{choice}"),
        ("cidrsubnet(var.given, 1, 2)", "#{cidrsubnet}"),
        ('"%{ if true }a%{ endif }"', "#{template}"),
        ("upper(var.open)", "#{upper}"),
        ('"${upper(var.open)}${upper(var.other)}${upper(var.open)}"', "#{upper}#{upper_2}#{upper}"),
        ("null", None),
    ],
)
def test_expressions(value, text):
    rest = (
        'variable "given" {}\nvariable "open" {}\nvariable "other" {}\n'
        'locals { nested = { list = [1, { key = "deep" }] } }'
    )
    result, read_field = field(value, rest, given="yes")
    assert (read_field.text if read_field.values else None) == text
    assert not has_errors(result.findings)


def test_a_sensitive_variable_is_never_written_out():
    rest = 'variable "key" {\n  sensitive = true\n  default = "hunter2"\n}'
    result, read_field = field('"x ${var.key}"', rest, key="hunter3")
    assert read_field.text == "x #{*key_value}"
    assert "hunter" not in str(result.definitions)


def test_what_is_made_of_a_secret_is_one():
    rest = 'variable "key" {\n  sensitive = true\n}'
    _, read_field = field("sha256(upper(var.key))", rest)
    assert read_field.text == "#{*sha256}"


def test_values_of_variables_may_be_lists():
    for given in ("a,b", '["a", "b"]'):
        texts = tuple(given.split(",")) if given == "a,b" else (given,)
        result = read_text(
            BLOCK.format(value='join("-", var.zones)', rest='variable "zones" {}'),
            "x.tf",
            {"zones": texts},
        )
        assert result.definitions[0].objects[0].field("myX").text == "a-b"


def test_the_json_syntax():
    document = {
        "variable": {"env": {"default": "dev"}},
        "resource": {
            "aws_datapipeline_pipeline_definition": {
                "p": {
                    "pipeline_object": [
                        {
                            "id": "A",
                            "name": "A",
                            "field": [
                                {"key": "type", "string_value": "S3DataNode"},
                                {"key": "filePath", "string_value": "s3://${var.env}/${var.no}"},
                                {"key": "parent", "string_value": "Default"},
                            ],
                        },
                        {"id": "Default", "name": "Default", "field": []},
                    ],
                    "parameter_value": {"id": "myX", "string_value": "v"},
                }
            }
        },
    }
    result = read_text(json.dumps(document, indent=1), "x.tf.json")
    (definition,) = result.definitions
    assert definition.objects[0].type == "S3DataNode"
    assert definition.objects[0].field("filePath").text == "s3://dev/#{no}"
    assert definition.values_by_name["myX"].values == ("v",)
    (finding,) = result.findings
    assert finding.message == "The variable 'no' is not declared here"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('resource "aws_datapipeline_pipeline" "p" {\n  name = \n}', "not HCL"),
        ('resource "aws_datapipeline_pipeline" "p" {\n}', "has no resource"),
        ('variable "x" {}', "has no resource"),
        ('resource "x" "y" {\n' + "a {\n" * 100 + "}\n" * 101, "nested more than"),
        ('resource "x" "y" {\n  a = ' + "[" * 100 + "]" * 100 + "\n}", "nested more than"),
    ],
)
def test_what_can_not_be_read(text, words):
    result = read_text(text, "x.tf")
    assert any(words in one.message for one in result.findings)
    assert all(one.position and one.advice for one in result.findings)


def test_dynamic_blocks_that_depend_on_nothing_known():
    result = read_text(
        'resource "aws_datapipeline_pipeline_definition" "p" {\n'
        '  dynamic "pipeline_object" {\n    for_each = var.objects\n    content {\n'
        "      id = pipeline_object.key\n    }\n  }\n}\n"
        'variable "objects" {}',
        "x.tf",
    )
    messages = [one.message for one in result.findings]
    assert "How many blocks 'pipeline_object' there are is not known" in messages


def test_files_with_values_of_variables(tmp_path):
    file = tmp_path / "prod.tfvars"
    file.write_text('env = "prod"\nzones = ["a", "b"]\n')
    values, findings = read_values(file)
    assert [(one.name, one.values) for one in values] == [("env", ("prod",)), ("zones", ("a", "b"))]
    assert findings == ()


STACK = """
variable "bucket" { default = "logs" }
resource "aws_cloudformation_stack" "s" {
  parameters = {
    Bucket = var.bucket
    Other  = aws_s3_bucket.b.id
  }
  template_body = %s
}
"""


def test_templates_inside_of_a_configuration():
    body = """<<EOT
Parameters: {Bucket: {Type: String}, Other: {Type: String}}
Resources:
  P:
    Type: AWS::DataPipeline::Pipeline
    Properties:
      Name: p
      PipelineObjects:
        - Id: A
          Name: A
          Fields: [{Key: myX, StringValue: !Sub "$${Bucket}/$${Other}"}]
EOT
"""
    result = read_text(STACK % body, "x.tf")
    (item,) = result.definitions[0].objects
    assert item.field("myX").text == "logs/#{Other}"
    assert item.position.line == 16
    assert result.findings == ()


def test_open_values_of_a_configuration_in_a_template_inside_of_it():
    fields = (
        '[{"Key": "role", "StringValue": "${aws_iam_role.dp.name}"},'
        ' {"Key": "myX", "StringValue": "s3://${var.place}/#{format(@scheduledStartTime,'
        " '${var.place}')}\"}]"
    )
    body = (
        '<<EOT\n{"Resources": {"P": {"Type": "AWS::DataPipeline::Pipeline", "Properties": {"Name":'
        f' "p", "PipelineObjects": [{{"Id": "A", "Name": "A", "Fields": {fields}}}]}}}}}}}}\nEOT\n'
    )
    result = read_text(f'variable "place" {{}}\n{STACK % body}', "x.tf")
    (definition,) = result.definitions
    (item,) = definition.objects
    assert item.field("role").text == "#{aws_iam_role_dp_name}"
    assert item.field("myX").text == "s3://#{place}/#{format(@scheduledStartTime, place)}"
    assert {one.id for one in definition.parameters} == {"aws_iam_role_dp_name", "place"}
    assert result.findings == ()


def test_templates_in_files_beside_a_configuration():
    result = read_text(STACK % 'file("${path.module}/templates/p.yml")', "x.tf")
    assert any("Give templates/p.yml" in one.advice for one in result.findings)


@pytest.mark.timeout(30)
def test_texts_that_grow_without_end_stay_open():
    grown = "\n".join(f'  a{n} = "${{local.a{n - 1}}}${{local.a{n - 1}}}"' for n in range(1, 40))
    _, read_field = field('"${local.a39}"', f'locals {{\n  a0 = "xx"\n{grown}\n}}')
    assert read_field.text.startswith("#{template")
    assert len(read_field.text) < 1_000_000
