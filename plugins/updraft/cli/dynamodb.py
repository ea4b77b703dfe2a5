"""`updraft dynamodb`: tables are copied to S3 and back from the shell."""

import json
import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.hooks.dynamodb import DynamoDBClientHook

_ENDED_BY_SIGNAL = 128  # what a shell adds to the number of the signal

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
    with _reported() as console:
        from updraft.choices import require_choice  # noqa: PLC0415 likewise
        from updraft.cli.progress_bar import progress_bar  # noqa: PLC0415 keeps `--help` fast
        from updraft.dynamodb.attempt_numbers import shell_attempt  # noqa: PLC0415 likewise
        from updraft.dynamodb.destination import S3Prefix  # noqa: PLC0415 likewise
        from updraft.dynamodb.formats import FORMAT_NAMES  # noqa: PLC0415 likewise
        from updraft.dynamodb.progress import Progress  # noqa: PLC0415 likewise
        from updraft.dynamodb.table import TableReference  # noqa: PLC0415 likewise
        from updraft.operators.dynamodb_base import (  # noqa: PLC0415 likewise
            copy_identity,
            throughput_ratio,
        )
        from updraft.operators.dynamodb_export_engine import ExportRequest  # noqa: PLC0415
        from updraft.operators.dynamodb_export_worker import WorkerExportEngine  # noqa: PLC0415

        require_choice("--format", format_, FORMAT_NAMES)
        reference, location = TableReference.parse(table), S3Prefix.parse(s3_uri)
        reference.check_region(region)
        request = ExportRequest(
            export_id=copy_identity("shell", table, location.uri, format_),
            attempt=shell_attempt(),
            table=reference,
            location=location,
            export_format=format_,
            format_options=_format_options(option),
            read_throughput_ratio=throughput_ratio("--ratio", ratio),
            total_segments=segments,
        )
        progress = Progress()
        hook = _hook(region or reference.region, profile)
        engine = WorkerExportEngine(hook, _s3_parameters(), progress)
        with progress_bar(progress, "Exporting", console):
            outcome = engine.export(request)
        _print_result(asdict(outcome.result), as_json=as_json)


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
        bool, typer.Option("--again", help="Import even if an earlier command has done so.")
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
    with _reported() as console:
        from updraft.choices import require_choice  # noqa: PLC0415 likewise
        from updraft.cli.progress_bar import progress_bar  # noqa: PLC0415 keeps `--help` fast
        from updraft.dynamodb.attempt_numbers import shell_attempt  # noqa: PLC0415 likewise
        from updraft.dynamodb.destination import S3Prefix  # noqa: PLC0415 likewise
        from updraft.dynamodb.formats import FORMAT_NAMES  # noqa: PLC0415 likewise
        from updraft.dynamodb.progress import Progress  # noqa: PLC0415 likewise
        from updraft.dynamodb.table import TableReference  # noqa: PLC0415 likewise
        from updraft.operators.dynamodb_base import (  # noqa: PLC0415 likewise
            copy_identity,
            throughput_ratio,
        )
        from updraft.operators.dynamodb_import_engine import ImportRequest  # noqa: PLC0415
        from updraft.operators.dynamodb_import_worker import WorkerImportEngine  # noqa: PLC0415

        if format_:
            require_choice("--format", format_, FORMAT_NAMES)
        reference, location = TableReference.parse(table), S3Prefix.parse(s3_uri)
        reference.check_region(region)
        options = _format_options(option)
        attempt = shell_attempt()
        request = ImportRequest(
            import_id=copy_identity(
                "shell",
                table,
                location.uri,
                format_,
                options,
                keep_existing,
                attempt if again else 0,
            ),
            attempt=attempt,
            table=reference,
            s3_uri=location.uri,
            import_format=format_,
            format_options=options,
            write_throughput_ratio=throughput_ratio("--ratio", ratio),
            keep_existing=keep_existing,
            rejected_records=S3Prefix.parse(rejected) if rejected else None,
            checkpoint=S3Prefix.parse(checkpoint) if checkpoint else None,
        )
        progress = Progress(parts="files")
        hook = _hook(region or reference.region, profile)
        engine = WorkerImportEngine(hook, _s3_parameters(), progress)
        with progress_bar(progress, "Importing", console):
            outcome = engine.import_files(request)
        _print_result(asdict(outcome.result), as_json=as_json)


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
    with _reported("Stopped. Nothing was written; the next comparison begins anew.") as console:
        from updraft.choices import require_choice  # noqa: PLC0415 keeps `--help` fast
        from updraft.cli.progress_bar import progress_bar  # noqa: PLC0415 likewise
        from updraft.dynamodb.destination import S3Prefix  # noqa: PLC0415 likewise
        from updraft.dynamodb.formats import FORMAT_NAMES  # noqa: PLC0415 likewise
        from updraft.dynamodb.progress import Progress  # noqa: PLC0415 likewise
        from updraft.dynamodb.table import TableReference  # noqa: PLC0415 likewise
        from updraft.operators.dynamodb_base import (  # noqa: PLC0415 likewise
            copy_identity,
            throughput_ratio,
        )
        from updraft.operators.dynamodb_verify_engine import (  # noqa: PLC0415 likewise
            VerifyEngine,
            VerifyRequest,
        )

        if format_:
            require_choice("--format", format_, FORMAT_NAMES)
        reference, location = TableReference.parse(table), S3Prefix.parse(s3_uri)
        reference.check_region(region)
        progress = Progress(parts="segments and files")
        engine = VerifyEngine(
            _hook(region or reference.region, profile), _s3_parameters(), progress
        )
        with progress_bar(progress, "Comparing", console):
            report = engine.verify(
                VerifyRequest(
                    verification_id=copy_identity("shell", table, location.uri, format_),
                    table=reference,
                    s3_uri=location.uri,
                    import_format=format_,
                    format_options=_format_options(option),
                    read_throughput_ratio=throughput_ratio("--ratio", ratio),
                    consistent_read=consistent,
                    partial=allow_other_items,
                    maximum_differences=maximum,
                )
            )
        if as_json:
            typer.echo(json.dumps(asdict(report)))
        else:
            for difference in report.first_differences:
                typer.echo(f"  {json.dumps(difference, ensure_ascii=False)}")
        if report.differences:
            raise typer.Exit(1)


@contextmanager
def _reported(
    when_stopped: str = "Stopped. The same command goes on where this one stopped.",
) -> "Iterator[Console]":
    """Print errors as one sentence, and log messages above the progress bar.

    SIGTERM, with which containers are stopped, ends the command as Ctrl-C does.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise

    # Airflow reads this when it is imported, and would write its own messages to the output.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    handler = _ConsoleHandler(console)
    logger = logging.getLogger("updraft")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    previous = signal.signal(signal.SIGTERM, _stop)
    try:
        yield console
    except UpdraftError as error:
        console.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt as interrupt:
        console.print(when_stopped)
        number = signal.SIGTERM if isinstance(interrupt, _Terminated) else signal.SIGINT
        raise typer.Exit(_ENDED_BY_SIGNAL + number) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
        logger.removeHandler(handler)


class _Terminated(KeyboardInterrupt):
    """The process was told to end by SIGTERM."""


def _stop(_number: int, _frame: object) -> None:
    raise _Terminated


class _ConsoleHandler(logging.Handler):
    """Prints messages as they are; the console puts them above a progress bar."""

    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        self._console.print(record.getMessage(), markup=False)


def _hook(region: str | None, profile: str | None) -> "DynamoDBClientHook":
    """Make the hook for the table; without an Airflow connection, boto3's own settings count."""
    if profile:
        os.environ["AWS_PROFILE"] = profile
    from updraft.hooks.dynamodb import DynamoDBClientHook  # noqa: PLC0415 imports Airflow

    return DynamoDBClientHook(region_name=region, **_s3_parameters())


def _s3_parameters() -> dict[str, Any]:
    from updraft.operators.dynamodb_base import client_configuration  # noqa: PLC0415 likewise

    return {"aws_conn_id": None, "config": client_configuration()}


def _format_options(given: list[str] | None) -> dict[str, Any]:
    from updraft.errors import UpdraftError  # noqa: PLC0415 keeps `updraft --help` fast

    options: dict[str, Any] = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise UpdraftError(f"--option: {text!r} is not NAME=VALUE, such as delimiter=;")
        try:
            options[name] = json.loads(value)
        except ValueError:
            options[name] = value
    return options


def _print_result(result: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result))
        return
    for name, value in result.items():
        if isinstance(value, bool):
            typer.echo(f"  {name}: {'yes' if value else 'no'}")
        elif value is not None:
            typer.echo(f"  {name}: {f'{value:,}' if isinstance(value, int) else value}")
