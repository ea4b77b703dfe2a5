"""`updraft lineage sql`: which tables and columns a script of SQL reads and writes."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.sql_lineage.result import SqlLineage


class OutputFormat(StrEnum):
    """How the lineage is printed."""

    JSON = "json"
    TABLE = "table"


def sql(
    *,
    file: Annotated[
        Path, typer.Option(help="The script, in UTF-8; - for standard input.", show_default=False)
    ],
    schemas: Annotated[
        Path | None,
        typer.Option(
            help='JSON file with the columns of tables: {"db.schema.table": ["column", ...]}.',
            show_default=False,
        ),
    ] = None,
    default_database: Annotated[
        str, typer.Option(help="Database of names that have none.")
    ] = "dev",
    default_schema: Annotated[str, typer.Option(help="Schema of names that have none.")] = "public",
    case_sensitive: Annotated[
        bool,
        typer.Option(
            "--case-sensitive", help="Names in quotes keep their case, as the session may have it."
        ),
    ] = False,
    format_: Annotated[
        OutputFormat, typer.Option("--format", help="How to print the lineage.")
    ] = OutputFormat.TABLE,
) -> None:
    """Find the lineage of a script for Amazon Redshift.

    Statements that cannot be read are listed with the reason, and the others go on.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
    from updraft.sql_lineage.analysis import analyze  # noqa: PLC0415 likewise
    from updraft.sql_lineage.names import Session  # noqa: PLC0415 likewise
    from updraft.sql_lineage.schemas import read_schemas  # noqa: PLC0415 likewise

    try:
        session = Session(default_database, (default_schema,), case_sensitive)
        known = read_schemas(schemas, session) if schemas is not None else None
        found = analyze(
            _script(file),
            known,
            default_database=default_database,
            default_schema=default_schema,
            case_sensitive=case_sensitive,
        )
    except UpdraftError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    if format_ is OutputFormat.JSON:
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        _print(found, Console(highlight=False))


def _script(file: Path) -> str:
    from updraft.errors import UpdraftError  # noqa: PLC0415 keeps start fast

    try:
        content = typer.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UpdraftError(f"cannot read the script {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UpdraftError(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from None


def _print(found: "SqlLineage", console: "Console") -> None:
    from rich.table import Table  # noqa: PLC0415 keeps start fast
    from rich.text import Text  # noqa: PLC0415 likewise

    printed = found.as_json()
    for title in ("inputs", "outputs"):
        console.print(Text(f"{title}: {', '.join(printed[title]) or 'none'}"))
    rows = [
        *printed["columns"].items(),
        *(
            (f"result of statement {result['statement']}: {name}", sources)
            for result in printed["results"]
            for name, sources in result["columns"].items()
        ),
    ]
    if rows:
        table = Table("column", "comes from")
        for name, sources in rows:
            table.add_row(Text(name), Text("\n".join(sources)))
        console.print(table)
    for error in printed["errors"]:
        place = f"statement {error['statement']}, line {error['line']}"
        console.print(Text(f"{place}: {error['extractionError']}", style="bold red"))
    for one in found.unresolved:
        place = f"statement {one.statement}, line {one.line}"
        console.print(Text(f"{place}: {one.what}: {one.reason}", style="yellow"))
