"""Copies between S3 and SQL databases, on real ones."""

import gzip
import itertools
from types import SimpleNamespace

import pytest
from airflow.providers.openlineage import conf
from airflow.providers.postgres.hooks import postgres

from tests.integration import sql_databases
from tests.integration.copy_tasks import Bucket, arguments, attempt
from updraft.compat import AirflowException, AirflowFailException
from updraft.hooks.sql import SqlSession
from updraft.operators import copy_base
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_load_ledger import DEFAULT_TABLE
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

pytestmark = pytest.mark.integration

KINDS = {
    "sqlite": sql_databases.sqlite,
    "psycopg": sql_databases.postgresql,
    "psycopg2": sql_databases.postgresql,
}


each_driver = pytest.mark.parametrize("database", KINDS, indirect=True, scope="module")


@pytest.fixture(scope="module", params=["sqlite", "psycopg"])
def database(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # The hook takes psycopg2 only where there is an older SQLAlchemy, as on Airflow 2.
        patch.setattr(postgres, "USE_PSYCOPG3", request.param == "psycopg")
        with KINDS[request.param](tmp_path_factory.mktemp("database")) as found:
            yield found


@pytest.fixture(scope="module")
def stack_bucket(local_stack):
    return Bucket(local_stack.endpoint_url)


@pytest.fixture
def bucket(stack_bucket, local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return stack_bucket


def unload(database, **more):
    return CopySqlToS3Operator(**arguments(sql_conn_id=database.conn_id, **more))


def load(database, **more):
    return CopyS3ToSqlOperator(**arguments(sql_conn_id=database.conn_id, **more))


def test_a_query_becomes_a_file_of_the_legacy_kind(database, bucket):
    table = database.table("id int, v varchar(40), n numeric(30, 2)")
    database.run(f"insert into {table} values (1, 'a,b\"c\\', 1.50), (2, null, null), (3, '', 7)")
    operator = unload(
        database,
        query=f"select id, v, n from {table} where id > ? order by id",
        parameters=[0],
        s3_uri=bucket.uri("one/file"),
    )
    result = operator.execute(attempt())
    content = bucket.get("one/file")
    numbers = ("1.50", "7.00") if "postgres" in database.conn_id else ("1.5", "7")
    assert content.decode() == f'1,a\\,b"c\\\\,{numbers[0]}\n2,\\n,\\n\n3,,{numbers[1]}\n'
    assert result == {
        "rows": 3,
        "bytes": len(content),
        "s3_uri": bucket.uri("one/file"),
        "columns": ["id", "v", "n"],
    }


@each_driver
def test_a_percent_sign_in_a_query_is_one(database, bucket):
    for parameters, query in ((None, "select 'a%s' like 'a%'"), (["x"], "select ? || '%s'")):
        operator = unload(
            database, query=query, parameters=parameters, s3_uri=bucket.uri("percent")
        )
        operator.execute(attempt())
        assert bucket.get("percent") in {b"1\n", b"true\n", b"x%s\n"}


def test_a_directory_gets_one_file_and_a_retry_replaces_it(database, bucket):
    for _ in range(2):
        operator = unload(
            database,
            query="select 1 as n, 'a' as v",
            s3_uri=bucket.uri("folder/"),
            file_format="tsv",
            compression="gzip",
        )
        operator.execute(attempt())
    assert bucket.keys("folder/") == ["folder/part-00000.tsv.gz"]
    assert gzip.decompress(bucket.get("folder/part-00000.tsv.gz")) == b"1\ta\n"


@each_driver
def test_rows_come_back_through_files(database, bucket):
    awkward = [
        (1, "a,b"),
        (2, None),
        (3, ""),
        (4, "two\nlines"),
        (5, "\\n"),
        (6, "'); drop table x; --"),
        (7, "%s ? :a"),
        (8, "ü\t🜂"),
    ]
    source, target = (database.table("id int, v varchar(40)") for _ in range(2))
    for row in awkward:
        database.run(f"insert into {source} values (?, ?)", *row)
    unload(
        database, query=f"select * from {source}", s3_uri=bucket.uri("there"), compression="gzip"
    ).execute(attempt())
    result = load(
        database,
        s3_uri=bucket.uri("there"),
        compression="gzip",
        insert_query=f"insert into {target} (id, v) values (?, ?)",
        batch_rows=3,
    ).execute(attempt())
    assert result == {"rows": 8, "files": 1, "already_loaded": False}
    assert database.run(f"select * from {target} order by id") == awkward


@each_driver
def test_fetches_and_inserts_in_portions(database, bucket):
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)"
    result = unload(
        database,
        query=f"{numbers} select i, 'some text for number ' || i from n",
        s3_uri=bucket.uri("many"),
    ).execute(attempt())
    assert result["rows"] == 5000
    target = database.table("id int, v varchar(40)")
    load(database, s3_uri=bucket.uri("many"), table=target).execute(attempt())
    found = database.run(f"select count(*), sum(id), count(distinct v) from {target}")
    assert found == [(5000, 5000 * 5001 // 2, 5000)]


def test_a_retry_loads_nothing_twice_and_a_cleared_task_does(database, bucket):
    uri = bucket.put("retry/a", b"1\n2\n")
    table = database.table("id int")
    first = load(database, s3_uri=uri, table=table).execute(attempt(1, "run"))
    again = load(database, s3_uri=uri, table=table).execute(attempt(2, "run"))
    assert (first["already_loaded"], again["already_loaded"]) == (False, True)
    assert again["rows"] == 2
    assert database.run(f"select count(*) from {table}") == [(2,)]
    load(database, s3_uri=uri, table=table).execute(attempt(3, "run", max_tries=4))
    assert database.run(f"select count(*) from {table}") == [(4,)]


@pytest.mark.parametrize("bad", [b"x,1\n", b"1\n", b"1,2,3\n", b"1,\xff\n", b"1,a\\"])
def test_a_bad_record_leaves_nothing(database, bucket, bad):
    uri = bucket.put("bad/file", b"1,2\n" * 5 + bad)
    table = database.table("a int check (a = 1), b int")
    operator = load(database, s3_uri=uri, table=table, batch_rows=2)
    with pytest.raises(AirflowException, match=r"bad/file"):
        operator.execute(attempt())
    assert database.run(f"select * from {table}") == []
    good = bucket.put("bad/file", b"1,2\n")
    load(database, s3_uri=good, table=table).execute(attempt())
    assert database.run(f"select * from {table}") == [(1, 2)]


def test_all_files_of_a_directory_or_none(database, bucket):
    for name, body in {"a": b"1\n", "b/c": b"2\n", "d/": b"", "e": b"3"}.items():
        bucket.put(f"several/{name}", body)
    table = database.table("id int")
    result = load(database, s3_uri=bucket.uri("several/"), table=table).execute(attempt())
    assert (result["rows"], result["files"]) == (3, 3)
    with pytest.raises(AirflowException, match="there are no objects below"):
        load(database, s3_uri=bucket.uri("nothing/"), table=table).execute(attempt())
    with pytest.raises(AirflowException, match="no object 'none'"):
        load(database, s3_uri=bucket.uri("none"), table=table).execute(attempt())


def test_a_table_is_made_once(database, bucket):
    uri = bucket.put("made", b"1,a\n")
    name = f"{database.table('x int')}_new"
    for _ in range(2):
        load(
            database,
            s3_uri=uri,
            table=name,
            columns=["id", "v"],
            create_table_sql=f"create table {name} (v varchar(9), id int)",
        ).execute(attempt())
    assert database.run(f"select v, id from {name}") == [("a", 1)] * 2


INJECTIONS = [
    "{table} values (1); drop table {table}; --",
    '{table}"; drop table {table}; --',
    "{table} select 1 from {table} --",
    "{table}' or '1'='1",
    "({table})",
    "{table}/**/as x",
]


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("argument", ["table", "columns", "ledger_table"])
def test_no_name_is_taken_for_sql(database, bucket, argument, text):
    table = database.table("id int")
    database.run(f"insert into {table} values (7)")
    uri = bucket.put("names", b"1\n")
    given = text.format(table=table)
    more = {"table": table, "ledger_table": None}
    more[argument] = [given] if argument == "columns" else given
    before = set(tables(database))
    operator = load(database, s3_uri=uri, **more)
    try:
        operator.execute(attempt())
    except AirflowException:
        assert argument != "ledger_table"
        assert database.run(f"select id from {table}") == [(7,)]
    else:
        # A ledger is made under the very name that was given.
        assert argument == "ledger_table"
        assert set(tables(database)) - before == {given}
        assert database.run(f"select id from {table} order by id") == [(1,), (7,)]


def tables(database):
    sql = (
        "select table_name from information_schema.tables where table_schema = 'public'"
        if "postgres" in database.conn_id
        else "select name from sqlite_master where type = 'table'"
    )
    return [name for (name,) in database.run(sql)]


def test_awkward_names_are_quoted(database, bucket):
    name = f'{database.table("x int")} "of" orders?'
    quoted = '"' + name.replace('"', '""') + '"'
    database.run(f'create table {quoted} ("unit %s price" int, "order" int)')
    uri = bucket.put("awkward", b"1,2\n")
    load(database, s3_uri=uri, table=name, columns=["unit %s price", '"order"']).execute(attempt())
    assert database.run(f'select "unit %s price", "order" from {quoted}') == [(1, 2)]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "one of them has to be given"),
        ({"table": "t", "insert_query": "insert into t values (?)"}, "exactly one of them"),
        ({"insert_query": "insert into t values ('?')"}, "has no question marks"),
        (
            {"insert_query": "insert into t values (?)", "columns": ["a"]},
            "names the columns itself",
        ),
        ({"table": "t", "batch_rows": 0}, "batch_rows"),
        ({"table": "t", "file_format": "cvs"}, "did you mean 'csv'"),
        ({"table": ""}, "one of them"),
        (
            {"insert_query": "insert into t values (?)", "create_table_sql": "create table t"},
            "create_table_sql: needs table",
        ),
        ({"table": "t", "s3_uri": "bucket/key"}, "s3_uri: 'bucket/key' is not an S3 URI"),
    ],
    ids=str,
)
def test_wrong_arguments_fail_for_good(more, message):
    nowhere = sql_databases.Database("no_such_connection", {})
    with pytest.raises(AirflowFailException, match=message):
        load(nowhere, **{"s3_uri": "s3://bucket/x", **more}).execute(attempt())


@pytest.mark.parametrize(
    ("query", "message"),
    [("select * from no_such_table", "no_such_table"), ("", "query: is empty")],
)
def test_a_wrong_query_is_one_error_and_no_file(database, bucket, query, message):
    with pytest.raises(AirflowException, match=message):
        unload(database, query=query, s3_uri=bucket.uri("wrong")).execute(attempt())
    assert bucket.keys("wrong") == []


def test_a_query_that_fails_half_way_leaves_the_old_file(database, bucket, monkeypatch):
    monkeypatch.setattr(copy_base, "UPLOAD_PART_BYTES", 5 * 1024**2)
    bucket.put("half", b"old")
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)"
    text = "repeat('x', 5000)" if "postgres" in database.conn_id else "printf('%.5000c', 'x')"
    real, fetched = SqlSession.stream, itertools.count()

    def stream(session, *given):
        cursor = real(session, *given)

        def fetchmany(size):
            if next(fetched) == 1:
                raise ConnectionError("the server is gone")
            return cursor.fetchmany(size)

        wrapped = SimpleNamespace(fetchmany=fetchmany, close=cursor.close)
        wrapped.description = [("i",), ("v",)]
        return wrapped

    monkeypatch.setattr(SqlSession, "stream", stream)
    operator = unload(
        database, query=f"{numbers} select i, {text} from n", s3_uri=bucket.uri("half")
    )
    with pytest.raises(AirflowException, match="query: ConnectionError: the server is gone"):
        operator.execute(attempt())
    assert bucket.get("half") == b"old"
    assert bucket.uploads() == []


def test_a_killed_task_commits_nothing(database, bucket, monkeypatch):
    table = database.table("id int")
    uri = bucket.put("killed", b"1\n2\n3\n")
    operator = load(database, s3_uri=uri, table=table, batch_rows=1)
    real = SqlSession.execute_many

    def killed(session, *given):
        real(session, *given)
        operator.on_kill()

    monkeypatch.setattr(SqlSession, "execute_many", killed)
    with pytest.raises(AirflowException, match="told to stop"):
        operator.execute(attempt())
    assert database.run(f"select * from {table}") == []


def test_lineage(database, bucket, monkeypatch):
    monkeypatch.setattr(conf, "is_disabled", lambda: False)
    table = database.table("id int, v varchar(9)")
    load_task = load(
        database,
        s3_uri=bucket.put("lineage/in", b"1,a\n2,b\n"),
        insert_query=f"insert into {table} values (?, ?)",
    )
    load_task.execute(attempt())
    unload_task = unload(
        database, query=f"select id, v from {table}", s3_uri=bucket.uri("lineage/out")
    )
    unload_task.execute(attempt())
    loaded, unloaded = (
        task.get_openlineage_facets_on_complete(None) for task in (load_task, unload_task)
    )
    assert (loaded.inputs[0].namespace, loaded.inputs[0].name) == (
        f"s3://{bucket.name}",
        "lineage/in",
    )
    (written,) = unloaded.outputs
    assert (written.namespace, written.name) == (f"s3://{bucket.name}", "lineage/out")
    assert written.outputFacets["outputStatistics"].rowCount == 2
    assert [field.name for field in written.facets["schema"].fields] == ["id", "v"]
    if "postgres" in database.conn_id:
        assert [one.name for one in loaded.outputs] == [f"postgres.public.{table}"]
        assert loaded.outputs[0].outputFacets["outputStatistics"].rowCount == 2
        assert [one.name for one in unloaded.inputs] == [f"postgres.public.{table}"]
        assert unloaded.inputs[0].namespace.startswith("postgres://")


def test_the_ledger_is_one_row_for_each_load(database, bucket):
    table = database.table("id int")
    uri = bucket.put("ledger", b"1\n2\n")
    database.run(f"delete from {DEFAULT_TABLE}")
    load(database, s3_uri=uri, table=table).execute(attempt())
    assert database.run(f"select row_count from {DEFAULT_TABLE}") == [(2,)]
