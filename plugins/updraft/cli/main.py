"""Entry point of the `updraft` command."""

import typer

from updraft.cli.convert import convert
from updraft.cli.dynamodb import dynamodb_app
from updraft.cli.lineage_sql import lineage_app
from updraft.cli.local import local_app
from updraft.cli.package import package

app = typer.Typer(
    name="updraft",
    help="Carry AWS Data Pipeline workloads over to Apache Airflow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(convert)
app.command()(package)
app.add_typer(dynamodb_app, name="dynamodb")
app.add_typer(lineage_app, name="lineage")
app.add_typer(local_app, name="local")
