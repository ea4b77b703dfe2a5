"""What a command imports: seconds of CPU time stand between a person and the help text."""

import json
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

_SAMPLE = Path(__file__).parents[3] / "include" / "definitions" / "export-dynamodb-table-to-s3.json"

AWS_AND_AIRFLOW = frozenset(
    {"airflow", "boto3", "botocore", "numpy", "pandas", "pendulum", "pyarrow", "sqlalchemy"}
)
CONVERTER = frozenset({"jinja2", "lark", "pydantic", "updraft.migration"})

_PROGRAM = """
import atexit, json, sys
from pathlib import Path
atexit.register(lambda: Path(sys.argv[1]).write_text(json.dumps(sorted(sys.modules))))
from updraft.cli.main import app
app(sys.argv[2:], prog_name="updraft")
"""


def _imported(tmp_path, *arguments):
    listed = tmp_path / "modules.json"
    subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(listed), *map(str, arguments)],
        check=True,
        timeout=120,
        capture_output=True,
    )
    return frozenset(json.loads(listed.read_text()))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["convert", "--help"],
        ["dynamodb", "--help"],
        ["dynamodb", "export", "--help"],
        ["local", "--help"],
        ["package", "--help"],
    ],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(tmp_path, arguments):
    imported = _imported(tmp_path, *arguments)

    assert "updraft.cli.dynamodb" in imported
    assert imported & (AWS_AND_AIRFLOW | CONVERTER) == frozenset()


@pytest.mark.parametrize("check", ["--import-check", "--no-import-check"])
def test_the_converter_needs_no_airflow_of_its_own(tmp_path, check):
    imported = _imported(tmp_path, "convert", _SAMPLE, "--output", tmp_path / "dags", check)

    assert (tmp_path / "dags").is_dir()
    assert imported >= CONVERTER
    assert imported & AWS_AND_AIRFLOW == frozenset()


def _run(*arguments, **options):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


def test_version_names_what_a_report_of_a_defect_needs():
    result = _run("-m", "updraft.cli", "--version")

    assert result.returncode == 0
    assert result.stdout == (
        f"updraft {version('updraft')}, Airflow {version('apache-airflow-core')}, "
        f"Python {platform.python_version()}\n"
    )


_WITHOUT_AIRFLOW = """
import sys
from importlib.abc import MetaPathFinder
from importlib.metadata import Distribution, PackageNotFoundError

class NoAirflow(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "airflow":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoAirflow())
found = Distribution.from_name

def from_name(name):
    if name.startswith("apache-airflow"):
        raise PackageNotFoundError(name)
    return found(name)

Distribution.from_name = from_name
from updraft.cli.main import app
app(sys.argv[1:], prog_name="updraft")
"""


def test_without_airflow_the_version_says_so():
    result = _run("-c", _WITHOUT_AIRFLOW, "--version")

    assert re.fullmatch(r"updraft \S+, no Airflow, Python \S+\n", result.stdout), result.stderr


def test_without_airflow_a_copy_says_what_to_install():
    result = _run("-c", _WITHOUT_AIRFLOW, "dynamodb", "export", "orders", "s3://bucket/prefix")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: `updraft dynamodb` needs Airflow")
    assert result.stderr.count("\n") == 1
    assert "requirements.txt" in result.stderr
