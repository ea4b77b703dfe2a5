"""What ran on a cluster or workgroup, from Amazon Redshift's own history of queries.

https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_HISTORY.html
https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_TEXT.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from updraft.errors import ArgumentError, UpdraftError

LEFT_OUT_BY_THE_CATALOG = ("COPY", "DELETE", "MERGE", "UNLOAD", "UPDATE")
"""Types of queries whose lineage Amazon DataZone does not collect from Amazon Redshift itself."""

WRITING = (*LEFT_OUT_BY_THE_CATALOG, "CTAS", "DDL", "INSERT")
"""Types of queries that change tables or files."""

Rows = Callable[[str, Mapping[str, object]], list[dict[str, Any]]]
"""Runs a query with parameters and gives its rows."""

_CUT = 4_000  # the history has so many characters of a text, SYS_QUERY_TEXT has all of them
_AT_ONCE = 100
_STATES = {"success": True, "failed": False, "canceled": False}


@dataclass(frozen=True)
class PastQuery:
    """A query that has ended.

    :param query_id: its number.
    :param query_type: its type, such as ``COPY``.
    :param text: its SQL; values that were bound are ``$1`` and so on.
    :param started_at: when it began, UTC.
    :param ended_at: when it ended, UTC.
    :param error: why it failed; None if it succeeded.
    """

    query_id: int
    query_type: str
    text: str
    started_at: datetime
    ended_at: datetime
    error: str | None = None


def server_time(rows: Rows) -> datetime:
    """Ask what time it is where the history is written.

    :param rows: runs a query.
    :returns: the time, UTC.
    """
    return _moment(rows("SELECT getdate() AS now", {})[0]["now"])


def users_named(rows: Rows, names: Sequence[str]) -> list[int]:
    """Find the numbers of users.

    :param rows: runs a query.
    :param names: their names.
    :returns: their numbers.
    :raises ArgumentError: when there is no such user.
    """
    known = {str(row["usename"]): int(row["usesysid"]) for row in rows(_USERS, {})} if names else {}
    for name in names:
        if name not in known:
            raise ArgumentError(f"exclude_users: there is no user {name!r} in the database")
    return [known[name] for name in names]


def past_queries(
    rows: Rows,
    database: str,
    since: datetime,
    until: datetime,
    *,
    types: Sequence[str] = LEFT_OUT_BY_THE_CATALOG,
    without_users: Iterable[int] = (),
) -> Iterator[PastQuery]:
    """Read which queries have ended in a period.

    :param rows: runs a query.
    :param database: name of the database that they ran in.
    :param since: begin of the period, UTC.
    :param until: its end, which does not belong to it.
    :param types: their types.
    :param without_users: numbers of users whose queries are left out.
    :returns: the queries in the order of their ends.
    :raises UpdraftError: when the history cannot be read.
    """
    others = "".join(f" AND user_id <> {int(user)}" for user in without_users)
    listed = ", ".join(f"'{_word(kind)}'" for kind in types)
    sql = (
        "SELECT query_id, query_type, status, start_time, end_time, error_message, query_text "  # noqa: S608 - words and numbers
        "FROM sys_query_history WHERE trim(database_name) = :database "
        "AND end_time >= CAST(:since AS timestamp) AND end_time < CAST(:until AS timestamp) "
        f"AND trim(query_type) IN ({listed}) AND trim(status) IN ('success', 'failed', 'canceled')"
        f"{others} ORDER BY end_time, query_id"
    )
    period = {"database": database, "since": _said(since), "until": _said(until)}
    found = rows(sql, period)
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        whole = _whole_texts(
            rows, [int(row["query_id"]) for row in some if len(row["query_text"] or "") >= _CUT]
        )
        for row in some:
            yield _query(row, whole.get(int(row["query_id"])))


_USERS = "SELECT usesysid, usename FROM pg_user"


def _whole_texts(rows: Rows, queries: Sequence[int]) -> dict[int, str]:
    if not queries:
        return {}
    listed = ", ".join(map(str, queries))
    found: dict[int, str] = {}
    sql = (
        "SELECT query_id, text FROM sys_query_text "  # noqa: S608 - numbers
        f"WHERE query_id IN ({listed}) ORDER BY query_id, sequence"
    )
    for row in rows(sql, {}):
        query = int(row["query_id"])
        found[query] = found.get(query, "") + str(row["text"])
    return found


def _query(row: Mapping[str, Any], text: str | None) -> PastQuery:
    status = str(row["status"]).strip()
    error = str(row["error_message"] or "").strip()
    return PastQuery(
        int(row["query_id"]),
        str(row["query_type"]).strip(),
        _with_lines(text if text is not None else str(row["query_text"] or "")).strip(),
        _moment(row["start_time"]),
        _moment(row["end_time"]),
        None if _STATES[status] else error or f"the query was {status}",
    )


def _with_lines(text: str) -> str:
    """Give lines back to a text; Amazon Redshift writes their ends as a backslash and a letter."""
    return text if "\n" in text else text.replace("\\n", "\n")


def _word(kind: str) -> str:
    if not kind.isalpha() or not kind.isascii():
        raise UpdraftError(f"{kind!r} is no type of a query; types are {', '.join(WRITING)}")
    return kind.upper()


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
