"""A log of a million lines with 100,000 events: Updraft and the approach of AWS's sample.

Run it with ``make bench-lineage``, see ``docs/lineage-benchmark.md``.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.lineage.contenders import CONTENDERS, TRANSPORTS, Work
from benchmarks.lineage.log_file import write_log
from benchmarks.lineage.stub import stub


def _figures(name: str, work: Work, home: Path) -> dict[str, float]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.lineage.contender_process",
            name,
            json.dumps(vars(work)),
        ],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_ENDPOINT_URL": work.url,
        },
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the log")
    parser.add_argument("--emits", type=int, default=300, help="events per transport")
    options = parser.parse_args()
    if options.lines < 100:  # noqa: PLR2004 - ten events
        parser.error("--lines: give at least 100")
    console = Console()
    with tempfile.TemporaryDirectory() as directory, stub() as url:
        log = Path(directory) / "task.log"
        size = write_log(log, options.lines, options.lines // 10)
        console.print(
            f"{options.lines:,} lines, {options.lines // 10:,} events, {size / 1e6:,.0f} MB"
        )
        work = Work(str(log), str(Path(directory) / "outbox"), url, options.emits)
        table = Table("", "events", "seconds", "events/s", "CPU s", "peak MiB")
        for name in CONTENDERS:
            found = _figures(name, work, Path(directory) / "airflow")
            table.add_row(
                name,
                f"{found['events']:,.0f}",
                f"{found['seconds']:.1f}",
                f"{found['events'] / found['seconds']:,.0f}",
                f"{found['cpu']:.1f}",
                f"{found['peak']:.0f}",
            )
        console.print(table)
        costs = Table("one event of a task, ms", "first", "median", "p95")
        for name in TRANSPORTS:
            found = _figures(name, work, Path(directory) / "airflow")
            costs.add_row(name, *(f"{found[key]:.2f}" for key in ("first", "median", "p95")))
        console.print(costs)


if __name__ == "__main__":
    _main()
