"""Entry point of the `updraft` command."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from updraft.cli.analyze import analyze
from updraft.cli.check import check
from updraft.cli.convert import convert
from updraft.cli.dynamodb import dynamodb_app
from updraft.cli.evaluate import evaluate
from updraft.cli.lineage import lineage_app
from updraft.cli.local import local_app
from updraft.cli.package import package
from updraft.cli.schedule import schedule

app = typer.Typer(
    name="updraft",
    help="Carry AWS Data Pipeline workloads over to Apache Airflow.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(analyze)
app.command()(check)
app.command()(convert)
app.command()(evaluate)
app.command()(package)
app.command()(schedule)
app.add_typer(dynamodb_app, name="dynamodb")
app.add_typer(lineage_app, name="lineage")
app.add_typer(local_app, name="local")


def _print_versions(asked: bool) -> None:
    if not asked:
        return
    airflow = _version_of("apache-airflow-core") or _version_of("apache-airflow")
    typer.echo(
        f"updraft {_version_of('updraft') or 'that is not installed as a package'}, "
        f"{f'Airflow {airflow}' if airflow else 'no Airflow'}, "
        f"Python {platform.python_version()}"
    )
    raise typer.Exit


def _version_of(distribution: str) -> str | None:
    """Look a version up without importing the package, which for Airflow takes seconds."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


@app.callback()
def main(
    *,
    _versions: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Show the versions of Updraft, Airflow and Python.",
            callback=_print_versions,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Carry AWS Data Pipeline workloads over to Apache Airflow."""
