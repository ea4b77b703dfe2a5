"""`updraft lineage harvest`: the events in logs go into an outbox."""

import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.shell_report import reported, waiting
from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.lineage.log_harvest import LogHarvest
    from updraft.lineage.outbox import Outbox

FileOption = Annotated[
    list[Path],
    typer.Option("--file", help="A log, gzipped or not; - for standard input.", show_default=False),
]
OutboxOption = Annotated[
    str,
    typer.Option(metavar="DIR|URI", help="A directory, or s3://bucket/prefix.", show_default=False),
]
_LOST_SLASH = re.compile(r"(s3|file):/(?!/)")
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-\d+")


def _checked_region(region: str | None) -> str | None:
    # boto3 takes any word for a Region, and then looks for an address that is none.
    if region is not None and _REGION.fullmatch(region) is None:
        raise typer.BadParameter(f"{region!r} is no Region, such as eu-west-1")
    return region


RegionOption = Annotated[
    str | None,
    typer.Option(help="Region; else that of the shell.", callback=_checked_region),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def harvest(
    *,
    file: FileOption,
    more: Annotated[
        list[Path] | None, typer.Argument(metavar="[LOG]...", help="Further logs.")
    ] = None,
    outbox: OutboxOption,
    as_json: JsonOption = False,
) -> None:
    """Take OpenLineage events out of logs and put them into an outbox, each once.

    A log may be a file of Airflow 2 or 3, output of a scheduler or an API server, or what
    CloudWatch exports. Reading a log again stores nothing new. A log that cannot be read is named,
    the others are harvested, and the exit code is 1.
    """
    began = time.monotonic()
    with reported("Stopped. The same command stores what is left.") as console:
        from updraft.lineage.harvest_outbox import HarvestOutbox  # noqa: PLC0415 fast start
        from updraft.lineage.log_harvest import LogHarvest  # noqa: PLC0415 likewise

        target = HarvestOutbox(outbox_at(outbox))
        found = LogHarvest(target.add)
        with waiting(
            console, "Harvesting", lambda: f"{found.counts.found:,} events in {found.file}"
        ):
            unread = [
                path for path in [*file, *(more or ())] if not _harvest_file(path, found, console)
            ]
            target.save()
    counts = {**found.counts.as_dict(), "stored": target.stored, "duplicates": target.duplicates}
    if as_json:
        typer.echo(json.dumps({**counts, "cut": [str(cut) for cut in found.cut]}))
    else:
        typer.echo(", ".join(f"{name} {count:,}" for name, count in counts.items()))
        typer.echo(f"in {time.monotonic() - began:.1f} s", err=True)
    for cut in found.cut:
        typer.echo(f"truncated: {cut}", err=True)
    if found.counts.truncated > len(found.cut):
        typer.echo(f"truncated: {found.counts.truncated - len(found.cut)} more", err=True)
    if found.garbled:
        typer.echo(
            f"garbled: events with bytes that are no UTF-8, for which U+FFFD stands: "
            f"{found.garbled:,}",
            err=True,
        )
    if unread:
        raise typer.Exit(1)


def _harvest_file(path: Path, found: "LogHarvest", console: "Console") -> bool:
    """Harvest a log, and say whether all of it could be read."""
    from updraft.lineage.event_sources import opened  # noqa: PLC0415 keeps start fast

    before = found.counts.found + found.counts.truncated
    try:
        with opened(path) as log:
            found.read_file(log, str(path))
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        console.print(f"error: cannot read {path}: {reason}", markup=False)
        return False
    if found.counts.found + found.counts.truncated == before:
        console.print(f"{path}: there is no event of OpenLineage in it", markup=False)
    return True


def outbox_at(place: str) -> "Outbox":
    """Open an outbox.

    :param place: a directory, which may be relative, or a URI.
    :returns: the outbox.
    :raises UpdraftError: when the URI names none.
    """
    # An empty variable of the shell would mean the working directory, a lost slash one named s3:.
    if not place or _LOST_SLASH.match(place):
        raise UpdraftError(
            f"{place!r} is not an outbox; it looks like s3://bucket/prefix or a directory"
        )
    if "://" not in place:
        from updraft.lineage.local_outbox import LocalOutbox  # noqa: PLC0415 keeps start fast

        return LocalOutbox(Path(place).absolute())
    from updraft.hooks.outbox import open_outbox  # noqa: PLC0415 imports Airflow

    return open_outbox(place, aws_conn_id=None)


def filled_outbox(place: str) -> "Outbox":
    """Open an outbox that something has been put into.

    :param place: a directory, which may be relative, or a URI.
    :returns: the outbox.
    :raises UpdraftError: when the URI names none, or there is no such directory.
    """
    if place and "://" not in place and not Path(place).is_dir():
        raise UpdraftError(
            f"{place} is no directory; an outbox is made by the transport or by "
            "`updraft lineage harvest`"
        )
    return outbox_at(place)
