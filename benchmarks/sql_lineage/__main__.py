"""Who gets the lineage of which statement right, and what it costs.

Run it with ``make bench-sql-lineage``, see ``docs/sql-lineage.md``.
"""

import argparse
import logging
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.sql_lineage.contenders import CONTENDERS
from benchmarks.sql_lineage.corpus import Answer, Case, cases
from benchmarks.sql_lineage.long_scripts import LONG_SCRIPTS
from updraft.sql_lineage.analysis import analyze

_LONGEST = 1.0  # seconds that a long script may take


class Verdict(NamedTuple):
    """How well a tool did with a statement.

    :param tables: whether it found exactly the tables.
    :param columns: whether it found exactly the edges between columns.
    :param seconds: processor time that it took, the least of all rounds.
    """

    tables: bool
    columns: bool
    seconds: float


def judged(case: Case, answer: Answer, *, exactly: bool) -> tuple[bool, bool]:
    """Compare an answer with the truth.

    :param case: the statement.
    :param answer: what a tool found.
    :param exactly: whether columns that steer a value count as wrong, and a statement that cannot
        be read must be reported.
    :returns: whether the tables are right, and whether the columns are.
    """
    truth = case.truth
    tables = (answer.inputs, answer.outputs) == (truth.inputs, truth.outputs)
    if exactly:
        return tables and answer.failed == truth.failed, answer.edges == truth.edges
    allowed = truth.edges | case.steering
    return tables, truth.edges <= answer.edges <= allowed


def _compared(rounds: int) -> dict[str, dict[str, Verdict]]:
    """Let all tools read all statements, in turn, so that all see the same machine."""
    best: dict[tuple[str, str], float] = {}
    answers: dict[tuple[str, str], Answer] = {}
    everything = cases()
    for _ in range(rounds):
        for case in everything:
            for name, ask in CONTENDERS.items():
                begun = time.process_time()
                answers[case.name, name] = ask(case.sql)
                taken = time.process_time() - begun
                best[case.name, name] = min(taken, best.get((case.name, name), taken))
    return {
        case.name: {
            name: Verdict(
                *judged(case, answers[case.name, name], exactly=name == "Updraft"),
                best[case.name, name],
            )
            for name in CONTENDERS
        }
        for case in everything
    }


def _mark(right: bool) -> str:
    return "✓" if right else "✗"


def _rows(verdicts: dict[str, dict[str, Verdict]]) -> list[list[str]]:
    rows = [
        [
            name,
            *(f"{_mark(one.tables)} {_mark(one.columns)}" for one in by_tool.values()),
        ]
        for name, by_tool in verdicts.items()
    ]
    columns = {tool: [by_tool[tool] for by_tool in verdicts.values()] for tool in CONTENDERS}
    count = len(verdicts)
    rows.append(
        [
            f"right of {count}",
            *(
                f"{sum(v.tables for v in found)} {sum(v.columns for v in found)}"
                for found in columns.values()
            ),
        ]
    )
    rows.append(
        [
            "ms per statement, median",
            *(_milliseconds(found, statistics.median) for found in columns.values()),
        ]
    )
    rows.append(
        ["ms per statement, most", *(_milliseconds(found, max) for found in columns.values())]
    )
    return rows


def _milliseconds(verdicts: list[Verdict], statistic: Callable[[list[float]], float]) -> str:
    return f"{statistic([verdict.seconds for verdict in verdicts]) * 1000:.2f}"


def _headings() -> list[str]:
    return ["tables columns", *CONTENDERS]


def _print_markdown(rows: list[list[str]]) -> None:
    for row in (_headings(), ["---"] * (len(CONTENDERS) + 1), *rows):
        print(f"| {' | '.join(row)} |")


def _print_table(rows: list[list[str]]) -> None:
    title = ", ".join(f"{name} {version(name)}" for name in ("openlineage-sql", "sqlglot"))
    table = Table(title=title)
    for heading in _headings():
        table.add_column(heading, justify="center" if table.columns else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _long_scripts() -> bool:
    fast = True
    for name, make in LONG_SCRIPTS.items():
        script, schemas = make()
        taken = []
        for _ in range(3):
            begun = time.process_time()
            found = analyze(script, schemas)
            taken.append(time.process_time() - begun)
        lines = script.count("\n") + 1
        print(
            f"{name}: {lines:,} lines, {len(script):,} characters, "
            f"{len(found.columns):,} columns written, {min(taken):.2f} s"
        )
        fast = fast and min(taken) < _LONGEST and not found.errors
    return fast


def main() -> int:
    """Print the table.

    :returns: 0 when Updraft is right everywhere and fast enough, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each statement is read")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    options = parser.parse_args()
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    verdicts = _compared(options.rounds)
    rows = _rows(verdicts)
    (_print_markdown if options.markdown else _print_table)(rows)
    wrong = [
        name
        for name, by_tool in verdicts.items()
        if not (by_tool["Updraft"].tables and by_tool["Updraft"].columns)
    ]
    fast = _long_scripts()
    print(f"Updraft is right on all {len(verdicts)}." if not wrong else f"Wrong: {wrong}")
    print(f"Goal, long scripts in under {_LONGEST:.0f} s: {'reached' if fast else 'MISSED'}")
    return 1 if wrong or not fast else 0


if __name__ == "__main__":
    sys.exit(main())
