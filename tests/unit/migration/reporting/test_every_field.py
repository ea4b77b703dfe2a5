"""Every field of every object is in the report, once, with one of five fates.

The definitions are those of the project. `CORPUS=DIR pytest …` walks those of a folder, too.
"""

import os
from collections import Counter
from pathlib import Path

import pytest

from updraft.migration.batch import convert_all
from updraft.migration.given_values import Given
from updraft.migration.inputs import find_inputs, read_input
from updraft.migration.ledger import Status

_PROJECT = Path(__file__).parents[4]
_FOLDERS = (
    _PROJECT / "include" / "definitions",
    _PROJECT / "tests" / "unit" / "datapipeline" / "templates",
    _PROJECT / "tests" / "golden",
)


def _definitions():
    folders = [folder for folder in _FOLDERS if folder.is_dir()]
    if "CORPUS" in os.environ:
        folders.append(Path(os.environ["CORPUS"]).absolute())
    return find_inputs(folders).files


def _fields(definition):
    """Walk a definition as it was read; nothing of the conversion has a part in it."""
    for item in definition.objects:
        if item.name != item.id:
            yield item.id, "name"
        if item.type:
            yield item.id, "type"
        for field in item.fields:
            yield item.id, field.name


def test_there_are_definitions():
    assert len(_definitions()) > 5


@pytest.mark.parametrize("path", _definitions(), ids=lambda path: path.name)
def test_every_field_has_one_fate(path):
    written = sorted(pair for one in read_input(path, {}).definitions for pair in _fields(one))
    conversions = convert_all([path], None, Given(), lambda _: None)
    if any(one.report is None for one in conversions):
        assert all(one.findings for one in conversions if one.report is None)
        assert not path.is_relative_to(_PROJECT), "a definition of the project is not converted"
        pytest.skip("a file of the corpus can't be read")
    pipelines = {}
    for one in conversions:
        counts = Counter((field.object_id, field.field) for field in one.report.fields)
        # The DAGs of several schedules share what serves them all.
        pipelines[one.report.pipeline] = pipelines.get(one.report.pipeline, Counter()) | counts
    assert written == sorted(sum(pipelines.values(), Counter()).elements())
    for one in conversions:
        for field in one.report.fields:
            assert field.status in Status
            assert field.note, f"{field.object_id}.{field.field} has a fate without a reason"
            assert field.note != "Updraft has no rule for this field", (
                f"{field.object_id}.{field.field}"
            )
        counts = one.report.coverage.counts
        assert sum(counts.values()) == one.report.coverage.total == len(one.report.fields)
