"""`updraft check`: what is wrong or odd in definitions, all in one go."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from updraft.cli.definition_options import (
    InputsArgument,
    ParametersOption,
    SetOption,
    ValuesOption,
    given_beside,
    print_left_out,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from updraft.datapipeline.findings import Finding
    from updraft.datapipeline.model import Definition
    from updraft.migration.given_values import Given


class OutputFormat(StrEnum):
    """How findings are printed."""

    JSON = "json"
    TABLE = "table"


def check(
    inputs: InputsArgument,
    *,
    set_: SetOption = None,
    values: ValuesOption = None,
    parameters: ParametersOption = None,
    format_: Annotated[
        OutputFormat, typer.Option("--format", help="How to print the findings.")
    ] = OutputFormat.TABLE,
) -> None:
    """Check AWS Data Pipeline definitions; nothing is written.

    Prints every finding with its place and what to do. Exits with 1 when there are errors.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    from updraft.datapipeline.findings import has_errors  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
    from updraft.migration.inputs import find_inputs  # noqa: PLC0415 likewise

    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    given, findings = given_beside(set_ or [], values, parameters)
    try:
        found_inputs = find_inputs(inputs)
    except UpdraftError as error:
        raise typer.BadParameter(str(error)) from None
    print_left_out(found_inputs, errors)
    pipelines, found = _checked(found_inputs.files, given)
    findings = (*findings, *found)
    if format_ is OutputFormat.JSON:
        typer.echo(_as_json(findings, len(found_inputs.files), pipelines))
    else:
        _print_table(findings, len(found_inputs.files), pipelines, Console())
    if has_errors(findings):
        raise typer.Exit(1)


def _checked(files: "Sequence[Path]", given: "Given") -> "tuple[int, tuple[Finding, ...]]":
    from updraft.datapipeline.file_checking import (  # noqa: PLC0415 keeps start fast
        check_result,
        unknown_values,
    )
    from updraft.datapipeline.findings import Finding, Severity  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise
    from updraft.migration.inputs import placed, read_input, shown_path  # noqa: PLC0415 likewise

    definitions: list[Definition] = []
    findings: list[Finding] = []
    for path in files:
        try:
            result = read_input(path, given.by_name)
        except UpdraftError as error:
            findings.append(
                Finding(severity=Severity.ERROR, file=shown_path(path), message=str(error))
            )
            continue
        definitions += result.pipelines
        findings += placed(path, check_result(result, given.values, given.parameters))
    findings += unknown_values(definitions, given.values, given.parameters)
    return len(definitions), tuple(findings)


def _counts(findings: "Sequence[Finding]") -> dict[str, int]:
    return {
        "errors": sum(one.severity.value == "error" for one in findings),
        "warnings": sum(one.severity.value == "warning" for one in findings),
    }


def _as_json(findings: "Sequence[Finding]", files: int, pipelines: int) -> str:
    entries = [
        {
            "severity": one.severity.value,
            "file": one.file,
            "line": one.position.line if one.position else None,
            "column": one.position.column if one.position else None,
            "object": one.object_id,
            "field": one.field,
            "value": one.value,
            "message": one.message,
            "advice": one.advice,
        }
        for one in findings
    ]
    document = {"files": files, "pipelines": pipelines, **_counts(findings), "findings": entries}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _print_table(
    findings: "Sequence[Finding]", files: int, pipelines: int, console: "Console"
) -> None:
    from rich.table import Table  # noqa: PLC0415 keeps start fast
    from rich.text import Text  # noqa: PLC0415 likewise

    table = Table("severity", "where", "finding")
    for one in findings:
        style = "bold red" if one.severity.value == "error" else "yellow"
        what = ".".join(filter(None, (one.object_id, one.field)))
        finding = Text(one.message, overflow="fold")
        finding.append(f"\n[{one.value}]" if one.value else "")
        table.add_row(
            Text(one.severity.value, style=style),
            Text("\n".join(filter(None, (one.place, what))), overflow="fold"),
            finding.append(f"\n{one.advice}", style="dim"),
        )
    if findings:
        console.print(table)
    counts = {**_counts(findings), "pipelines": pipelines, "files": files}
    words = [f"{count} {name if count != 1 else name[:-1]}" for name, count in counts.items()]
    console.print(f"{words[0]}, {words[1]} in {words[2]} of {words[3]}", highlight=False)
