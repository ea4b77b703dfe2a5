"""Runs that wait at the same time: Updraft's operator and the provider's, side by side.

Run it with ``make bench-waiting``, see ``docs/waiting-benchmark.md``.
"""

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
from rich.console import Console
from rich.table import Table

from benchmarks.waiting.contenders import CONTENDERS
from benchmarks.waiting.work import create_job, most_at_once
from include.local.stack import LocalStack

_HEADINGS = (
    "",
    "slot-seconds",
    "slot-seconds\nper run",
    "calls of AWS\nper run",
    "at once",
    "triggerer\nMiB",
    "wall s",
)
_GOALS = (
    ("slot_seconds", "slot-seconds", "provider", 0.1),
    ("slot_seconds", "slot-seconds", "provider-deferrable", 1.5),
    ("calls", "calls of AWS", "provider", 1.5),
)


def _figures(name: str, directory: Path, options: argparse.Namespace) -> dict[str, float]:
    """Run a contender in a process of its own, with a job of its own."""
    session = boto3.Session()
    work = create_job(session, options.runs, options.seconds, options.poll_interval)
    answer = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.waiting.contender_process",
            name,
            json.dumps(vars(work)),
        ],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(directory / "airflow"),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        },
        stdout=subprocess.PIPE,
        check=True,
    )
    figures = json.loads(answer.stdout.splitlines()[-1])
    return {**figures, "at_once": most_at_once(session)}


def _table(title: str, figures: dict[str, dict[str, float]], runs: int) -> Table:
    table = Table(title=title)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right" if heading else "left", no_wrap=not heading)
    for name, found in figures.items():
        table.add_row(
            CONTENDERS[name].title,
            f"{found['slot_seconds']:,.0f}",
            f"{found['slot_seconds'] / runs:.2f}",
            f"{found['calls'] / runs:.1f}",
            f"{found['at_once']:,}",
            f"{found['memory']:,.0f}" if CONTENDERS[name].deferrable else "",
            f"{found['wall']:,.0f}",
        )
    return table


def _goals(figures: dict[str, dict[str, float]]) -> list[str]:
    lines = []
    for member, what, theirs, goal in _GOALS:
        ratio = figures["updraft"][member] / figures[theirs][member]
        lines.append(
            f"{'reached' if ratio <= goal else 'MISSED '}  {what} of updraft: {ratio:.3f} times "
            f"that of {theirs} (goal: at most {goal:g})"
        )
    return lines


def main() -> None:
    """Start the local stack, compare, and end it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200, help="runs that wait at once (200)")
    parser.add_argument("--seconds", type=int, default=120, help="length of a run (120)")
    parser.add_argument("--poll-interval", type=int, default=10, help="seconds between looks (10)")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the stack ends too
    logging.disable(logging.INFO)
    console = Console(stderr=True)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="updraft-benchmark-") as name:
        directory = Path(name)
        stack = LocalStack(directory / "stack", throttling=False)
        try:
            stack.up()
            os.environ |= stack.environment()
            for contender in CONTENDERS:
                console.print(f"{CONTENDERS[contender].title} …")
                figures[contender] = _figures(contender, directory, options)
        finally:
            stack.down()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    title = (
        f"{options.runs:,} runs of {options.seconds} s, a look every {options.poll_interval} s, "
        f"{os.cpu_count()} cores, load {load}"
    )
    output = Console(width=120)
    output.print(_table(title, figures, options.runs))
    for line in _goals(figures):
        output.print(line, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
