"""The metadata database of the local Airflow: PostgreSQL, as in an MWAA environment.

SQLite would do for one request at a time. Airflow's API server blocks its event loop while it
waits for SQLite's only writer, who may be a request that the same event loop has to finish.
"""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg

from include.local import postgres, processes
from include.local.layout import PROJECT, StateDirectory
from include.local.stack import PYTHON, server_environment
from updraft.errors import UpdraftError

SERVICE = "metadata-database"
"""Name of its process."""

_OWNER = "airflow"
_DATABASE = "postgres"
_START_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_RESTART_SECONDS = 10.0
_LAST_LINES = 4
# It survives the kill of a process, and need not survive that of the machine.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "io_method": "sync",
    "jit": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "timezone": "UTC",
    "wal_level": "minimal",
}


class MetadataDatabase:
    """One server with Airflow's database in it, on a socket that is this user's alone.

    :param state: the state directory of the local stack.
    """

    directory: Path
    """Its data; deleting it deletes all that Airflow knows."""

    def __init__(self, state: StateDirectory) -> None:
        self._state = state.root
        self.directory = state.airflow_home / "database"

    @property
    def url(self) -> str:
        """Where SQLAlchemy finds it, for ``[database] sql_alchemy_conn``."""
        host = quote(str(postgres.socket_directory(self.directory)), safe="")
        return f"postgresql+psycopg2://{_OWNER}@/{_DATABASE}?host={host}"

    def connect(self) -> psycopg.Connection:
        """Connect to it.

        :returns: a connection in which each statement commits by itself.
        :raises psycopg.Error: when it does not run.
        """
        return psycopg.connect(
            host=str(postgres.socket_directory(self.directory)),
            user=_OWNER,
            dbname=_DATABASE,
            autocommit=True,
        )

    def up(self) -> None:
        """Start it, unless it runs, and wait until it answers.

        :raises UpdraftError: when it does not start.
        """
        if not self._runs():
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self._start()
        begun = time.monotonic()
        while not self._answers():
            waited = time.monotonic() - begun
            if not self._runs():
                # Children of a server that was killed hold its memory for a moment longer.
                held = "pre-existing shared memory block" in self._said()
                if not held or waited > _RESTART_SECONDS:
                    raise UpdraftError(self._trouble("could not be started"))
                self._start()
            if waited > _START_SECONDS:
                raise UpdraftError(self._trouble(f"does not answer after {_START_SECONDS:.0f} s"))
            time.sleep(_PAUSE_SECONDS)

    def down(self) -> list[processes.FoundProcess]:
        """End it; what is in it stays on disk.

        :returns: what was ended.
        """
        ended = processes.stop(self._state, {SERVICE})
        shutil.rmtree(postgres.socket_directory(self.directory), ignore_errors=True)
        return ended

    def _start(self) -> None:
        sockets = postgres.socket_directory(self.directory)
        # What a server that was killed has left; another process may have its number by now.
        for left in (self.directory / "postmaster.pid", *sockets.iterdir()):
            left.unlink(missing_ok=True)
        command = [str(PYTHON), "-m", "include.local.postgres", "--owner", _OWNER]
        command += ["--data", str(self.directory), "--sockets", str(sockets)]
        for name, value in _SETTINGS.items():
            command += ["--set", f"{name}={value}"]
        processes.start(self._state, SERVICE, command, server_environment(), PROJECT)

    def _runs(self) -> bool:
        return any(found.service == SERVICE for found in processes.find(self._state))

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.connect().close()
            return True
        return False

    def _trouble(self, what: str) -> str:
        log = processes.log_file(self._state, SERVICE)
        return (
            f"Airflow's metadata database {what}; its log is {log} and ends with:\n{self._said()}"
        )

    def _said(self) -> str:
        log = processes.log_file(self._state, SERVICE)
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        return "\n".join(lines[-_LAST_LINES:])
