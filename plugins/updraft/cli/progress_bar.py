"""Shows how far a copy of a table is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bar,
)

from updraft.dynamodb.progress import Progress

_INTERVAL = 0.2


@contextmanager
def progress_bar(progress: Progress, title: str, console: Console) -> Iterator[None]:
    """Show a bar with count, rate and remaining time while the block runs.

    Where nobody watches, in a file or a CI log, nothing is drawn.

    :param progress: what is counted; its expected number is approximate.
    :param title: what is going on, in a word.
    :param console: where the bar is drawn.
    """
    bar = Bar(
        SpinnerColumn(),
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("items  {task.fields[rate]}  {task.fields[parts]}"),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    done = threading.Event()
    with bar:
        task = bar.add_task(title, total=None, rate="", parts="")
        watcher = threading.Thread(target=_watch, args=(bar, task, progress, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()


def _watch(bar: Bar, task: TaskID, progress: Progress, done: threading.Event) -> None:
    while not done.wait(_INTERVAL):
        speed = bar.tasks[0].speed
        finished, parts = progress.parts
        bar.update(
            task,
            # The service's count is up to six hours old: a bar never ends before the work does.
            total=max(progress.expected_items, progress.items) or None,
            completed=progress.items,
            rate=f"{speed:,.0f}/s" if speed else "",
            parts=f"{finished}/{parts} parts" if parts else "",
        )
