"""`updraft evaluate`: what an expression of AWS Data Pipeline is worth at a time."""

import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.given_definition import GivenDefinition, given_definition

if TYPE_CHECKING:
    from updraft.datapipeline.expression_values import Value

# pendulum and the C library write years before 1000 without leading zeros, which shifts from an
# early instant may reach. DAGs of such times, which there are not, would have macros throughout.
_FIRST_YEAR_OF_RUNS = 1900


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
    if from_ is not None and at is not None:
        raise typer.BadParameter("--at goes with an expression; a file has the instant in each row")
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
        from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
        from updraft.migration.compilation_errors import MissingFieldError  # noqa: PLC0415
        from updraft.migration.jinja_compiler import JinjaCompiler, RunClock  # noqa: PLC0415
        from updraft.migration.template_preview import render_template  # noqa: PLC0415

        given = self.given
        runtime: dict[str, Value] = {
            "@scheduledStartTime": at,
            "@pipelineId": "df-0000000000000000",
        }
        with suppress(OverflowError):  # near the year 9999 there is no end
            runtime["@scheduledEndTime"] = parse_period(self.period).after(at, 1)
        runtime |= given.runtime
        if not self.via_jinja and not self.template:
            evaluator = Evaluator(given.definition, given.resolved, runtime, given.node)
            return as_text(evaluator.evaluate_text(text, given.item))
        clock = RunClock(
            *("data_interval_start", "data_interval_end"),
            pendulum=True,
            any_year=at.year < _FIRST_YEAR_OF_RUNS,
        )
        compiler = JinjaCompiler(given.definition, given.resolved, clock, lists=True)
        try:
            compiled = compiler.compile_text(text, given.item, given.node)
        except MissingFieldError as error:
            raise UpdraftError(f"{error.message}. {error.advice}") from None
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
    typer.echo(how.evaluate(text, datetime.now(UTC) if at is None else _instant(at)))
    return False


def _evaluate_file(path: Path, how: _Evaluation) -> bool:
    """Print a value for each row, and tell whether any has none."""
    from updraft.cli.evaluation_rows import read_rows  # noqa: PLC0415 keeps start fast
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise

    failed = False
    for row in read_rows(path):
        try:
            typer.echo(how.evaluate(row.text, _instant(row.instant)))
        except UpdraftError as error:
            failed = True
            # Its line is empty, so that values stand in the order of the rows.
            typer.echo()
            typer.echo(f"error: {path}:{row.number}: {error}", err=True)
    sys.stdout.flush()
    return failed


def _instant(text: str) -> datetime:
    from updraft.datapipeline.expression_values import as_utc  # noqa: PLC0415 keeps start fast

    return as_utc(text)
