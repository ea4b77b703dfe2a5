"""At which times events have described a node: the versions that its history lists."""

import sqlite3

from include.local.gateway.services.datazone.graph import Fragment

SCHEMA = """
CREATE TABLE IF NOT EXISTS node_version (
    domain     TEXT NOT NULL,
    node       TEXT NOT NULL,
    event_time INTEGER NOT NULL,
    upstream   INTEGER NOT NULL,
    downstream INTEGER NOT NULL,
    PRIMARY KEY (domain, node, event_time)
);
"""
_RECORD = """
INSERT INTO node_version VALUES (?, ?, ?, ?, ?)
ON CONFLICT (domain, node, event_time) DO UPDATE SET
    upstream = max(upstream, excluded.upstream),
    downstream = max(downstream, excluded.downstream)
"""
_CONDITIONS = {None: "1", "UPSTREAM": "upstream", "DOWNSTREAM": "downstream"}


def record_versions(
    connection: sqlite3.Connection, domain: str, addition: Fragment, event_time: int
) -> None:
    """Note that an event describes its nodes.

    :param connection: the store's, in a transaction.
    :param domain: domain of the event.
    :param addition: its part of the graph.
    :param event_time: when it happened, in milliseconds since 1970.
    """
    after = {downstream for _, downstream in addition.edges}
    before = {upstream for upstream, _ in addition.edges}
    connection.executemany(
        _RECORD,
        [
            (domain, node.id, event_time, node.id in after, node.id in before)
            for node in addition.nodes
        ],
    )


def version_times(
    connection: sqlite3.Connection, domain: str, node: str, direction: str | None
) -> list[int]:
    """List the versions of a node.

    :param connection: the store's.
    :param domain: its domain.
    :param node: its identifier.
    :param direction: ``UPSTREAM`` or ``DOWNSTREAM`` for versions with neighbours there only.
    :returns: their times in milliseconds since 1970, the oldest first.
    """
    statement = (
        "SELECT event_time FROM node_version WHERE domain = ? AND node = ? "  # noqa: S608 - no values
        f"AND {_CONDITIONS[direction]} ORDER BY event_time"
    )
    return [row[0] for row in connection.execute(statement, (domain, node))]
