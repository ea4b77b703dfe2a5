"""Executes statements on a connection, with Redshift's rules on transactions and locks."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from include.local.gateway.services.redshift_engine import statements
from include.local.gateway.services.redshift_engine.repairs import repaired
from include.local.gateway.services.redshift_engine.statement import (
    APPEND,
    CHANGE,
    DEFINITION,
    TRANSACTION,
    TRUNCATE,
    Statement,
    read_name,
)
from include.local.gateway.services.redshift_engine.tokens import (
    SqlError,
    is_word,
    render,
    significant,
)

_MOST_READINGS = 60
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result.

    :param name: its name.
    :param oid: PostgreSQL's number of its type.
    :param modifier: its type modifier, -1 for none.
    :param table: PostgreSQL's number of the table that it comes from, 0 for none.
    :param number: its number there.
    """

    name: str
    oid: int
    modifier: int
    table: int
    number: int


@dataclass
class Outcome:
    """What a statement has given.

    :param columns: columns of its result; None when it has none.
    :param rows: values of the rows, as PostgreSQL writes them.
    :param count: how many rows it returned or changed, -1 when that is no question.
    """

    columns: list[Column] | None = None
    rows: list[list[str | None]] = field(default_factory=list)
    count: int = -1


Command = Callable[["Connection", Statement], Outcome]


class Connection:
    """A connection of one user to one database.

    :param connection: the connection to PostgreSQL.
    :param commands: what executes COPY and UNLOAD, by kind.
    """

    def __init__(self, connection: psycopg.Connection, commands: Mapping[str, Command]) -> None:
        self.connection = connection
        self._commands = commands
        self.query_id = 0
        self.text = ""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        status = self.connection.info.transaction_status
        return status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}

    @property
    def user(self) -> str:
        """Who is connected."""
        return str(self.connection.info.user)

    def label(self) -> str:
        """Give the ``query_group`` of the session."""
        if self.connection.info.transaction_status != TransactionStatus.IDLE:
            return "default"
        row: Any = self.connection.execute(
            "SELECT current_setting('updraft.query_group', true)"
        ).fetchone()
        return str(row[0] or "default")

    def execute(self, text: str, parameters: Mapping[str, str] | None = None) -> Outcome:
        """Execute a statement.

        :param text: one statement of Redshift's SQL.
        :param parameters: value by name.
        :returns: what it gave.
        :raises SqlError: when it can't be executed.
        :raises psycopg.Error: when PostgreSQL refuses.
        """
        self.text = text
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            word = text.strip().split(None, 1)[0].rstrip(";").lower()
            if word not in {"rollback", "abort", "commit", "end"}:
                raise SqlError(
                    "current transaction is aborted, commands ignored until end of transaction "
                    "block"
                )
        statement = statements.translate(text)
        given = dict(parameters or {})
        values = [given[name] for name in statement.parameters if name in given]
        missing = [name for name in statement.parameters if name not in given]
        if missing:
            raise SqlError(f"Parameters list is missing a value for :{missing[0]}")
        if statement.alone and self.in_transaction:
            verb = render(significant(statement.nodes)[:2][:1]).upper()
            what = "ALTER TABLE APPEND" if statement.kind == APPEND else verb
            raise SqlError(f"{what} cannot run inside a transaction block")
        return self._run(statement, values)

    def _run(self, statement: Statement, values: Sequence[str]) -> Outcome:
        if statement.kind == TRANSACTION:
            return self._send(statement.sql[0], ())
        if statement.kind == TRUNCATE:
            return self._truncate(statement)
        if statement.kind == APPEND:
            return self.in_one(lambda: self._append(statement))
        if statement.kind in self._commands:
            command = self._commands[statement.kind]
            return self.in_one(lambda: command(self, statement))
        if statement.kind == CHANGE or len(statement.sql) > 1:
            return self.in_one(lambda: self._change(statement, values))
        return self.readings(statement.sql[0], values)

    def in_one(self, work: Callable[[], Outcome]) -> Outcome:
        """Do something in the open transaction, or in one of its own.

        :param work: what is done.
        :returns: what it gave.
        """
        if self.in_transaction:
            return work()
        self.connection.execute("BEGIN")
        try:
            outcome = work()
        except BaseException:
            if not self.connection.closed:
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return outcome

    def lock(self, table: str) -> None:
        """Let nobody else write to a table until the end of the transaction.

        :param table: its name, as SQL.
        """
        # Before the first query of a transaction, so that what others wrote meanwhile is seen.
        self._lightly(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")

    def _lightly(self, text: str) -> None:
        self.connection.execute("SAVEPOINT rs_light")
        try:
            self.connection.execute(text.encode())
        except (
            psycopg.errors.InsufficientPrivilege,
            psycopg.errors.WrongObjectType,
            psycopg.errors.UndefinedTable,
            psycopg.errors.InvalidSchemaName,
            psycopg.errors.FeatureNotSupported,
        ):
            # What is wrong is said by the statement itself.
            self.connection.execute("ROLLBACK TO SAVEPOINT rs_light")
        self.connection.execute("RELEASE SAVEPOINT rs_light")

    def _change(self, statement: Statement, values: Sequence[str]) -> Outcome:
        if statement.target is not None:
            self.lock(statement.target)
        outcome = Outcome()
        for text in statement.sql:
            # A number of rows comes from what changes rows, not from notes about the table.
            found = self.readings(text, values if "$" in text else ())
            if found.count >= 0 or outcome.count < 0:
                outcome = found
        return Outcome() if statement.kind == DEFINITION else outcome

    def readings(self, text: str, values: Sequence[str] = ()) -> Outcome:
        """Execute SQL of PostgreSQL, in another reading where it names what is not there.

        :param text: the SQL.
        :param values: values of ``$1`` and so on.
        :returns: what it gave.
        """
        for _ in range(_MOST_READINGS):
            inside = self.in_transaction
            if inside:
                self.connection.execute("SAVEPOINT rs_reading")
            try:
                outcome = self._send(text, values)
            except psycopg.Error as error:
                other = repaired(text, error)
                if other is None:
                    raise
                if inside:
                    self.connection.execute("ROLLBACK TO SAVEPOINT rs_reading")
                text = other
                continue
            if inside and self.connection.info.transaction_status == TransactionStatus.INTRANS:
                self._release(text)
            return outcome
        raise SqlError("the names of this statement could not be resolved")

    def _release(self, text: str) -> None:
        first = text.strip().split(None, 1)[0].lower()
        if first not in {"begin", "start", "commit", "end", "rollback", "abort", "savepoint"}:
            self.connection.execute("RELEASE SAVEPOINT rs_reading")

    def _send(self, text: str, values: Sequence[str]) -> Outcome:
        with psycopg.RawCursor(self.connection) as cursor:
            cursor.execute(text.encode(), list(values) or None)
            result = cursor.pgresult
            if result is None or cursor.description is None:
                return Outcome(count=cursor.rowcount if _counts(text) else -1)
            columns = [
                Column(
                    name=_shown((result.fname(at) or b"").decode()),
                    oid=result.ftype(at),
                    modifier=result.fmod(at),
                    table=result.ftable(at),
                    number=result.ftablecol(at),
                )
                for at in range(result.nfields)
            ]
            rows = [
                [_text(result.get_value(row, at)) for at in range(result.nfields)]
                for row in range(result.ntuples)
            ]
            return Outcome(columns, rows, len(rows))

    def _truncate(self, statement: Statement) -> Outcome:
        """Empty a table and commit, with all that was done before it."""
        was_inside = self.in_transaction
        if not was_inside:
            self.connection.execute("BEGIN")
        try:
            self._send(statement.sql[0], ())
        except psycopg.Error:
            if not was_inside:
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        if was_inside:
            self.connection.execute("BEGIN")
        return Outcome()

    def _append(self, statement: Statement) -> Outcome:
        """Move the rows of a table into another one.

        .. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_APPEND.html
        """
        words = significant(statement.nodes)
        at = next(i for i, node in enumerate(words) if is_word(node, "from"))
        source, end = read_name(words, at + 1)
        options = [render([word]).upper() for word in words[end:]]
        unknown = [one for one in options if one not in {"IGNOREEXTRA", "FILLTARGET"}]
        if unknown or len(options) > 1:
            raise SqlError(f'syntax error at or near "{(unknown or options)[-1]}"')
        target = statement.target or ""
        for table in (target, source):
            self.connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        there, here = self._column_types(target), self._column_types(source)
        if [one for one in here if one not in there] and "IGNOREEXTRA" not in options:
            raise SqlError("Source table has columns that are not in the target table")
        if [one for one in there if one not in here] and "FILLTARGET" not in options:
            raise SqlError("Target table has columns that are not in the source table")
        shared = [name for name in there if name in here]
        for name in shared:
            if there[name] != here[name]:
                raise SqlError(f'Column "{name}" has different types or attributes in the tables')
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in shared)
        insert = f"INSERT INTO {target} ({names}) SELECT {names} FROM {source}"  # noqa: S608 - quoted
        outcome = self._send(insert, ())
        self._send(f"TRUNCATE TABLE {source}", ())
        return outcome

    def _column_types(self, table: str) -> dict[str, str]:
        rows = self.connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod) || attnotnull FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [table],
        )
        return {str(name): str(kind) for name, kind in rows.fetchall()}


def _counts(text: str) -> bool:
    words = text.strip().split(None, 1)
    return bool(words) and words[0].lower() in {"insert", "update", "delete", "merge", "with"}


_NAMES = {"rs_sysdate": "timestamp", "rs_extract": "date_part", "string_agg": "listagg"}


def _shown(name: str) -> str:
    """Give a column without a name the name that Redshift gives it."""
    return _NAMES.get(name, name.removeprefix("rs_"))


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


_QUERY_TYPES = {
    **dict.fromkeys(("COPY", "DELETE", "INSERT", "MERGE", "SELECT", "UNLOAD", "UPDATE"), ""),
    **dict.fromkeys(("ALTER", "CREATE", "DROP", "TRUNCATE"), "DDL"),
    "WITH": "SELECT",
}


def query_type(text: str) -> str:
    """Name the type of a query as SYS_QUERY_HISTORY does.

    :param text: its SQL.
    :returns: such as ``COPY``; ``CTAS`` for a table that is made from a query.
    """
    words = _COMMENT.sub(" ", text).upper().split()
    first = words[0] if words else ""
    if (
        first == "CREATE"
        and "TABLE" in words[:4]
        and re.search(r"\bAS\b[\s(]", text, re.IGNORECASE)
    ):
        return "CTAS"
    return (_QUERY_TYPES[first] or first) if first in _QUERY_TYPES else "UTILITY"


class QueryLog:
    """What Redshift notes about each query, for stl_query and its like.

    :param connection: a connection of the owner of the catalog.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def begin(self) -> int:
        """Give the number of a query."""
        row: Any = self._connection.execute("SELECT nextval('pg_catalog.rs_query_ids')").fetchone()
        return int(row[0])

    def end(self, query: int, user: str, text: str, started: float, **more: Any) -> None:
        """Note a query that has ended.

        :param query: its number.
        :param user: who has executed it.
        :param text: its SQL.
        :param started: when it began, in seconds since 1970.
        :param more: ``pid``, ``label``, ``error`` and ``rows``.
        """
        times = [
            datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in (started, time.time())
        ]
        self._connection.execute(
            "INSERT INTO pg_catalog.rs_queries VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [
                query,
                user,
                more.get("pid"),
                more.get("label") or "default",
                *times,
                int(more.get("error") is not None),
                text,
                query_type(text),
                more.get("error"),
                more.get("rows"),
            ],
        )


def message_of(error: psycopg.Error | SqlError) -> str:
    """Word an error as the Data API reports it.

    :param error: the error.
    :returns: its text.
    """
    if isinstance(error, SqlError):
        return f"ERROR: {error.message}"
    diag = error.diag
    text = diag.message_primary or str(error).strip()
    constraint = diag.constraint_name or ""
    if constraint.startswith("rs_bytes_"):
        text = f"value too long for type character varying({constraint.rsplit('_', 1)[-1]})"
    elif isinstance(error, psycopg.errors.QueryCanceled) and "timeout" not in text:
        text = "Query cancelled on user's request"
    elif isinstance(error, psycopg.errors.DivisionByZero):
        text = "Divide by zero"
    elif isinstance(error, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected):
        deadlock = isinstance(error, psycopg.errors.DeadlockDetected)
        text = (
            "deadlock detected"
            if deadlock
            else f"1023\nDetail: Serializable isolation violation on table ({text})"
        )
    parts = [f"{diag.severity or 'ERROR'}: {text}"]
    if diag.message_detail and not constraint.startswith("rs_bytes_"):
        parts.append(f"  Detail: {diag.message_detail}")
    if diag.message_hint:
        parts.append(f"  Hint: {diag.message_hint}")
    return "\n".join(parts)
