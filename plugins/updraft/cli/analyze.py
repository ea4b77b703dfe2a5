"""`updraft analyze`: what there is, and what it will take; nothing is converted for good."""

from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.convert import check_airflow, check_compute, converted, instant
from updraft.cli.definition_options import (
    ParametersOption,
    SetOption,
    ValuesOption,
    given_beside,
    path,
    print_findings,
    print_left_out,
)

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.migration.conversion import Conversion
    from updraft.migration.given_values import Given
    from updraft.migration.inputs import Inputs
    from updraft.migration.reporting.model import Report
    from updraft.migration.reporting.overview import Overview

_WIDTH_OF_FILES = 160
_WIDTH_FOR_SOURCES, _WIDTH_FOR_SHARES = 130, 100
_NUMBERS = ("points", "tasks", "write", "decide", "check", "settled", "kept", "errors")


class AnalysisFormat(StrEnum):
    """How the analysis is written."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"
    MARKDOWN = "markdown"


_BY_SUFFIX = {
    ".json": AnalysisFormat.JSON,
    ".html": AnalysisFormat.HTML,
    ".htm": AnalysisFormat.HTML,
    ".md": AnalysisFormat.MARKDOWN,
}


def analyze(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...",
            help="Files with definitions, folders of them, pipeline:df-… in AWS, or aws for all "
            "pipelines of the account.",
            show_default=False,
            parser=path,
        ),
    ],
    *,
    format_: Annotated[
        AnalysisFormat | None,
        typer.Option(
            "--format",
            help="How to write it; by the name of the output, else a table.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File to write; to the terminal when not given.",
            show_default=False,
            dir_okay=False,
        ),
    ] = None,
    set_: SetOption = None,
    values: ValuesOption = None,
    parameters: ParametersOption = None,
    compute: Annotated[
        str, typer.Option(help="Where shell commands would run, as for convert.")
    ] = "ec2",
    airflow: Annotated[
        str, typer.Option(help="The Airflow that DAGs would be for, as for convert.")
    ] = "3.2",
    start_date: Annotated[
        str | None,
        typer.Option(help="From when on DAGs would run, as for convert.", show_default=False),
    ] = None,
    import_check: Annotated[
        bool | None,
        typer.Option(
            "--import-check/--no-import-check",
            help="Load each DAG in Airflow and ask it for its first runs; by default where Airflow "
            "is installed.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say what there is and what its migration will take; no DAG is written.

    Exits with 0 when every definition can be converted, with 1 when one has errors or can't be
    read (the rest is analyzed all the same), with 2 when the command itself is wrong.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    from updraft.datapipeline.findings import has_errors  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
    from updraft.migration.reporting.overview import overview_of  # noqa: PLC0415 likewise

    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    kind = format_ or _BY_SUFFIX.get(output.suffix.lower() if output else "", AnalysisFormat.TABLE)
    try:
        check_compute(compute)
        check_airflow(airflow)
        given, found = given_beside(set_ or [], values, parameters)
        print_findings(found, errors)
        if has_errors(found):
            raise typer.Exit(1)
        given = replace(given, start_date=instant(start_date), compute=compute, airflow=airflow)
        asks = _has_airflow() if import_check is None else import_check
        found_inputs = _inputs(inputs, output, errors)
        conversions = _conversions(found_inputs, given, errors, import_check=asks)
        overview = overview_of(conversions)
        _write(overview, kind, output)
    except UpdraftError as error:
        errors.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    if overview.totals.errors or overview.unconverted:
        raise typer.Exit(1)


def _has_airflow() -> bool:
    """Tell whether Airflow is installed; a folder of that name is not."""
    for name in ("apache-airflow-core", "apache-airflow"):
        with suppress(PackageNotFoundError):
            version(name)
            return True
    return False


def _inputs(inputs: list[Path], output: Path | None, console: "Console") -> "Inputs":
    """Find the definitions, and make sure that none of them is written over."""
    from updraft.errors import UpdraftError  # noqa: PLC0415 keeps start fast
    from updraft.migration.inputs import find_inputs  # noqa: PLC0415 likewise

    with console.status("Looking for pipelines…"):
        found = find_inputs(inputs)
    if output is not None and output.absolute() in {one.absolute() for one in found.files}:
        raise UpdraftError(f"--output {output} is one of the definitions: name another file")
    print_left_out(found, console)
    return found


def _conversions(
    inputs: "Inputs", given: "Given", console: "Console", *, import_check: bool
) -> "list[Conversion]":
    from updraft.migration.batch import check_all  # noqa: PLC0415 keeps start fast

    conversions = converted(inputs.files, None, given, console)
    if import_check:
        with console.status("Loading the DAGs in Airflow…"):
            conversions = check_all(conversions)
    return conversions


def _write(overview: "Overview", kind: AnalysisFormat, output: Path | None) -> None:
    from rich.console import Console  # noqa: PLC0415 keeps start fast

    from updraft.migration.output_files import write_together  # noqa: PLC0415 likewise
    from updraft.migration.reporting.page import page  # noqa: PLC0415 likewise

    if kind is AnalysisFormat.TABLE and output is None:
        console = Console()
        _print(overview, console if console.is_terminal else Console(width=_WIDTH_OF_FILES))
        return
    if kind is AnalysisFormat.TABLE:
        lines = StringIO()
        _print(overview, Console(file=lines, width=_WIDTH_OF_FILES))
        text = lines.getvalue()
    elif kind is AnalysisFormat.HTML:
        text = page(overview)
    else:
        text = overview.to_json() if kind is AnalysisFormat.JSON else overview.to_markdown()
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_together({output: text})
        typer.echo(f"{output} has {overview.totals.pipelines} pipelines", err=True)


def _numbers(report: "Report") -> dict[str, str]:
    from updraft.datapipeline.findings import Severity  # noqa: PLC0415 keeps start fast

    effort = report.effort
    values = (
        effort.points,
        len(report.tasks),
        effort.tasks_to_write,
        effort.decisions,
        effort.checks,
        f"{report.coverage.settled_percent:g} %",
        f"{report.activity_coverage.kept_percent:g} %",
        sum(finding.severity is Severity.ERROR for finding in report.findings),
    )
    return dict(zip(_NUMBERS, map(str, values), strict=True))


def _print(overview: "Overview", console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 keeps start fast
    from rich.text import Text  # noqa: PLC0415 likewise

    from updraft.datapipeline.findings import Severity  # noqa: PLC0415 likewise

    # What a file is called shows in the name of its DAG, where there is no room for both.
    has_sources = console.width >= _WIDTH_FOR_SOURCES
    left_out = () if console.width >= _WIDTH_FOR_SHARES else ("tasks", "settled", "kept")
    table = Table("DAG", *["source"] * has_sources, box=None, padding=(0, 2, 0, 0))
    table.add_column("next", no_wrap=True)
    for name in _NUMBERS:
        if name not in left_out:
            table.add_column(name, justify="right", no_wrap=True)
    rows = [(one.dag_id, one.source, one.stage.value, _numbers(one)) for one in overview.pipelines]
    for other in overview.unconverted:
        errors = str(sum(finding.severity is Severity.ERROR for finding in other.findings))
        numbers = dict.fromkeys(_NUMBERS, "-") | {"errors": errors}
        rows.append((other.dag_id or other.source, other.source, "not converted", numbers))
    for dag_id, source, stage, numbers in rows:
        names = [Text(one, overflow="fold") for one in (dag_id, source)[: 1 + has_sources]]
        shown = [text for name, text in numbers.items() if name not in left_out]
        table.add_row(*names, stage, *shown)
    console.print(table)
    for other in overview.unconverted:
        print_findings(other.findings, console)
    totals, effort = overview.totals, overview.totals.effort
    counts = {
        "pipelines": totals.pipelines,
        "DAGs": totals.dags,
        "not converted": totals.unconverted,
        "tasks to write": effort.tasks_to_write,
        "decisions": effort.decisions,
        "things to check": effort.checks,
        "points": effort.points,
        "errors": totals.errors,
        "warnings": totals.warnings,
    }
    console.print("; ".join(f"{name}: {count}" for name, count in counts.items()), highlight=False)
    console.print(
        f"{totals.coverage.settled_percent:g} % of {totals.coverage.total} fields settled; "
        f"{totals.activity_coverage.kept_percent:g} % of {totals.activity_coverage.total} "
        "fields of activities carried over or equivalent",
        highlight=False,
    )
    console.print(overview.formula, style="dim", highlight=False)
