"""`updraft schedule`: when a pipeline ran, and when its DAG runs."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from updraft.cli.definition_options import (
    ParametersOption,
    SetOption,
    ValuesOption,
    given_beside,
    print_findings,
)

if TYPE_CHECKING:
    from updraft.datapipeline.findings import Finding
    from updraft.migration.given_values import Given
    from updraft.migration.pipeline_schedule import ActivitySchedule, PipelineSchedule, RunTimes


class OutputFormat(StrEnum):
    """How the runs are printed."""

    TABLE = "table"
    JSON = "json"


def schedule(
    file: Annotated[
        Path,
        typer.Argument(
            help="A file with definitions, or pipeline:df-… in AWS.", show_default=False
        ),
    ],
    *,
    activation: Annotated[
        str | None,
        typer.Option(
            help="When the pipeline is activated, in UTC; the first period of a schedule with "
            "FIRST_ACTIVATION_DATE_TIME begins then, and an on-demand pipeline runs.",
            show_default=False,
        ),
    ] = None,
    runs: Annotated[int, typer.Option(help="How many runs to list.", min=1, max=10_000)] = 6,
    set_: SetOption = None,
    values: ValuesOption = None,
    parameters: ParametersOption = None,
    format_: Annotated[
        OutputFormat, typer.Option("--format", help="How to print them.")
    ] = OutputFormat.TABLE,
) -> None:
    """List the first runs of each activity, in the pipeline and in its DAG.

    The pipeline's are simulated by the rule of AWS Data Pipeline, the DAG's are what its timetable
    answers. The command exits with 1 when they differ, or when the definition does not tell.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    from updraft.datapipeline.findings import (  # noqa: PLC0415 likewise
        DefinitionError,
        has_errors,
    )
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise

    try:
        given, findings = given_beside(set_ or [], values, parameters)
        if has_errors(findings):
            raise DefinitionError(findings)
        found, left_out = _read(file, activation, given)
        with _no_files_at_home():
            answer = _answer(file, found, activation, runs)
    except UpdraftError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    if format_ is OutputFormat.JSON:
        typer.echo(json.dumps(answer, indent=2))
    else:
        _print_table(answer)
    print_findings(left_out, Console(stderr=True, soft_wrap=True, highlight=False))
    if left_out or not answer["agree"]:
        raise typer.Exit(1)


@contextmanager
def _no_files_at_home() -> Iterator[None]:
    """Keep Airflow, which writes its configuration when it is imported, out of the user's home."""
    if "AIRFLOW_HOME" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="updraft-schedule-") as home:
        os.environ["AIRFLOW_HOME"] = home
        try:
            yield
        finally:
            del os.environ["AIRFLOW_HOME"]


def _read(
    file: Path, activation: str | None, given: "Given"
) -> "tuple[list[PipelineSchedule], list[Finding]]":
    """Read the schedules of a file's pipelines.

    :returns: those of the pipelines that have objects, and the errors of the others.
    :raises UpdraftError: when there is no such pipeline, or another error.
    """
    from updraft.datapipeline.expression_values import as_utc  # noqa: PLC0415 keeps start fast
    from updraft.datapipeline.file_checking import check_definition  # noqa: PLC0415 likewise
    from updraft.datapipeline.findings import DefinitionError, Severity  # noqa: PLC0415 likewise
    from updraft.migration.inputs import read_input  # noqa: PLC0415 likewise
    from updraft.migration.pipeline_schedule import pipeline_schedule  # noqa: PLC0415 likewise

    start = None if activation is None else as_utc(activation)
    result = read_input(file, given.by_name)
    errors = [one for one in result.findings if one.severity is Severity.ERROR]
    empty = [one for one in result.pipelines if not one.objects]
    left_out = [one for pipeline in empty for one in result.about(pipeline) if one in errors]
    if not result.definitions or any(one not in left_out for one in errors):
        raise DefinitionError(result.findings)
    checked = (check_definition(one, given.values, given.parameters) for one in result.definitions)
    found = [pipeline_schedule(one.definition, one.resolved, start) for one in checked]
    return found, left_out


def _answer(
    file: Path, found: "list[PipelineSchedule]", activation: str | None, runs: int
) -> dict[str, Any]:
    activities = [
        _activity_answer(one, pipeline, runs) for pipeline in found for one in pipeline.activities
    ]
    return {
        "file": str(file),
        "activation": activation,
        "agree": all(one["agree"] for one in activities),
        "activities": activities,
    }


def _activity_answer(
    one: "ActivitySchedule", found: "PipelineSchedule", runs: int
) -> dict[str, Any]:
    from updraft.migration.dag_schedules import dag_schedule  # noqa: PLC0415 keeps start fast
    from updraft.migration.pipeline_schedule import run_times  # noqa: PLC0415 likewise

    rule = one.rule
    answer: dict[str, Any] = {
        "id": one.item.id,
        "type": one.item.type,
        "schedule": one.schedule.id if one.schedule else None,
        "scheduleType": rule.type.value if rule else None,
        "period": str(rule.period) if rule and rule.period else None,
    }
    if rule is None:
        return {**answer, "agree": False, "problem": str(one.problem), "legacy": [], "airflow": []}
    # What counts from the activation begins then in Airflow too; all else counts from its start.
    from_activation = rule.anchor is not None and rule.anchor == found.start_date
    own = dag_schedule(rule, found.start_date if from_activation else None)
    legacy, airflow = run_times(own.legacy_runs(runs)), run_times(own.airflow_runs(runs))
    if own.timetable is None:
        # Whoever triggers the DAG tells the time, as whoever activated the pipeline did.
        airflow = legacy
    problem = None
    if rule.anchor is None:
        problem = "Its times depend on when the pipeline is activated: give --activation"
    return {
        **answer,
        "dag": {name: code.text for name, code in own.arguments.items()},
        "agree": legacy == airflow,
        "problem": problem,
        "legacy": [_times(run) for run in legacy],
        "airflow": [_times(run) for run in airflow],
    }


def _times(run: "RunTimes") -> dict[str, str | None]:
    return {"due": run.due, "scheduledStartTime": run.start, "scheduledEndTime": run.end}


def _print_table(answer: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415 keeps start fast
    from rich.table import Table  # noqa: PLC0415 likewise

    console = Console(soft_wrap=True)
    for one in answer["activities"]:
        title = f"{one['id']}: {one['scheduleType'] or 'unknown'}"
        if "dag" in one:
            title += f", schedule={one['dag']['schedule']}"
        console.print(title, markup=False, highlight=False)
        table = Table()
        for heading in ("due (UTC)", "@scheduledStartTime", "@scheduledEndTime", "in Airflow"):
            table.add_column(heading, overflow="fold")
        for legacy, airflow in zip_longest(one["legacy"], one["airflow"]):
            same = "the same" if legacy == airflow else _in_one_line(airflow)
            times = legacy.values() if legacy else (None,) * 3
            table.add_row(*((time or "-").removesuffix("Z") for time in times), same)
        if table.row_count:
            console.print(table)
        if one["problem"]:
            console.print(one["problem"], style="yellow", markup=False)


def _in_one_line(run: dict[str, str | None] | None) -> str:
    return ", ".join(time or "-" for time in run.values()) if run else "-"
