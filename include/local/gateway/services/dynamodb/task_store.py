"""Exports and imports, which outlive the process: one SQLite file.

A task that was under way when the gateway ended can't be taken up again; it has failed.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"
INTERRUPTED = "The local stack was stopped or killed while this was under way"

_TIMES = frozenset({"EndTime", "ExportFromTime", "ExportTime", "ExportToTime", "StartTime"})

_SCHEMA = """
CREATE TABLE IF NOT EXISTS task (
    sequence     INTEGER PRIMARY KEY,
    kind         TEXT NOT NULL,
    arn          TEXT NOT NULL UNIQUE,
    region       TEXT NOT NULL,
    table_arn    TEXT NOT NULL,
    token        TEXT,
    fingerprint  TEXT NOT NULL,
    started_at   REAL NOT NULL,
    description  TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS task_by_token ON task (kind, region, token);
"""


@dataclass(frozen=True, slots=True)
class Task:
    """An export or an import.

    :param kind: ``Export`` or ``Import``, with which the members of its description begin.
    :param arn: its ARN.
    :param region: its Region.
    :param table_arn: ARN of the table.
    :param token: the client token it was started with.
    :param fingerprint: what else it was started with.
    :param description: members of its description. Times are seconds since 1970.
    :param sequence: its number in the store, which orders tasks by their start.
    """

    kind: str
    arn: str
    region: str
    table_arn: str
    token: str | None
    fingerprint: str
    description: dict[str, Any] = field(default_factory=dict)
    sequence: int = 0

    @property
    def status(self) -> str:
        """``IN_PROGRESS``, ``COMPLETED`` or ``FAILED``."""
        return str(self.description[f"{self.kind}Status"])

    def members(self) -> dict[str, Any]:
        """Give the description as an operation returns it, times as points in time."""
        members: dict[str, Any] = _with_times(self.description)
        return members


def fingerprint(parameters: Mapping[str, Any]) -> str:
    """Write parameters so that equal ones are equal texts.

    :param parameters: input of an operation.
    :returns: the text.
    """
    return json.dumps(parameters, sort_keys=True, default=str)


def _with_times(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: datetime.fromtimestamp(member, UTC) if name in _TIMES else _with_times(member)
        for name, member in value.items()
    }


class TaskStore:
    """Keeps tasks; one connection serves all threads in turn.

    :param path: the SQLite file; its directory is made. What it says to be in progress has failed.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        for task in self._all("1"):
            if task.status == IN_PROGRESS:
                self.finish(task.arn, FAILED, "InternalServerError", INTERRUPTED)

    def _all(self, condition: str, *values: object) -> list[Task]:
        query = (
            "SELECT kind, arn, region, table_arn, token, fingerprint, description, sequence "  # noqa: S608 - conditions stand in this module
            f"FROM task WHERE {condition} ORDER BY sequence"
        )
        with self._lock:
            rows = self._connection.execute(query, values).fetchall()
        return [
            Task(kind, arn, place, table, token, print_, json.loads(description), sequence)
            for kind, arn, place, table, token, print_, description, sequence in rows
        ]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads from starting a task, from looking for one until adding it."""
        with self._lock:
            yield

    def add(self, task: Task, started_at: float) -> None:
        """Store a new task.

        :param task: the task.
        :param started_at: when it started, in seconds since 1970.
        """
        with self._lock:
            self._connection.execute(
                "INSERT INTO task (kind, arn, region, table_arn, token, fingerprint, started_at, "
                "description) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    task.kind,
                    task.arn,
                    task.region,
                    task.table_arn,
                    task.token,
                    task.fingerprint,
                    started_at,
                    json.dumps(task.description),
                ),
            )

    def update(self, arn: str, members: Mapping[str, Any]) -> None:
        """Change members of a description.

        :param arn: ARN of the task.
        :param members: the members.
        """
        with self._lock:
            (task,) = self._all("arn = ?", arn)
            self._connection.execute(
                "UPDATE task SET description = ? WHERE arn = ?",
                (json.dumps({**task.description, **members}), arn),
            )

    def finish(
        self, arn: str, status: str, code: str | None = None, message: str | None = None
    ) -> None:
        """End a task.

        :param arn: its ARN.
        :param status: :data:`COMPLETED` or :data:`FAILED`.
        :param code: failure code.
        :param message: failure message.
        """
        with self._lock:
            (task,) = self._all("arn = ?", arn)
            members: dict[str, Any] = {f"{task.kind}Status": status}
            members["EndTime"] = datetime.now(UTC).timestamp()
            if code is not None:
                members |= {"FailureCode": code, "FailureMessage": message or code}
            self.update(arn, members)

    def find(self, kind: str, region: str, arn: str) -> Task | None:
        """Look a task up.

        :param kind: ``Export`` or ``Import``.
        :param region: its Region.
        :param arn: its ARN.
        :returns: the task, None when there is none.
        """
        found = self._all("kind = ? AND region = ? AND arn = ?", kind, region, arn)
        return found[0] if found else None

    def by_token(self, kind: str, region: str, token: str, since: float) -> Task | None:
        """Look a task up by its client token.

        :param kind: ``Export`` or ``Import``.
        :param region: its Region.
        :param token: the token.
        :param since: earliest start, in seconds since 1970.
        :returns: the latest such task, None when there is none.
        """
        condition = "kind = ? AND region = ? AND token = ? AND started_at >= ?"
        found = self._all(condition, kind, region, token, since)
        return found[-1] if found else None

    def listed(
        self, kind: str, region: str, table_arn: str | None, after: int, size: int
    ) -> list[Task]:
        """List tasks in the order of their start.

        :param kind: ``Export`` or ``Import``.
        :param region: their Region.
        :param table_arn: ARN of their table, None for any.
        :param after: number of the task after which the list begins, 0 for the first.
        :param size: most tasks.
        :returns: the tasks.
        """
        condition = "kind = ? AND region = ? AND ifnull(?, table_arn) = table_arn AND sequence > ?"
        return self._all(condition, kind, region, table_arn, after)[:size]

    def running(self, kind: str, region: str) -> list[Task]:
        """List what is in progress.

        :param kind: ``Export`` or ``Import``.
        :param region: its Region.
        :returns: the tasks.
        """
        tasks = self._all("kind = ? AND region = ?", kind, region)
        return [task for task in tasks if task.status == IN_PROGRESS]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
