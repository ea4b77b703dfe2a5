"""`updraft lineage doctor`: says where lineage is lost between the task and the catalog."""

import json
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.lineage_harvest import RegionOption, filled_outbox
from updraft.cli.shell_report import reported, waiting

if TYPE_CHECKING:
    from updraft.lineage.diagnosis.findings import Finding


class OutputFormat(StrEnum):
    """How the findings are printed."""

    JSON = "json"
    TABLE = "table"


def doctor(
    *,
    outbox: Annotated[
        str,
        typer.Option(help="A directory, or s3://bucket/prefix; the configured one if empty."),
    ] = "",
    domain_id: Annotated[
        str,
        typer.Option(help="Id of the DataZone domain; the configured one if empty."),
    ] = "",
    look_back_hours: Annotated[
        float, typer.Option(min=0, help="How far back to look at events.")
    ] = 24,
    longest_run_hours: Annotated[
        float, typer.Option(min=0, help="How long a task may run before it has no end.")
    ] = 12,
    region: RegionOption = None,
    format_: Annotated[
        OutputFormat, typer.Option("--format", help="How to print the findings.")
    ] = OutputFormat.TABLE,
) -> None:
    """Look at versions, configuration, outbox, events, dead letters and catalog.

    Exit code 1 if something loses events. The AWS configuration of the shell is used.
    """
    with reported() as console, waiting(console, "Looking at the way of lineage"):
        from updraft.operators.lineage_doctor import Doctor  # noqa: PLC0415 fast start

        asked = Doctor(
            outbox_uri=filled_outbox(outbox).uri if outbox else "",
            domain_id=domain_id,
            since=timedelta(hours=look_back_hours),
            longest_run=timedelta(hours=longest_run_hours),
            aws_conn_id=None,
            region_name=region,
        )
        found = list(asked.findings())
    if format_ is OutputFormat.JSON:
        typer.echo(json.dumps([one.as_dict() for one in found], indent=2, ensure_ascii=False))
    else:
        _print(found)
    from updraft.lineage.diagnosis.findings import has_errors  # noqa: PLC0415 fast start

    if has_errors(found):
        raise typer.Exit(1)


def _print(found: "Iterable[Finding]") -> None:
    from rich.console import Console  # noqa: PLC0415 keeps start fast
    from rich.table import Table  # noqa: PLC0415 likewise
    from rich.text import Text  # noqa: PLC0415 likewise

    styles = {"ok": "green", "warning": "yellow", "error": "bold red"}
    table = Table("", "check", "what was seen, and what to do", show_lines=True)
    for one in found:
        seen = Text(one.message)
        if one.advice:
            seen.append(f"\n→ {one.advice}", style="italic")
        table.add_row(Text(one.severity.value, style=styles[one.severity]), Text(one.check), seen)
    Console(highlight=False).print(table)
