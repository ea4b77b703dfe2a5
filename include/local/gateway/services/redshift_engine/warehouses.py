"""The databases of all clusters and namespaces."""

import threading
from pathlib import Path

import psycopg
from psycopg import sql

from include.local.gateway.services.redshift_engine.server import OWNER, PostgresServer

_TEMPLATE = "template1"


class Warehouses:
    """Servers by warehouse; each is started when it is first needed.

    :param directory: where their data is kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._servers: dict[str, Warehouse] = {}

    def open(self, key: str, user: str, database: str) -> "Warehouse":
        """Give the databases of a cluster or namespace.

        :param key: what tells it from others; it becomes the name of a directory.
        :param user: its administrator.
        :param database: the database that it begins with.
        :returns: its databases.
        """
        with self._lock:
            warehouse = self._servers.get(key)
            if warehouse is None:
                server = PostgresServer(self._directory / key, self._directory / "template")
                warehouse = self._servers[key] = Warehouse(server, user, database)
            return warehouse

    def stop(self, key: str) -> None:
        """End the server of a cluster that is paused.

        :param key: which one.
        """
        with self._lock:
            warehouse = self._servers.pop(key, None)
        if warehouse is not None:
            warehouse.server.stop()

    def delete(self, key: str) -> None:
        """Remove the data of a cluster or namespace.

        :param key: which one.
        """
        self.stop(key)
        PostgresServer(self._directory / key, self._directory / "template").delete()

    def close(self) -> None:
        """End all servers."""
        with self._lock:
            servers, self._servers = list(self._servers.values()), {}
        for warehouse in servers:
            warehouse.server.stop()


class Warehouse:
    """The databases of one cluster or namespace.

    :param server: what runs them.
    :param user: the administrator.
    :param database: the database that it begins with.
    """

    def __init__(self, server: PostgresServer, user: str, database: str) -> None:
        self.server = server
        self.user = user
        self._database = database
        self._lock = threading.Lock()
        self._ready = False

    def connect(
        self, database: str, user: str | None = None, *, create_user: bool = False
    ) -> psycopg.Connection:
        """Connect to a database.

        :param database: its name.
        :param user: who connects; None is the owner of the system catalog.
        :param create_user: whether a user that is not there is made, as Redshift does for an
            identity of IAM.
        :returns: a connection that commits each statement by itself.
        :raises psycopg.Error: when database or user don't exist.
        """
        self._prepare()
        if user is not None and create_user:
            with self.server.connect(self._database, OWNER) as connection:
                self._create_user(connection, user, superuser=False)
        return self.server.connect(database, user or OWNER)

    def _prepare(self) -> None:
        with self._lock:
            if self._ready:
                return
            with self.server.connect("postgres", OWNER) as connection:
                self._create_user(connection, self.user, superuser=True)
                found = connection.execute(
                    "SELECT FROM pg_database WHERE datname = %s", [self._database]
                )
                if found.fetchone() is None:
                    connection.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
                            sql.Identifier(self._database),
                            sql.Identifier(self.user),
                            sql.Identifier(_TEMPLATE),
                        )
                    )
            self._ready = True

    @staticmethod
    def _create_user(connection: psycopg.Connection, user: str, *, superuser: bool) -> None:
        found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [user]).fetchone()
        if found is None:
            right = sql.SQL("SUPERUSER" if superuser else "NOSUPERUSER")
            try:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN {}").format(sql.Identifier(user), right)
                )
            except psycopg.errors.DuplicateObject:
                return  # another statement was faster
