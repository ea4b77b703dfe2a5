"""Definitions give exactly the DAGs and reports that were reviewed; see `make golden`."""

import difflib
from unittest import mock

import pytest

from tests.unit.migration.golden_files import FOLDER, cases, convert_all, golden_files
from updraft.migration import batch
from updraft.migration.reporting.model import Report


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Convert all definitions; the import check loads all DAGs in one Airflow."""
    folder = tmp_path_factory.mktemp("golden")
    outcomes = {}

    def check(sources):
        found = real_check(sources)
        outcomes.update(found)
        return found

    real_check = batch.check_imports
    with mock.patch.object(batch, "check_imports", check):
        conversions = list(convert_all(folder))
    return folder, conversions, outcomes


def test_all_are_converted(made):
    _, conversions, _ = made
    failed = {case.name: one.findings for case, one in conversions if one.failed}
    assert failed == {}


def test_the_same_files_are_written(made):
    folder, _, _ = made
    assert golden_files(folder) == golden_files(FOLDER)


@pytest.mark.parametrize("name", [case.name for case in cases()])
def test_the_files_are_the_same(made, name):
    folder, _, _ = made
    for path in golden_files(folder):
        if path.parts[0] == name and (FOLDER / path).exists():
            golden, new = (root / path for root in (FOLDER, folder))
            if golden.read_bytes() != new.read_bytes():
                before, after = (one.read_text("utf-8").splitlines() for one in (golden, new))
                lines = difflib.unified_diff(before, after, str(path), "now", lineterm="")
                pytest.fail("\n".join(["`make golden` accepts this:", *lines]), pytrace=False)


def test_airflow_loads_all_without_a_warning(made):
    _, conversions, outcomes = made
    assert len(outcomes) == len(conversions)
    assert {outcome.error for outcome in outcomes.values()} == {None}
    assert [text for outcome in outcomes.values() for text in outcome.warnings] == []


def test_reports_for_programs_hold_the_same(made):
    _, conversions, _ = made
    for _, one in conversions:
        assert Report.model_validate_json(one.report.to_json()) == one.report
