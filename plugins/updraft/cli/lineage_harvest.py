"""`updraft lineage harvest`: the events in logs go into an outbox."""

import json
import re
import time
from contextlib import nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, cast

import typer

from updraft.cli.shell_report import reported, waiting
from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.lineage.harvest_outbox import HarvestOutbox
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
    CloudWatch exports. Reading a log again stores nothing new.
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
            for path in [*file, *(more or ())]:
                _harvest_file(path, found, target, console)
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


def _harvest_file(
    path: Path, found: "LogHarvest", target: "HarvestOutbox", console: "Console"
) -> None:
    before = found.counts.found + found.counts.truncated
    try:
        with opened(path) as log:
            found.read_file(log, str(path))
    except (OSError, EOFError) as error:
        target.save()
        reason = getattr(error, "strerror", None) or error
        raise UpdraftError(f"cannot read {path}: {reason}") from None
    if found.counts.found + found.counts.truncated == before:
        console.print(f"{path}: there is no event of OpenLineage in it", markup=False)


def outbox_at(place: str) -> "Outbox":
    """Open an outbox.

    :param place: a directory, which may be relative, or a URI.
    :returns: the outbox.
    :raises UpdraftError: when the URI names none.
    """
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
    if "://" not in place and not Path(place).is_dir():
        raise UpdraftError(
            f"{place} is no directory; an outbox is made by the transport or by "
            "`updraft lineage harvest`"
        )
    return outbox_at(place)


def opened(path: Path) -> Any:
    """Open a log.

    :param path: its path; ``-`` for standard input.
    :returns: a context manager that gives it.
    :raises OSError: when it cannot be opened.
    """
    if str(path) == "-":
        return nullcontext(cast("IO[bytes]", typer.get_binary_stream("stdin")))
    return path.open("rb")
