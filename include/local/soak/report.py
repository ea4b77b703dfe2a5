"""The table of a soak."""

from rich.console import Console
from rich.table import Table

from include.local.soak.run import Outcome

_SHOWN = 40


def failures(outcome: Outcome) -> list[str]:
    """Say what a soak has shown to be wrong.

    :param outcome: what came of it.
    :returns: sentences; none if nothing was lost or repeated.
    """
    letters = [
        f"{count} dead letters: {reason}"
        for reason, count in outcome.dead_letters.items()
        if reason.startswith("NOT EXPECTED")
    ]
    return [*outcome.comparison.differences, *letters]


def render(outcome: Outcome, console: Console) -> None:
    """Print it.

    :param outcome: what came of a soak.
    :param console: where to.
    """
    table = Table(title="Task runs of Airflow and their events in the catalog")
    for heading in ("DAG", "task runs", "starts", "ends", "repeated", "missing"):
        table.add_column(heading, justify="left" if heading == "DAG" else "right")
    for dag_id, figures in sorted(outcome.comparison.figures.items()):
        values = vars(figures).values()
        table.add_row(dag_id, *(f"{value:,}" for value in values))
    totals = [
        sum(column)
        for column in zip(
            *(vars(figures).values() for figures in outcome.comparison.figures.values()),
            strict=True,
        )
    ]
    table.add_section()
    table.add_row("all", *(f"{total:,}" for total in totals))
    console.print(table)
    states = ", ".join(f"{n:,} {state}" for state, n in outcome.comparison.states.most_common())
    console.print(f"Tries ended as: {states}")
    console.print(
        f"Killed: {outcome.tasks_killed:,} tasks, {outcome.forwarders_killed:,} forwarders; "
        f"{outcome.closed:,} runs were closed because they had no end"
    )
    faults = ", ".join(f"{n:,} {kind}" for kind, n in outcome.faults.most_common())
    console.print(f"Faults of the catalog: {faults or 'none'}")
    letters = "; ".join(f"{n:,} times {why}" for why, n in outcome.dead_letters.most_common())
    console.print(f"Dead letters: {letters or 'none'}")
    console.print(f"{outcome.seconds:,.0f} seconds")
    found = failures(outcome)
    for failure in found[:_SHOWN]:
        console.print(f"[red]✗[/red] {failure}")
    if len(found) > _SHOWN:
        console.print(f"… and {len(found) - _SHOWN} more")
    if not found:
        console.print("Every task run has one start and one end. Nothing was lost or repeated.")
