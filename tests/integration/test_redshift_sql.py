"""The operator for SQL on Redshift: who connects, what is bound, where rows go, what goes wrong."""

import json
import threading
import uuid
from decimal import Decimal

import pytest
from airflow.exceptions import AirflowFailException, TaskDeferred
from airflow.sdk.exceptions import AirflowException

from tests.integration.glue_tasks import finish, resume, task_context
from tests.integration.redshift_warehouse import ROLE, new_warehouse, new_workgroup
from updraft.operators.redshift_sql import RedshiftSqlOperator

pytestmark = pytest.mark.integration

INJECTIONS = (
    "x'; DROP TABLE canary; --",
    "x\\'; DROP TABLE canary; --",
    'x"; DROP TABLE canary; --',
    "$$; DROP TABLE canary; --",
    "x'); DELETE FROM canary; SELECT ('",
    "x' || (SELECT 'y') || '",
    ":name",
    "*/ ; DROP TABLE canary; /*",
)


@pytest.fixture(scope="module")
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    warehouse.run("create table canary (a int)")
    warehouse.run("insert into canary values (1)")
    return warehouse


@pytest.fixture(autouse=True)
def _environment(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def table(warehouse):
    name = f"t{uuid.uuid4().hex[:8]}"
    warehouse.run(f"create table {name} (a varchar(100), n int)")
    return name


@pytest.fixture
def operator(warehouse):
    def make(sql=None, **kwargs):
        place = {"cluster_identifier": warehouse.cluster, "db_user": "awsuser", "database": "dev"}
        fixed = {"task_id": "work", "aws_conn_id": None, "poll_interval": 1}
        return RedshiftSqlOperator(**{**fixed, **place, "sql": sql, **kwargs})

    return make


@pytest.fixture
def run(operator):
    def run(sql=None, context=None, **kwargs):
        return finish(operator(sql, **kwargs), context or new_run())

    return run


def new_run():
    return task_context(uuid.uuid4().hex)


def test_values_come_back_with_their_types(run):
    found = run(
        "select 1::int as whole, 12345678901234567890.123456789::decimal(38,9) as exact,"
        " 1.5::float8 as floating, true as truth, null::int as missing, date '2026-11-02' as day,"
        " timestamp '2026-11-02 04:05:06.5' as moment,"
        " timestamptz '2026-11-02 04:05:06+00' as zoned, 'ü' as text"
    )["result"]
    assert dict(zip(found["columns"], found["rows"][0], strict=True)) == {
        "whole": 1,
        "exact": "12345678901234567890.123456789",
        "floating": 1.5,
        "truth": True,
        "missing": None,
        "day": "2026-11-02",
        "moment": "2026-11-02T04:05:06.5",
        "zoned": "2026-11-02T04:05:06+00:00",
        "text": "ü",
    }
    assert found["types"][:2] == ["int4", "numeric"]
    assert found["truncated"] is False
    json.dumps(found)


def test_more_rows_than_allowed_are_an_error_or_left_out(run, table, warehouse):
    script = f"insert into {table} values ('a', 1); select n from generate_series(1, 30) as s(n)"
    context = new_run()
    for attempt in (context, task_context(context["ti"].run_id, 2)):
        with pytest.raises(AirflowException, match="30 rows, more than max_rows=10"):
            run(script, attempt, max_rows=10)
    assert warehouse.rows(f"select count(*) from {table}") == [[1]]
    found = run(script, max_rows=10, truncate_result=True)["result"]
    assert (len(found["rows"]), found["truncated"]) == (10, True)
    assert run(script, max_rows="30")["result"]["rows"] == [[n] for n in range(1, 31)]
    assert "result" not in run(script, max_rows=0)


def test_large_results_come_in_pages(run):
    found = run("select repeat('x', 2000) from generate_series(1, 1200)", max_rows=2000)["result"]
    assert len(found["rows"]) == 1200


def test_parameters_of_both_kinds(run, table, warehouse):
    run(
        f"insert into {table} values (:a, ?); -- why?\ninsert into {table} values ('?', ?)",
        parameters=json.dumps({"a": "x"}),
        script_arguments=[1, Decimal(2)],
    )
    assert warehouse.rows(f"select a, n from {table} order by n") == [["x", 1], ["?", 2]]


@pytest.mark.parametrize(
    ("sql", "arguments", "message"),
    [
        ("select ?", {}, "1 question mark for parameters and 0 arguments"),
        ("select ?", {"script_arguments": [1, 2]}, "1 question mark .* 2 arguments"),
        ("select :dya", {"parameters": {"day": 1}}, "'dya' is unknown; did you mean 'day'"),
        ("select 1", {"parameters": {"day": 1}}, "no statement uses :day"),
        ("select 1", {"parameters": "[1]"}, "is no object"),
        ("select 1", {"parameters": "{"}, "is not JSON"),
        ("select ?", {"script_arguments": "{}"}, "is no list"),
        ("select 1", {"script_uri": "s3://bucket/key"}, "either sql or script_uri"),
        (None, {}, "either sql or script_uri"),
        (None, {"script_uri": "s3://bucket/key/"}, "names no object"),
        ("select 1; vacuum canary", {}, "VACUUM … can't be in a transaction"),
        ("select 1", {"max_rows": -1}, "max_rows"),
        ("select 1", {"result_format": "AVRO"}, "'AVRO' is unknown"),
        ("select 1", {"result_uri": "s3://bucket"}, "has no prefix"),
        ("delete from canary", {"result_uri": "s3://bucket/x"}, "no statement is a query"),
        ("select 1", {"workgroup_name": "w"}, "either cluster_identifier or workgroup_name"),
        ("select 1", {"secret_arn": "s"}, "db_user or secret_arn, not both"),
        ("select 1", {"database": ""}, "database: there is none"),
        ("select 1", {"transaction": "perhaps"}, "neither True nor False"),
        ("select 1", {"poll_interval": 0}, "poll_interval"),
    ],
)
def test_arguments_that_are_refused(run, sql, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        run(sql, **arguments)


def test_too_many_statements_for_a_transaction(run):
    with pytest.raises(AirflowException, match=r"41 statements are too many .* room for 40"):
        run(["select 1"] * 41)
    assert len(run(["select 1"] * 3, transaction=False)["rows"]) == 3


def test_a_script_in_s3_is_run_as_it_is(run, warehouse, table):
    uri = warehouse.put(
        f"{table}.sql", f"\ufeffinsert into {table} values ('{{{{ ds }}}}', :n)".encode()
    )
    run(script_uri=uri, parameters={"n": 7})
    assert warehouse.rows(f"select a, n from {table}") == [["{{ ds }}", 7]]
    with pytest.raises(AirflowException, match="NoSuchKey"):
        run(script_uri=f"{uri}x")
    latin = warehouse.put("latin.sql", "select 'é'".encode("latin-1"))
    with pytest.raises(AirflowException, match="is not UTF-8"):
        run(script_uri=latin)


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("way", ["parameter", "argument", "unloaded", "group", "uri"])
def test_values_stay_values(run, warehouse, table, way, text):
    if way == "parameter":
        run(f"insert into {table} values (:name, 1)", parameters={"name": text})
        assert warehouse.rows(f"select a from {table}") == [[text]]
    elif way == "argument":
        run(f"insert into {table} values (?, 1)", script_arguments=[text])
        assert warehouse.rows(f"select a from {table}") == [[text]]
    elif way == "unloaded":
        found = run(
            "select :name as name",
            parameters={"name": text},
            result_uri=f"s3://{warehouse.bucket}/{table}",
            result_format="JSON",
            iam_role=ROLE,
        )
        (content,) = warehouse.files(f"{table}/").values()
        assert json.loads(content) == {"name": text}
        assert found["result_uri"] == f"s3://{warehouse.bucket}/{table}"
    elif way == "group":
        found = run("show query_group", query_group=text)
        assert found["result"]["rows"] == [[text]]
        assert found["rows"] == [1]
    else:
        run(
            "select 1 as one",
            result_uri=f"s3://{warehouse.bucket}/{table}/{text}/",
            result_format="JSON",
            iam_role=ROLE,
        )
        assert [name.rsplit("/", 1)[0] for name in warehouse.files(f"{table}/")] == [text]
    assert warehouse.rows("select a from canary") == [[1]]


@pytest.mark.parametrize(
    "arguments",
    [
        {"parameters": {"a'; DROP TABLE canary; --": 1}},
        {"parameters": {"a b": 1}},
        {"iam_role": "default; DROP TABLE canary"},
        {"iam_role": f"{ROLE}' DROP TABLE canary"},
        {"result_uri": "s3://b'; DROP TABLE canary; --/x"},
        {"result_format": "CSV; DROP TABLE canary"},
        {"database": "dev'; DROP TABLE canary; --"},
        {"db_user": "awsuser'; DROP TABLE canary; --"},
        {"cluster_identifier": "x; DROP TABLE canary"},
    ],
    ids=str,
)
def test_what_is_no_value_is_refused(run, warehouse, arguments):
    with pytest.raises((AirflowFailException, AirflowException)):
        run("select 1", **arguments)
    assert warehouse.rows("select a from canary") == [[1]]


def test_the_result_goes_to_s3(run, warehouse, table):
    uri = f"s3://{warehouse.bucket}/{table}"
    script = "create temp table x as select 'a' as a; select a, :n::int as n from x; drop table x"
    run(script, parameters={"n": 5}, result_uri=uri, iam_role=ROLE)
    assert b"".join(warehouse.files(f"{table}/").values()) == b"a,n\na,5\n"
    with pytest.raises(AirflowException, match=r"(?i)not empty|exist"):
        run(script, parameters={"n": 6}, result_uri=uri, iam_role=ROLE)
    run(script, parameters={"n": 7}, result_uri=uri, iam_role=ROLE, overwrite_result=True)
    assert b"".join(warehouse.files(f"{table}/").values()) == b"a,n\na,7\n"


def test_who_connects(run, warehouse):
    who = "select current_user"
    warehouse.run("create user reporter password 'Secret-1234'")
    secret = warehouse.client("secretsmanager").create_secret(
        Name=f"s-{uuid.uuid4()}", SecretString='{"username": "reporter", "password": "x"}'
    )["ARN"]
    cluster = {"cluster_identifier": warehouse.cluster}
    name = new_workgroup(warehouse)
    workgroup = {"cluster_identifier": None, "db_user": None, "workgroup_name": name}
    users = [
        run(who, **place)["result"]["rows"][0][0]
        for place in (
            {**cluster, "db_user": "awsuser"},
            {**cluster, "db_user": "", "secret_arn": secret},
            {**cluster, "db_user": None},
            workgroup,
        )
    ]
    assert users[:2] == ["awsuser", "reporter"]
    assert all(user.lower().startswith("iam") for user in users[2:])
    with pytest.raises(AirflowException, match="does not exist"):
        run(who, db_user="nobody")


@pytest.mark.parametrize(
    "code",
    ["ActiveStatementsExceededException", "ThrottlingException", "InternalServerException"],
)
@pytest.mark.parametrize("deferrable", [True, False])
def test_what_passes_is_waited_for(run, warehouse, table, code, deferrable):
    warehouse.control(
        "failures", "PUT", name=warehouse.cluster, operation="ExecuteStatement", code=code, times=1,
        message="not now",
    )  # fmt: skip
    run(f"insert into {table} values ('a', 1)", deferrable=deferrable)
    assert warehouse.rows(f"select count(*) from {table}") == [[1]]


def test_a_paused_cluster(local_stack, operator):
    warehouse = new_warehouse(local_stack.endpoint_url)
    warehouse.control("phases", "PUT", pausing=0.1, resuming=0.1)
    warehouse.redshift.pause_cluster(ClusterIdentifier=warehouse.cluster)
    warehouse.wait("paused")
    place = {"cluster_identifier": warehouse.cluster}
    with pytest.raises(AirflowException, match=r"is paused and takes no statements\. Resume it"):
        finish(operator("select 1", **place), new_run())
    task = operator("select 1", wait_for_available=True, **place)
    context = new_run()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    threading.Timer(
        0.2, lambda: warehouse.redshift.resume_cluster(ClusterIdentifier=warehouse.cluster)
    ).start()
    assert resume(task, context, deferred.value.trigger)["result"]["rows"] == [[1]]


def test_an_error_names_the_statement_and_no_secrets(run, caplog):
    with pytest.raises(AirflowException) as error:
        run(
            "select 1; copy canary from 's3://nosuch/x' credentials "
            "'aws_access_key_id=KEY;aws_secret_access_key=SECRET' :option",
            parameters={"option": "hidden-value"},
        )
    message = str(error.value)
    assert message.startswith("Statement 2 failed: ")
    assert "statement " in message
    assert "of the Data API" in message
    for secret in ("SECRET", "hidden-value"):
        assert secret not in message
        assert secret not in caplog.text


def test_values_that_are_unloaded_are_not_shown(run, warehouse):
    with pytest.raises(AirflowException) as error:
        run(
            "select :a as a",
            parameters={"a": "hidden-value"},
            result_uri="s3://nosuch-bucket/x",
            iam_role=ROLE,
        )
    assert "UNLOAD ('…') TO 's3://nosuch-bucket/x/'" in str(error.value)
    assert "hidden-value" not in str(error.value)


def test_lineage(operator, run, warehouse, table, monkeypatch):
    monkeypatch.setattr("updraft.operators.redshift_lineage.is_disabled", lambda: False)
    other = f"o{table}"
    task = operator(
        f"create temp table staged as select a, n from {table};"
        f"create table {other} as select upper(a) as b from staged;"
        f"insert into {other} values ('x')"
    )
    run(f"insert into {table} values ('a', 1)")
    result = finish(task, new_run())
    found = task.get_openlineage_facets_on_complete(None)
    namespace = f"redshift://{warehouse.cluster}.us-east-1:5439"
    (read,), (written,) = found.inputs, found.outputs
    assert (read.namespace, read.name) == (namespace, f"dev.public.{table}")
    assert (written.namespace, written.name) == (namespace, f"dev.public.{other}")
    fields = [(one.name, one.type) for one in read.facets["schema"].fields]
    assert [name for name, _ in fields] == ["a", "n"]
    assert all(kind for _, kind in fields)
    (source,) = written.facets["columnLineage"].fields["b"].inputFields
    assert (source.name, source.field) == (f"dev.public.{table}", "a")
    assert written.outputFacets["outputStatistics"].rowCount == 1
    assert found.run_facets["externalQuery"].externalQueryId == result["statement_id"]
    assert "extractionError" not in found.run_facets


def test_lineage_never_fails_a_task(operator, monkeypatch, table):
    def broken(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr("updraft.operators.redshift_lineage.is_disabled", lambda: False)
    monkeypatch.setattr("updraft.operators.redshift_lineage.analyze", broken)
    assert finish(operator(f"insert into {table} values ('a', 1)"), new_run())["rows"] == [1]
