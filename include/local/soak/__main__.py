"""Entry point of `make soak`."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from include.local.layout import PROJECT
from include.local.soak.report import failures, render
from include.local.soak.run import Plan, Soak, new_directory
from updraft.errors import UpdraftError


def main(
    *,
    runs: Annotated[int, typer.Option(min=1, help="Task runs of each of the five DAGs.")] = 200,
    kills: Annotated[
        int | None,
        typer.Option(min=0, help="Forwarders to kill; a quarter of the runs at most 50."),
    ] = None,
    seed: Annotated[int, typer.Option(help="What all dice are thrown with.")] = 1,
    parallelism: Annotated[int, typer.Option(min=1, help="Tasks at a time.")] = 4,
    state: Annotated[Path, typer.Option(help="Where it is kept.")] = PROJECT / ".local" / "soaks",
) -> None:
    """Run tasks and the forwarder under fire, and compare Airflow with the catalog."""
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    plan = Plan(runs, min(50, runs // 4) if kills is None else kills, seed, parallelism)
    directory = new_directory(state.resolve())
    try:
        with console.status("") as status:
            said: list[str] = []

            def tell(line: str) -> None:
                if console.is_terminal:
                    status.update(line)
                elif said[-1:] != [line]:
                    console.print(line)
                    said[:] = [line]

            outcome = Soak(directory, plan, tell).run()
    except UpdraftError as error:
        Console(stderr=True, highlight=False).print(f"[red]The soak stopped:[/red] {error}")
        raise typer.Exit(1) from None
    render(outcome, console)
    if failures(outcome):
        console.print(f"What it has left is in {directory}.")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
