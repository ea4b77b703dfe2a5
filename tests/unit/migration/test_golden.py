"""The sample definition gives exactly the DAG and report that were reviewed."""

from pathlib import Path

import pytest

from updraft.migration.conversion import convert_file

_ROOT = Path(__file__).parents[3]
_GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture(scope="module")
def conversion():
    return convert_file(
        _ROOT / "include" / "definitions" / "dynamodb-export.json", "dynamodb_export"
    )


def test_dag(conversion):
    assert conversion.dag_source == (_GOLDEN / "dynamodb_export.py.txt").read_text("utf-8")


def test_report(conversion):
    assert conversion.report.to_markdown() == (_GOLDEN / "dynamodb_export.md").read_text("utf-8")


def test_no_findings(conversion):
    assert conversion.findings == ()
