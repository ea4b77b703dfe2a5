"""The Redshift Data API on the local stack: statements, parameters, sessions, results."""

import time
import uuid

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.redshift_warehouse import StatementFailedError, new_warehouse

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


def test_description_of_a_query(warehouse):
    done = warehouse.run("select 1 as a, 'x' as b, null::int as c, 1.5::float8 as d, true as e")
    assert done["HasResultSet"] is True
    assert (done["ResultRows"], done["Status"]) == (1, "FINISHED")
    assert done["Duration"] > 0
    assert done["RedshiftQueryId"] > 0
    assert done["RedshiftPid"] > 0
    result = warehouse.data.get_statement_result(Id=done["Id"])
    assert result["Records"] == [
        [
            {"longValue": 1},
            {"stringValue": "x"},
            {"isNull": True},
            {"doubleValue": 1.5},
            {"booleanValue": True},
        ]
    ]
    types = [(one["name"], one["typeName"]) for one in result["ColumnMetadata"]]
    assert types == [("a", "int4"), ("b", "varchar"), ("c", "int4"), ("d", "float8"), ("e", "bool")]
    assert result["TotalNumRows"] == 1


def test_metadata_names_the_table(warehouse):
    warehouse.run("create table named (id int not null, price decimal(8,2), name varchar(20))")
    done = warehouse.run("select id, price, name from named")
    columns = warehouse.data.get_statement_result(Id=done["Id"])["ColumnMetadata"]
    assert [one["tableName"] for one in columns] == ["named"] * 3
    assert [one["nullable"] for one in columns] == [0, 1, 1]
    assert [(one["precision"], one["scale"]) for one in columns] == [(10, 0), (8, 2), (20, 0)]


def test_csv_results_have_a_call_of_their_own(warehouse):
    done = warehouse.run("select 1 as a, 'x,y' as b", ResultFormat="CSV")
    found = warehouse.data.get_statement_result_v2(Id=done["Id"])
    assert found["Records"] == [{"CSVRecords": 'a,b\r\n1,"x,y"\r\n'}]
    with pytest.raises(ClientError, match="GetStatementResultV2"):
        warehouse.data.get_statement_result(Id=done["Id"])


def test_large_results_come_in_pages(warehouse):
    done = warehouse.run("select n, repeat('x', 1000) from generate_series(1, 2500) as s(n)")
    first = warehouse.data.get_statement_result(Id=done["Id"])
    assert len(first["Records"]) < 2500
    assert [row[0] for row in warehouse.result(done["Id"])] == list(range(1, 2501))


def test_a_batch_is_one_transaction(warehouse):
    warehouse.run("create table batch (a int)")
    done = warehouse.batch("insert into batch values (1)", "select * from batch")
    assert done["Status"] == "FINISHED"
    assert [one["HasResultSet"] for one in done["SubStatements"]] == [False, True]
    assert warehouse.result(done["SubStatements"][1]["Id"]) == [[1]]
    done = warehouse.batch("insert into batch values (2)", "select * from nosuch", "select 1")
    assert (done["Status"], [one["Status"] for one in done["SubStatements"]]) == (
        "FAILED",
        ["FINISHED", "FAILED", "ABORTED"],
    )
    assert done["Error"] == 'Query #2 failed with ERROR: relation "nosuch" does not exist'
    assert warehouse.rows("select a from batch") == [[1]]


def test_truncate_commits_what_came_before_it(warehouse):
    warehouse.run("create table cut (a int); ")
    warehouse.run("create table before (a int)")
    done = warehouse.batch(
        "insert into before values (1)", "truncate cut", "insert into before values (2)", "nonsense"
    )
    assert done["Status"] == "FAILED"
    assert warehouse.rows("select a from before") == [[1]]


def test_client_token_submits_once(warehouse):
    warehouse.run("create table once (a int)")
    token = str(uuid.uuid4())
    first, second = (
        warehouse.submit("insert into once values (1)", ClientToken=token) for _ in range(2)
    )
    warehouse.finish(first)
    assert first == second
    assert warehouse.rows("select count(*) from once") == [[1]]
    with pytest.raises(ClientError, match="used with other parameters"):
        warehouse.submit("insert into once values (2)", ClientToken=token)


def test_cancel_really_cancels(warehouse):
    running = warehouse.submit("select count(*) from generate_series(1, 3000000000)")
    while warehouse.data.describe_statement(Id=running)["Status"] != "STARTED":
        time.sleep(0.02)
    assert warehouse.data.cancel_statement(Id=running)["Status"] is True
    done = warehouse.finish(running)
    assert (done["Status"], done["Error"]) == ("ABORTED", "Query cancelled on user's request")
    active = "select count(*) from pg_stat_activity where query like '%3000000000%' and state = "
    until = time.monotonic() + 5
    while warehouse.rows(active + "'active' and pid <> pg_backend_pid()") != [[0]]:
        assert time.monotonic() < until
    with pytest.raises(ClientError, match="already in ABORTED state"):
        warehouse.data.cancel_statement(Id=running)


def test_sessions_keep_temporary_tables_and_transactions(warehouse):
    first = warehouse.data.execute_statement(
        Sql="create temp table mine (a int)", SessionKeepAliveSeconds=30, **warehouse.place
    )
    warehouse.finish(first["Id"])
    session = first["SessionId"]
    for text in ("begin", "insert into mine values (1)", "rollback", "insert into mine values (2)"):
        warehouse.run(text, SessionId=session)
    assert warehouse.rows("select a from mine", SessionId=session) == [[2]]
    with pytest.raises(StatementFailedError, match='relation "mine" does not exist'):
        warehouse.run("select a from mine")
    with pytest.raises(ClientError, match="can't be given together with SessionId"):
        warehouse.data.execute_statement(Sql="select 1", SessionId=session, Database="dev")


@pytest.mark.parametrize(
    ("sql", "parameters", "message"),
    [
        ("select :a", {"a": "1", "b": "2"}, r"Unused parameters: \[b\]"),
        ("select :a, :b", {"a": "1"}, r"Cannot find parameters: \[b\]"),
        ("select ':a', \":a\" -- :a", {"a": "1"}, r"Unused parameters: \[a\]"),
        ("  ", None, "is empty"),
        (f"select '{'x' * 102_400}'", None, "100 KB"),
    ],
)
def test_calls_that_are_refused(warehouse, sql, parameters, message):
    with pytest.raises(ClientError, match=message):
        warehouse.submit(sql, parameters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"DbUser": "nobody"}, 'FATAL: user "nobody" does not exist'),
        ({"Database": "nowhere"}, 'FATAL: database "nowhere" does not exist'),
    ],
)
def test_connections_that_are_refused(warehouse, change, message):
    statement = warehouse.data.execute_statement(Sql="select 1", **{**warehouse.place, **change})
    assert warehouse.finish(statement["Id"])["Error"] == message


def test_a_secret_names_the_user(warehouse):
    secrets = warehouse.client("secretsmanager")
    text = '{"username": "awsuser", "password": "x"}'
    arn = secrets.create_secret(Name=f"s-{uuid.uuid4()}", SecretString=text)["ARN"]
    place = {"ClusterIdentifier": warehouse.cluster, "Database": "dev", "SecretArn": arn}
    found = warehouse.data.execute_statement(Sql="select current_user", **place)
    warehouse.finish(found["Id"])
    assert warehouse.result(found["Id"]) == [["awsuser"]]


def test_catalog_calls(warehouse):
    warehouse.batch("create schema seen", "create table seen.t (a int not null, b varchar(7))")
    place = warehouse.place
    assert warehouse.data.list_databases(**place)["Databases"] == ["dev"]
    assert warehouse.data.list_schemas(**place, SchemaPattern="se%")["Schemas"] == ["seen"]
    assert warehouse.data.list_tables(**place, SchemaPattern="seen")["Tables"] == [
        {"schema": "seen", "name": "t", "type": "TABLE"}
    ]
    described = warehouse.data.describe_table(**place, Schema="seen", Table="t")
    found = [(one["name"], one["typeName"], one["nullable"]) for one in described["ColumnList"]]
    assert found == [("a", "int4", 0), ("b", "varchar", 1)]


def test_statements_are_listed(warehouse):
    name = f"name-{uuid.uuid4().hex}"
    warehouse.run("select 1", StatementName=name)
    [found] = warehouse.data.list_statements(StatementName=name, Status="FINISHED")["Statements"]
    assert (found["QueryString"], found["IsBatchStatement"]) == ("select 1", False)


def test_writers_of_a_table_wait_for_one_another(warehouse):
    warehouse.run("create table counter as select 0 as n")
    ids = [warehouse.submit("update counter set n = n + 1") for _ in range(8)]
    assert {warehouse.finish(one)["Status"] for one in ids} == {"FINISHED"}
    assert warehouse.rows("select n from counter") == [[8]]


def test_a_conflict_is_a_serializable_isolation_violation(warehouse):
    warehouse.run("create table contested as select 0 as n")
    opened = warehouse.data.execute_statement(
        Sql="begin", SessionKeepAliveSeconds=30, **warehouse.place
    )
    warehouse.finish(opened["Id"])
    session = opened["SessionId"]
    warehouse.run("select n from contested", SessionId=session)
    warehouse.run("update contested set n = 1")
    with pytest.raises(StatementFailedError, match=r"1023.*\n.*Serializable isolation violation"):
        warehouse.run("update contested set n = 2", SessionId=session)


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)


@settings(max_examples=25)
@given(text=texts, number=st.integers(-(2**63), 2**63 - 1))
def test_parameters_are_bound_and_never_read_as_sql(warehouse, text, number):
    sql = "select :t as t, :n::bigint as n, :t = ':n' as same, 'a::int' as c"
    assert warehouse.rows(sql, {"t": text, "n": str(number)}) == [
        [text, number, text == ":n", "a::int"]
    ]


@pytest.mark.parametrize(
    "value", ["1; drop table kept", "x' or '1'='1", "'; delete from kept; --", "\\'; select 1"]
)
def test_an_injection_is_a_value(warehouse, value):
    warehouse.run("create table if not exists kept (a varchar(100))")
    warehouse.run("insert into kept values (:v)", {"v": value})
    assert [value] in warehouse.rows("select a from kept where a = :v", {"v": value})


def test_parameters_take_the_type_of_their_place(warehouse):
    warehouse.run("create table typed (id int, at timestamp, price decimal(8,2))")
    warehouse.run(
        "insert into typed values (:id, :at, :price)",
        {"id": "7", "at": "2024-01-02 03:04:05", "price": "1.25"},
    )
    assert warehouse.rows(
        "select price from typed where id = :id and at < dateadd(day, :n, :day)",
        {"id": "7", "n": "2", "day": "2024-01-01"},
    ) == [["1.25"]]
    with pytest.raises(StatementFailedError, match="invalid input syntax for type integer"):
        warehouse.run("select * from typed where id = :id", {"id": "seven"})


def test_a_batch_that_fails_in_a_session_leaves_no_transaction_open(warehouse):
    warehouse.run("create table half (a int)")
    opened = warehouse.data.execute_statement(
        Sql="select 1", SessionKeepAliveSeconds=30, **warehouse.place
    )
    warehouse.finish(opened["Id"])
    session = opened["SessionId"]
    sqls = ["insert into half values (1)", "select * from nosuch"]
    failed = warehouse.data.batch_execute_statement(Sqls=sqls, SessionId=session)
    assert warehouse.finish(failed["Id"])["Status"] == "FAILED"
    assert warehouse.rows("select count(*) from half", SessionId=session) == [[0]]


def test_a_cancelled_batch_leaves_nothing(warehouse):
    warehouse.run("create table nothing (a int)")
    sqls = ["insert into nothing values (1)", "select count(*) from generate_series(1, 3000000000)"]
    running = warehouse.data.batch_execute_statement(Sqls=sqls, **warehouse.place)["Id"]
    parts = [{"Status": "SUBMITTED"}]
    while parts[-1]["Status"] != "STARTED":
        parts = warehouse.data.describe_statement(Id=running)["SubStatements"]
    warehouse.data.cancel_statement(Id=running)
    assert warehouse.finish(running)["Status"] == "ABORTED"
    assert warehouse.rows("select count(*) from nothing") == [[0]]


def test_many_statements_at_once(warehouse):
    ids = [warehouse.submit(f"select {number}") for number in range(150)]
    assert {warehouse.finish(one)["Status"] for one in ids} == {"FINISHED"}
    assert [warehouse.result(one) for one in ids[::50]] == [[[0]], [[50]], [[100]]]


def test_an_error_ends_the_transaction_of_a_session(warehouse):
    warehouse.run("create table undone (a int encode az64)")
    opened = warehouse.data.execute_statement(
        Sql="begin", SessionKeepAliveSeconds=30, **warehouse.place
    )
    warehouse.finish(opened["Id"])
    session = opened["SessionId"]
    warehouse.run("insert into undone values (1)", SessionId=session)
    for text, message in (("select 1/0", "Divide by zero"), ("select 1", "transaction is aborted")):
        with pytest.raises(StatementFailedError, match=message):
            warehouse.run(text, SessionId=session)
    warehouse.run("rollback", SessionId=session)
    assert warehouse.rows("select count(*) from undone", SessionId=session) == [[0]]


def test_number_of_rows(warehouse):
    counted = [
        warehouse.run(text)["ResultRows"]
        for text in (
            "create table counted (a int encode az64)",
            "insert into counted values (1), (2), (3)",
            "update counted set a = 9 where a > 1",
            "select * from counted",
            "delete from counted",
            "truncate counted",
        )
    ]
    assert counted == [-1, 3, 2, 3, 3, -1]
