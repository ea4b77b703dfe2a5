"""Where posted events and the graph are kept: one SQLite file that survives the process."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from include.local.gateway.services.datazone.graph import Node
from include.local.gateway.services.datazone.identifiers import random_identifier
from include.local.gateway.services.datazone.node_versions import (
    SCHEMA as VERSION_SCHEMA,
)
from include.local.gateway.services.datazone.node_versions import record_versions, version_times
from include.local.gateway.services.datazone.records import (
    EventQuery,
    Posting,
    StoredEvent,
    StoredNode,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    sequence     INTEGER PRIMARY KEY,
    domain       TEXT NOT NULL,
    id           TEXT NOT NULL,
    client_token TEXT,
    body         BLOB NOT NULL,
    summary      TEXT NOT NULL,
    event_time   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    UNIQUE (domain, id),
    UNIQUE (domain, client_token)
);
CREATE INDEX IF NOT EXISTS event_by_time ON event (domain, event_time, sequence);
CREATE TABLE IF NOT EXISTS node (
    domain            TEXT NOT NULL,
    id                TEXT NOT NULL,
    kind              TEXT NOT NULL,
    name              TEXT NOT NULL,
    source_identifier TEXT NOT NULL,
    facets            TEXT NOT NULL,
    event_time        INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    created_by        TEXT NOT NULL,
    updated_by        TEXT NOT NULL,
    PRIMARY KEY (domain, id)
);
CREATE INDEX IF NOT EXISTS node_by_source ON node (domain, source_identifier);
CREATE TABLE IF NOT EXISTS edge (
    domain     TEXT NOT NULL,
    upstream   TEXT NOT NULL,
    downstream TEXT NOT NULL,
    PRIMARY KEY (domain, upstream, downstream)
);
CREATE INDEX IF NOT EXISTS edge_by_downstream ON edge (domain, downstream);
"""

_MERGE_NODE = """
INSERT INTO node VALUES
    (:domain, :id, :kind, :name, :source, :facets, :event_time, :now, :now, :principal, :principal)
ON CONFLICT (domain, id) DO UPDATE SET
    facets = CASE WHEN excluded.event_time >= event_time THEN excluded.facets ELSE facets END,
    event_time = max(event_time, excluded.event_time),
    updated_at = excluded.updated_at,
    updated_by = excluded.updated_by
"""


def milliseconds(moment: datetime) -> int:
    """Count time as the store does.

    :param moment: a point in time; one without zone is in UTC.
    :returns: milliseconds since 1970, the precision of DataZone's timestamps.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def _moment(stored: int) -> datetime:
    return datetime.fromtimestamp(stored / 1000, UTC)


class LineageStore:
    """Events, nodes and edges of all domains.

    One connection serves all threads in turn. Each posted event is one transaction that is on
    disk before the caller hears of it.

    :param path: the SQLite file; its directory is made.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA + VERSION_SCHEMA)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def add(self, posting: Posting) -> StoredEvent:
        """Store an event and what it adds to the graph.

        :param posting: the event and its circumstances.
        :returns: the event of that token in that domain: this one, or the one that an earlier
            request with the same token left, which need not be equal.
        """
        domain, event = posting.domain, posting.event
        now = milliseconds(datetime.now(UTC))
        with self._transaction() as connection:
            earlier = connection.execute(
                "SELECT * FROM event WHERE domain = ? AND client_token = ?",
                (domain, posting.client_token),
            ).fetchone()
            if earlier is not None:
                return _stored_event(earlier)
            row = connection.execute(
                "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
                (
                    domain,
                    random_identifier(),
                    posting.client_token,
                    event.body,
                    json.dumps(event.summary()),
                    milliseconds(event.time),
                    now,
                    posting.principal,
                ),
            ).fetchone()
            for node in posting.addition.nodes:
                connection.execute(
                    _MERGE_NODE,
                    {
                        "domain": domain,
                        "id": node.id,
                        "kind": node.kind,
                        "name": node.name,
                        "source": node.source_identifier,
                        "facets": json.dumps(node.facets),
                        "event_time": milliseconds(event.time),
                        "now": now,
                        "principal": posting.principal,
                    },
                )
            connection.executemany(
                "INSERT OR IGNORE INTO edge VALUES (?, ?, ?)",
                [(domain, upstream, downstream) for upstream, downstream in posting.addition.edges],
            )
            record_versions(connection, domain, posting.addition, milliseconds(event.time))
            return _stored_event(row)

    def event(self, domain: str, event_id: str) -> StoredEvent | None:
        """Look up an event.

        :param domain: its domain.
        :param event_id: its identifier.
        :returns: the event, None when there is none.
        """
        with self._lock:
            row = self._connection.execute(
                "SELECT * FROM event WHERE domain = ? AND id = ?", (domain, event_id)
            ).fetchone()
        return None if row is None else _stored_event(row)

    def events(self, query: EventQuery, limit: int) -> list[StoredEvent]:
        """List events by the time at which they happened.

        :param query: which.
        :param limit: how many at most.
        :returns: the events.
        """
        conditions = ["domain = ?"]
        numbers: list[int] = []
        if query.after is not None:
            conditions.append("event_time > ?")
            numbers.append(milliseconds(query.after))
        if query.before is not None:
            conditions.append("event_time < ?")
            numbers.append(milliseconds(query.before))
        if query.start is not None:
            conditions.append(f"(event_time, sequence) {'>' if query.ascending else '<'} (?, ?)")
            numbers.extend(query.start)
        order = "ASC" if query.ascending else "DESC"
        statement = (
            f"SELECT * FROM event WHERE {' AND '.join(conditions)} "  # noqa: S608 - no values here
            f"ORDER BY event_time {order}, sequence {order} LIMIT ?"
        )
        with self._lock:
            rows = self._connection.execute(statement, (query.domain, *numbers, limit)).fetchall()
        return [_stored_event(row) for row in rows]

    def node(self, domain: str, identifier: str, neighbours: int) -> StoredNode | None:
        """Look up a node.

        :param domain: its domain.
        :param identifier: its id or its source identifier.
        :param neighbours: how many neighbours to name at most on each side; the latest win.
        :returns: the node, None when no event mentions it.
        """
        with self._lock:
            row = self._connection.execute(
                "SELECT * FROM node WHERE domain = ? AND (id = ? OR source_identifier = ?) LIMIT 1",
                (domain, identifier, identifier),
            ).fetchone()
            if row is None:
                return None
            sides = [
                self._connection.execute(statement, (domain, row["id"], neighbours)).fetchall()
                for statement in (_UPSTREAM, _DOWNSTREAM)
            ]
        upstream, downstream = (
            [(near["id"], _moment(near["event_time"])) for near in side] for side in sides
        )
        return StoredNode(
            node=Node(
                domain,
                row["kind"],
                row["name"],
                row["source_identifier"],
                json.loads(row["facets"]),
            ),
            event_time=_moment(row["event_time"]),
            created_at=_moment(row["created_at"]),
            updated_at=_moment(row["updated_at"]),
            created_by=row["created_by"],
            updated_by=row["updated_by"],
            upstream=upstream,
            downstream=downstream,
        )

    def versions(self, domain: str, node: str, direction: str | None = None) -> list[int]:
        """List the times at which events describe a node.

        :param domain: its domain.
        :param node: its id.
        :param direction: ``UPSTREAM`` or ``DOWNSTREAM`` for events with neighbours there only.
        :returns: milliseconds since 1970, ascending.
        """
        with self._lock:
            return version_times(self._connection, domain, node, direction)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


_UPSTREAM = """
SELECT node.id, node.event_time FROM edge
JOIN node ON node.domain = edge.domain AND node.id = edge.upstream
WHERE edge.domain = ? AND edge.downstream = ? ORDER BY node.event_time DESC, node.id LIMIT ?
"""
_DOWNSTREAM = """
SELECT node.id, node.event_time FROM edge
JOIN node ON node.domain = edge.domain AND node.id = edge.downstream
WHERE edge.domain = ? AND edge.upstream = ? ORDER BY node.event_time DESC, node.id LIMIT ?
"""


def _stored_event(row: sqlite3.Row) -> StoredEvent:
    return StoredEvent(
        sequence=row["sequence"],
        id=row["id"],
        body=row["body"],
        summary=json.loads(row["summary"]),
        event_time=_moment(row["event_time"]),
        created_at=_moment(row["created_at"]),
        created_by=row["created_by"],
    )
