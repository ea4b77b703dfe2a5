"""What the commands that read definitions have in common: options, and how findings are shown."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from updraft.datapipeline.findings import Finding
    from updraft.migration.given_values import Given
    from updraft.migration.inputs import Inputs


def path(text: str) -> Path:
    """Read an argument that names a definition; the help shows this function's name as its type.

    :param text: the argument; the empty one would be the working directory to :class:`Path`.
    :returns: the path, or what stands for pipelines in AWS.
    :raises typer.BadParameter: when it is empty.
    """
    if not text:
        raise typer.BadParameter("an empty text names nothing; is a variable of the shell unset?")
    return Path(text)


InputsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="INPUT...",
        help="Files with definitions, folders of them, or pipeline:df-… in AWS.",
        show_default=False,
        parser=path,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Value of a parameter, or of what a template leaves open.",
        show_default=False,
    ),
]
ValuesOption = Annotated[
    Path | None, typer.Option(help="File with values of parameters.", show_default=False)
]
ParametersOption = Annotated[
    Path | None, typer.Option(help="File that declares parameters.", show_default=False)
]


def given_beside(
    assignments: list[str], values: Path | None, parameters: Path | None
) -> "tuple[Given, tuple[Finding, ...]]":
    """Collect what is given beside the definitions.

    :param assignments: texts such as ``myTable=orders``.
    :param values: a file with values, which the assignments go before.
    :param parameters: a file with declarations.
    :returns: values and parameters, and what was found wrong in the files.
    :raises typer.BadParameter: when an assignment is none.
    """
    from updraft.datapipeline.model import ParameterValue  # noqa: PLC0415 keeps start fast
    from updraft.datapipeline.reading import read_parameters, read_values  # noqa: PLC0415 likewise
    from updraft.migration.given_values import Given  # noqa: PLC0415 likewise

    given, findings = read_values(values) if values is not None else ((), ())
    declared, others = read_parameters(parameters) if parameters is not None else ((), ())
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"--set takes KEY=VALUE, not {name!r}")
        given = (*given, ParameterValue(id=name, values=(value,), source="--set"))
    return Given(given, declared), (*findings, *others)


def print_left_out(inputs: "Inputs", console: "Console") -> None:
    """Say which files of folders are not read.

    :param inputs: what the user meant.
    :param console: where to print.
    """
    from rich.text import Text  # noqa: PLC0415 keeps start fast

    from updraft.migration.inputs import shown_path  # noqa: PLC0415 likewise

    if inputs.left_out:
        names = ", ".join(shown_path(path) for path in inputs.left_out)
        console.print(Text(f"No pipeline is in {names}", style="dim"))


def print_findings(findings: "Iterable[Finding]", console: "Console") -> None:
    """Print findings as compilers do, one a line.

    :param findings: the findings.
    :param console: where to print.
    """
    from rich.text import Text  # noqa: PLC0415 keeps start fast

    for finding in findings:
        style = "bold red" if finding.severity.value == "error" else "yellow"
        what = ".".join(filter(None, (finding.object_id, finding.field)))
        line = Text(f"{finding.place}: ")
        line.append(finding.severity.value, style=style)
        line.append(f": {what}: " if what else ": ")
        line.append(finding.message)
        if finding.value is not None:
            line.append(f" [{finding.value}]")
        if finding.advice:
            line.append(f". {finding.advice}", style="dim")
        console.print(line)
