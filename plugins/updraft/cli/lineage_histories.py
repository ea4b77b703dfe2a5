"""`updraft lineage harvest-queries` and `harvest-crawls`: what AWS remembers, into an outbox."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from updraft.cli.lineage_harvest import JsonOption, OutboxOption, RegionOption, outbox_at
from updraft.cli.shell_report import reported, waiting

_LONGEST = 168.0  # hours that Amazon Redshift keeps its history
_OVERLAP = timedelta(minutes=15)


def harvest_queries(
    *,
    outbox: OutboxOption,
    cluster: Annotated[str | None, typer.Option(help="Identifier of the cluster.")] = None,
    workgroup: Annotated[
        str | None, typer.Option(help="Or name of the workgroup of Redshift Serverless.")
    ] = None,
    database: Annotated[str, typer.Option(help="Whose queries are harvested.")] = "dev",
    db_user: Annotated[str | None, typer.Option(help="Who reads the history.")] = None,
    secret_arn: Annotated[str | None, typer.Option(help="Or a secret that names them.")] = None,
    every_statement: Annotated[
        bool, typer.Option("--every-statement", help="INSERT and CREATE TABLE AS too.")
    ] = False,
    exclude_user: Annotated[
        list[str] | None, typer.Option(help="Whose queries have lineage already.")
    ] = None,
    look_back_hours: Annotated[
        float,
        typer.Option(min=0, max=_LONGEST, help="Where to begin for the first time, in hours."),
    ] = 24,
    region: RegionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take lineage out of the query history of Amazon Redshift, each query once.

    COPY, DELETE, MERGE, UNLOAD and UPDATE of all users, which Amazon DataZone leaves out.
    """
    if bool(cluster) == bool(workgroup):
        raise typer.BadParameter("give either --cluster or --workgroup")

    with reported() as console:
        from updraft.hooks.redshift_data import (  # noqa: PLC0415 keeps `updraft --help` fast
            RedshiftDatabase,
            RedshiftStatementsHook,
        )
        from updraft.operators.redshift_history_harvest import (  # noqa: PLC0415 likewise
            RedshiftQueryHarvest,
        )

        place = RedshiftDatabase(database, cluster, workgroup, db_user, secret_arn)
        place.check()
        hook = RedshiftStatementsHook(aws_conn_id=None, region_name=region)
        harvest = RedshiftQueryHarvest(
            hook, place, outbox_at(outbox), every_statement, exclude_user or ()
        )
        with waiting(
            console,
            f"Reading the history of {place}",
            lambda: f"{harvest.progress.counts.queries:,} queries",
        ):
            counts = harvest.run(timedelta(hours=look_back_hours), _OVERLAP)
        _print(asdict(counts), as_json=as_json)


def harvest_crawls(
    *,
    outbox: OutboxOption,
    crawler: Annotated[
        list[str] | None, typer.Option(help="Name of a crawler; all if omitted.")
    ] = None,
    look_back_hours: Annotated[
        float, typer.Option(min=0, help="Where to begin for the first time, in hours.")
    ] = 24,
    region: RegionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take lineage out of the history of crawlers of AWS Glue, each crawl once."""
    with reported() as console:
        from updraft.hooks.glue import GlueClientHook  # noqa: PLC0415 keeps `updraft --help` fast
        from updraft.operators.glue_crawl_history_harvest import (  # noqa: PLC0415 likewise
            GlueCrawlHarvest,
        )

        hook = GlueClientHook(aws_conn_id=None, region_name=region)
        harvest = GlueCrawlHarvest(hook, outbox_at(outbox), crawler or ())
        with waiting(
            console,
            "Reading the history of crawlers",
            lambda: f"{harvest.progress.counts.crawlers:,} done",
        ):
            counts = harvest.run(timedelta(hours=look_back_hours), _OVERLAP)
        _print(asdict(counts), as_json=as_json)
        for trouble in harvest.troubles:
            console.print(f"left out: {trouble}", markup=False)


def _print(counts: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        typer.echo(", ".join(f"{name} {count:,}" for name, count in counts.items()))
