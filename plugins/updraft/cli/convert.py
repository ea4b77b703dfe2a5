"""`updraft convert`: legacy definitions become DAG files and reports."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.definition_options import (
    InputsArgument,
    ParametersOption,
    SetOption,
    ValuesOption,
    given_beside,
    print_findings,
    print_left_out,
)

_DIFFERENCE_SHOWN = 20

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from updraft.migration.batch import Written
    from updraft.migration.conversion import Conversion
    from updraft.migration.given_values import Given


def convert(
    inputs: InputsArgument,
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
    set_: SetOption = None,
    values: ValuesOption = None,
    parameters: ParametersOption = None,
    dag_id: Annotated[
        str | None,
        typer.Option(help="Id of the DAG; the file's name when not given.", show_default=False),
    ] = None,
    compute: Annotated[
        str,
        typer.Option(
            help="Where shell commands run: ec2 (an instance for each run), ssm (machines of "
            "yours, by tag), bash (the Airflow worker), ecs or batch (containers; the form asks "
            "where)."
        ),
    ] = "ec2",
    start_date: Annotated[
        str | None,
        typer.Option(
            help="From when on the DAG takes the pipeline's place, in UTC: every period runs that "
            "begins then or later.",
            show_default=False,
        ),
    ] = None,
    airflow: Annotated[
        str, typer.Option(help="The oldest Airflow that the DAGs are for: 3.2 (or 3), 3.0, 2.11.")
    ] = "3.2",
    force: Annotated[
        bool, typer.Option("--force", help="Replace DAG files that were edited by hand.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing for a definition with an error.")
    ] = False,
    import_check: Annotated[
        bool, typer.Option(help="Load each DAG in Airflow before writing it.")
    ] = True,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing, but say of each DAG file whether it is up to date; exits with 1 "
            "when one is not.",
        ),
    ] = False,
) -> None:
    """Convert AWS Data Pipeline definitions into Airflow DAGs.

    Each definition gives a DAG file and a report on what became of every field. What has an error
    becomes a task that fails and says why, and the command exits with 1.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    from updraft.datapipeline.findings import has_errors  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
    from updraft.migration import batch  # noqa: PLC0415 likewise
    from updraft.migration.inputs import find_inputs  # noqa: PLC0415 likewise

    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    report_folder = report if report is not None else output.absolute().parent / "reports"
    if check and force:
        raise typer.BadParameter("--check writes nothing, so that there is nothing to --force")
    try:
        check_compute(compute)
        check_airflow(airflow)
        given, found = given_beside(set_ or [], values, parameters)
        print_findings(found, errors)
        if has_errors(found):
            raise typer.Exit(1)
        given = replace(given, start_date=instant(start_date), compute=compute, strict=strict)
        given = replace(given, airflow=airflow)
        found_inputs = find_inputs(inputs)
        print_left_out(found_inputs, errors)
        conversions = converted(found_inputs.files, dag_id, given, errors)
        if import_check:
            with errors.status("Loading the DAGs in Airflow…"):
                conversions = batch.check_all(conversions)
        if check:
            _compare(conversions, output, errors)
            return
        written = batch.write_all(conversions, output, report_folder, force=force)
        page = _write_overview(written, report_folder)
    except UpdraftError as error:
        errors.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    for one in written:
        print_findings(one.conversion.findings, errors)
    _print_summary(written)
    if page is not None:
        errors.print(f"The report over all of them is {page}", markup=False)
    if not _succeeded(written, errors):
        raise typer.Exit(1)


def _succeeded(written: "list[Written]", console: "Console") -> bool:
    """Say which definitions were not converted, or have errors."""
    from updraft.datapipeline.findings import has_errors  # noqa: PLC0415 keeps start fast

    failed = sum(one.conversion.failed for one in written)
    if failed:
        console.print(
            f"{failed} of {len(written)} definitions not converted, see the errors above."
        )
    erroneous = [
        one.conversion
        for one in written
        if not one.conversion.failed and has_errors(one.conversion.findings)
    ]
    for one in erroneous:
        listed = ", ".join(one.placeholders)
        consequence = (
            f"these tasks fail until that is settled: {listed}"
            if listed
            else ("no task fails because of them, see the report")
        )
        console.print(f"{one.dag_id} has errors; {consequence}.", markup=False)
    return not failed and not erroneous


def _compare(conversions: "list[Conversion]", output: Path, errors: "Console") -> None:
    """Say of each DAG file whether it is up to date.

    :raises typer.Exit: when one is not.
    """
    from rich.console import Console  # noqa: PLC0415 keeps start fast
    from rich.text import Text  # noqa: PLC0415 likewise

    from updraft.migration.up_to_date import (  # noqa: PLC0415 likewise
        FINE,
        FileState,
        compare_all,
    )

    compared = compare_all(conversions, output)
    console = Console(soft_wrap=True, highlight=False)
    for one in compared:
        fine = one.state in FINE
        line = Text(f"{one.dag_file}: ")
        console.print(line.append(one.state.value, style="green" if fine else "bold red"))
        for text in one.difference[:_DIFFERENCE_SHOWN]:
            style = {"+": "green", "-": "red"}.get(text[:1], "dim")
            console.print(Text(f"  {text}", style=style))
        if len(one.difference) > _DIFFERENCE_SHOWN:
            more = len(one.difference) - _DIFFERENCE_SHOWN
            console.print(Text(f"  … {more} more lines", style="dim"))
        if one.state is FileState.NOT_CONVERTED:
            print_findings(one.conversion.findings, errors)
    old = sum(one.state not in FINE for one in compared)
    if old:
        errors.print(f"{old} of {len(compared)} DAG files are not up to date.")
        raise typer.Exit(1)


def _write_overview(written: "list[Written]", report_folder: Path) -> Path | None:
    from updraft.migration.output_files import write_overview  # noqa: PLC0415 keeps start fast
    from updraft.migration.reporting.overview import overview_of  # noqa: PLC0415 likewise

    if all(one.conversion.failed for one in written):
        return None
    return write_overview(report_folder, overview_of(one.conversion for one in written))


def check_airflow(airflow: str) -> None:
    """Make sure that there are DAGs for the Airflow that the user names.

    :param airflow: its line.
    :raises UpdraftError: when there are none for it.
    """
    from updraft.choices import choose  # noqa: PLC0415 keeps start fast
    from updraft.migration.airflow_releases import RELEASES  # noqa: PLC0415 likewise

    choose("--airflow", airflow, RELEASES)


def check_compute(compute: str) -> None:
    """Make sure that shell commands can run where the user says.

    :param compute: the place.
    :raises UpdraftError: when there is no such place.
    """
    from updraft.choices import choose  # noqa: PLC0415 keeps start fast
    from updraft.migration.mappers.shell_places import COMPUTE  # noqa: PLC0415 likewise

    choose("--compute", compute, COMPUTE)


def instant(text: str | None) -> datetime | None:
    """Read an instant of an option.

    :param text: as the user wrote it.
    :returns: the instant in UTC, none when nothing is given.
    :raises UpdraftError: when it is none.
    """
    from updraft.datapipeline.expression_values import as_utc  # noqa: PLC0415 keeps start fast

    return None if text is None else as_utc(text)


def converted(
    files: "Sequence[Path]",
    dag_id: str | None,
    given: "Given",
    console: "Console",
) -> "list[Conversion]":
    """Convert files, with a progress bar when a person watches; nothing is written.

    :param files: files, and pipelines in AWS.
    :param dag_id: id for the DAG of a single pipeline.
    :param given: what goes with the definitions.
    :param console: where the bar is drawn.
    :returns: a conversion for each pipeline.
    :raises UpdraftError: when the DAG id is not valid, or given for several pipelines.
    """
    from rich.progress import Progress  # noqa: PLC0415 keeps start fast

    from updraft.migration.batch import convert_all  # noqa: PLC0415 likewise

    watched = len(files) > 1 and console.is_terminal
    with Progress(console=console, transient=True, disable=not watched) as progress:
        bar = progress.add_task("Converting", total=len(files))

        def advance(path: Path) -> None:
            progress.update(bar, advance=1, description=path.name)

        return convert_all(files, dag_id, given, advance)


def _print_summary(written: "list[Written]") -> None:
    from rich.console import Console  # noqa: PLC0415 keeps start fast
    from rich.table import Table  # noqa: PLC0415 likewise

    table = Table()
    for heading in ("DAG file", "tasks", "settled", "findings", "report"):
        table.add_column(heading, overflow="fold")
    for one in written:
        made = one.conversion.report
        if made is None or one.report_file is None:
            continue
        waiting = sum(not task.migrated for task in made.tasks)
        tasks = f"{len(made.tasks)}" + (f", {waiting} to migrate" if waiting else "")
        table.add_row(
            str(one.dag_file) if one.dag_file is not None else "none: nothing in it runs",
            tasks,
            f"{made.coverage.settled_percent:.0f} % of {made.coverage.total} fields",
            str(len(made.findings)),
            str(one.report_file),
        )
    if table.row_count:
        Console().print(table)
