"""Exports and imports side by side: Updraft, the provider, awswrangler, and boto3 alone.

All contenders work on the same items and servers of one machine, one after the other, each in a
process of its own, so that CPU time and peak memory are theirs alone. boto3 alone is the least that
anything can need that goes through boto3.

Run it with ``make bench-dynamodb``, see ``docs/dynamodb-benchmarks.md``.
"""

import argparse
import fnmatch
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.dynamodb.comparison import Comparison, Figures
from benchmarks.dynamodb.contenders import CONTENDERS, EXPORT, whole_batches
from benchmarks.dynamodb.servers import DYNALITE, STACK, lead_there, servers

_HEADINGS = (
    "",
    "items/s",
    "CPU s per\n1,000,000",
    "CPU to\nboto3",
    "CPU to\nboto3 + dump",
    "peak\nMiB",
    "added\nMiB",
    "server\nbusy",
)

_GOALS = (
    ("rate", "worker-export-dynamodb_json", "provider-export", 5.0),
    ("rate", "worker-export-data_pipeline", "provider-export", 5.0),
    ("rate", "worker-import-dynamodb_json_lines", "awswrangler", 3.0),
    ("rate", "worker-import-data_pipeline", "awswrangler", 3.0),
    ("CPU", "worker-export-dynamodb_json", "scan-dump", 0.3),
    ("CPU", "worker-export-dynamodb_json_lines", "scan-dump", 0.3),
    ("CPU", "worker-export-data_pipeline", "scan-dump", 0.5),
    ("CPU", "worker-import-dynamodb_json_lines", "batch-write", 0.4),
    ("CPU", "worker-import-data_pipeline", "batch-write", 0.4),
)


def _table(title: str, figures: Sequence[Figures]) -> Table:
    table = Table(title=title)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    base = {entry.contender.name: entry.cpu_per_million for entry in figures}
    direction = figures[0].contender.direction if figures else ""
    for entry in figures:
        if entry.contender.direction != direction:
            table.add_section()
        direction = entry.contender.direction
        bare = base.get("scan" if direction == EXPORT else "batch-write")
        dumping = base.get("scan-dump") if direction == EXPORT else None
        table.add_row(
            f"{direction}: {entry.contender.title}",
            f"{entry.rate:,.0f}",
            f"{entry.cpu_per_million:,.1f}",
            _ratio(entry.cpu_per_million, bare),
            _ratio(entry.cpu_per_million, dumping),
            f"{entry.memory:,.0f}",
            f"{entry.memory - entry.memory_before:,.0f}",
            f"{entry.server:.0%}",
        )
    return table


def _ratio(value: float, base: float | None) -> str:
    return f"{value / base:.2f}" if base else ""


def _goals(figures: Sequence[Figures]) -> list[str]:
    by_name = {entry.contender.name: entry for entry in figures}
    lines = []
    for what, ours, theirs, goal in _GOALS:
        if ours not in by_name or theirs not in by_name:
            continue
        one, other = by_name[ours], by_name[theirs]
        if what == "rate":
            ratio = one.rate / other.rate
            reached, relation = ratio >= goal, "at least"
        else:
            ratio = one.cpu_per_million / other.cpu_per_million
            reached, relation = ratio <= goal, "at most"
        lines.append(
            f"{'reached' if reached else 'MISSED '}  {what} of {ours}: {ratio:.2f} times that of "
            f"{theirs} (goal: {relation} {goal:g})"
        )
    return lines


def main() -> None:
    """Start the servers, compare, and end them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=40_000, help="number of items (40,000)")
    parser.add_argument("--server", choices=[STACK, DYNALITE], default=STACK)
    parser.add_argument(
        "--latency", type=float, default=0, help="milliseconds added to each call to DynamoDB"
    )
    parser.add_argument(
        "--only", default="*", help="contenders, such as 'worker-*,scan*'; commas between patterns"
    )
    arguments = parser.parse_args()
    patterns = arguments.only.split(",")
    names = [
        name
        for name in CONTENDERS
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]
    if not names:
        parser.error(f"--only: no contender has such a name; there are {', '.join(CONTENDERS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers end too
    items = whole_batches(arguments.items)
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="updraft-benchmark-") as directory:
        state = Path(directory) / "stack"
        with servers(arguments.server, state, arguments.latency) as found:
            lead_there(found, Path(directory))
            comparison = Comparison(found, items, console.print)
            comparison.seed()
            figures = comparison.run(names)
    later = f" plus {arguments.latency:g} ms a call" if arguments.latency else ""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    title = f"{items:,} items of 400 bytes, {found.name}{later}, {os.cpu_count()} cores"
    output = Console(width=120)
    output.print(_table(f"{title}, load {load}", figures))
    for line in _goals(figures):
        output.print(line, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
