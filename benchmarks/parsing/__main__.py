"""Converting many definitions, and parsing what comes of it beside DAGs by hand and dag-factory.

Run it with ``make bench-parse``, see ``docs/parsing-benchmark.md``.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.parsing import conversion, environment, folders

_PROCESS = Path(__file__).with_name("contender_process.py")
_CONTENDERS: dict[str, tuple[str, Callable[[Path, int], None]]] = {
    "updraft": ("converted by Updraft", folders.updraft_folder),
    "by_hand": ("written by hand", folders.folder_by_hand),
    "dag_factory": ("dag-factory, a file each", folders.dag_factory_folder),
    "dag_factory_in_one": ("dag-factory, one file for all", folders.dag_factory_in_one),
}
_STRETCH = 100


def _convert(directory: Path, options: argparse.Namespace) -> list[str]:
    """Convert, print a table, and tell what came of the goal."""
    files = conversion.write_definitions(directory / "definitions", options.dags)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Converting", total=len(files))
        times = conversion.measure(
            files,
            directory / "output",
            lambda: progress.update(bar, advance=1),
            import_check=options.import_check,
        )
    size = min(
        _STRETCH, max(conversion.MODELS, len(files) // 3 // conversion.MODELS * conversion.MODELS)
    )
    parts = [times.part(place, size) for place in (0, 0.5, 1)]
    table = Table(title=f"{len(files):,} definitions converted in one run, {times.dags:,} DAGs")
    for heading in ("", "ms of CPU\nper definition"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, seconds in zip(("first", "middle", "last"), parts, strict=True):
        table.add_row(f"{name} {size}", f"{1000 * seconds:.1f}")
    table.add_row("all", f"{1000 * statistics.fmean(times.each):.1f}")
    if times.check is not None:
        table.add_row("and loading in Airflow", f"{1000 * times.check / len(files):.1f}")
    table.add_row("and writing", f"{1000 * times.write / len(files):.1f}")
    table.add_row("on the clock, all of it", f"{1000 * times.wall / len(files):.1f}")
    Console(width=120).print(table)
    ratio = parts[2] / parts[0]
    return [_goal("the last definitions take", ratio, 1.25, "times as long as the first")]


def _parse(directory: Path, options: argparse.Namespace) -> list[str]:
    """Let the contenders parse in turns, print a table, and tell what came of the goals."""
    python = environment.interpreter()
    for name, (_, write) in _CONTENDERS.items():
        write(directory / name, options.dags)
    home = directory / "home"
    home.mkdir()

    def run(what: str, path: Path) -> dict[str, Any]:
        finished = subprocess.run(
            [str(python), "-P", str(_PROCESS), what, str(path)],
            env=environment.variables(home),
            cwd=home,
            stdout=subprocess.PIPE,
            check=True,
        )
        figures: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
        return figures

    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _CONTENDERS}
    console = Console(stderr=True)
    for number in range(options.rounds):
        for name, (title, _) in _CONTENDERS.items():
            console.print(f"Round {number + 1} of {options.rounds}: {title} …")
            found[name].append(run("folder", directory / name))
    alone = {
        name: statistics.fmean(
            run("alone", directory / name / f"{workflow}_{number}.py")["cpu"]
            for number, workflow in enumerate(folders.NAMES)
        )
        for name in _CONTENDERS
        if name != "dag_factory_in_one"
    }
    _check_same(found)
    per_dag = {
        name: min(one["cpu"] for one in rounds) / options.dags for name, rounds in found.items()
    }
    _print_parsing(found, per_dag, alone, options)
    factory = min(per_dag["dag_factory"], per_dag["dag_factory_in_one"])
    return [
        _goal(
            "Updraft's DAGs take",
            per_dag["updraft"] / per_dag["by_hand"],
            1.1,
            "times as long as those by hand",
        ),
        _goal(
            "Updraft's DAGs take",
            per_dag["updraft"] / factory,
            0.5,
            "times as long as dag-factory's, the faster of both ways",
        ),
    ]


def _check_same(found: dict[str, list[dict[str, Any]]]) -> None:
    """Make sure that all made as many DAGs, with the same timetables, forms and tasks."""
    made = [{f"{one['dags']} DAGs", *one["made"]} for rounds in found.values() for one in rounds]
    if differing := set.union(*made) - set.intersection(*made):
        lines = "\n".join(sorted(differing))
        raise SystemExit(f"The contenders differ in what they made:\n{lines}")


def _print_parsing(
    found: dict[str, list[dict[str, Any]]],
    per_dag: dict[str, float],
    alone: dict[str, float],
    options: argparse.Namespace,
) -> None:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    table = Table(
        title=f"{options.dags:,} DAGs in one DagBag, best of {options.rounds} rounds, "
        f"{os.cpu_count()} cores, load {load}"
    )
    headings = (
        "",
        "ms of CPU\nper DAG",
        "to by hand",
        "wall ms\nper DAG",
        "ms of CPU\nwithout imports",
        "ms of CPU, a file\nin its own process",
    )
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    for name, rounds in found.items():
        wall = min(one["wall"] for one in rounds) / options.dags
        table.add_row(
            _CONTENDERS[name][0],
            f"{1000 * per_dag[name]:.2f}",
            f"{per_dag[name] / per_dag['by_hand']:.2f}",
            f"{1000 * wall:.2f}",
            f"{1000 * min(one['again'] for one in rounds) / options.dags:.2f}",
            "" if name not in alone else f"{1000 * alone[name]:.0f}",
        )
    Console(width=120).print(table)


def _goal(what: str, ratio: float, most: float, than: str) -> str:
    word = "reached" if ratio <= most else "MISSED "
    return f"{word}  {what} {ratio:.2f} {than} (goal: at most {most:g})"


def main() -> None:
    """Measure both, and say which goals were reached."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dags", type=int, default=1000, help="definitions and DAGs (1000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of parsing (5)")
    parser.add_argument(
        "--no-import-check",
        dest="import_check",
        action="store_false",
        help="leave the import check of the conversion out",
    )
    parser.add_argument("--only", choices=["convert", "parse"], help="one half alone")
    options = parser.parse_args()
    if options.dags < conversion.MODELS:
        parser.error(f"--dags takes {conversion.MODELS} at least")
    lines = []
    with tempfile.TemporaryDirectory(prefix="updraft-benchmark-") as name:
        if options.only != "parse":
            lines += _convert(Path(name), options)
        if options.only != "convert":
            lines += _parse(Path(name), options)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
