"""Definitions with mistakes end in findings, in every form, and never in a traceback.

``FUZZ_CASES`` says how many are tried, ``CORPUS`` names a folder with other definitions to break.
"""

import ast
import contextlib
import json
import os
import random
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.unit.migration import mutations
from updraft.datapipeline.file_checking import check_result
from updraft.datapipeline.reading import read_text
from updraft.migration.conversion import convert_definition

CASES = int(os.environ.get("FUZZ_CASES", "120"))
PROJECT = Path(__file__).parents[3]
TEMPLATES = Path(__file__).parents[1] / "datapipeline" / "templates"


@cache
def definitions():
    folder = Path(os.environ.get("CORPUS", PROJECT / "include" / "definitions"))
    found = []
    for path in sorted(folder.rglob("*.json")):
        document = json.loads(path.read_text())
        if isinstance(document, dict) and (document.get("objects") or document.get("Resources")):
            found.append(document)
    return found


def broken_text(seed):
    chance = random.Random(seed)
    document = chance.choice(definitions())
    form = chance.randrange(7)
    if form == 0:
        template = chance.choice(sorted(TEMPLATES.iterdir()))
        return mutations.mutated_text(template.read_text(), chance)
    if "objects" in document and form in {1, 2, 3}:
        writer = (mutations.in_api_form, mutations.in_cloudformation, mutations.in_terraform)
        with contextlib.suppress(AttributeError, TypeError, KeyError):
            document = writer[form - 1](document)
    document = mutations.mutated(document, chance)
    if form == 4:
        return yaml.safe_dump(document)
    text = json.dumps(document, indent=1)
    return mutations.mutated_text(text, chance) if form == 5 else text


@pytest.mark.parametrize("start", range(0, CASES, 20))
def test_broken_definitions_end_in_findings(start):
    for seed in range(start, min(start + 20, CASES)):
        text = broken_text(seed)
        try:
            result = read_text(text, "x.json", {"Env": ("x",)})
            findings = check_result(result)
            sources = [
                convert_definition(one, Path("x.json"), "x").dag_source
                for one in result.definitions
            ]
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        assert result.definitions or findings
        assert all(one.message and one.file == "x.json" for one in findings)
        for source in sources:
            ast.parse(source or "")
