"""Entry point of `make legacy`: the old package emits, Updraft delivers, each event once."""

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from include.legacy_airflow import environment
from include.legacy_airflow.airflow import EMPTY, NAMESPACE, LegacyAirflow, TaskEnd
from include.local import processes
from include.local.bootstrap import SetupError
from include.local.clients import client
from include.local.stack import LocalStack
from updraft.errors import UpdraftError

_DOMAIN = "dzd_legacyairflow"
_BUCKET = "legacy-lineage"
_DAG, _RUN = "legacy_orders", "by-hand"
_STARTS, _ENDS = ("START",), ("COMPLETE", "FAIL", "ABORT")
_ORPHAN_MINUTES = 1

Counts = dict[str, Counter[str]]
"""How often each type of event is in the catalog, by OpenLineage run."""


def main(
    state: Annotated[
        Path | None, typer.Option(help="Where everything is kept; a temporary folder without it.")
    ] = None,
) -> None:
    """Run a DAG on Airflow 2.7.2 with openlineage-airflow, and compare the catalog with Airflow."""
    console = Console(highlight=False)
    try:
        with console.status("Making the environment of Airflow 2.7.2 …"):
            python = environment.prepare()
        with tempfile.TemporaryDirectory(prefix="updraft-legacy-") as folder:
            complete = _run(python, (state or Path(folder)).resolve(), console)
    except (UpdraftError, SetupError) as error:
        Console(stderr=True, highlight=False).print(f"[red]error:[/red] {error}")
        raise typer.Exit(1) from None
    raise typer.Exit(0 if complete else 1)


def _run(python: Path, state: Path, console: Console) -> bool:
    stack = LocalStack(state / "stack")
    try:
        stack.up()
        aws = stack.environment()
        client("s3", aws).create_bucket(Bucket=_BUCKET)
        airflow = LegacyAirflow(python, state, aws, _DOMAIN, f"s3://{_BUCKET}/lineage")
        with console.status("Airflow 2.7.2 starts …"):
            airflow.up()
        with console.status(f"{_DAG} runs …"):
            airflow.run(_DAG, _RUN)
        with console.status("forward_lineage posts …"):
            _forward(airflow, "posts", EMPTY)
        form = {"close_orphans_after_minutes": _ORPHAN_MINUTES}
        # It ends a run when Airflow has said at two looks that it is over.
        for run_id in ("looks", "closes"):
            with console.status("A run without end is left alone for a minute …"):
                time.sleep(_ORPHAN_MINUTES * 60 + 5)
            with console.status("forward_lineage asks Airflow for its state …"):
                _forward(airflow, run_id, form)
        with console.status("forward_lineage has nothing more to do …"):
            _forward(airflow, "repeats", form)
        return _compare(airflow.task_ends(_DAG, _RUN), _catalog(aws), console)
    finally:
        processes.stop(state)
        stack.down()


def _forward(airflow: LegacyAirflow, run_id: str, form: Mapping[str, Any]) -> None:
    state = airflow.run("forward_lineage", run_id, form)
    if state != "success":
        raise UpdraftError(f"forward_lineage ended as {state}")


def _catalog(aws: dict[str, str]) -> dict[str, Counts]:
    """Count what the catalog has, by job."""
    datazone: Any = client("datazone", aws)
    found: dict[str, Counts] = {}
    for page in datazone.get_paginator("list_lineage_events").paginate(domainIdentifier=_DOMAIN):
        for item in page["items"]:
            event = item["eventSummary"]["openLineageRunEventSummary"]
            job = event["job"]["name"].removeprefix(f"{NAMESPACE}/")
            runs = found.setdefault(job, {})
            runs.setdefault(event["runId"], Counter())[event["eventType"]] += 1
    return found


def _compare(tasks: list[TaskEnd], catalog: dict[str, Counts], console: Console) -> bool:
    """Print, for each task, how often it ran and what the catalog knows of that.

    The old package gives the mapped instances of a task one run per attempt.
    """
    table = Table("Task", "State", "Instances", "Attempts", "Starts", "Ends", "Repeated", "Right")
    complete = bool(tasks)
    for task_id, group in groupby(tasks, key=lambda task: task.task_id):
        instances = list(group)
        attempts = max(task.attempts for task in instances)
        runs = catalog.get(f"{_DAG}.{task_id}", {}).values()
        starts, ends = (
            sum(run[kind] > 0 for run in runs for kind in kinds) for kinds in (_STARTS, _ENDS)
        )
        repeated = sum(count - 1 for run in runs for count in run.values() if count > 1)
        right = starts == ends == attempts and not repeated
        complete = complete and right
        table.add_row(
            task_id,
            ", ".join(sorted({task.state for task in instances})),
            *map(str, (len(instances), attempts, starts, ends, repeated)),
            "yes" if right else "[red]no[/red]",
        )
    console.print(table)
    return complete


if __name__ == "__main__":
    typer.run(main)
