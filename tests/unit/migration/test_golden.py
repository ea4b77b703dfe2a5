"""The sample definitions give exactly the DAGs and reports that were reviewed."""

from pathlib import Path

import pytest

from updraft.migration.conversion import convert_file
from updraft.migration.names import dag_id_of

_SAMPLES = Path(__file__).parents[3] / "include" / "definitions"
_GOLDEN = Path(__file__).with_name("golden")
_NAMES = (
    "copy-between-s3-and-database",
    "copy-dynamodb-table-across-regions",
    "export-dynamodb-table-to-s3",
    "import-dynamodb-table-from-s3",
    "load-redshift-from-s3",
)


@pytest.fixture(scope="module", params=_NAMES)
def conversion(request):
    return convert_file(_SAMPLES / f"{request.param}.json", dag_id_of(request.param))


def _golden(conversion, suffix):
    return (_GOLDEN / f"{conversion.dag_id}{suffix}").read_text("utf-8")


def test_every_sample_is_compared():
    assert {path.stem for path in _SAMPLES.glob("*.json")} == set(_NAMES)


def test_dag(conversion):
    assert conversion.dag_source == _golden(conversion, ".py.txt")


def test_report(conversion):
    assert conversion.report.to_markdown() == _golden(conversion, ".md")


def test_no_findings(conversion):
    assert conversion.findings == ()
