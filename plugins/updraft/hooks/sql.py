"""Any database for which Airflow has a hook of the provider ``common.sql``."""

import importlib
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from airflow.providers.common.compat.sdk import BaseHook
from airflow.providers.common.sql.hooks.sql import DbApiHook

from updraft.compat import AirflowException
from updraft.errors import ArgumentError, UpdraftError
from updraft.sql_parameters import with_style

log = logging.getLogger(__name__)

_LONGEST_REASON = 500
_PLAIN_NAME = re.compile(r"[^\W\d]\w*")
_QUOTED_NAME = re.compile(r'"(?:[^"]|"")+"')
_NAME_PART = re.compile(rf"{_QUOTED_NAME.pattern}|{_PLAIN_NAME.pattern}")
_TABLE_NAME = re.compile(rf"(?:{_NAME_PART.pattern})(?:\.(?:{_NAME_PART.pattern})){{0,2}}")
_DRIVER_QUOTES = {"MySQLdb": "``", "pymysql": "``", "pymssql": "[]"}


class DatabaseError(UpdraftError):
    """A database refused something; a retry may mend it."""


class SqlDatabase:
    """A database behind an Airflow connection.

    :param conn_id: id of the connection.
    :param hook_params: further arguments of its hook.
    """

    def __init__(self, conn_id: str, hook_params: Mapping[str, Any] | None = None) -> None:
        self._conn_id = conn_id
        self._hook = _hook(conn_id, hook_params)
        self._session: SqlSession | None = None

    @property
    def hook(self) -> DbApiHook:
        """The hook of the connection."""
        return self._hook

    @contextmanager
    def session(self) -> Iterator["SqlSession"]:
        """Open a connection that commits nothing by itself.

        :returns: the session; what it has not committed at its end is rolled back.
        :raises DatabaseError: when the database can't be reached.
        """
        with explained(f"connection {self._conn_id!r}: the database can't be reached"):
            connection = self._hook.get_conn()
        try:
            with explained(f"connection {self._conn_id!r}"):
                if self._hook.supports_autocommit:
                    self._hook.set_autocommit(connection, False)
            self._session = SqlSession(self._hook, connection)
            yield self._session
        finally:
            self._session = None
            with suppress(Exception):
                connection.rollback()
            with suppress(Exception):
                connection.close()

    def cancel(self) -> None:
        """End the statement that is running, if the driver can; called from a signal handler."""
        session = self._session
        if session is not None:
            session.cancel()


class SqlSession:
    """One connection to a database, for one transaction at a time.

    :param hook: its hook.
    :param connection: the connection as PEP 249 has it.
    """

    def __init__(self, hook: DbApiHook, connection: Any) -> None:
        self._hook = hook
        self._connection = connection
        self._driver = _driver(connection)

    def marked(self, sql: str) -> str:
        """Mark parameters as the driver has them, in a style that takes a sequence.

        :param sql: a statement, with ``?`` for each parameter.
        :returns: the statement for the driver.
        """
        return with_style(sql, self._style, doubles_percent=self._driver != "pymssql")

    @property
    def _style(self) -> str:
        if self._hook.placeholder == "?":
            return "qmark"
        own = getattr(sys.modules.get(self._driver), "paramstyle", "format")
        return "numeric" if own in {"numeric", "named"} else "format"

    def execute(self, sql: str, parameters: Sequence[object] = ()) -> Any:
        """Run a statement.

        :param sql: the statement, with ``?`` for each parameter.
        :param parameters: the values, which are bound.
        :returns: the cursor.
        :raises Exception: what the driver raises.
        """
        cursor = self._connection.cursor()
        if parameters:
            cursor.execute(self.marked(sql), tuple(parameters))
        else:
            cursor.execute(sql)
        return cursor

    def stream(self, sql: str, parameters: Sequence[object], size: int) -> Any:
        """Run a query whose result is fetched in portions.

        Most drivers do so by themselves. Those of PostgreSQL and MySQL would fetch all of it at
        once, unless the cursor is one of the server's.

        :param sql: the query, with ``?`` for each parameter.
        :param parameters: the values, which are bound.
        :param size: number of rows of a portion.
        :returns: the cursor.
        :raises Exception: what the driver raises.
        """
        if self._driver in {"psycopg", "psycopg2"}:
            cursor = self._connection.cursor(name="updraft")
        elif self._driver in {"MySQLdb", "pymysql"}:
            module: Any = importlib.import_module(f"{self._driver}.cursors")
            cursor = self._connection.cursor(module.SSCursor)
        else:
            cursor = self._connection.cursor()
        cursor.arraysize = size
        if self._driver == "psycopg2":
            cursor.itersize = size
        if parameters:
            cursor.execute(self.marked(sql), tuple(parameters))
        else:
            cursor.execute(sql)
        return cursor

    def execute_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a statement for each of some rows.

        :param sql: the statement as :meth:`marked` gives it.
        :param rows: the values, which are bound.
        :raises Exception: what the driver raises.
        """
        cursor = self._connection.cursor()
        if self._driver == "psycopg2":  # its own executemany waits for each row
            extras: Any = importlib.import_module("psycopg2.extras")
            extras.execute_batch(cursor, sql, rows, page_size=len(rows))
        else:
            cursor.executemany(sql, rows)
        cursor.close()

    def commit(self) -> None:
        """Commit the transaction."""
        self._connection.commit()

    def rollback(self) -> None:
        """Give the transaction up; an error of it counts for nothing."""
        with suppress(Exception):
            self._connection.rollback()

    def column(self, argument: str, text: str) -> str:
        """Write the name of a column as SQL.

        A plain word stays as it is, so that the database takes it in its own case. Anything else is
        quoted as one identifier, whatever stands in it.

        :param argument: name of the argument, for the error message.
        :param text: the name; one in double quotes stays in quotes.
        :returns: it as SQL.
        :raises ArgumentError: when it can be no name.
        """
        if _PLAIN_NAME.fullmatch(text):
            return text
        if _QUOTED_NAME.fullmatch(text):
            text = text[1:-1].replace('""', '"')
        return self._quoted(argument, text)

    def table(self, argument: str, text: str) -> str:
        """Write the name of a table as SQL.

        :param argument: name of the argument, for the error message.
        :param text: ``table``, ``schema.table`` or ``database.schema.table``; parts with other
            characters than letters, digits and ``_`` stand in double quotes. Any other text is
            taken for the name of a table as a whole.
        :returns: it as SQL.
        :raises ArgumentError: when it can be no name.
        """
        if _TABLE_NAME.fullmatch(text):
            return ".".join(self.column(argument, part) for part in _NAME_PART.findall(text))
        return self._quoted(argument, text)

    def _quoted(self, argument: str, name: str) -> str:
        begin, end = tuple(_DRIVER_QUOTES.get(self._driver) or _hook_quotes(self._hook))
        if not name or "\0" in name or ("?" in name and end != '"'):
            raise ArgumentError(
                f"{argument}: {name!r} can be no name: it is empty, or has a NUL or a question "
                "mark in it"
            )
        return f"{begin}{name.replace(end, end * 2)}{end}"

    def cancel(self) -> None:
        """End the statement that is running, if the driver can."""
        for method in ("cancel", "interrupt"):
            end = getattr(self._connection, method, None)
            if callable(end):
                with suppress(Exception):
                    end()
                return


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what a driver raises into one sentence.

    Drivers have no common root for their errors.

    :param what: what was done.
    :raises DatabaseError: in place of any error but Updraft's own.
    """
    try:
        yield
    except (UpdraftError, AirflowException):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        if len(reason) > _LONGEST_REASON:
            reason = f"{reason[:_LONGEST_REASON]}…"
        raise DatabaseError(f"{what}: {type(error).__name__}: {reason}") from error


def _hook(conn_id: str, hook_params: Mapping[str, Any] | None) -> DbApiHook:
    connection: Any = BaseHook.get_connection(conn_id)
    try:
        hook = connection.get_hook(hook_params=dict(hook_params or {}))
    except (AirflowException, ImportError) as error:
        raise UpdraftError(
            f"connection {conn_id!r} of the type {connection.conn_type!r} has no hook; install its "
            f"provider: {error}"
        ) from error
    if not isinstance(hook, DbApiHook):
        raise ArgumentError(
            f"sql_conn_id: connection {conn_id!r} is of the type {connection.conn_type!r}, which "
            "is no database: its hook is not one of the provider common.sql"
        )
    return hook


def _driver(connection: Any) -> str:
    """Name the package that made a connection, through what Airflow may have wrapped around it."""
    inner = getattr(connection, "_conn", None) or getattr(connection, "connection", None)
    for one in (connection, inner):
        for kind in type(one).__mro__:
            package = kind.__module__.partition(".")[0]
            if hasattr(sys.modules.get(package), "paramstyle"):
                return package
    return ""


def _hook_quotes(hook: DbApiHook) -> str:
    """Give the quotes of a database, a double quote on both sides if its hook knows no others."""
    signs = hook.escape_word_format.partition("{}")
    if len(signs[0]) == 1 and len(signs[2]) == 1:
        return signs[0] + signs[2]
    return '""'
