"""`updraft lineage forward` and `replay`: from an outbox to a catalog, from the shell."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.lineage_harvest import JsonOption, OutboxOption, RegionOption, filled_outbox
from updraft.cli.shell_report import reported, waiting

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.hooks.datazone import DataZoneCatalog
    from updraft.lineage.forwarder import Forwarder

_LARGEST_RATE = 1000.0


def forward(
    *,
    outbox: OutboxOption,
    domain_id: Annotated[
        str | None, typer.Option(help="DataZone domain, dzd_….", show_default=False)
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="OpenLineage endpoint in place of a domain.", show_default=False),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="OPENLINEAGE_API_KEY",
            help="Key of the endpoint; better in the variable than on the command line.",
            show_default=False,
            show_envvar=True,
        ),
    ] = None,
    region: RegionOption = None,
    events_per_second: Annotated[
        float | None,
        typer.Option(
            help="At most 20 for DataZone, 10 by default; 1000 for an endpoint.",
            min=0.01,
            max=_LARGEST_RATE,
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Post what is new in an outbox to Amazon DataZone or to an OpenLineage endpoint.

    It goes on where the last run stopped, as the DAG forward_lineage does. Events that are refused
    become dead letters. What DataZone took before and could not process is named once, on standard
    error. Exit code 1 when the catalog takes nothing; the events stay.
    """
    if (domain_id is None) == (url is None):
        raise typer.BadParameter("give either --domain-id or --url")
    with reported() as console:
        catalog = None if domain_id is None else _domain(domain_id, region)
        if catalog is None:
            forwarder = _to_endpoint(outbox, url or "", api_key, events_per_second)
        else:
            forwarder = _to_domain(outbox, catalog, events_per_second)
        counts = forwarder.counts
        with waiting(
            console, "Posting", lambda: f"{counts.read:,} events read, {counts.posted:,} posted"
        ):
            forwarder.run()
        if catalog is not None:
            counts.failed_later = _report_failures(outbox, catalog, console)
    if as_json:
        typer.echo(json.dumps(counts.as_dict()))
    else:
        done = ", ".join(f"{name} {count:,}" for name, count in counts.as_dict().items() if count)
        typer.echo(done or "nothing new")


def replay(
    *,
    outbox: OutboxOption,
    containing: Annotated[
        str, typer.Option(help="Text in the reason or name of those meant; all if empty.")
    ] = "",
    only_list: Annotated[bool, typer.Option("--list", help="Change nothing.")] = False,
) -> None:
    """Put dead letters back into the outbox, for the next run of the forwarder.

    Each is a line with its name and the reason of the refusal.
    """
    sent = letters = 0
    with reported():
        from updraft.lineage.replay import replay as replay_letters  # noqa: PLC0415 fast start

        for letter in replay_letters(
            filled_outbox(outbox), containing=containing, only_list=only_list
        ):
            typer.echo(f"{letter.name}: {letter.reason}")
            letters += 1
            sent += letter.is_sent
    typer.echo(f"{letters:,} dead letters, {sent:,} put back", err=True)


def _to_endpoint(
    outbox: str, url: str, api_key: str | None, events_per_second: float | None
) -> "Forwarder":
    from updraft.hooks.openlineage_http import HttpCatalog  # noqa: PLC0415 keeps start fast
    from updraft.lineage.catalog_names import leave_names  # noqa: PLC0415 likewise
    from updraft.lineage.forwarder import Forwarder  # noqa: PLC0415 likewise

    return Forwarder(
        filled_outbox(outbox),
        HttpCatalog(url, api_key),
        events_per_second=events_per_second or _LARGEST_RATE,
        rename=leave_names,
        limit=None,
    )


def _domain(domain_id: str, region: str | None) -> "DataZoneCatalog":
    from updraft.hooks.datazone import (  # noqa: PLC0415 keeps start fast
        DataZoneCatalog,
        DataZoneHook,
    )

    return DataZoneCatalog(DataZoneHook(aws_conn_id=None, region_name=region), domain_id)


def _to_domain(
    outbox: str, catalog: "DataZoneCatalog", events_per_second: float | None
) -> "Forwarder":
    from updraft.lineage.forwarder import (  # noqa: PLC0415 keeps start fast
        DEFAULT_EVENTS_PER_SECOND,
        HIGHEST_EVENTS_PER_SECOND,
        Forwarder,
    )

    rate = events_per_second or DEFAULT_EVENTS_PER_SECOND
    if rate > HIGHEST_EVENTS_PER_SECOND:
        raise typer.BadParameter(
            f"--events-per-second: {rate:g} is above {HIGHEST_EVENTS_PER_SECOND:g}, the quota of "
            f"PostLineageEvent"
        )
    return Forwarder(filled_outbox(outbox), catalog, events_per_second=rate)


def _report_failures(outbox: str, catalog: "DataZoneCatalog", console: "Console") -> int:
    """Name what the domain took, in any run, and could not process; say how many there are."""
    from updraft.lineage.catalog import CatalogError  # noqa: PLC0415 keeps start fast
    from updraft.lineage.processing_failures import new_failures  # noqa: PLC0415 likewise

    count = 0
    try:
        for failure in new_failures(
            filled_outbox(outbox), catalog.name, catalog.processing_failures
        ):
            count += 1
            console.print(f"DataZone took, and could not process: {failure}", markup=False)
    except CatalogError as error:
        console.print(
            "warning: whether DataZone could process what it took is not known; "
            f"datazone:ListLineageEvents on the domain tells it. {error}",
            markup=False,
        )
    return count
