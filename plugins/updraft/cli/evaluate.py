"""`updraft evaluate`: what an expression of AWS Data Pipeline is worth at a time."""

import csv
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.given_definition import GivenDefinition, given_definition

if TYPE_CHECKING:
    from updraft.datapipeline.expression_values import Value

_FILE_COLUMNS = 3


def evaluate(
    expression: Annotated[
        str | None,
        typer.Argument(
            help="An expression, or a text with expressions in #{…}.", show_default=False
        ),
    ] = None,
    *,
    at: Annotated[
        str | None,
        typer.Option(help="@scheduledStartTime in UTC; now when not given.", show_default=False),
    ] = None,
    period: Annotated[str, typer.Option(help="How much later @scheduledEndTime is.")] = "1 day",
    define: Annotated[
        list[str] | None,
        typer.Option(
            "--define",
            metavar="NAME=VALUE",
            help="Value of a parameter, of a field as in input.tableName=t, or of a runtime field; "
            "a list as JSON. Repeatable.",
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE.tsv",
            help="Take columns kind, argument and instant from a file; print one value a line.",
            show_default=False,
        ),
    ] = None,
    via_jinja: Annotated[
        bool, typer.Option("--via-jinja", help="Render the template it is converted to.")
    ] = False,
    template: Annotated[
        bool, typer.Option("--template", help="Print the template it is converted to.")
    ] = False,
) -> None:
    """Evaluate an expression as AWS Data Pipeline did.

    By --via-jinja the value comes from the Jinja template that a converted DAG has in its place;
    both agree.
    """
    from updraft.errors import UpdraftError  # noqa: PLC0415 keeps `updraft --help` fast

    if (expression is None) == (from_ is None):
        raise typer.BadParameter("give either an expression or --from FILE.tsv")
    try:
        how = _Evaluation(given_definition(define or []), period, via_jinja, template)
        if from_ is not None:
            failed = _evaluate_file(from_, how)
        else:
            failed = _evaluate_one(expression or "", at, how)
    except UpdraftError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Evaluation:
    """How to evaluate: with which values, and by which of both ways."""

    given: "GivenDefinition"
    period: str
    via_jinja: bool
    template: bool

    def evaluate(self, text: str, at: datetime) -> str:
        from updraft.datapipeline.evaluation import Evaluator  # noqa: PLC0415 keeps start fast
        from updraft.datapipeline.expression_values import as_text  # noqa: PLC0415 likewise
        from updraft.datapipeline.periods import parse_period  # noqa: PLC0415 likewise
        from updraft.migration.jinja_compiler import JinjaCompiler, RunClock  # noqa: PLC0415
        from updraft.migration.template_preview import render_template  # noqa: PLC0415

        given = self.given
        runtime: dict[str, Value] = {
            "@scheduledStartTime": at,
            "@scheduledEndTime": parse_period(self.period).after(at, 1),
            "@pipelineId": "df-0000000000000000",
            **given.runtime,
        }
        if not self.via_jinja and not self.template:
            evaluator = Evaluator(given.definition, given.resolved, runtime, given.node)
            return as_text(evaluator.evaluate_text(text, given.item))
        clock = RunClock("data_interval_start", "data_interval_end", pendulum=True)
        compiler = JinjaCompiler(given.definition, given.resolved, clock, lists=True)
        compiled = compiler.compile_text(text, given.item, given.node)
        if self.template:
            return compiled.text
        return render_template(compiled.text, runtime=runtime, params=given.parameters)


def _evaluate_one(expression: str, at: str | None, how: _Evaluation) -> bool:
    from updraft.datapipeline.expressions import (  # noqa: PLC0415 keeps start fast
        ExpressionError,
        parse_expression,
    )

    text = expression
    if "#{" not in expression:
        try:
            parse_expression(expression)
            text = f"#{{{expression}}}"
        except ExpressionError as error:
            note = f"note: a text without #{{…}}, and no expression either: {error.message.lower()}"
            typer.echo(note, err=True)
    typer.echo(how.evaluate(text, _instant(at) if at else datetime.now(UTC)))
    return False


def _evaluate_file(path: Path, how: _Evaluation) -> bool:
    """Print a value for each line, and tell whether any has none."""
    from updraft.errors import UpdraftError  # noqa: PLC0415 keeps start fast

    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UpdraftError(f"{path} can't be read: {error}") from None
    failed = False
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, row in enumerate(rows, 1):
        if not row or (number == 1 and row[0] == "kind"):
            continue
        try:
            typer.echo(_line_value(row, how))
        except UpdraftError as error:
            failed = True
            typer.echo()
            typer.echo(f"error: {path}:{number}: {error}", err=True)
    sys.stdout.flush()
    return failed


def _line_value(row: list[str], how: _Evaluation) -> str:
    """Evaluate what a line stands for: a function of the instant with the argument."""
    from updraft.datapipeline.functions import FUNCTIONS  # noqa: PLC0415 keeps start fast
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise

    if len(row) < _FILE_COLUMNS:
        raise UpdraftError("it needs the columns kind, argument and instant")
    kind, argument, at = row[0], row[1], _instant(row[2])
    if kind in {"expression", "text"}:
        return how.evaluate(argument if "#{" in argument else f"#{{{argument}}}", at)
    if kind == "inTimeZone+format":
        zone = f"inTimeZone(@scheduledStartTime, {_literal(argument)})"
        return how.evaluate(f"#{{format({zone}, 'yyyy-MM-dd HH:mm:ss')}}", at)
    count = FUNCTIONS.get(kind)
    if count is None:
        raise UpdraftError(f"{kind!r} is no function")
    if count > 2:  # noqa: PLR2004 - what makes a date takes no other
        call = f"{kind}({argument})"
    elif count == 1:
        call = f"{kind}(@scheduledStartTime)"
    elif kind in {"format", "inTimeZone", "plusPeriod"}:
        call = f"{kind}(@scheduledStartTime, {_literal(argument)})"
    else:
        call = f"{kind}(@scheduledStartTime, {argument})"
    # A date prints without its zone, which is UTC but for what asks for another.
    is_date = kind not in {"format", "year", "month", "day", "dayOfYear", "hour", "minute"}
    return how.evaluate(f"#{{{call}}}" + ("Z" if is_date and kind != "inTimeZone" else ""), at)


def _literal(text: str) -> str:
    """Quote a text; one with both quotes is put together."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    return " + ".join(f'"{part}"' if "'" in part else f"'{part}'" for part in _runs(text))


def _runs(text: str) -> list[str]:
    pieces = text.split('"')
    return [
        one
        for index, piece in enumerate(pieces)
        for one in ([piece] if not index else ['"', piece])
    ]


def _instant(text: str) -> datetime:
    from updraft.datapipeline.expression_values import as_instant  # noqa: PLC0415 keeps start fast

    return as_instant(text).astimezone(UTC)
