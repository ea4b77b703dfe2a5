"""Real databases for tests, reached as Airflow's users reach theirs: by a connection."""

import json
import os
import subprocess
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass

from include.local.layout import PROJECT
from include.local.stack import PYTHON
from updraft.hooks.sql import SqlDatabase

_SERVER = """
import sys
from pathlib import Path
from include.local.gateway.services.redshift_engine.server import OWNER, PostgresServer

root = Path(sys.argv[1])
server = PostgresServer(root / "data", root / "template")
try:
    with server.connect("postgres", OWNER) as connection:
        # Redshift's ways are not PostgreSQL's.
        for setting in (
            "default_transaction_isolation to 'read committed'",
            "standard_conforming_strings to on",
        ):
            connection.execute(f"alter database postgres set {setting}")
        print(connection.info.host, flush=True)
    sys.stdin.read()
finally:
    server.stop()
"""
"""Runs the PostgreSQL of the local stack until its input ends, so that no test leaves it behind."""


@dataclass(frozen=True)
class Database:
    """A database behind an Airflow connection.

    :param conn_id: id of the connection.
    :param environment: the variable that defines it.
    """

    conn_id: str
    environment: dict

    def run(self, sql, *parameters):
        """Run a statement and commit it; returns its rows if it has any."""
        with SqlDatabase(self.conn_id).session() as session:
            with closing(session.execute(sql, parameters)) as cursor:
                rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
            session.commit()
            return rows

    def table(self, columns):
        """Make a table of its own for a test; returns its name."""
        name = f"t{uuid.uuid4().hex[:12]}"
        self.run(f"create table {name} ({columns})")
        return name


def _database(kind, **connection):
    conn_id = f"test_{kind}"
    text = json.dumps({"conn_type": kind, **connection})
    return Database(conn_id, {f"AIRFLOW_CONN_{conn_id.upper()}": text})


@contextmanager
def sqlite(directory):
    """A file of SQLite."""
    database = _database("sqlite", host=str(directory / "test.db"))
    with _known(database):
        yield database


@contextmanager
def postgresql(directory):
    """A server of PostgreSQL of its own."""
    process = subprocess.Popen(
        [PYTHON, "-c", _SERVER, str(directory)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        host = process.stdout.readline().strip()
        assert host, "PostgreSQL has not started; see what was printed"
        database = _database("postgres", host=host, login="rdsdb", schema="postgres")
        with _known(database):
            yield database
    finally:
        process.stdin.close()
        process.wait(30)


@contextmanager
def _known(database):
    os.environ |= database.environment
    try:
        yield
    finally:
        for name in database.environment:
            del os.environ[name]
