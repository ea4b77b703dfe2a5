"""`updraft lineage`: find lineage, check it, carry it to the catalog, and look at it."""

import typer

from updraft.cli.lineage_doctor import doctor
from updraft.cli.lineage_forward import forward, replay
from updraft.cli.lineage_harvest import harvest
from updraft.cli.lineage_histories import harvest_crawls, harvest_queries
from updraft.cli.lineage_show import show
from updraft.cli.lineage_sql import sql
from updraft.cli.lineage_validate import validate

lineage_app = typer.Typer(help="Find, check, forward and show lineage.", no_args_is_help=True)
lineage_app.command()(sql)
lineage_app.command()(harvest)
lineage_app.command()(harvest_queries)
lineage_app.command()(harvest_crawls)
lineage_app.command()(validate)
lineage_app.command()(doctor)
lineage_app.command()(forward)
lineage_app.command()(replay)
lineage_app.command()(show)


@lineage_app.callback()
def lineage() -> None:
    """Find, check, forward and show lineage."""
