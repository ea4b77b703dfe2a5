"""Every version of every item since point-in-time recovery was enabled: one SQLite file.

A version is an image of an item from an instant on. The one at the enabling is the baseline, one
without an image says that the item is gone. State at an instant and net changes of a window are
queries over them.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Image = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tracked_table (
    id          INTEGER PRIMARY KEY,
    region      TEXT NOT NULL,
    name        TEXT NOT NULL,
    table_id    TEXT NOT NULL,
    key_names   TEXT NOT NULL,
    enabled_at  INTEGER NOT NULL,
    days        INTEGER NOT NULL,
    UNIQUE (region, name)
);
CREATE TABLE IF NOT EXISTS item_version (
    tracked_table INTEGER NOT NULL,
    key           TEXT NOT NULL,
    written_at    INTEGER NOT NULL,
    image         TEXT
);
CREATE INDEX IF NOT EXISTS version_by_key ON item_version (tracked_table, key, written_at);
CREATE INDEX IF NOT EXISTS version_by_time ON item_version (tracked_table, written_at, key);
"""

# SQLite takes the other columns from the row that holds the maximum:
# https://www.sqlite.org/lang_select.html#bareagg.
_STATE = """
SELECT image FROM (
    SELECT key, image, max(written_at) FROM item_version
    WHERE tracked_table = ? AND written_at <= ? GROUP BY key
) WHERE image IS NOT NULL
"""
_CHANGES = """
SELECT key, max(written_at), image FROM item_version
WHERE tracked_table = ? AND written_at >= ? AND written_at < ? GROUP BY key
"""
_BEFORE = """
SELECT image FROM item_version
WHERE tracked_table = ? AND key = ? AND written_at < ? ORDER BY written_at DESC LIMIT 1
"""
_LATEST = """
SELECT image FROM item_version
WHERE tracked_table = ? AND key = ? ORDER BY written_at DESC LIMIT 1
"""
_PRESENT_KEYS = """
SELECT key FROM (
    SELECT key, image, max(written_at) FROM item_version WHERE tracked_table = ? GROUP BY key
) WHERE image IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class TrackedTable:
    """A table whose writes are recorded.

    :param id: number of the table in the store.
    :param region: its Region.
    :param name: its name.
    :param table_id: DynamoDB's id of it; another table of that name has another.
    :param key_names: names of the key attributes, the partition key first.
    :param enabled_at: since when, in microseconds since 1970.
    :param days: how far back it can be seen, in days.
    """

    id: int
    region: str
    name: str
    table_id: str
    key_names: list[str]
    enabled_at: int
    days: int


@dataclass(frozen=True, slots=True)
class Change:
    """Net effect of a window on an item.

    :param key: the key attributes.
    :param written_at: the last write in the window, in microseconds since 1970.
    :param old: the item before the window, None when it did not exist.
    :param new: the item at the end of the window, None when it does not exist.
    """

    key: Image
    written_at: int
    old: Image | None
    new: Image | None


class HistoryStore:
    """Reads and writes the file. Writers share one connection, each reader has its own.

    :param path: the SQLite file; its directory is made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.Lock()
        self._connection = self._connect()
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.executescript(_SCHEMA)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        # A process that is killed loses nothing then; only a machine that loses power might.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def tables(self) -> list[TrackedTable]:
        """List the tables.

        :returns: all of them.
        """
        with self._lock:
            rows = self._connection.execute("SELECT * FROM tracked_table").fetchall()
        return [
            TrackedTable(number, region, name, table_id, json.loads(key_names), enabled_at, days)
            for number, region, name, table_id, key_names, enabled_at, days in rows
        ]

    def begin(
        self, table: TrackedTable, baseline: Iterable[tuple[str, Image]], at: int
    ) -> TrackedTable:
        """Start the history of a table, in one transaction.

        :param table: the table; its ``id`` and ``enabled_at`` are not looked at.
        :param baseline: key and image of each item.
        :param at: the instant, in microseconds since 1970. The baseline is from just before, so
            that no window counts it as a change.
        :returns: the table as it is stored.
        """
        with self._lock, self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            cursor = connection.execute(
                "INSERT INTO tracked_table VALUES (NULL, ?, ?, ?, ?, ?, ?)",
                (
                    table.region,
                    table.name,
                    table.table_id,
                    json.dumps(table.key_names),
                    at,
                    table.days,
                ),
            )
            number = int(cursor.lastrowid or 0)
            connection.executemany(
                "INSERT INTO item_version VALUES (?, ?, ?, ?)",
                ((number, key, at - 1, _write(image)) for key, image in baseline),
            )
        return TrackedTable(
            number, table.region, table.name, table.table_id, table.key_names, at, table.days
        )

    def keep_for(self, table: TrackedTable, days: int) -> TrackedTable:
        """Change how far back a table can be seen.

        :param table: the table.
        :param days: recovery period, in days.
        :returns: the table as it is stored.
        """
        with self._lock:
            update = "UPDATE tracked_table SET days = ? WHERE id = ?"
            self._connection.execute(update, (days, table.id))
        return replace(table, days=days)

    def forget(self, table: TrackedTable) -> None:
        """Drop a table and its history.

        :param table: the table.
        """
        with self._lock, self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM item_version WHERE tracked_table = ?", (table.id,))
            connection.execute("DELETE FROM tracked_table WHERE id = ?", (table.id,))

    def record(self, seen: Iterable[tuple[TrackedTable, dict[str, Image | None]]], at: int) -> None:
        """Store what has changed, in one transaction.

        :param seen: per table the present image of each looked-at key, None where no item is. An
            image that equals the latest version makes no new one.
        :param at: the instant, in microseconds since 1970.
        """
        with self._lock, self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            for table, images in seen:
                for key, image in images.items():
                    row = connection.execute(_LATEST, (table.id, key)).fetchone()
                    latest = row[0] if row else None
                    if _read(latest) != image:
                        written = _write(image) if image is not None else None
                        connection.execute(
                            "INSERT INTO item_version VALUES (?, ?, ?, ?)",
                            (table.id, key, at, written),
                        )

    def present_keys(self, table: TrackedTable) -> set[str]:
        """List the keys of which the history says that there is an item now.

        :param table: the table.
        :returns: the keys.
        """
        with self._lock:
            return {key for (key,) in self._connection.execute(_PRESENT_KEYS, (table.id,))}

    def state(self, table: TrackedTable, at: int) -> Iterator[Image]:
        """Read the table as it was.

        :param table: the table.
        :param at: the instant, inclusive, in microseconds since 1970.
        :returns: its items.
        """
        with closing(self._connect()) as connection:
            for (image,) in connection.execute(_STATE, (table.id, at)):
                yield json.loads(image)

    def changes(self, table: TrackedTable, start: int, end: int) -> Iterator[Change]:
        """Read the net changes of a window.

        :param table: the table.
        :param start: its start, inclusive, in microseconds since 1970.
        :param end: its end, exclusive.
        :returns: one change per written key. A key that appeared and went within the window has
            neither image.
        """
        with closing(self._connect()) as connection, closing(self._connect()) as other:
            for key, written_at, image in connection.execute(_CHANGES, (table.id, start, end)):
                before = other.execute(_BEFORE, (table.id, key, start)).fetchone()
                old = _read(before[0] if before else None)
                yield Change(json.loads(key), written_at, old, _read(image))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _write(image: Image) -> str:
    return json.dumps(image, separators=(",", ":"))


def _read(image: str | None) -> Image | None:
    if image is None:
        return None
    read: Image = json.loads(image)
    return read
