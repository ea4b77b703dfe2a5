"""The `updraft local` commands: the stand-in for AWS, and Airflow beside it."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from updraft.errors import UpdraftError
from updraft.paths import include_directory

if TYPE_CHECKING:
    from include.local.components import Component
    from include.local.processes import FoundProcess

NOTHING_RUNS = 3
"""Exit code of `status` when nothing runs, the one that service managers use (LSB)."""

_STATE_VARIABLE = "UPDRAFT_LOCAL_STATE_DIRECTORY"
_FOLLOW_SECONDS = 0.3

local_app = typer.Typer(
    help="Run AWS's stand-in and Airflow on this machine.", no_args_is_help=True
)

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        envvar=_STATE_VARIABLE,
        help="Directory of what is kept; .local in the project by default.",
        show_default=False,
    ),
]


@local_app.command()
def up(
    *,
    state: StateOption = None,
    aws_port: Annotated[
        int | None, typer.Option(help="Port of the AWS stand-in.", show_default="any free one")
    ] = None,
    airflow_port: Annotated[
        int | None, typer.Option(help="Port of the Airflow UI.", show_default="any free one")
    ] = None,
    aws_only: Annotated[
        bool, typer.Option("--aws-only", help="Start the AWS stand-in without Airflow.")
    ] = False,
) -> None:
    """Start what does not run yet and say where it is."""
    with _errors():
        directory = _state_directory(state)
        from include.local.components import components  # noqa: PLC0415 - found by the line above

        ports = {"AWS": aws_port, "Airflow": airflow_port}
        started = components(directory, aws_only=aws_only)
        for component in started:
            with Console(stderr=True).status(f"Starting {component.title} …"):
                component.up(ports[component.title])
        for component in started:
            for line in component.hints():
                _say(line)
        for line in (
            f"State and logs: {directory}",
            "`updraft local status` shows what runs, `updraft local logs` what it prints,",
            "`updraft local down` ends it.",
        ):
            _say(f"# {line}")


@local_app.command()
def down(*, state: StateOption = None) -> None:
    """End everything; tables and lineage events stay on disk."""
    with _errors():
        directory = _state_directory(state)
        from include.local import processes  # noqa: PLC0415
        from include.local.components import components  # noqa: PLC0415

        ended: list[FoundProcess] = []
        if processes.find(directory):
            with Console(stderr=True).status("Ending everything …"):
                for component in reversed(components(directory)):
                    ended += component.down()
                ended += processes.stop(directory)  # whatever else carries the marks
        if not ended:
            _say(f"Nothing runs with the state in {directory}.")
            return
        counts: dict[str, int] = {}
        for process in ended:
            counts[process.service] = counts.get(process.service, 0) + 1
        for service, count in counts.items():
            _say(f"Ended {service} ({count} process{'es' if count > 1 else ''})")


@local_app.command()
def status(*, state: StateOption = None) -> None:
    """Show what runs; exits with 3 when nothing does."""
    with _errors():
        directory = _state_directory(state)
        from include.local import processes  # noqa: PLC0415
        from include.local.components import components  # noqa: PLC0415

        running = processes.find(directory)
        if not running:
            _say(f"Nothing runs with the state in {directory}.")
            raise typer.Exit(NOTHING_RUNS)
        _console().print(_status_table(components(directory), running))


def _status_table(listed: "list[Component]", running: "list[FoundProcess]") -> Table:
    table = Table(box=None)
    for heading in ("Component", "Service", "State", "Processes", "Since", "Address"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "Address")
    rest = {process.service for process in running}
    rows = [
        (component.title, service, component.address())
        for component in listed
        for service in component.services
    ]
    rows += [("other", service, "") for service in sorted(rest - {row[1] for row in rows})]
    for title, service, address in rows:
        own = [process for process in running if process.service == service]
        since = time.strftime("%H:%M:%S", time.localtime(own[0].started)) if own else ""
        state = "[green]running[/green]" if own else "[dim]not running[/dim]"
        table.add_row(title, service, state, str(len(own)), since, address if own else "")
    return table


@local_app.command()
def logs(
    service: Annotated[
        str | None, typer.Argument(help="One service, such as gateway.", show_default="all")
    ] = None,
    *,
    state: StateOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is printed from now on.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines of each log.")] = 20,
) -> None:
    """Show what the services printed."""
    with _errors():
        files = _log_files(_state_directory(state), service)
        positions = {}
        for name, file in files.items():
            content = file.read_bytes()
            positions[name] = len(content)
            tail = content.decode(errors="replace").splitlines()[-lines:] if lines else []
            _print_lines(name if len(files) > 1 else "", tail)
        while follow:
            time.sleep(_FOLLOW_SECONDS)
            for name, file in files.items():
                positions[name] = _print_new(name if len(files) > 1 else "", file, positions[name])


def _log_files(directory: Path, service: str | None) -> dict[str, Path]:
    from include.local import processes  # noqa: PLC0415

    folder = processes.log_file(directory, "any").parent
    found = {file.stem: file for file in sorted(folder.glob("*.log"))}
    if service is None:
        if not found:
            raise UpdraftError(f"There are no logs in {folder}; run `updraft local up` first")
        return found
    if service not in found:
        known = ", ".join(found) or "none yet"
        raise UpdraftError(f"There is no log of {service!r} in {folder}; there are: {known}")
    return {service: found[service]}


def _print_new(name: str, file: Path, position: int) -> int:
    """Print the whole lines after a position and return the position after them."""
    if file.stat().st_size < position:
        position = 0  # the file was begun anew
    with file.open("rb") as stream:
        stream.seek(position)
        content = stream.read()
    whole, newline, _ = content.rpartition(b"\n")
    _print_lines(name, whole.decode(errors="replace").splitlines() if newline else [])
    return position + len(whole) + len(newline)


def _print_lines(name: str, lines: list[str]) -> None:
    for line in lines:
        typer.echo(f"{name}: {line}" if name else line)


def _state_directory(given: Path | None) -> Path:
    """Make ``include.local`` importable and settle where the state is."""
    project = include_directory().parent
    if not (project / "include" / "local" / "stack.py").is_file():
        raise UpdraftError(
            f"The local stack is not part of {project}; run `updraft local` from a checkout"
        )
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    return (given or project / ".local").resolve()


def _console() -> Console:
    return Console(highlight=False)


def _say(line: str) -> None:
    _console().print(line, soft_wrap=True, markup=False)


@contextmanager
def _errors() -> Iterator[None]:
    """Print errors that a person can do something about, without a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except UpdraftError as error:
        message = Text.assemble(("Error: ", "red"), str(error))
        Console(stderr=True, highlight=False).print(message, soft_wrap=True)
        raise typer.Exit(1) from None
