from datetime import UTC, datetime

import pytest

from updraft.errors import UpdraftError
from updraft.redshift.query_history import PastQuery, past_queries, server_time, users_named

SINCE, UNTIL = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (9, 10))


def row(query, text, status="success", **more):
    return {
        "query_id": query,
        "query_type": "COPY   ",
        "status": f"{status:10}",
        "start_time": "2026-11-23T09:10:00.5",
        "end_time": "2026-11-23T09:11:00",
        "error_message": " ",
        "query_text": text,
        **more,
    }


def read(*history, texts=(), **arguments):
    asked = []

    def rows(sql, parameters):
        asked.append((sql, parameters))
        return list(texts) if "sys_query_text" in sql else list(history)

    return list(past_queries(rows, "dev", SINCE, UNTIL, **arguments)), asked


def test_a_query_is_told_with_its_times_in_utc():
    (query,), [(sql, parameters)] = read(row(7, "copy t from 's3://b/p'"), without_users=[100, 101])
    began, ended = (
        datetime(2026, 11, 23, 9, *rest, tzinfo=UTC) for rest in ((10, 0, 500_000), (11,))
    )
    assert query == PastQuery(7, "COPY", "copy t from 's3://b/p'", began, ended)
    assert parameters == {
        "database": "dev",
        "since": "2026-11-23 09:00:00.000000",
        "until": "2026-11-23 10:00:00.000000",
    }
    assert "user_id <> 100 AND user_id <> 101" in sql


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        ("failed", "no such table ", "no such table"),
        ("failed", None, "the query was failed"),
        ("canceled", "", "the query was canceled"),
    ],
)
def test_what_did_not_succeed(status, message, error):
    (query,), _ = read(row(7, "copy", status, error_message=message))
    assert query.error == error


def test_a_text_that_the_history_has_cut():
    long = "copy t from 's3://b/" + "x" * 5000 + "'"
    texts = [{"query_id": 7, "text": long[:4000]}, {"query_id": 7, "text": long[4000:].ljust(4000)}]
    queries, asked = read(row(7, long[:4000]), row(8, "copy u"), texts=texts)
    assert [query.text for query in queries] == [long, "copy u"]
    assert [("IN (7)" in sql) for sql, _ in asked] == [False, True]


def test_ends_of_lines_come_back():
    (query,), _ = read(row(7, "copy t -- into t\\nfrom 's3://b/p'"))
    assert query.text == "copy t -- into t\nfrom 's3://b/p'"
    (query,), _ = read(row(7, "copy t\nfrom 's3://b/p' delimiter '\\n'"))
    assert query.text.endswith("delimiter '\\n'")


@pytest.mark.parametrize("kind", ["COPY') OR (1=1", "", "CTÄS"])
def test_a_type_that_is_none(kind):
    with pytest.raises(UpdraftError, match="no type of a query"):
        read(types=[kind])


def test_users_and_time():
    def rows(sql, _):
        if "getdate" in sql:
            return [{"now": "2026-11-23T09:00:00"}]
        return [{"usesysid": 100, "usename": "airflow"}]

    assert server_time(rows) == SINCE
    assert users_named(rows, ["airflow"]) == [100]
    assert users_named(lambda *_: pytest.fail("asked"), []) == []
    with pytest.raises(UpdraftError, match="there is no user 'airfow'"):
        users_named(rows, ["airfow"])
