"""Definitions with mistakes end in findings, in every form: no traceback, and no half of a DAG.

``FUZZ_CASES`` says how many are tried, ``CORPUS`` names a folder with other definitions to break.
"""

import ast
import contextlib
import json
import os
import re
import tempfile
from functools import cache
from pathlib import Path

import pytest
import typer
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.unit.migration import mutations
from updraft.cli.convert import convert

PROJECT = Path(__file__).parents[3]
TEMPLATES = Path(__file__).parents[1] / "datapipeline" / "templates"
SUFFIXES = {".json", ".yaml", ".tf"}
APP = typer.Typer()
APP.command()(convert)
MANY = int(os.environ.get("FUZZ_CASES", "5000"))
# What fails shows its text; to make it smaller takes longer than to read it.
CHECKS = {
    "suppress_health_check": list(HealthCheck),
    "deadline": None,
    "phases": (Phase.explicit, Phase.reuse, Phase.generate),
}


@cache
def folders():
    corpus = os.environ.get("CORPUS")
    if corpus:
        return (Path(corpus),)
    return (PROJECT / "include" / "definitions", PROJECT / "tests" / "golden", TEMPLATES)


@cache
def texts():
    """Give the texts of all definitions that get broken."""
    found = [path for folder in folders() for path in folder.rglob("*") if path.suffix in SUFFIXES]
    return [path.read_text("utf-8") for path in sorted(found) if path.parent.name != "report"]


@cache
def documents():
    """Give those of them that are sound JSON with objects."""
    found = []
    for text in texts():
        with contextlib.suppress(ValueError):
            document = json.loads(text)
            if isinstance(document, dict) and (
                document.get("objects") or document.get("Resources")
            ):
                found.append(document)
    return found


def broken_text(chance):
    """Write a definition in one of its forms, with something wrong in it."""
    form = chance.randrange(8)
    if form in {0, 1}:
        return mutations.mutated_text(chance.choice(texts()), chance)
    document = chance.choice(documents())
    if "objects" in document and form in {2, 3, 4}:
        writer = (mutations.in_api_form, mutations.in_cloudformation, mutations.in_terraform)
        with contextlib.suppress(AttributeError, TypeError, KeyError):
            document = writer[form - 2](document)
    document = mutations.mutated(document, chance)
    if form == 5:
        return yaml.safe_dump(document)
    text = json.dumps(document, indent=1)
    return mutations.mutated_text(text, chance) if form == 6 else text


def check(chance):
    """Convert a broken definition by the command, and look at what it has left."""
    text = broken_text(chance)
    try:
        check_text(text, chance.choice(sorted(SUFFIXES)))
    except Exception as error:
        error.add_note(text)
        raise


def check_text(text, suffix):
    with tempfile.TemporaryDirectory(prefix="updraft-broken-") as name:
        folder = Path(name)
        source = folder / f"broken{suffix}"
        source.write_bytes(text.encode(errors="surrogatepass"))
        result = CliRunner().invoke(
            APP, [str(source), "--output", str(folder / "dags"), "--no-import-check"]
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        # The command keeps a mistake of Updraft to the file that shows it; here it must not.
        assert "Updraft has a mistake" not in result.output
        assert "Traceback" not in result.output
        assert result.exit_code in {0, 1}, result.output
        written = {path for path in folder.rglob("*") if path.is_file()} - {source}
        assert result.exit_code == 0 or re.search(r": (error|warning): |^error: ", result.output)
        assert not [path for path in written if path.name.startswith((".", "tmp"))]
        dags, pages, data = (
            {path.stem for path in written if path.suffix == suffix} - {"index", "report"}
            for suffix in (".py", ".md", ".json")
        )
        # Where nothing is to run, there is a report and no DAG.
        assert dags <= pages == data
        for path in written - {folder / "reports" / "index.html"}:
            content = path.read_text("utf-8")
            assert content.endswith("\n")
            if path.suffix == ".py":
                ast.parse(content)
            if path.suffix == ".json":
                json.loads(content)


@settings(max_examples=100, derandomize=True, database=None, **CHECKS)
@given(st.randoms())
def test_broken_definitions_end_in_findings(chance):
    check(chance)


@pytest.mark.thorough
@pytest.mark.timeout(0)
@settings(max_examples=MANY, print_blob=True, **CHECKS)
@given(st.randoms())
def test_many_broken_definitions_end_in_findings(chance):
    check(chance)
