"""`updraft analyze` from the outside."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from updraft.cli.analyze import analyze
from updraft.migration import inputs

_SAMPLES = Path(__file__).parents[3] / "include" / "definitions"
_SAMPLE = _SAMPLES / "export-dynamodb-table-to-s3.json"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    app.command()(analyze)
    return lambda *arguments: CliRunner().invoke(app, [*map(str, arguments), "--no-import-check"])


def test_table_of_a_folder(run, tmp_path):
    result = run(_SAMPLES)
    assert result.exit_code == 0, result.output
    for path in _SAMPLES.glob("*.json"):
        assert path.stem.replace("-", "_")[:20] in result.stdout
    assert "fields settled" in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_json_and_exit_code_when_one_is_broken(run, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"objects": [')
    result = run(_SAMPLE, broken, "--format", "json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert [one["dag_id"] for one in document["pipelines"]] == ["export_dynamodb_table_to_s3"]
    assert [one["source"] for one in document["unconverted"]] == ["broken.json"]
    assert document["totals"]["stages"]["not converted"] == 1


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.html", "<!DOCTYPE html>"),
        ("a.json", '{\n  "format": 1'),
        ("a.md", "# Migration report"),
        ("a.txt", "DAG  "),
    ],
)
def test_the_name_of_the_output_decides_its_kind(run, tmp_path, name, begins):
    result = run(_SAMPLE, "--output", tmp_path / name)
    assert result.exit_code == 0, result.output
    assert (tmp_path / name).read_text().lstrip().startswith(begins)
    assert result.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_all_pipelines_of_the_account(run, monkeypatch):
    monkeypatch.setattr(inputs, "_pipelines_of_account", lambda: [_SAMPLE])
    result = run("aws", "--format", "json")
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["pipelines"]) == 1


def test_a_folder_named_aws_is_a_folder(run, tmp_path):
    (tmp_path / "aws").mkdir()
    result = run("aws")
    assert result.exit_code == 1
    assert "aws has no file with a pipeline" in result.stderr


def test_no_definition_is_written_over(run, tmp_path):
    definition = tmp_path / "nightly.json"
    definition.write_bytes(_SAMPLE.read_bytes())
    result = run(definition, "--output", "nightly.json")
    assert result.exit_code == 1
    assert "is one of the definitions" in result.stderr
    assert definition.read_bytes() == _SAMPLE.read_bytes()


def test_reports_are_no_definitions(run, tmp_path):
    (tmp_path / "nightly.json").write_bytes(_SAMPLE.read_bytes())
    for _ in range(2):
        result = run(tmp_path, "--output", tmp_path / "report.json")
        assert result.exit_code == 0, result.output
    assert len(json.loads((tmp_path / "report.json").read_text())["pipelines"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.json"], "does not exist"),
        ([_SAMPLE, "--output", _SAMPLE / "a.html"], "can't be written"),
        ([_SAMPLE, "--compute", "ecz"], "--compute"),
    ],
)
def test_a_wrong_command_is_one_error(run, arguments, words):
    result = run(*arguments)
    assert result.exit_code != 0
    assert words in result.output
    assert "Traceback" not in result.output
