"""`updraft check` from the outside."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from updraft.cli.main import app

PROJECT = Path(__file__).parents[3]
SAMPLE = PROJECT / "include" / "definitions" / "export-dynamodb-table-to-s3.json"
TEMPLATES = PROJECT / "tests" / "unit" / "datapipeline" / "templates"


def run(*arguments):
    return CliRunner(env={"COLUMNS": "300"}).invoke(app, ["check", *map(str, arguments)])


def test_a_sound_definition():
    result = run(SAMPLE)
    assert result.exit_code == 0, result.output
    assert result.stdout == "0 errors, 0 warnings in 1 pipeline of 1 file\n"


def test_all_findings_of_all_files_as_a_table(tmp_path):
    document = json.loads(SAMPLE.read_text())
    document["objects"][2]["runsOn"] = {"ref": "EmrClusterForBackups"}
    document["objects"][2]["comment"] = "[bold]x[/bold]"
    (tmp_path / "broken.json").write_text(json.dumps(document, indent=1))
    (tmp_path / "cut.json").write_text('{"objects": [')
    result = run(tmp_path)
    assert result.exit_code == 1
    words = " ".join(result.stdout.replace("│", " ").split())
    assert "Did you mean 'EmrClusterForBackup'?" in words
    assert "[[bold]x[/bold]]" in words
    assert "The file ends in the middle of the definition" in words
    assert "2 errors, 1 warning in 1 pipeline of 2 files" in words


def test_findings_as_json(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"objects": [\n {"id": "A", "type": "Scedule", "*password": "hunter2"}]}')
    result = run(path, "--format", "json")
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert {name: document[name] for name in ("files", "pipelines", "errors", "warnings")} == {
        "files": 1,
        "pipelines": 1,
        "errors": 0,
        "warnings": 1,
    }
    assert document["findings"] == [
        {
            "severity": "warning",
            "file": str(path),
            "line": 2,
            "column": 2,
            "object": "A",
            "field": "type",
            "value": "Scedule",
            "message": "AWS Data Pipeline has no object type of this name",
            "advice": "Did you mean 'Schedule'?",
        }
    ]


def test_values_and_parameters_beside_the_definition(tmp_path):
    definition = tmp_path / "x.json"
    definition.write_text(
        '{"objects": [{"id": "Default", "scheduleType": "ondemand"}, {"id": "A", "type": '
        '"ShellCommandActivity", "command": "#{myX} #{myY}", "workerGroup": "w"}]}'
    )
    assert run(definition).exit_code == 1
    parameters = tmp_path / "parameters.json"
    parameters.write_text('{"parameters": [{"id": "myX", "type": "Integer"}]}')
    values = tmp_path / "values.json"
    values.write_text('{"values": {"myY": "1"}}')
    given = ("--parameters", parameters, "--values", values)
    assert run(definition, *given).exit_code == 0
    result = run(definition, *given, "--set", "myX=one")
    assert result.exit_code == 1
    assert "does not fit" in result.stdout
    result = run(definition, *given, "--set", "myZ=1", "--format", "json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["file"], finding["object"]) == ("--set", "myZ")


def test_a_value_may_be_for_one_of_several_files():
    result = run(SAMPLE, TEMPLATES / "pipelines.yaml", "--set", "Env=prod")
    assert result.exit_code == 0, result.output
    assert "3 pipelines of 2 files" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["missing.json"],
        [""],
        [SAMPLE, "--set", "x"],
        [SAMPLE, "--format", "xml"],
        ["x" * 5000],
    ],
)
def test_wrong_usage(arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_folder_without_pipelines(tmp_path):
    (tmp_path / "package.json").write_text("{}")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "has no file with a pipeline" in " ".join(result.stderr.replace("│", " ").split())
