"""Where the catalog is kept: documents of JSON in one SQLite file that survives the process."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    sequence INTEGER PRIMARY KEY,
    domain   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    parent   TEXT NOT NULL,
    body     TEXT NOT NULL,
    UNIQUE (domain, kind, id)
);
CREATE INDEX IF NOT EXISTS document_by_parent ON document (domain, kind, parent, sequence);
CREATE TABLE IF NOT EXISTS token (
    domain    TEXT NOT NULL,
    operation TEXT NOT NULL,
    token     TEXT NOT NULL,
    request   TEXT NOT NULL,
    answer    TEXT NOT NULL,
    PRIMARY KEY (domain, operation, token)
);
"""
_TIME = "$time"


class Remembered(NamedTuple):
    """What an operation did for a client token.

    :param request: the parameters, as text.
    :param answer: what was answered.
    """

    request: str
    answer: dict[str, Any]


class Documents:
    """All that the catalog knows.

    One connection serves all threads in turn. What happens within :meth:`transaction` is on disk
    when it ends, or has not happened.

    :param path: the SQLite file; its directory is made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it or nothing; within another one, as a part of that."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")

    def put(
        self, domain: str, kind: str, key: str, body: Mapping[str, Any], parent: str = ""
    ) -> None:
        """Write a document; one that is there keeps its place in the order and its parent.

        :param domain: its domain, empty for domains themselves.
        :param kind: what it is, such as ``asset``.
        :param key: its identifier, unique in the domain for its kind.
        :param body: its content, JSON and points in time.
        :param parent: what it belongs to, by which it can be listed.
        """
        with self._lock:
            self._connection.execute(
                "INSERT INTO document VALUES (NULL, ?, ?, ?, ?, ?) "
                "ON CONFLICT (domain, kind, id) DO UPDATE SET body = excluded.body",
                (domain, kind, key, parent, _write(body)),
            )

    def get(self, domain: str, kind: str, key: str) -> dict[str, Any] | None:
        """Read a document.

        :param domain: its domain.
        :param kind: what it is.
        :param key: its identifier.
        :returns: its content, None when there is none.
        """
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM document WHERE domain = ? AND kind = ? AND id = ?",
                (domain, kind, key),
            ).fetchone()
        return None if row is None else _read(row["body"])

    def all(self, domain: str, kind: str, parent: str | None = None) -> list[dict[str, Any]]:
        """List documents.

        :param domain: their domain.
        :param kind: what they are.
        :param parent: only those that belong to this, None for any.
        :returns: their contents in the order in which they were made.
        """
        which, values = "domain = ? AND kind = ?", [domain, kind]
        if parent is not None:
            which, values = f"{which} AND parent = ?", [*values, parent]
        statement = f"SELECT body FROM document WHERE {which} ORDER BY sequence"  # noqa: S608
        with self._lock:
            rows = self._connection.execute(statement, values).fetchall()
        return [_read(row["body"]) for row in rows]

    def remove(self, domain: str, kind: str, key: str) -> None:
        """Delete a document.

        :param domain: its domain.
        :param kind: what it is.
        :param key: its identifier.
        """
        with self._lock:
            self._connection.execute(
                "DELETE FROM document WHERE domain = ? AND kind = ? AND id = ?",
                (domain, kind, key),
            )

    def recall(self, domain: str, operation: str, token: str) -> Remembered | None:
        """Look up a client token.

        :param domain: the domain of the request.
        :param operation: its operation.
        :param token: the token.
        :returns: what was done for it, None when it is new.
        """
        with self._lock:
            row = self._connection.execute(
                "SELECT * FROM token WHERE domain = ? AND operation = ? AND token = ?",
                (domain, operation, token),
            ).fetchone()
        return None if row is None else Remembered(row["request"], _read(row["answer"]))

    def remember(self, domain: str, operation: str, token: str, done: Remembered) -> None:
        """Note what was done for a client token.

        :param domain: the domain of the request.
        :param operation: its operation.
        :param token: the token.
        :param done: request and answer.
        """
        with self._lock:
            self._connection.execute(
                "INSERT INTO token VALUES (?, ?, ?, ?, ?)",
                (domain, operation, token, done.request, _write(done.answer)),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def as_text(content: Any) -> str:
    """Write parameters so that equal ones are equal texts.

    :param content: JSON and points in time.
    :returns: the text.
    """
    return json.dumps(content, default=_write_time, sort_keys=True)


def _write(body: Mapping[str, Any]) -> str:
    return json.dumps(body, default=_write_time)


def _read(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text, object_hook=_read_time)
    return content


def _write_time(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return {_TIME: aware.isoformat()}
    raise TypeError(f"{value!r} can't be kept")


def _read_time(content: dict[str, Any]) -> Any:
    return datetime.fromisoformat(content[_TIME]) if set(content) == {_TIME} else content
