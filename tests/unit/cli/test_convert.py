"""`updraft convert` from the outside."""

import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from updraft.cli.convert import convert

_SAMPLE = Path(__file__).parents[3] / "include" / "definitions" / "export-dynamodb-table-to-s3.json"
_runner = CliRunner()


@pytest.fixture
def run(tmp_path):
    app = typer.Typer()
    app.command()(convert)

    def invoke(*arguments, check=False):
        options = [] if check else ["--no-import-check"]
        dags = tmp_path / "dags"
        return _runner.invoke(app, [*map(str, arguments), "--output", str(dags), *options])

    return invoke


def _files(tmp_path):
    return {
        str(path.relative_to(tmp_path))
        for folder in ("dags", "reports")
        for path in (tmp_path / folder).glob("**/*")
        if path.is_file()
    }


def _broken(tmp_path, change):
    document = json.loads(_SAMPLE.read_text())
    change(document)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document, indent=1))
    return path


def test_sample_with_import_check(run, tmp_path):
    result = run(_SAMPLE, check=True)
    assert result.exit_code == 0, result.output
    assert _files(tmp_path) == {
        "dags/export_dynamodb_table_to_s3.py",
        "reports/export_dynamodb_table_to_s3.md",
        "reports/export_dynamodb_table_to_s3.json",
        "reports/index.html",
        "reports/index.md",
        "reports/report.json",
    }
    assert "of 25 fields" in result.stdout


def test_values_and_dag_id(run, tmp_path):
    values = tmp_path / "values.json"
    values.write_text('{"values": {"myRegion": "eu-west-1", "myDDBTableName": "from file"}}')
    result = run(
        _SAMPLE, "--values", values, "--set", "myDDBTableName=orders", "--dag-id", "nightly"
    )
    assert result.exit_code == 0, result.output
    source = (tmp_path / "dags" / "nightly.py").read_text()
    assert '"eu-west-1",' in source
    assert '"orders",' in source
    assert "from file" not in source


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            lambda d: d["objects"][2]["runsOn"].update(ref="EmrClusterForBackups"),
            ["TableBackupActivity.runsOn", "[EmrClusterForBackups]", "'EmrClusterForBackup'"],
            id="dangling reference",
        ),
        pytest.param(
            lambda d: d["objects"][2].update(
                step=d["objects"][2]["step"].replace("format", "fromat")
            ),
            ["TableBackupActivity.step", "'fromat'", "Did you mean 'format'?"],
            id="unknown function",
        ),
        pytest.param(
            lambda d: d["objects"][2].update(
                step=d["objects"][2]["step"].replace(",#{myDDBTableName}", "").rpartition(",")[0]
            ),
            ["TableBackupActivity.step", "lacks its table"],
            id="no table",
        ),
        pytest.param(
            lambda d: d["objects"][2].update(
                step=d["objects"][2]["step"].replace("myDDBTableName", "myDDBTabelName")
            ),
            ["TableBackupActivity.step", "'myDDBTabelName'", "Did you mean 'myDDBTableName'?"],
            id="undeclared name",
        ),
        pytest.param(
            lambda d: d["objects"][2].update(name=None),
            ["TableBackupActivity.name", "[null]", "Give it one 'name' that is a text"],
            id="no name",
        ),
    ],
)
def test_bad_definitions_say_where_and_strictly_write_nothing(run, tmp_path, change, words):
    path = _broken(tmp_path, change)
    result = run(path, "--strict")
    assert result.exit_code == 1
    assert f"{path}:" in result.stderr
    for word in words:
        assert word in result.stderr
    assert _files(tmp_path) == set()


def test_a_bad_definition_is_converted_as_far_as_it_goes(run, tmp_path):
    path = _broken(tmp_path, lambda d: d["objects"][2].update(dependsOn={"ref": "Nobody"}))
    result = run(path)
    assert result.exit_code == 1
    assert "has errors; these tasks fail until that is settled: nobody" in result.stderr
    (dag_file,) = (tmp_path / "dags").glob("*.py")
    assert "nobody >> table_backup_activity" in dag_file.read_text()
    assert "needs a decision" in (tmp_path / "reports" / f"{dag_file.stem}.md").read_text()


def test_no_json(run, tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{"objects": [\n  oops')
    result = run(path)
    assert result.exit_code == 1
    assert f"{path}:2:3: error: The file is not JSON" in result.stderr
    assert _files(tmp_path) == set()


def test_a_folder_converts_what_can_be(run, tmp_path):
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "good.json").write_bytes(_SAMPLE.read_bytes())
    (folder / "bad.json").write_text('{"objects": [')
    (folder / "package.json").write_text('{"name": "other"}')
    (folder / "Good.json").write_bytes(_SAMPLE.read_bytes())
    (folder / "deeper").mkdir()
    (folder / "deeper" / "good.json").write_bytes(_SAMPLE.read_bytes())
    result = run(folder)
    assert result.exit_code == 1
    assert "dags/good.py" in _files(tmp_path)
    assert "dags/deeper_good.py" in _files(tmp_path)
    assert "2 of 4 definitions not converted" in result.stderr
    assert "is taken by" in result.stderr
    assert f"No pipeline is in {folder / 'package.json'}" in result.stderr


def test_edited_files_are_kept_unless_forced(run, tmp_path):
    assert run(_SAMPLE).exit_code == 0
    assert run(_SAMPLE).exit_code == 0
    dag_file = tmp_path / "dags" / "export_dynamodb_table_to_s3.py"
    edited = dag_file.read_text() + "# mine\n"
    dag_file.write_text(edited)
    result = run(_SAMPLE)
    assert result.exit_code == 1
    assert "--force" in result.stderr
    assert dag_file.read_text() == edited
    assert run(_SAMPLE, "--force").exit_code == 0
    assert "# mine" not in dag_file.read_text()


def test_a_dag_that_can_not_be_written_leaves_no_report(run, tmp_path):
    (tmp_path / "dags" / "export_dynamodb_table_to_s3.py").mkdir(parents=True)
    result = run(_SAMPLE, "--force")
    assert result.exit_code == 1
    assert "can't be written" in result.stderr
    assert _files(tmp_path) == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.json"], "does not exist"),
        ([_SAMPLE, "--dag-id", "a-b"], "can't be a DAG id"),
        ([_SAMPLE, "--set", "myRegin=x"], "Did you mean 'myRegion'?"),
        ([_SAMPLE, "--values", "missing.json"], "can't be read"),
        ([_SAMPLE, "--set", "myDDBReadThroughputRatio=abc"], "--set: error: myDDBRead"),
        ([_SAMPLE, "--set", "myRegin=x"], "--set: error: myRegin"),
    ],
)
def test_wrong_arguments_are_one_sentence(run, tmp_path, arguments, words):
    result = run(*arguments)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert _files(tmp_path) == set()


def test_a_file_name_that_is_no_text_fails_alone(run, tmp_path):
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "good.json").write_bytes(_SAMPLE.read_bytes())
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/\xff.json"))
    odd.write_bytes(_SAMPLE.read_bytes())
    result = run(folder)
    assert result.exit_code == 1
    assert "The file name is not UTF-8" in result.stderr
    assert "1 of 2 definitions not converted" in result.stderr
    assert "dags/good.py" in _files(tmp_path)
    assert "not UTF-8" in run(odd, "--dag-id", "odd").stderr


def test_a_file_name_without_usable_letters_asks_for_a_dag_id(run, tmp_path):
    path = tmp_path / "日本.json"
    path.write_bytes(_SAMPLE.read_bytes())
    result = run(path)
    assert result.exit_code == 1
    assert "--dag-id" in result.stderr
    assert _files(tmp_path) == set()
    assert run(path, "--dag-id", "nihon").exit_code == 0


def test_a_folder_inside_of_a_file_is_no_edited_dag(tmp_path):
    (tmp_path / "file").touch()
    app = typer.Typer()
    app.command()(convert)
    output = str(tmp_path / "file" / "dags")
    result = _runner.invoke(app, [str(_SAMPLE), "--output", output, "--no-import-check"])
    assert result.exit_code == 1
    assert "can't be written: Not a directory" in result.stderr
    assert "--force" not in result.stderr


def test_a_value_without_a_name_is_no_usage_of_the_command(run, tmp_path):
    result = run(_SAMPLE, "--set", "novalue")
    assert result.exit_code == 2
    assert "KEY=VALUE" in result.stderr
    assert _files(tmp_path) == set()


def test_each_pipeline_of_a_template_has_a_report_of_its_own(run, tmp_path):
    def pipeline(name, open_value):
        return {
            "Type": "AWS::DataPipeline::Pipeline",
            "Properties": {
                "Name": name,
                "ParameterObjects": [
                    {
                        "Id": f"my{name}",
                        "Attributes": [{"Key": "default", "StringValue": {"Ref": open_value}}],
                    }
                ],
                "PipelineObjects": [
                    {
                        "Id": "Work",
                        "Name": "Work",
                        "Fields": [
                            {"Key": "type", "StringValue": "ShellCommandActivity"},
                            {"Key": "command", "StringValue": f"echo #{{my{name}}}"},
                            {"Key": "workerGroup", "StringValue": {"Ref": "Group"}},
                        ],
                    }
                ],
            },
        }

    template = {
        "Parameters": {name: {"Type": "String"} for name in ("A", "B", "Group")},
        "Resources": {"One": pipeline("One", "A"), "Two": pipeline("Two", "B")},
    }
    path = tmp_path / "etl.json"
    path.write_text(json.dumps(template, indent=1))
    result = run(path)
    assert result.exit_code == 0, result.output
    assert "dags/etl_two.py" in _files(tmp_path)
    for name, own, other in (("one", "'A'", "'B'"), ("two", "'B'", "'A'")):
        report = json.loads((tmp_path / "reports" / f"etl_{name}.json").read_text())
        messages = " ".join(finding["message"] for finding in report["findings"])
        assert f"depends on {own}" in messages
        assert f"depends on {other}" not in messages
        (group,) = [one for one in report["parameters"] if one["id"] == "Group"]
        assert group["status"] == "needs a decision"


def test_errors_of_a_pipeline_stay_with_it(run, tmp_path, partly_readable):
    result = run(partly_readable)
    assert result.exit_code == 1
    assert "1 of 2 definitions not converted" in result.stderr
    assert {one for one in _files(tmp_path) if one.startswith("dags")} == {"dags/etl_own.py"}
    assert "Before it is switched on" not in (tmp_path / "dags" / "etl_own.py").read_text()
    report = json.loads((tmp_path / "reports" / "report.json").read_text())
    ((own,), (imported,)) = report["pipelines"], report["unconverted"]
    assert own["findings"] == []
    assert imported["dag_id"] == "etl_imported"
    messages = [one["message"] for one in imported["findings"]]
    assert sorted(messages) == [
        "'objects' must be a list",
        "The definition has no objects",
        "Whether the pipeline 'Imported' exists depends on 'IsProd'",
    ]
    totals = report["totals"]
    assert (totals["pipelines"], totals["unconverted"], totals["errors"]) == (1, 1, 2)


def test_a_file_with_an_error_in_one_pipeline_is_strictly_left_out(run, tmp_path, partly_readable):
    assert run(partly_readable, "--strict").exit_code == 1
    assert _files(tmp_path) == set()


def _state(path):
    return path.read_bytes(), path.stat().st_mtime_ns


def test_check_tells_files_apart_and_writes_nothing(run, tmp_path):
    result = run(_SAMPLE, "--check")
    assert result.exit_code == 1
    assert "export_dynamodb_table_to_s3.py: missing" in result.stdout
    assert _files(tmp_path) == set()

    assert run(_SAMPLE).exit_code == 0
    dag_file = tmp_path / "dags" / "export_dynamodb_table_to_s3.py"
    before = _state(dag_file)
    result = run(_SAMPLE, "--check")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "py: up to date" in result.stdout

    result = run(_SAMPLE, "--check", "--set", "myDDBTableName=orders")
    assert result.exit_code == 1
    assert "py: would change" in result.stdout
    assert '+            "orders",' in result.stdout
    assert "sha256" not in result.stdout
    assert "1 of 1 DAG files are not up to date" in result.stderr
    assert _state(dag_file) == before

    dag_file.write_text(dag_file.read_text() + "".join(f"x{n} = 1\n" for n in range(30)))
    result = run(_SAMPLE, "--check")
    assert result.exit_code == 1
    assert "py: edited by hand" in result.stdout
    assert "more lines" in result.stdout
    assert "x29" not in result.stdout


def test_check_of_what_can_not_be_converted_says_why(run, tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    result = run(path, "--check")
    assert result.exit_code == 1
    assert "broken.py: not converted" in result.stdout
    assert "The file ends in the middle of the definition" in result.stderr
    assert run(_SAMPLE, "--check", "--force").exit_code == 2


def test_check_of_what_never_runs_is_fine(run, tmp_path):
    path = tmp_path / "pieces.json"
    path.write_text('{"objects": [{"id": "Rows", "type": "CSV", "column": "id INT"}]}')
    result = run(path, "--check")
    assert "pieces.py: no DAG, nothing in it runs" in result.stdout
    assert result.exit_code == 0


def test_one_dag_id_for_a_file_with_several_pipelines(run, tmp_path):
    pipeline = {"Type": "AWS::DataPipeline::Pipeline", "Properties": {"PipelineObjects": []}}
    path = tmp_path / "stack.json"
    path.write_text(json.dumps({"Resources": {"A": pipeline, "B": pipeline}}))
    result = run(path, "--dag-id", "nightly")
    assert result.exit_code == 1
    assert "can't name the 2 DAGs of this file" in result.stderr
    assert "Leave out --dag-id" in result.stderr
