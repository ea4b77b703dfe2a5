"""`updraft lineage show`: a picture of tables, columns and jobs."""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from updraft.cli.lineage_harvest import filled_outbox
from updraft.cli.shell_report import reported, waiting
from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from updraft.lineage.graph import LineageGraph


class PictureFormat(StrEnum):
    """What kind of file the picture is."""

    HTML = "html"
    SVG = "svg"


def show(
    *,
    file: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Files with events, or logs."),
    ] = None,
    outbox: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|URI",
            help="An outbox, beside or in place of files.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the picture goes; .svg or .html.")] = Path(
        "lineage.html"
    ),
    format_: Annotated[
        PictureFormat | None,
        typer.Option("--format", help="Kind of picture, by default by the name of the file."),
    ] = None,
    focus: Annotated[
        str | None,
        typer.Option(help="Only what is around tables and jobs with this text in their names."),
    ] = None,
    depth: Annotated[int, typer.Option(help="With --focus: how many jobs away.", min=0)] = 3,
    most_columns: Annotated[
        int, typer.Option(help="Columns of a table that are shown.", min=2)
    ] = 40,
) -> None:
    """Draw the lineage that events describe: tables, their columns, and the jobs between them.

    The HTML page needs nothing else and shows what is up- and downstream of what is clicked.
    Datasets have the names under which the catalog knows them.
    """
    if not file and outbox is None:
        raise typer.BadParameter("give files or --outbox")
    with reported("Stopped.") as console:
        from updraft.lineage.graph import LineageGraph  # noqa: PLC0415 fast start
        from updraft.lineage.graph_drawing import Drawing  # noqa: PLC0415 likewise

        graph = LineageGraph()
        with waiting(console, "Reading events", lambda: f"{len(graph.jobs):,} jobs so far"):
            left_out = _fill(graph, file or [], outbox)
        if not graph.jobs:
            reason = f"; {_words(left_out)}" if left_out else ""
            raise UpdraftError(f"there is no lineage to draw{reason}")
        if focus:
            graph = graph.around(graph.find(focus), depth)
        is_svg = output.suffix.lower() == ".svg"
        kind = format_ or (PictureFormat.SVG if is_svg else PictureFormat.HTML)
        drawing = Drawing(graph, most_columns)
        picture = drawing.svg() if kind is PictureFormat.SVG else drawing.html("Lineage")
        try:
            output.write_text(picture, "utf-8")
        except OSError as error:
            raise UpdraftError(f"cannot write {output}: {error.strerror}") from None
    typer.echo(
        f"{output}: {len(graph.datasets):,} tables, {len(graph.jobs):,} jobs, "
        f"{len(graph.columns):,} lines between columns"
    )
    if left_out:
        typer.echo(_words(left_out), err=True)


def _words(left_out: Counter[str]) -> str:
    counts = ", ".join(f"{count:,} {reason}" for reason, count in left_out.items())
    return f"events left out: {counts}"


def _fill(graph: "LineageGraph", files: list[Path], outbox: str | None) -> Counter[str]:
    """Put events into the graph, and count those that are left out, by the reason."""
    from updraft.lineage.catalog_names import rename_event  # noqa: PLC0415 keeps start fast
    from updraft.lineage.event_files import read_events  # noqa: PLC0415 likewise
    from updraft.lineage.outbox import ObjectMissingError  # noqa: PLC0415 likewise
    from updraft.lineage.validation import InvalidEventError, problems  # noqa: PLC0415 likewise
    from updraft.lineage.wire_format import decode  # noqa: PLC0415 likewise

    left_out: Counter[str] = Counter()

    def take(event: dict[str, Any]) -> None:
        if problems(event):
            left_out["not valid"] += 1
        else:
            rename_event(event)
            graph.add(event)

    for path in files:
        if cut := read_events(path, take):
            left_out["cut"] += cut
    if outbox is not None:
        store = filled_outbox(outbox)
        for name in store.event_names():
            try:
                take(decode(store.read(name)))
            except InvalidEventError:
                left_out["not valid"] += 1
            except ObjectMissingError:
                left_out["deleted meanwhile"] += 1
    return left_out
