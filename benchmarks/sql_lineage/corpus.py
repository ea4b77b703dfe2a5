"""The statements and their true answers."""

from pathlib import Path
from typing import NamedTuple

import yaml

STATEMENTS = Path(__file__).parent / "statements"
_FILES = ("queries.yaml", "changes.yaml", "scripts.yaml")
_KEYS = {"name", "sql", "inputs", "outputs", "columns", "steering", "results", "error"}

Edge = tuple[str, str]
"""A column that is written, and one that gives its value."""


class Answer(NamedTuple):
    """What is found about a statement.

    :param inputs: tables that it reads.
    :param outputs: tables that it writes.
    :param edges: the columns that give values. A query that writes nowhere has only the names of
        its columns on the left side.
    :param failed: whether a statement was reported as not readable.
    """

    inputs: frozenset[str]
    outputs: frozenset[str]
    edges: frozenset[Edge]
    failed: bool = False


class Case(NamedTuple):
    """A statement, or a script, with its answer.

    :param name: what it is about.
    :param sql: its text.
    :param truth: the answer.
    :param steering: columns that steer a value without being in it, such as the condition of
        ``CASE``. A tool that does not tell them apart is right if it names them.
    """

    name: str
    sql: str
    truth: Answer
    steering: frozenset[Edge]


def schemas() -> dict[str, list[str]]:
    """Read the schemas that all tools are given.

    :returns: columns by ``schema.table``.
    """
    found: dict[str, list[str]] = yaml.safe_load((STATEMENTS / "schemas.yaml").read_text("utf-8"))
    return found


def cases() -> list[Case]:
    """Read the statements.

    :returns: all of them in order.
    :raises ValueError: when a key is misspelled or a name is there twice.
    """
    found: list[Case] = []
    for file in _FILES:
        for entry in yaml.safe_load((STATEMENTS / file).read_text("utf-8")):
            unknown = entry.keys() - _KEYS
            if unknown or entry["name"] in {case.name for case in found}:
                raise ValueError(f"{file}: {entry['name']}: twice, or with {unknown}")
            edges = _edges(entry.get("columns")) | _edges(entry.get("results"))
            truth = Answer(
                frozenset(entry.get("inputs", ())),
                frozenset(entry.get("outputs", ())),
                edges,
                bool(entry.get("error")),
            )
            found.append(Case(entry["name"], entry["sql"], truth, _edges(entry.get("steering"))))
    return found


def _edges(columns: dict[str, list[str]] | None) -> frozenset[Edge]:
    return frozenset(
        (written, read) for written, sources in (columns or {}).items() for read in sources
    )
