"""A PostgreSQL server of its own for each cluster and each namespace.

The server listens on a Unix socket in a private directory and nowhere else.
"""

import logging
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from include.local import postgres
from include.local.postgres import ServerError

_LOG = logging.getLogger(__name__)

OWNER = "rdsdb"
"""The superuser that owns the system catalog, as Redshift calls it."""

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
_ORPHAN_SECONDS, _PAUSE_SECONDS = 10.0, 0.3
# Durability against a crash of the machine is not what a local stack is for; against a crash of a
# process it is kept, since what has been written is in the page cache of the kernel.
_SETTINGS = {
    "allow_system_table_mods": "on",
    "autovacuum": "off",
    "datestyle": "ISO, MDY",
    "default_transaction_isolation": "repeatable read",
    "escape_string_warning": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "io_method": "sync",
    "jit": "off",
    "listen_addresses": "",
    "log_min_messages": "panic",
    "log_statement": "none",
    "max_connections": "400",
    "max_logical_replication_workers": "0",
    "shared_buffers": "16MB",
    "standard_conforming_strings": "off",
    "temp_file_limit": "4GB",  # one session must not fill the disk of a laptop
    "timezone": "UTC",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgresServer:
    """One server and its data directory.

    :param directory: where its data is kept; made when it is not there.
    :param template: data directory that a new one is a copy of; made when it is not there.
    """

    def __init__(self, directory: Path, template: Path) -> None:
        self._directory = directory
        self._template = template
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    @property
    def is_new(self) -> bool:
        """Whether it has never been started."""
        return not self._directory.exists()

    def start(self) -> None:
        """Start it, unless it runs.

        :raises ServerError: when it can't be started.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            if self.is_new:
                self._create()
            self._end_orphan()
            if self._sockets is None:
                self._sockets = postgres.socket_directory(self._directory)
            command = [postgres.program("postgres"), "-D", str(self._directory)]
            command += ["-k", str(self._sockets)]
            for name, value in _SETTINGS.items():
                command += ["-c", f"{name}={value}"]
            deadline = time.monotonic() + _ORPHAN_SECONDS
            while True:
                self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                    postgres.unprivileged(command), stdin=subprocess.DEVNULL
                )
                try:
                    self._wait()
                except ServerError:
                    # Children of a server that was killed hold its memory for a moment longer,
                    # and a new one does not start until they have noticed.
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_PAUSE_SECONDS)
                else:
                    return

    def connect(self, database: str, user: str) -> psycopg.Connection:
        """Connect to a database.

        :param database: name of the database.
        :param user: name of the user.
        :returns: a connection that commits each statement by itself.
        :raises ServerError: when the server can't be started.
        :raises psycopg.Error: when database or user don't exist.
        """
        self.start()
        return psycopg.connect(host=str(self._sockets), dbname=database, user=user, autocommit=True)

    def stop(self) -> None:
        """End it, and with it everything that it does."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGINT)  # "fast shutdown"
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGQUIT)
                    process.wait()
            if self._sockets is not None:
                shutil.rmtree(self._sockets, ignore_errors=True)
                self._sockets = None

    def delete(self) -> None:
        """End it and remove its data."""
        with self._lock:
            self.stop()
            shutil.rmtree(self._directory, ignore_errors=True)

    def _end_orphan(self) -> None:
        """End what a gateway that was killed has left of this server, and forget its lock."""
        lock = self._directory / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            process = psutil.Process(int(lock.read_text().splitlines()[0]))
            if str(self._directory) in process.cmdline():
                process.kill()
                process.wait(_STOP_SECONDS)
        lock.unlink(missing_ok=True)

    def _create(self) -> None:
        with _TEMPLATE:
            if self._template != self._directory and not self._template.exists():
                unfinished = self._template.with_suffix(".new")
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.parent.mkdir(parents=True, exist_ok=True)
                _initialize(unfinished)
                unfinished.rename(self._template)
        unfinished = self._directory.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(self._template, unfinished)
        unfinished.chmod(0o700)
        unfinished.rename(self._directory)

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            process = self._process
            assert process is not None  # noqa: S101 - the caller has just started it
            if process.poll() is not None:
                raise ServerError(
                    f"PostgreSQL ended with code {process.returncode} instead of starting; the "
                    "gateway's log says why (`updraft local logs gateway`)"
                )
            try:
                psycopg.connect(host=str(self._sockets), dbname="postgres", user=OWNER).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    self.stop()
                    message = f"PostgreSQL does not answer after {_START_SECONDS:.0f} s"
                    raise ServerError(message) from None
                time.sleep(0.02)
            else:
                return


_TEMPLATE = threading.Lock()


def _initialize(directory: Path) -> None:
    postgres.initialize(directory, OWNER)
    server = PostgresServer(directory, directory)
    try:
        with server.connect("template1", OWNER) as connection:
            for name in ("functions.sql", "system_tables.sql"):
                connection.execute((Path(__file__).parent / name).read_bytes())
    finally:
        server.stop()
