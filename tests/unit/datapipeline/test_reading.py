"""Reading definition files."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.model import Reference, Text
from updraft.datapipeline.reading import read_file, read_parameters, read_text, read_values


def _read(document):
    return read_text(document if isinstance(document, str) else json.dumps(document), "x.json")


def _errors(result):
    return [one for one in result.findings if one.severity is Severity.ERROR]


def test_objects_parameters_and_values():
    result = _read(
        {
            "objects": [
                {
                    "id": "A",
                    "type": "EmrActivity",
                    "step": ["a,b", "#{c}"],
                    "runsOn": {"ref": "B"},
                    "maximumRetries": 3,
                    "stage": True,
                },
                {"id": "B", "name": "cluster"},
            ],
            "parameters": [
                {
                    "id": "*mySecret",
                    "type": "String",
                    "isArray": "true",
                    "optional": "True",
                    "default": ["x", "y"],
                    "allowedValues": ["x", "y", "z"],
                }
            ],
            "values": {"*mySecret": "z"},
        }
    )
    assert result.findings == ()
    activity, cluster = result.definition.objects
    assert activity.name == "A"
    assert cluster.name == "cluster"
    assert activity.field("step").texts == ("a,b", "#{c}")
    assert activity.field("runsOn").references == ("B",)
    assert activity.field("maximumRetries").text == "3"
    assert activity.field("stage").text == "true"
    (parameter,) = result.definition.parameters
    assert (parameter.name, parameter.optional) == ("mySecret", True)
    assert result.definition.is_secret(parameter.id)
    assert (parameter.default, parameter.allowed_values) == (("x", "y"), ("x", "y", "z"))
    assert result.definition.values_by_name["mySecret"].values == ("z",)


def test_repeated_keys_become_several_values():
    result = _read('{"objects": [{"id": "A", "step": "a", "step": ["b", "c"]}]}')
    assert result.definition.objects[0].field("step").texts == ("a", "b", "c")


def test_fields_as_the_api_lists_them():
    result = _read(
        {
            "objects": [
                {
                    "id": "A",
                    "name": "A",
                    "fields": [
                        {"key": "type", "stringValue": "S3DataNode"},
                        {"key": "directoryPath", "stringValue": "s3://b/p"},
                        {"key": "schedule", "refValue": "S"},
                    ],
                }
            ]
        }
    )
    (item,) = result.definition.objects
    assert item.type == "S3DataNode"
    assert item.field("directoryPath").text == "s3://b/p"
    assert item.field("schedule").references == ("S",)
    assert item.field("type") is None


def test_positions_of_fields_and_values():
    result = _read('{"objects": [\n  {"id": "A",\n   "runsOn": {"ref": "B"}, "stage": "x"}]}')
    runs_on, stage = result.definition.objects[0].fields
    assert (runs_on.position.line, runs_on.position.column) == (3, 4)
    assert runs_on.values[0] == Reference(object_id="B", position=runs_on.values[0].position)
    assert isinstance(stage.values[0], Text)
    assert (stage.values[0].position.line, stage.values[0].position.column) == (3, 37)


def test_all_problems_are_found_in_one_go():
    result = _read({"objects": [{"name": "x"}, 7, {"id": "A", "a": {}, "b": {"ref": "A", "x": 1}}]})
    assert result.definition is None
    assert [one.id for one in result.definitions[0].objects] == ["x", "object_2", "A"]
    assert [(one.object_id, one.field) for one in _errors(result)] == [
        (None, "id"),
        ("object_2", None),
        ("A", "a"),
        ("A", "b"),
    ]
    assert all(one.position and one.advice for one in _errors(result))


@pytest.mark.parametrize("key", ["id", "name", "type"])
@pytest.mark.parametrize(("value", "shown"), [(None, "null"), ("", '""'), (" ", '" "')])
def test_identity_is_a_text(key, value, shown):
    (error,) = _errors(_read({"objects": [{"id": "A", key: value}]}))
    assert (error.field, error.value) == (key, shown)
    assert error.object_id == (None if key == "id" else "A")
    assert error.position.column > 10


@pytest.mark.parametrize(
    "values",
    [
        '{"myX": "1", "myX": ["2", "3"]}',
        '[{"id": "myX", "stringValue": "1"}, {"id": "myX", "stringValue": ["2", "3"]}]',
    ],
)
def test_repeated_parameter_values_are_several_values(values):
    result = _read(f'{{"objects": [{{"id": "A"}}], "parameterValues": {values}}}')
    assert result.definition.values_by_name["myX"].values == ("1", "2", "3")


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param([], "JSON object", id="list"),
        pytest.param({}, "'objects' is missing", id="nothing"),
        pytest.param({"object": []}, "Rename 'object'", id="nearly"),
        pytest.param({"pipelineObjects": []}, "no objects", id="api"),
        pytest.param({"Resources": {}}, "no resource of type AWS::DataPi", id="cloudformation"),
        pytest.param({"resource": {}}, "no resource aws_datapipeline", id="terraform"),
        pytest.param({"parameters": []}, "Give it by --parameters", id="parameters"),
        pytest.param({"objects": []}, "no objects", id="empty"),
        pytest.param({"objects": {}}, "must be a list", id="no list"),
        pytest.param("{]", "not JSON", id="no json"),
    ],
)
def test_what_is_no_definition(document, words):
    errors = _errors(_read(document))
    assert any(words in f"{one.message} {one.advice}" for one in errors)


def test_files_with_byte_order_mark_and_without_utf8(tmp_path):
    file = tmp_path / "a.json"
    file.write_bytes(b'\xef\xbb\xbf{"objects": [{"id": "A"}]}')
    assert read_file(file).definition is not None
    file.write_bytes(b'{"objects": [{"id": "\xe9"}]}')
    result = read_file(file)
    assert "read as Windows-1252" in result.findings[0].message
    assert result.definition.objects[0].id == "é"
    file.write_bytes(b'{"objects": [{"id": "\xff\x00"}]}')
    assert "UTF-8" in _errors(read_file(file))[0].message
    assert "can't be read" in _errors(read_file(tmp_path / "none.json"))[0].message


def test_trailing_comma_and_stray_key_are_warnings():
    result = _read('{"objects": [{"id": "A",}], "objekts": 1}')
    assert result.definition is not None
    assert [one.severity for one in result.findings] == [Severity.WARNING, Severity.WARNING]
    assert any(one.advice == "Did you mean 'objects'?" for one in result.findings)


@pytest.mark.parametrize(
    "text",
    [
        '{"values": {"myX": "1"}}',
        '{"myX": 1}',
        '{"parameterValues": [{"id": "myX", "stringValue": "1"}]}',
    ],
)
def test_value_files(tmp_path, text):
    file = tmp_path / "values.json"
    file.write_text(text)
    values, findings = read_values(file)
    assert [(value.name, value.values) for value in values] == [("myX", ("1",))]
    assert findings == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "ref", "name", "type", "fields", "key", "stringValue", "step"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(json_values, json_values, json_values)
def test_any_shape_ends_in_a_definition_or_in_errors(objects, parameters, values):
    result = _read({"objects": objects, "parameters": parameters, "values": values})
    assert (result.definition is None) == bool(_errors(result))


@pytest.mark.timeout(20)
def test_a_pipe_is_no_file_to_wait_for(tmp_path):
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    for findings in (read_file(pipe).findings, read_values(pipe)[1]):
        (finding,) = findings
        assert finding.message == "This is not a regular file"
        assert finding.file == str(pipe)


def test_a_file_that_nobody_may_read_is_one_error(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    path = tmp_path / "x.json"
    path.touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    for findings in (read_file(path).findings, read_values(path)[1]):
        (finding,) = findings
        assert finding.message == "The file can't be read: Permission denied"


def test_placeholders_of_other_tools_are_open_values():
    document = """{"objects": [{"id": "A", "type": "EmrCluster",
      "coreInstanceCount": ${cluster.count}, "subnetId": "${vpc.subnet}-${zone}",
      "keyPair": {{ key }}, "bootstrapAction": "run ${x} ${input1} ${vpc.subnet} {{ key }}"}]}"""
    result = read_text(document, "x.json", {"zone": ("a",)})
    item = result.definition.objects[0]
    assert item.field("coreInstanceCount").text == "#{cluster_count}"
    assert item.field("subnetId").text == "#{vpc_subnet}-a"
    assert item.field("keyPair").text == "#{key_value}"
    assert item.field("bootstrapAction").text == "run ${x} ${input1} #{vpc_subnet} {{ key }}"
    assert {one.id for one in result.definition.parameters} == {
        "cluster_count",
        "vpc_subnet",
        "key_value",
    }
    assert [one.severity for one in result.findings] == [Severity.WARNING] * 3
    assert {"zone", "cluster.count"} <= result.definition.template_names


def test_variables_of_scripts_are_no_placeholders():
    result = _read(
        {"objects": [{"id": "A", "myX": "${input1} ${x} ${X_Y}", "command": "${a} {{ b }}"}]}
    )
    assert result.findings == ()
    assert result.definition.objects[0].field("myX").text == "${input1} ${x} ${X_Y}"


def test_braces_in_quotes_are_text_unless_something_says_otherwise():
    document = {"objects": [{"id": "A", "type": "S3DataNode", "filePath": "s3://b/{{ day }}"}]}
    result = _read(document)
    (warning,) = result.findings
    assert warning.message == "{{ day }} is taken as text, as the service takes it"
    assert result.definition.objects[0].field("filePath").text == "s3://b/{{ day }}"
    filled = read_text(json.dumps(document), "x.json", {"day": ("1",)})
    assert filled.findings == ()
    assert filled.definition.objects[0].field("filePath").text == "s3://b/1"


def test_a_list_of_objects_and_one_object_are_read_as_definitions():
    for document in ({"id": "A", "type": "CSV"}, [{"id": "A", "type": "CSV"}]):
        result = _read(document)
        assert [item.id for item in result.definition.objects] == ["A"]
        assert [one.severity for one in result.findings] == [Severity.WARNING]


def test_several_definitions_in_one_file():
    one = {"objects": [{"id": "A"}]}
    assert len(_read([one, {"pipelineObjects": [{"id": "B", "name": "B"}]}]).definitions) == 2
    assert len(read_text(f"{json.dumps(one)}\n", "x.yaml").definitions) == 1
    result = read_text("objects: [{id: A}]\n---\nobjects: [{id: B, stage: true}]\n", "x.yaml")
    assert [item.objects[0].id for item in result.definitions] == ["A", "B"]
    assert result.definitions[1].objects[0].field("stage").text == "true"


def test_the_output_of_the_api():
    result = _read(
        {
            "pipelineObjects": [
                {
                    "id": "A",
                    "name": "a",
                    "fields": [
                        {"key": "type", "stringValue": "EmrActivity"},
                        {"key": "step", "stringValue": "x"},
                        {"key": "step", "stringValue": "y"},
                        {"key": "runsOn", "refValue": "B"},
                    ],
                }
            ],
            "parameterObjects": [
                {"id": "myX", "attributes": [{"key": "type", "stringValue": "Integer"}]}
            ],
            "parameterValues": [{"id": "myX", "stringValue": "3"}],
            "ResponseMetadata": {"HTTPStatusCode": 200},
        }
    )
    assert result.findings == ()
    item = result.definition.objects[0]
    assert (item.type, item.field("step").texts) == ("EmrActivity", ("x", "y"))
    assert item.field("runsOn").references == ("B",)
    assert result.definition.parameters_by_name["myX"].type == "Integer"
    assert result.definition.values_by_name["myX"].values == ("3",)


def test_a_file_of_parameters(tmp_path):
    file = tmp_path / "parameters.json"
    file.write_text('{"parameters": [{"id": "myX", "type": "Integer"}]}')
    parameters, findings = read_parameters(file)
    assert [(one.id, one.type) for one in parameters] == [("myX", "Integer")]
    assert findings == ()
    file.write_text('{"values": {}}')
    assert "'parameters' is missing" in read_parameters(file)[1][0].message


@pytest.mark.parametrize(
    ("escapes", "text"), [(r"\ud83d\ude00", "\U0001f600"), (r"\ud83d!", "\ufffd!")]
)
def test_escapes_of_yaml_make_whole_characters(escapes, text):
    result = read_text(f'objects:\n- id: A\n  name: "{escapes}"\n  "my{escapes}": x\n', "x.yaml")
    ((item,),) = (one.objects for one in result.definitions)
    assert item.name == text
    assert [one.name for one in item.fields] == [f"my{text}"]


def test_an_empty_text_is_no_value_but_where_a_text_is_meant():
    empty = {"stage": "", "attemptTimeout": " ", "onFail": "", "stdout": "", "myOwn": ""}
    work = {"id": "Work", "type": "ShellCommandActivity", "workerGroup": "w", "command": "c"}
    result = read_text(json.dumps({"objects": [work | empty]}), "x.json")
    (item,) = result.definitions[0].objects
    assert [one.name for one in item.fields] == ["workerGroup", "command", "stdout", "myOwn"]
    assert [one.field for one in result.findings] == ["stage", "attemptTimeout", "onFail"]
    assert all("it is left out" in one.message for one in result.findings)


@pytest.mark.parametrize(
    "fields", [{"period": "${every}"}, {"role": "${ROLE}"}, {"occurrences": "{{ n }}"}]
)
def test_a_placeholder_where_no_text_is_meant_tells_a_template(fields):
    item = {"id": "A", "type": "Schedule", "myPath": "s3://${bucket}/x", **fields}
    (definition,) = read_text(json.dumps({"objects": [item]}), "x.json").definitions
    assert len(definition.parameters) == 2
    assert definition.objects[0].field("myPath").text == "s3://#{bucket}/x"


def test_a_variable_in_a_text_tells_no_template():
    item = {"id": "A", "type": "HiveActivity", "hiveScript": "x", "myPath": "${bucket}"}
    (definition,) = read_text(json.dumps({"objects": [item]}), "x.json").definitions
    assert definition.parameters == ()
    assert definition.objects[0].field("myPath").text == "${bucket}"
