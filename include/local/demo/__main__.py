"""Entry point of `make demo`."""

import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from include.local.demo.story import Story
from include.local.demo.summary import render
from include.local.layout import PROJECT, StateDirectory
from updraft.errors import UpdraftError

_NEEDED_BYTES = 500 * 1024**2


def main(
    *,
    leave: Annotated[
        bool, typer.Option("--exit", help="End everything when the demo is done.")
    ] = False,
    items: Annotated[int, typer.Option(min=1, help="Items in the demo table.")] = 20_000,
    airflow_port: Annotated[
        int | None, typer.Option(help="Port of the Airflow UI; any free one without it.")
    ] = None,
    aws_port: Annotated[
        int | None, typer.Option(help="Port of the AWS stand-in; any free one without it.")
    ] = None,
    state: Annotated[
        Path, typer.Option(help="Where everything is kept.", envvar="UPDRAFT_LOCAL_STATE_DIRECTORY")
    ] = PROJECT / ".local",
) -> None:
    """Turn a legacy pipeline into a DAG, run it for real, and follow its lineage."""
    console = Console(stderr=False, highlight=False)
    directory = StateDirectory(state.resolve())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    story = Story(directory, console, items=items)
    stop = True
    try:
        _check_disk(directory.root)
        story.start(airflow_port=airflow_port, aws_port=aws_port)
        summary = story.tell()
        render(summary, console)
        if not leave:
            console.print("Everything keeps running. [b]Ctrl-C[/b] or `make down` ends it.")
            story.wait()
    except KeyboardInterrupt:
        console.print()
    except UpdraftError as error:
        stop = story.started
        Console(stderr=True, highlight=False).print(f"[red]The demo stopped:[/red] {error}")
        raise typer.Exit(1) from None
    except OSError as error:
        stop = story.started
        Console(stderr=True, highlight=False).print(f"[red]The demo stopped:[/red] {error}")
        raise typer.Exit(1) from None
    finally:
        if stop:
            # A second Ctrl-C must not stop the stopping, which takes some seconds.
            for interruption in (signal.SIGINT, signal.SIGTERM):
                signal.signal(interruption, signal.SIG_IGN)
            story.stop()


def _check_disk(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    if free < _NEEDED_BYTES:
        raise UpdraftError(
            f"The demo needs 500 MB of free disk in {root}, {free / 1024**2:.0f} MB are left."
        )


if __name__ == "__main__":
    typer.run(main)
