"""The table of all fields is what converting them gives today."""

import re
from pathlib import Path

from updraft.datapipeline.object_types import object_types
from updraft.migration.reporting.migration_table import migration_table

_PAGE = Path(__file__).parents[4] / "docs" / "migration-table.md"


def test_the_page_is_what_is_measured_today():
    assert _PAGE.read_text("utf-8") == migration_table(), "run `make migration-table`"


def test_every_field_of_every_type_has_one_row():
    sections = re.split(r"^## ", _PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    rows = {
        section.split("\n", 1)[0]: re.findall(r"^\| `([^`]+)`", section, flags=re.MULTILINE)
        for section in sections
    }
    assert rows.pop("Default")
    assert rows == {name: list(entry.fields) for name, entry in object_types().items()}
