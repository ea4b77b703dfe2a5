"""`updraft dynamodb`: tables are copied to S3 and back from the shell."""

import json
import sys
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.shell_report import print_result, reported
from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from rich.console import Console

dynamodb_app = typer.Typer(
    no_args_is_help=True, help="Copy DynamoDB tables to S3 and back, and compare the two."
)

TableArgument = Annotated[
    str, typer.Argument(metavar="TABLE", help="Name or ARN of the table.", show_default=False)
]
UriArgument = Annotated[
    str, typer.Argument(metavar="S3_URI", help="s3://bucket/prefix", show_default=False)
]
OptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="Option of the format, VALUE as JSON or text.",
        show_default=False,
    ),
]
RegionOption = Annotated[str | None, typer.Option(help="Region of the table.", show_default=False)]
ProfileOption = Annotated[
    str | None, typer.Option(help="Profile of the AWS configuration.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@dynamodb_app.command("export")
def export_table(
    table: TableArgument,
    s3_uri: UriArgument,
    *,
    format_: Annotated[str, typer.Option("--format", help="Format of the files.")] = (
        "DATA_PIPELINE"
    ),
    option: OptionsOption = None,
    ratio: Annotated[
        float, typer.Option(help="Share of the table's read capacity, above 0, at most 1.")
    ] = 0.25,
    segments: Annotated[
        int | None,
        typer.Option(help="Segments of the scan.", min=1, max=1_000_000, show_default=False),
    ] = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export a table to an empty prefix.

    The same command again goes on where the last one stopped, or finds that nothing is left to do.
    """
    with reported() as console:
        _load_airflow(console)
        from updraft.cli import dynamodb_copies as copies  # noqa: PLC0415 - brings Airflow along

        arguments = copies.CopyArguments(
            table, s3_uri, format_, option or [], ratio, region, profile
        )
        print_result(copies.export_table(arguments, segments, console), as_json=as_json)


@dynamodb_app.command("import")
def import_table(
    table: TableArgument,
    s3_uri: UriArgument,
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="Format of the files; what the manifest says when not given."
        ),
    ] = None,
    option: OptionsOption = None,
    ratio: Annotated[
        float, typer.Option(help="Share of the table's write capacity, above 0, at most 1.")
    ] = 0.25,
    keep_existing: Annotated[
        bool, typer.Option("--keep-existing", help="Leave items alone that the table has.")
    ] = False,
    rejected: Annotated[
        str | None,
        typer.Option(
            metavar="S3_URI",
            help="Where to keep records that are no items, instead of stopping at the first.",
            show_default=False,
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again", help="Import from the beginning even if an earlier command has done so."
        ),
    ] = False,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="S3_URI",
            help="Where to note the progress; beside the files when not given.",
            show_default=False,
        ),
    ] = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import files into an existing table.

    The same command again goes on where the last one stopped, or finds that nothing is left to do.
    """
    with reported() as console:
        _load_airflow(console)
        from updraft.cli import dynamodb_copies as copies  # noqa: PLC0415 - brings Airflow along

        arguments = copies.CopyArguments(
            table, s3_uri, format_, option or [], ratio, region, profile
        )
        result = copies.import_table(
            arguments,
            console,
            keep_existing=keep_existing,
            again=again,
            rejected=rejected,
            checkpoint=checkpoint,
        )
        print_result(result, as_json=as_json)


@dynamodb_app.command("verify")
def verify_table(
    table: TableArgument,
    s3_uri: UriArgument,
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="Format of the files; what the manifest says when not given."
        ),
    ] = None,
    option: OptionsOption = None,
    ratio: Annotated[
        float, typer.Option(help="Share of the table's read capacity, above 0, at most 1.")
    ] = 0.25,
    consistent: Annotated[
        bool, typer.Option("--consistent", help="Read consistently, for twice the capacity.")
    ] = False,
    allow_other_items: Annotated[
        bool,
        typer.Option("--allow-other-items", help="The table may have more than the files have."),
    ] = False,
    maximum: Annotated[int, typer.Option(help="Differences to print, at most.", min=1)] = 100,
    region: RegionOption = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a table with files, item by item; exits with 1 if they differ."""
    with reported("Stopped. Nothing was written; the next comparison begins anew.") as console:
        _load_airflow(console)
        from updraft.cli import dynamodb_copies as copies  # noqa: PLC0415 - brings Airflow along

        arguments = copies.CopyArguments(
            table, s3_uri, format_, option or [], ratio, region, profile
        )
        report = copies.verify_table(
            arguments,
            console,
            consistent=consistent,
            allow_other_items=allow_other_items,
            maximum=maximum,
        )
        if as_json:
            typer.echo(json.dumps(asdict(report)))
        else:
            for difference in report.first_differences:
                typer.echo(f"  {json.dumps(difference, ensure_ascii=False)}")
        if report.differences:
            raise typer.Exit(1)


def _load_airflow(console: "Console") -> None:
    """Import what does the work, which takes seconds, and say so."""
    try:
        with console.status("Loading Airflow …"):
            import_module("updraft.cli.dynamodb_copies")
    except ModuleNotFoundError as error:
        raise UpdraftError(
            f"`updraft dynamodb` needs Airflow with its amazon provider, but {sys.executable} has "
            f"no module {error.name!r}. Install what requirements.txt names."
        ) from None
