"""`updraft convert`: legacy definitions become DAG files and reports."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.datapipeline.findings import Finding
    from updraft.datapipeline.model import ParameterValue
    from updraft.migration.batch import Written
    from updraft.migration.conversion import Conversion


def convert(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...", help="Definition files, or folders of them.", show_default=False
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option(help="Folder for the DAG files.", show_default=False, file_okay=False)
    ],
    report: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the reports; 'reports' beside the output when not given.",
            show_default=False,
            file_okay=False,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Value of a parameter.", show_default=False
        ),
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option(help="JSON file with values of parameters.", show_default=False),
    ] = None,
    compute: Annotated[
        str,
        typer.Option(
            help="Where shell commands run: ec2 (an instance for each run), ssm (machines of "
            "yours, by tag) or bash (the Airflow worker)."
        ),
    ] = "ec2",
    dag_id: Annotated[
        str | None,
        typer.Option(help="Id of the DAG; the file's name when not given.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace DAG files that were edited by hand.")
    ] = False,
    import_check: Annotated[
        bool, typer.Option(help="Load each DAG in Airflow before writing it.")
    ] = True,
) -> None:
    """Convert AWS Data Pipeline definitions into Airflow DAGs.

    Each definition gives one DAG file and a report on what became of every field. A definition
    with an error writes nothing, and the command exits with 1.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    from updraft.datapipeline.findings import has_errors  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
    from updraft.migration import batch  # noqa: PLC0415 likewise

    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    report_folder = report if report is not None else output.absolute().parent / "reports"
    try:
        _check_compute(compute)
        given, found = _given_values(set_ or [], values)
        _print_findings(found, errors)
        if has_errors(found):
            raise typer.Exit(1)
        conversions = _convert(batch.definition_files(inputs), dag_id, given, compute, errors)
        if import_check:
            with errors.status("Loading the DAGs in Airflow…"):
                conversions = batch.check_all(conversions)
        written = batch.write_all(conversions, output, report_folder, force=force)
    except UpdraftError as error:
        errors.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    for one in written:
        _print_findings(one.conversion.findings, errors)
    _print_summary(written)
    failed = sum(one.dag_file is None for one in written)
    if failed:
        errors.print(f"{failed} of {len(written)} definitions not converted, see the errors above.")
        raise typer.Exit(1)


def _check_compute(compute: str) -> None:
    from updraft.choices import choose  # noqa: PLC0415 keeps start fast
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
    from updraft.migration.mappers.shell_places import COMPUTE, NOT_OFFERED  # noqa: PLC0415

    if compute in NOT_OFFERED:
        raise UpdraftError(f"--compute {compute}: {NOT_OFFERED[compute]}")
    choose("--compute", compute, COMPUTE)


def _given_values(
    assignments: list[str], values: Path | None
) -> "tuple[tuple[ParameterValue, ...], tuple[Finding, ...]]":
    from updraft.datapipeline.model import ParameterValue  # noqa: PLC0415 keeps start fast
    from updraft.datapipeline.reading import read_values  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise

    given, findings = read_values(values) if values is not None else ((), ())
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name:
            raise UpdraftError(f"--set takes KEY=VALUE, not {name!r}")
        given = (*given, ParameterValue(id=name, values=(value,), source="--set"))
    return given, findings


def _convert(
    files: list[Path],
    dag_id: str | None,
    values: "tuple[ParameterValue, ...]",
    compute: str,
    console: "Console",
) -> "list[Conversion]":
    from rich.progress import Progress  # noqa: PLC0415 keeps start fast

    from updraft.migration.batch import convert_all  # noqa: PLC0415 likewise

    watched = len(files) > 1 and console.is_terminal
    with Progress(console=console, transient=True, disable=not watched) as progress:
        bar = progress.add_task("Converting", total=len(files))

        def advance(path: Path) -> None:
            progress.update(bar, advance=1, description=path.name)

        return convert_all(files, dag_id, values, advance, compute)


def _print_findings(findings: "tuple[Finding, ...]", console: "Console") -> None:
    from rich.text import Text  # noqa: PLC0415 keeps start fast

    for finding in findings:
        style = "bold red" if finding.severity.value == "error" else "yellow"
        what = ".".join(filter(None, (finding.object_id, finding.field)))
        line = Text(f"{finding.place}: ")
        line.append(finding.severity.value, style=style)
        line.append(f": {what}: " if what else ": ")
        line.append(finding.message)
        if finding.value is not None:
            line.append(f" [{finding.value}]")
        if finding.advice:
            line.append(f". {finding.advice}", style="dim")
        console.print(line)


def _print_summary(written: "list[Written]") -> None:
    from rich.console import Console  # noqa: PLC0415 keeps start fast
    from rich.table import Table  # noqa: PLC0415 likewise

    table = Table()
    for heading in ("DAG file", "tasks", "settled", "findings", "report"):
        table.add_column(heading, overflow="fold")
    for one in written:
        made = one.conversion.report
        if made is None or one.dag_file is None:
            continue
        waiting = sum(not task.migrated for task in made.tasks)
        tasks = f"{len(made.tasks)}" + (f", {waiting} to migrate" if waiting else "")
        table.add_row(
            str(one.dag_file),
            tasks,
            f"{made.coverage.settled_percent:.0f} % of {made.coverage.total} fields",
            str(len(made.findings)),
            str(one.report_file),
        )
    if table.row_count:
        Console().print(table)
