"""`updraft lineage validate`: checks events against the specification."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer


def validate(
    *,
    file: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Events, dead letters or logs.",
            show_default=False,
        ),
    ],
) -> None:
    """Check OpenLineage events against the official schemas.

    Each fault is a line with file, line, path and value. Exit code 1 if there is any.
    """
    from updraft.errors import UpdraftError  # noqa: PLC0415 keeps `updraft --help` fast
    from updraft.lineage.event_files import check_file  # noqa: PLC0415 likewise

    events = faults = 0
    unread = False
    for path in file:
        try:
            checked = check_file(path, partial(_print_fault, path))
        except UpdraftError as error:
            typer.echo(f"error: {error}", err=True)
            unread = True
            continue
        events += checked.events
        faults += checked.faults
    typer.echo(f"{events:,} events, {faults:,} faults", err=True)
    if faults or unread:
        raise typer.Exit(1)


def _print_fault(path: Path, line: int, sentence: str) -> None:
    typer.echo(f"{path}:{line}: {sentence}")
