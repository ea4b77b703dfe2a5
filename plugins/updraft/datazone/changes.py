"""What has to be changed, and what nobody but a person can."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

CREATE, REVISE = "create", "revise"
"""What is done to an asset or a data product that thereby gets a revision."""

_COLUMNS = ("change", "of", "details")
_WIDEST = 100


@dataclass(frozen=True)
class Change:
    """One call that changes the catalog.

    :param action: what is done, in a word or two.
    :param subject: to what, such as ``asset salesdb.orders``.
    :param details: what differs.
    :param perform: does it.
    """

    action: str
    subject: str
    details: str
    perform: Callable[[], Any] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.action} {self.subject}" + (f": {self.details}" if self.details else "")


@dataclass
class Plan:
    """Changes in the order in which they are made.

    :param changes: the changes.
    :param notes: what the file wants and no call can bring about.
    """

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: "Plan") -> None:
        """Append another plan.

        :param other: what comes after.
        """
        self.changes += other.changes
        self.notes += other.notes

    def revises(self, subject: str) -> bool:
        """Tell whether something gets a new revision, or its first.

        :param subject: what.
        :returns: whether that is planned.
        """
        return any(
            change.subject == subject and change.action in {CREATE, REVISE}
            for change in self.changes
        )


def table(changes: Iterable[Change]) -> list[str]:
    """Show changes as a table.

    :param changes: the changes.
    :returns: its lines; none without changes.
    """
    rows = [(change.action, change.subject, _cut(change.details)) for change in changes]
    if not rows:
        return []
    rows = [_COLUMNS, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    rows.insert(1, tuple("-" * width for width in widths))  # type: ignore[arg-type]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


@dataclass(frozen=True)
class Tokens:
    """Makes client tokens that are the same in each attempt of a task.

    :param salt: what tells this task and its attempts from all others. Without it, what was made,
        taken back and is made again would be taken for done.
    """

    salt: str

    def make(self, *parts: Any) -> str:
        """Make a token.

        :param parts: what the call does; they can be written as JSON.
        :returns: 64 hexadecimal digits.
        """
        content = json.dumps([self.salt, *parts], sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()
