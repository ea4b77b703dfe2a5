"""`updraft evaluate`: what an expression of AWS Data Pipeline is worth at a time."""

import csv
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from updraft.datapipeline.expression_values import Value
    from updraft.datapipeline.model import Definition
    from updraft.datapipeline.resolution import Resolved

_OBJECT = "Object"
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
            help="Value of a parameter or field; a list as JSON. Repeatable.",
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
        how = _Evaluation(_definitions(define or []), period, via_jinja, template)
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
    """How to evaluate: with which parameters, and by which of both ways."""

    definitions: dict[str, Any]
    period: str
    via_jinja: bool
    template: bool

    def evaluate(self, text: str, at: datetime) -> str:
        from updraft.datapipeline.evaluation import Evaluator  # noqa: PLC0415 keeps start fast
        from updraft.datapipeline.expression_values import as_text  # noqa: PLC0415 likewise
        from updraft.datapipeline.periods import parse_period  # noqa: PLC0415 likewise
        from updraft.migration.jinja_compiler import JinjaCompiler, RunClock  # noqa: PLC0415
        from updraft.migration.template_preview import render_template  # noqa: PLC0415

        definition, resolved = _given_definition(self.definitions)
        item = resolved[_OBJECT]
        end = parse_period(self.period).after(at, 1)
        if not self.via_jinja and not self.template:
            runtime: dict[str, Value] = {
                "@scheduledStartTime": at,
                "@scheduledEndTime": end,
                "@pipelineId": _OBJECT,
            }
            return as_text(Evaluator(definition, resolved, runtime).evaluate_text(text, item))
        clock = RunClock("data_interval_start", "data_interval_end", pendulum=True)
        compiled = JinjaCompiler(definition, resolved, clock, lists=True).compile_text(text, item)
        if self.template:
            return compiled.text
        return render_template(
            compiled.text, start=at, end=end, params=self.definitions, dag_id=_OBJECT
        )


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
        except ExpressionError:
            pass  # a text without expressions stays as it is
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


def _definitions(assignments: list[str]) -> dict[str, Any]:
    from updraft.errors import UpdraftError  # noqa: PLC0415 keeps start fast

    values: dict[str, Any] = {}
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator or not name:
            raise UpdraftError(f"--define takes NAME=VALUE, not {name!r}")
        values[name] = _defined_value(text)
    return values


def _defined_value(text: str) -> Any:
    """Read a number or a list; all else is a text, as is what stands in double quotes."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, list):
        return [one if isinstance(one, str | int | float) else json.dumps(one) for one in value]
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else text


def _given_definition(values: dict[str, Any]) -> "tuple[Definition, Resolved]":
    """Make a definition of one object and the given parameters."""
    from updraft.datapipeline.checking import check  # noqa: PLC0415 keeps start fast
    from updraft.datapipeline.reading import read_text  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise

    parameters = [
        {
            "id": name,
            "type": _type_of(value),
            **({"isArray": "true"} if isinstance(value, list) else {}),
        }
        for name, value in values.items()
    ]
    document = {
        "objects": [{"id": _OBJECT, "type": "ShellCommandActivity", "command": "true"}],
        "parameters": parameters,
        "values": values,
    }
    definition = read_text(json.dumps(document), "--define").definition
    if definition is None:
        raise UpdraftError("The definitions can't be used")
    return definition, check(definition)[0]


def _type_of(value: Any) -> str:
    one = value[0] if isinstance(value, list) and value else value
    return {int: "Integer", float: "Double"}.get(type(one), "String")
