"""Converts every definition of a folder, and loads every DAG in Airflow.

Run it with ``make corpus CORPUS=DIR``, see ``docs/corpus.md``.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.corpus.figures import Figures, figures_of, total
from updraft.datapipeline.reading import read_file
from updraft.migration.batch import Given, convert_all
from updraft.migration.import_check import check_imports
from updraft.migration.inputs import find_inputs

_HEADINGS = (
    "file",
    "DAGs",
    "tasks",
    "placeholders",
    "errors found",
    "fields accounted for",
    "activity fields kept",
    "import",
)


def _measure(folder: Path, console: Console) -> list[Figures]:
    found = find_inputs([folder])
    for path in found.left_out:
        console.print(f"No pipeline is in {path.relative_to(folder)}", style="dim", markup=False)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Converting", total=len(found.files))
        conversions = convert_all(
            found.files, None, Given(), lambda _: progress.update(bar, advance=1)
        )
    sources = {
        f"{one.dag_id}.py": one.dag_source for one in conversions if one.dag_source is not None
    }
    with console.status(f"Loading {len(sources)} DAGs in Airflow…"):
        outcomes = check_imports(sources)
    return [
        figures_of(
            path.relative_to(folder),
            read_file(path).definitions,
            [one for one in conversions if one.path == path],
            outcomes,
        )
        for path in found.files
    ]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _row(one: Figures) -> list[str]:
    if one.problems:
        verdict = f"[red]{len(one.problems)} problems[/]"
    elif one.refused:
        verdict = "refused"
    else:
        verdict = "clean" if one.dags else "nothing runs"
    return [
        one.name,
        str(one.dags),
        str(one.tasks),
        str(one.placeholders),
        str(one.findings),
        f"{_percent(one.accounted, one.fields)} of {one.fields}",
        f"{_percent(one.kept, one.activity_fields)} of {one.activity_fields}",
        verdict,
    ]


def _print(rows: list[Figures], console: Console) -> None:
    table = Table(show_footer=True)
    for heading, footer in zip(_HEADINGS, _row(total(rows)), strict=True):
        table.add_column(heading, footer, overflow="fold")
    for one in rows:
        table.add_row(*_row(one))
    console.print(table)


def main() -> None:
    """Measure a folder.

    :raises SystemExit: with 1 when a definition crashes, a DAG does not load without a warning, or
        a field is not accounted for.
    """
    parser = argparse.ArgumentParser(description="Convert every definition of a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    options = parser.parse_args()
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    rows = _measure(options.folder, errors)
    if options.json:
        sys.stdout.write(json.dumps([asdict(one) for one in rows], indent=2) + "\n")
    else:
        width = None if sys.stdout.isatty() else 160
        _print(rows, Console(width=width, highlight=False))
    for one in rows:
        if one.refused:
            errors.print(f"{one.name} is refused: {one.refused}", markup=False)
        for problem in one.problems:
            errors.print(f"{one.name}: {problem}", style="red", markup=False)
        if one.accounted < one.fields:
            lost = one.fields - one.accounted
            errors.print(f"{one.name}: {lost} fields are not accounted for", markup=False)
    if any(one.failed for one in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
