"""Runs statements, each call in a thread, and keeps sessions between calls."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from include.local.gateway.services.redshift_data.endpoints import Endpoint
from include.local.gateway.services.redshift_data.results import ResultTooLargeError, save_result
from include.local.gateway.services.redshift_data.statements import (
    ABORTED,
    ACTIVE,
    FAILED,
    FINISHED,
    PICKED,
    STARTED,
    DataStatement,
    DataStatements,
    SubStatement,
)
from include.local.gateway.services.redshift_engine.execution import (
    Connection,
    QueryLog,
    message_of,
)
from include.local.gateway.services.redshift_engine.tokens import SqlError
from include.local.postgres import ServerError

_LOG = logging.getLogger(__name__)
CANCELLED = "Query cancelled on user's request"
# Each statement takes two connections of a server, which has 400; the others wait their turn.
_AT_ONCE = 100
_CANCEL_SECONDS, _CANCEL_PAUSE_SECONDS = 5.0, 0.03


@dataclass
class Session:
    """A connection that stays open between calls.

    :param endpoint: what it is connected to.
    :param keep: seconds that it stays open after a statement.
    :param id: its id.
    :param connections: the connections, None until the first statement.
    :param until: when it ends, in seconds since 1970; None while a statement runs.
    :param busy: whether a statement runs.
    """

    endpoint: Endpoint
    keep: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    connections: tuple[Connection, psycopg.Connection] | None = None
    until: float | None = None
    busy: bool = False

    def close(self) -> None:
        """End it."""
        if self.connections is not None:
            for connection in (self.connections[0].connection, self.connections[1]):
                connection.close()
            self.connections = None


class Runner:
    """Runs statements.

    :param statements: where they are kept.
    :param waiting: seconds before one runs.
    """

    def __init__(self, statements: DataStatements, waiting: Callable[[], float]) -> None:
        self._statements = statements
        self._waiting = waiting
        self._lock = threading.Lock()
        self._running: dict[str, psycopg.Connection] = {}
        self._sessions: dict[str, Session] = {}
        self._cancelled: set[str] = set()
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self._closed = False

    def open_session(self, endpoint: Endpoint, keep: float) -> Session:
        """Begin a session.

        :param endpoint: what it is connected to.
        :param keep: seconds that it stays open after a statement.
        """
        session = Session(endpoint, keep)
        with self._lock:
            self._sessions[session.id] = session
        return session

    def session(self, session_id: str) -> Session | None:
        """Find a session that has not ended.

        :param session_id: its id.
        """
        now = time.time()
        with self._lock:
            ended = [one for one in self._sessions.values() if one.until and one.until < now]
            for one in ended:
                del self._sessions[one.id]
            found = self._sessions.get(session_id)
        for one in ended:
            one.close()
        return found

    def start(
        self,
        statement: DataStatement,
        endpoint: Endpoint,
        values: Mapping[str, str],
        session: Session | None,
    ) -> None:
        """Begin a statement.

        :param statement: the statement, kept already.
        :param endpoint: where it runs.
        :param values: its parameters.
        :param session: its session, taken by it.
        """
        threading.Thread(
            target=self._run,
            args=(statement, endpoint, values, session),
            name=statement.id,
            daemon=True,
        ).start()

    def cancel(self, statement: DataStatement) -> bool:
        """Cancel a statement.

        :param statement: the statement.
        :returns: whether it was active.
        """
        with self._lock:
            runs = statement.id in self._running
            if runs:
                self._cancelled.add(statement.id)
        if not runs:
            return self._statements.end(statement, ABORTED, CANCELLED)
        until = time.monotonic() + _CANCEL_SECONDS
        while statement.status in ACTIVE and time.monotonic() < until:
            # Again and again: a request that comes between two queries has no effect.
            with self._lock:
                connection = self._running.get(statement.id)
            if connection is not None:
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=1)
            time.sleep(_CANCEL_PAUSE_SECONDS)
        return statement.status == ABORTED

    def close(self) -> None:
        """End all statements and sessions."""
        self._closed = True
        with self._lock:
            connections, sessions = list(self._running.values()), list(self._sessions.values())
        for connection in connections:
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=1)
        for session in sessions:
            if not session.busy:
                session.close()

    def _run(
        self,
        statement: DataStatement,
        endpoint: Endpoint,
        values: Mapping[str, str],
        session: Session | None,
    ) -> None:
        time.sleep(self._waiting())
        with self._slots:
            self._run_now(statement, endpoint, values, session)

    def _run_now(
        self,
        statement: DataStatement,
        endpoint: Endpoint,
        values: Mapping[str, str],
        session: Session | None,
    ) -> None:
        connections: tuple[Connection, psycopg.Connection] | None = None
        status, error = FINISHED, None
        try:
            if not self._statements.advance(statement, PICKED):
                return
            connections = session.connections if session is not None else None
            if connections is None or connections[0].connection.closed:
                connections = endpoint.connect()
                if session is not None:
                    session.connections = connections
            connection, notes = connections
            with self._lock:
                self._running[statement.id] = connection.connection
            statement.pid = connection.connection.info.backend_pid
            if self._statements.advance(statement, STARTED):
                self._execute(statement, connection, QueryLog(notes), values)
        except (psycopg.Error, SqlError) as failure:
            status, error = FAILED, _connection_message(failure)
        except ServerError as failure:
            status, error = FAILED, f"The local stack failed: {failure}"
        except ResultTooLargeError:
            status, error = FAILED, "The result is larger than the limit of 500 MB"
        except Exception as failure:  # noqa: BLE001 - a statement has to end, whatever happens
            _LOG.exception("Statement %s failed", statement.id)
            status, error = FAILED, f"The local stack failed: {failure!r}"
        finally:
            with self._lock:
                self._running.pop(statement.id, None)
            self._let_go(session, connections)
        self._end(statement, status, error)

    def _require_wanted(self, statement: DataStatement) -> None:
        if statement.id in self._cancelled:
            raise SqlError(CANCELLED)

    def _end(self, statement: DataStatement, status: str, error: str | None) -> None:
        with self._lock:
            cancelled = statement.id in self._cancelled
            self._cancelled.discard(statement.id)
        if cancelled and status == FAILED:
            self._statements.end(statement, ABORTED, CANCELLED)
        elif not self._closed:
            self._statements.end(statement, status, _numbered(statement, error))

    def _let_go(
        self, session: Session | None, connections: tuple[Connection, psycopg.Connection] | None
    ) -> None:
        if session is not None:
            session.busy = False
            session.until = time.time() + session.keep
        elif connections is not None:
            for connection in (connections[0].connection, connections[1]):
                connection.close()

    def _execute(
        self,
        statement: DataStatement,
        connection: Connection,
        log: QueryLog,
        values: Mapping[str, str],
    ) -> None:
        batch = statement.batch and not connection.in_transaction
        if batch:
            connection.connection.execute("BEGIN")
        try:
            for part in statement.parts:
                self._require_wanted(statement)
                self._execute_part(statement, part, connection, log, values)
        except BaseException:
            # In a session the connection lives on, and must not keep half of a batch.
            if batch and not connection.connection.closed:
                connection.connection.execute("ROLLBACK")
            raise
        if batch and connection.in_transaction:
            connection.connection.execute("COMMIT")

    def _execute_part(
        self,
        statement: DataStatement,
        part: SubStatement,
        connection: Connection,
        log: QueryLog,
        values: Mapping[str, str],
    ) -> None:
        part.query = connection.query_id = log.begin()
        part.status, part.started = STARTED, time.time()
        try:
            outcome = connection.execute(part.sql, values)
            part.rows, part.has_result = outcome.count, outcome.columns is not None
            part.size = 0
            if part.has_result:
                path = self._statements.result_file(part)
                part.size = save_result(path, outcome, connection.connection, statement.form)
        except (psycopg.Error, SqlError) as failure:
            part.ended, part.status = time.time(), FAILED
            part.error = message_of(failure)
            self._note(statement, part, connection, log)
            raise
        part.ended, part.status = time.time(), FINISHED
        self._note(statement, part, connection, log)

    @staticmethod
    def _note(
        statement: DataStatement, part: SubStatement, connection: Connection, log: QueryLog
    ) -> None:
        with suppress(psycopg.Error):
            log.end(
                part.query,
                connection.user,
                part.sql,
                part.started or time.time(),
                pid=statement.pid,
                label=connection.label(),
                error=part.error,
                rows=part.rows,
            )


def _numbered(statement: DataStatement, error: str | None) -> str | None:
    """Say which statement of a batch has failed."""
    failed = [at for at, one in enumerate(statement.parts, 1) if one.status == FAILED]
    if error is None or not statement.batch or not failed:
        return error
    return f"Query #{failed[0]} failed with {error}"


def _connection_message(error: psycopg.Error | SqlError) -> str:
    """Word an error, that of a connection as Redshift does."""
    if isinstance(error, psycopg.OperationalError) and error.diag.message_primary is None:
        text = str(error).strip().splitlines()[-1]
        text = text.rpartition("FATAL:")[2].strip() or text
        return f"FATAL: {text.replace('role ', 'user ', 1)}"
    return message_of(error)
