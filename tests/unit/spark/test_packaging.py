"""The library of Spark jobs works where there is no Airflow."""

import subprocess
import sys

from typer.testing import CliRunner

from updraft.cli.main import app

_IMPORT_ALL = """
import importlib, sys, zipfile

class NoAirflow:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"airflow", "pyspark"}:
            raise ImportError(f"{name} is not on Glue's driver")

sys.meta_path.insert(0, NoAirflow())
sys.path = [path for path in sys.path if "plugins" not in path]
sys.path.insert(0, sys.argv[1])
for name in zipfile.ZipFile(sys.argv[1]).namelist():
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert importlib.import_module(module).__file__.startswith(sys.argv[1]), module
    print(module)
"""


def test_every_module_of_the_archive_can_be_imported_without_airflow(tmp_path):
    archive = tmp_path / "updraft_spark.zip"
    built = CliRunner().invoke(app, ["package", "--spark", "--output", str(archive)])
    assert built.exit_code == 0, built.output

    result = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, str(archive)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert result.returncode == 0, result.stderr
    assert {"updraft.spark.export_job", "updraft.spark.import_job"} <= set(result.stdout.split())
