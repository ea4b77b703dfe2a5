"""What a command tells the person at the shell: progress, results, and errors as one sentence."""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import typer

from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

GOES_ON = "Stopped. The same command goes on where this one stopped."
"""What is said when a command is stopped that notes its progress."""

PATIENCE = 3.0
"""Seconds after which a log is told what is being waited for."""

_LEVEL = "AIRFLOW__LOGGING__LOGGING_LEVEL"
_LOOK_SECONDS = 0.5
_LINE_SECONDS = 60.0
_ENDED_BY_SIGNAL = 128  # what a shell adds to the number of the signal


@contextmanager
def reported(when_stopped: str = GOES_ON) -> "Iterator[Console]":
    """Print errors as one sentence, and log messages above the progress bar.

    SIGTERM, with which containers are stopped, ends the command as Ctrl-C does.

    :param when_stopped: what is said when the command is stopped.
    :returns: the console for all that is no result.
    :raises typer.Exit: with 1 in place of an error, and with the shell's number for a signal.
    """
    from rich.console import Console  # noqa: PLC0415 keeps `updraft --help` fast

    # Airflow reads this when it is imported, and would write its own messages to the output.
    given = os.environ.get(_LEVEL)
    os.environ[_LEVEL] = given or "ERROR"
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    handler = _ConsoleHandler(console)
    logger = logging.getLogger("updraft")
    logger.addHandler(handler)
    level, propagates = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    previous = signal.signal(signal.SIGTERM, _stop)
    try:
        yield console
    except UpdraftError as error:
        console.print(f"error: {error}", markup=False)
        raise typer.Exit(1) from None
    except KeyboardInterrupt as interrupt:
        console.print(when_stopped)
        number = signal.SIGTERM if isinstance(interrupt, _Terminated) else signal.SIGINT
        raise typer.Exit(_ENDED_BY_SIGNAL + number) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
        logger.removeHandler(handler)
        logger.propagate = propagates
        logger.setLevel(level)
        if given is None:
            os.environ.pop(_LEVEL, None)
        else:
            os.environ[_LEVEL] = given


@contextmanager
def waiting(console: "Console", what: str, done: Callable[[], str] | None = None) -> Iterator[None]:
    """Say what is being waited for while the block runs.

    A terminal shows it at once and takes it back at the end. In a file or a CI log it is a line,
    and only after :data:`PATIENCE`, then one a minute where there is progress to tell.

    :param console: where it is shown.
    :param what: what goes on, in a few words.
    :param done: says how far it is, in a few words; it is asked in another thread.
    """
    from rich.markup import escape  # noqa: PLC0415 keeps `updraft --help` fast

    over = threading.Event()

    def text() -> str:
        said = done() if done is not None else ""
        return f"{what}: {said} …" if said else f"{what} …"

    def watch(status: "Status | None") -> None:
        pause = PATIENCE if status is None else _LOOK_SECONDS
        while not over.wait(pause):
            if status is not None:
                status.update(escape(text()))
                continue
            console.print(text(), markup=False)
            if done is None:
                return
            pause = _LINE_SECONDS

    with console.status(escape(text())) if console.is_terminal else nullcontext() as status:
        watcher = threading.Thread(target=watch, args=(status,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def print_result(result: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what a command did.

    :param result: numbers, texts and truth values by name.
    :param as_json: whether to print one line of JSON; else it is a line for each.
    """
    if as_json:
        typer.echo(json.dumps(result))
        return
    for name, value in result.items():
        if isinstance(value, bool):
            typer.echo(f"  {name}: {'yes' if value else 'no'}")
        elif value is not None:
            typer.echo(f"  {name}: {f'{value:,}' if isinstance(value, int) else value}")


class _Terminated(KeyboardInterrupt):
    """The process was told to end by SIGTERM."""


def _stop(_number: int, _frame: object) -> None:
    raise _Terminated


class _ConsoleHandler(logging.Handler):
    """Prints messages as they are; the console puts them above a progress bar."""

    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message."""
        self._console.print(record.getMessage(), markup=False)
