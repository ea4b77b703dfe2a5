"""Pipelines in CloudFormation templates: intrinsic functions, and what they leave open."""

import json
from pathlib import Path

import pytest

from updraft.datapipeline.file_checking import check_result, unknown_values
from updraft.datapipeline.findings import has_errors
from updraft.datapipeline.model import ParameterValue
from updraft.datapipeline.reading import read_file, read_text

TEMPLATE = Path(__file__).parent / "templates" / "pipelines.yaml"


def read(**given):
    result = read_file(TEMPLATE, given={name: (text,) for name, text in given.items()})
    assert not has_errors(result.findings), result.findings
    return result


def fields(definition, object_id):
    item = definition.objects_by_id[object_id]
    return {
        field.name: field.texts[0] if len(field.texts) == 1 else field.texts or field.references
        for field in item.fields
    }


def field(value, **template):
    """Read a field's value from a template with one pipeline."""
    document = {
        **template,
        "Resources": {
            "P": {
                "Type": "AWS::DataPipeline::Pipeline",
                "Properties": {
                    "Name": "p",
                    "PipelineObjects": [
                        {
                            "Id": "A",
                            "Name": "A",
                            "Fields": [{"Key": "myX", "StringValue": value}],
                        }
                    ],
                },
            }
        },
    }
    result = read_text(json.dumps(document), "x.json")
    return result, result.definitions[0].objects[0].field("myX")


def test_functions_are_worked_out_or_left_open():
    result = read()
    (definition,) = result.definitions
    assert fields(definition, "Default") == {
        "scheduleType": "ondemand",
        "pipelineLogUri": "s3://#{Bucket}/#{AWS_Region}/${literal}",
    }
    assert fields(definition, "Box") == {
        "instanceType": "m1.small",
        "subnetId": "#{net_subnet}",
        "securityGroupIds": ("sg-1", "sg-2"),
        "imageId": "#{HasBucket_choice}",
        "region": "#{region_value}",
        "availabilityZone": "a",
        "runAsUser": "b",
        "spotBidPrice": "0.5",
    }
    assert fields(definition, "Work") == {
        "runsOn": ("Box",),
        "command": "run -p#{*Password} orders #{Topic_TopicName} #{Latest} ${INPUT1_STAGING_DIR}",
        "stdout": "#{*secretsmanager_db_SecretString_password}",
        "myDay": "#{format(@scheduledStartTime, Bucket)}",
    }
    assert definition.objects_by_id["Box"].type == "Ec2Resource"
    assert "hunter2" not in str(definition)


def test_what_is_open_becomes_a_parameter():
    (definition,) = read().definitions
    open_parameters = {one.id: one for one in definition.parameters if one.origin}
    assert set(open_parameters) == {
        "AWS_Region",
        "Bucket",
        "HasBucket_choice",
        "*Password",
        "Latest",
        "*secretsmanager_db_SecretString_password",
        "Topic_TopicName",
        "myAsked",
        "net_subnet",
        "region_value",
    }
    assert open_parameters["Bucket"].description == "Where logs go"
    assert open_parameters["HasBucket_choice"].allowed_values == ("ami-1", "ami-2")
    assert "another stack exports as net-subnet" in open_parameters["net_subnet"].origin
    assert definition.values_by_name["myTable"].values == ("orders",)
    assert definition.parameters_by_name["myLoc"].default == ()
    assert definition.is_secret("Password")


def test_the_template_says_more_than_the_definition():
    (definition,) = read().definitions
    pipeline = definition.pipeline
    assert (pipeline.key, pipeline.name, pipeline.description) == (
        "First",
        "dev-first",
        "The first one",
    )
    assert (pipeline.tags, pipeline.activate) == ((("stage", "dev"),), False)


def test_values_that_are_given_decide():
    given = {"Env": "prod", "Bucket": "logs", "AWS::Region": "eu-west-1", "net-subnet": "subnet-1"}
    first, second = read(**given).definitions
    assert fields(first, "Default")["pipelineLogUri"] == "s3://logs/eu-west-1/${literal}"
    box = fields(first, "Box")
    assert (box["instanceType"], box["subnetId"], box["keyPair"]) == ("m3.xlarge", "subnet-1", "k")
    assert (box["imageId"], box["runAsUser"]) == ("ami-1", "a")
    assert first.parameters_by_name["myLoc"].default == ("s3://logs/x",)
    assert fields(first, "Work")["myDay"] == "#{format(@scheduledStartTime, 'logs')}"
    assert (second.pipeline.key, [item.id for item in second.objects]) == ("Second", ["Default"])
    assert set(given) <= first.template_names


def test_findings_name_the_place():
    result = read()
    found = {
        (one.position.line, one.object_id, one.message.split(",")[0]) for one in result.findings
    }
    assert (35, "myLoc", "The value depends on 'Bucket'") in found
    assert any(line == 68 and "INPUT1_STAGING_DIR" in message for line, _, message in found)
    assert any("'Second' is left out" in message for _, _, message in found)
    assert not has_errors(check_result(result))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::ToJsonString": {"a": ["b"]}}, '{"a":["b"]}'),
        ({"Fn::Join": ["-", {"Fn::Split": [",", "a,b"]}]}, "a-b"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}]]}, "a"),
        ({"Fn::Select": ["5", ["a"]]}, "#{Select}"),
        ({"Fn::GetAZs": ""}, "#{GetAZs}"),
        ({"Fn::Sub": "#{x + '${AWS::Region}'}"}, "#{x + AWS_Region}"),
        ({"Fn::Sub": "#{'a${AWS::Region}b'}"}, "#{'a' + AWS_Region + 'b'}"),
        ({"Fn::Sub": "#{${AWS::Region}}"}, "#{AWS_Region}"),
        ({"Fn::If": ["None", "same", "same"]}, "same"),
    ],
)
def test_single_functions(value, text):
    result, read_field = field(value)
    assert read_field.text == text
    assert not has_errors(result.findings)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Fn::Join": ["-"]}, "too few arguments"),
        ({"Fn::If": ["a"]}, "takes a condition and two values"),
        ({"Fn::If": ["a", ["b"], "c"]}, "decides what is in the pipeline"),
        ({"Fn::FindInMap": ["a", "b", "c"]}, "no value for a / b / c"),
        ({"a": "b"}, "object that is no reference"),
    ],
)
def test_functions_with_mistakes(value, words):
    result, _ = field(value)
    assert any(words in one.message for one in result.findings)
    assert all(one.position and one.advice for one in result.findings)


def test_what_is_not_known_is_told_apart():
    unknown = [{"Fn::GetAZs": "a"}, {"Fn::GetAZs": "b"}, {"Fn::GetAZs": "a"}]
    _, read_field = field({"Fn::Join": ["", unknown]})
    assert read_field.text == "#{GetAZs}#{GetAZs_2}#{GetAZs}"


def test_a_condition_that_asks_for_itself_has_no_answer():
    result, read_field = field(
        {"Fn::If": ["A", "x", "y"]}, Conditions={"A": {"Fn::Not": [{"Condition": "A"}]}}
    )
    assert read_field.text == "#{A_choice}"
    assert not has_errors(result.findings)


def test_what_is_made_of_a_secret_is_one():
    secret = {"Key": {"Type": "String", "NoEcho": True, "Default": "hunter2"}}
    result, read_field = field({"Fn::Base64": {"Ref": "Key"}}, Parameters=secret)
    assert read_field.text == "#{*Base64}"
    assert "hunter2" not in str(result.definitions)


def test_a_field_with_a_wrong_key_names_the_right_one():
    document = """{"pipelineObjects": [{"id": "A", "name": "A", "fields": [
        {"key": "type", "strinValue": "CSV"}, {"key": "myX", "stringValue": "x"}]}]}"""
    result = read_text(document, "x.json")
    found = [(one.field, one.advice) for one in result.findings]
    assert found == [
        ("type", "Give it a value, or remove it"),
        ("type", "Did you mean 'stringValue'?"),
    ]


def test_an_open_type_is_an_error():
    document = """{"Resources": {"P": {"Type": "AWS::DataPipeline::Pipeline", "Properties": {
        "PipelineObjects": [{"Id": "A", "Name": "A", "Fields": [
            {"Key": "type", "StringValue": {"Ref": "AWS::Region"}}]}]}}}}"""
    (finding,) = read_text(document, "x.json").findings
    assert (finding.severity, finding.object_id, finding.field) == ("error", "A", "type")


def test_a_misspelt_parameter_names_the_nearest():
    result, _ = field({"Ref": "Buckt"}, Parameters={"Bucket": {"Type": "String"}})
    (finding,) = result.findings
    assert finding.advice == "Did you mean 'Bucket'?"


@pytest.mark.parametrize(
    "text",
    [
        "Resources: &a\n  - *a\n",
        "Resources:\n  <<: {A: 1}\n",
        "Resources: [" * 200,
        "Resources: !Ref\n",
        "a: &a [x, x]\nb: &b [*a, *a]\nResources: {A: *b}\n",
        "Resources:\n\tA: 1\n",
        "Resources: !!python/object:os.system x\n",
    ],
)
def test_odd_yaml_is_read_or_reported(text):
    result = read_text(text, "x.yaml")
    assert has_errors(result.findings)


def test_aliases_of_aliases_are_bounded():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    result = read_text("\n".join([*lines, "Resources: {}"]), "x.yaml")
    assert "aliases" in result.findings[0].message


@pytest.mark.timeout(30)
def test_nested_functions_and_conditions_are_worked_out_once():
    value = {"Ref": "AWS::Region"}
    for _ in range(25):
        value = {"Fn::Base64": value}
    result, read_field = field(value)
    assert read_field.text == "#{Base64_25}"
    chain = {f"C{n}": {"Fn::Or": [{"Condition": f"C{n - 1}"}] * 2} for n in range(1, 400)}
    chain["C0"] = {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}
    result, read_field = field({"Fn::If": ["C399", "a", "b"]}, Conditions=chain)
    assert read_field.text == "#{C399_choice}"
    assert not has_errors(result.findings)


def test_a_script_that_looks_like_terraform_is_none():
    result = read_text(
        "objects:\n  - id: A\n    myX: |\n      input {\n      }\n      output {\n      }\n",
        "x.yaml",
    )
    assert result.definition.objects[0].field("myX").text == "input {\n}\noutput {\n}\n"


def test_findings_about_a_pipeline_that_can_not_be_read_are_its_own():
    sound = {"Id": "A", "Name": "A", "Fields": [{"Key": "period", "StringValue": "1 day"}]}
    resources = {
        name: {"Type": "AWS::DataPipeline::Pipeline", "Properties": {"PipelineObjects": objects}}
        for name, objects in (("P1", [sound]), ("P2", {"Fn::ImportValue": "objects"}))
    }
    result = read_text(json.dumps({"Resources": resources, "Outputs": {}}), "x.json")
    assert [one.pipeline.key for one in result.pipelines] == ["P1", "P2"]
    assert [one.pipeline.key for one in result.definitions] == ["P1"]
    sound_findings, other_findings = (
        result.about(one, with_others=True) for one in result.pipelines
    )
    assert sound_findings == ()
    assert has_errors(other_findings)
    given = (ParameterValue(id="myX", values=("1",), source="--set"),)
    # What takes the value may be among the objects that nobody has seen.
    assert unknown_values(result.pipelines[1:], given) == []
    assert unknown_values(result.pipelines, given)
