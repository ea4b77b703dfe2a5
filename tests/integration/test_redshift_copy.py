"""Loads by the operator, on the SQL engine of the local stack."""

import gzip
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from tests.integration.redshift_tasks import attempt, load_arguments, quick_looks, with_lineage
from tests.integration.redshift_warehouse import ROLE, new_warehouse
from updraft.operators.redshift_copy import RedshiftCopyOperator
from updraft.operators.redshift_load_errors import load_errors

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture(autouse=True)
def surroundings(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    quick_looks(monkeypatch)


@pytest.fixture
def table(warehouse):
    name = f"t_{uuid.uuid4().hex[:8]}"
    warehouse.run(f"create table {name} (id int primary key, v varchar(20))")
    return name


def rows(warehouse, table):
    return warehouse.rows(f"select * from {table} order by 1, 2")


def operator(warehouse, table, body=b"1|a\n2|b\n", **more):
    source = {"iam_role": ROLE}
    if body is not None:
        source["s3_uri"] = warehouse.put(f"in/{uuid.uuid4()}", body)
    return RedshiftCopyOperator(**load_arguments(warehouse, table=table, **{**source, **more}))


MODES = [
    ("APPEND", [[1, "a"], [1, "old"], [2, "b"], [3, "old"]], (2, 0)),
    ("TRUNCATE", [[1, "a"], [2, "b"]], (2, 2)),
    ("KEEP_EXISTING", [[1, "old"], [2, "b"], [3, "old"]], (1, 0)),
    ("OVERWRITE_EXISTING", [[1, "a"], [2, "b"], [3, "old"]], (2, 1)),
]


@pytest.mark.parametrize(("mode", "expected", "numbers"), MODES)
def test_modes_and_retries(warehouse, table, mode, expected, numbers):
    warehouse.run(f"insert into {table} values (1, 'old'), (3, 'old')")
    task, run = operator(warehouse, table, insert_mode=mode), str(uuid.uuid4())
    result = task.execute(attempt(1, run))
    assert rows(warehouse, table) == expected
    assert (result["inserted"], result["deleted"], result["loaded"]) == (*numbers, 2)
    assert task.execute(attempt(2, run)) == result  # a retry
    assert rows(warehouse, table) == expected


def test_a_cleared_task_loads_again(warehouse, table):
    task, run = operator(warehouse, table), str(uuid.uuid4())
    task.execute(attempt(1, run))
    task.execute(attempt(2, run, max_tries=4))
    assert len(rows(warehouse, table)) == 4


def test_the_table_is_made_if_there_is_none(warehouse):
    name = f"made_{uuid.uuid4().hex[:8]}"
    sql = f"CREATE TABLE IF NOT EXISTS {name} (id int, v varchar(9)) distkey(id) sortkey(id);"
    arguments = {"insert_mode": "OVERWRITE_EXISTING", "create_table_sql": sql}
    run = str(uuid.uuid4())
    task = operator(warehouse, name, **arguments)
    task.execute(attempt(1, run))
    task.execute(attempt(2, run))
    assert rows(warehouse, name) == [[1, "a"], [2, "b"]]
    operator(warehouse, name, b"2|new\n", **arguments).execute(attempt())
    assert rows(warehouse, name) == [[1, "a"], [2, "new"]]  # by distribution and sort key


def test_a_failed_load_leaves_no_table_behind(warehouse):
    name = f"made_{uuid.uuid4().hex[:8]}"
    sql = f"create table {name} (id int)"
    with pytest.raises(AirflowException, match="line 1, column id"):
        operator(warehouse, name, b"x\n", create_table_sql=sql).execute(attempt())
    with pytest.raises(AirflowException, match=f"no table public.{name}"):
        operator(warehouse, name).execute(attempt())


def test_a_transformation(warehouse, table):
    sql = "with s as (select * from staging where id > 1) select id * 10, upper(v) from s;"
    result = operator(warehouse, table, transform_sql=sql).execute(attempt())
    assert rows(warehouse, table) == [[20, "B"]]
    assert (result["loaded"], result["inserted"]) == (2, 1)


def test_columns_and_identities(warehouse):
    name = f"own_{uuid.uuid4().hex[:8]}"
    warehouse.run(f"create table {name} (n int identity(1,1), v varchar(9), d int default 7)")
    operator(warehouse, name, b"x\ny\n", columns=["v"]).execute(attempt())
    assert [row[1:] for row in rows(warehouse, name)] == [["x", 7], ["y", 7]]


def test_names_that_need_quotes(warehouse):
    schema = f"s {uuid.uuid4().hex[:8]}"
    warehouse.run(f'create schema "{schema}"')
    warehouse.run(f'create table "{schema}"."a ""b""; --" ("order" int, "x y" int)')
    name = f'"{schema}"."a ""b""; --"'
    arguments = {"insert_mode": "KEEP_EXISTING", "primary_keys": '"order", "x y"'}
    for _ in range(2):
        operator(warehouse, name, b"1|2\n", **arguments).execute(attempt())
    assert warehouse.rows(f"select * from {name}") == [[1, 2]]


FORMATS = [
    (b"id,v\n1,a\n", {"file_format": "csv", "ignore_header": "1"}),
    (b"1\ta\n", {"file_format": "tsv"}),
    (b'{"id": 1, "v": "a"}', {"file_format": "json"}),
    (gzip.compress(b"1;a\n", mtime=0), {"delimiter": ";", "compression": "gzip"}),
    (gzip.compress(b"1,a\n", mtime=0), {"copy_options": ["GZIP", "CSV", "IGNOREHEADER AS 0"]}),
    (b"1\ta\n", {"copy_options": '["DELIMITER \'\\\\t\'", "EMPTYASNULL"]'}),
]


@pytest.mark.parametrize(("body", "options"), FORMATS)
def test_formats(warehouse, table, body, options):
    operator(warehouse, table, body, **options).execute(attempt())
    assert rows(warehouse, table) == [[1, "a"]]


def test_a_manifest(warehouse, table):
    uri = warehouse.put(f"in/{uuid.uuid4()}", b"1|a\n")
    manifest = json.dumps({"entries": [{"url": uri, "mandatory": True}]}).encode()
    operator(warehouse, table, manifest, manifest="True").execute(attempt())
    assert rows(warehouse, table) == [[1, "a"]]


def test_a_table_of_dynamodb(warehouse, table, monkeypatch):
    with_lineage(monkeypatch)
    dynamodb, name = warehouse.client("dynamodb"), f"load-{uuid.uuid4()}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "N"}],
    )
    dynamodb.put_item(TableName=name, Item={"id": {"N": "1"}, "v": {"S": "a"}})
    task = operator(warehouse, table, None, dynamodb_table=name)
    task.execute(attempt())
    assert "READRATIO 25" in task.get_openlineage_facets_on_complete(None).job_facets["sql"].query
    dynamodb.delete_table(TableName=name)
    assert rows(warehouse, table) == [[1, "a"]]
    lineage = task.get_openlineage_facets_on_complete(None)
    assert [one.name for one in lineage.inputs] == [f"table/{name}"]


def test_another_table(warehouse, table):
    warehouse.run(f"create table from_{table} (id int, v varchar(20))")
    warehouse.run(f"insert into from_{table} values (1, 'a')")
    task = operator(warehouse, table, None, source_table=f"from_{table}", iam_role=None)
    assert task.execute(attempt())["inserted"] == 1
    assert rows(warehouse, table) == [[1, "a"]]


def test_lines_that_fail_are_shown(warehouse, table):
    body = b"1|a\nx|b\n" + b"2|" + b"y" * 21 + b"\n"
    with pytest.raises(AirflowException) as failure:
        operator(warehouse, table, body).execute(attempt())
    assert re.search(r"s3://\S+, line 2, column id .*Invalid digit", str(failure.value))
    assert rows(warehouse, table) == []

    task = operator(warehouse, table, body, max_error=5)
    result = task.execute(attempt())
    assert (result["inserted"], result["rejected"]) == (1, 2)
    assert "line 3, column v" in str(load_errors(task.rows, result["query_id"]))
    assert rows(warehouse, table) == [[1, "a"]]


def test_a_failed_load_is_tried_again(warehouse, table):
    warehouse.run(f"alter table {table} alter column v type varchar(30)")
    run, task = str(uuid.uuid4()), operator(warehouse, table, b"x|a\n")
    with pytest.raises(AirflowException):
        task.execute(attempt(1, run))
    bucket, _, key = task.s3_uri.removeprefix("s3://").partition("/")
    warehouse.s3.put_object(Bucket=bucket, Key=key, Body=b"1|a\n")
    task.execute(attempt(2, run))
    assert rows(warehouse, table) == [[1, "a"]]


def test_lineage(warehouse, table, monkeypatch):
    with_lineage(monkeypatch)
    sql = "select id, upper(v) from staging"
    task = operator(warehouse, table, transform_sql=sql, insert_mode="OVERWRITE_EXISTING")
    result = task.execute(attempt())
    lineage = task.get_openlineage_facets_on_complete(None)
    [source], [target] = lineage.inputs, lineage.outputs
    assert (source.namespace, source.name) == (
        f"s3://{warehouse.bucket}",
        task.s3_uri.split("/", 3)[3],
    )
    assert target.namespace == f"redshift://{warehouse.cluster}.us-east-1:5439"
    assert target.name == f"dev.public.{table}"
    assert [(one.name, one.type) for one in target.facets["schema"].fields] == [
        ("id", "integer"),
        ("v", "character varying"),
    ]
    fields = target.facets["columnLineage"].fields
    assert {name: [one.field for one in of.inputFields] for name, of in fields.items()} == {
        "id": ["id"],
        "v": ["v"],
    }
    assert fields["v"].inputFields[0].name == source.name
    assert target.outputFacets["outputStatistics"].rowCount == 2
    assert lineage.run_facets["externalQuery"].externalQueryId == result["statement_id"]
    assert "COPY" in lineage.job_facets["sql"].query


def test_a_merge_needs_keys(warehouse):
    name = f"t_{uuid.uuid4().hex[:8]}"
    warehouse.run(f"create table {name} (id int)")
    task = operator(warehouse, name, insert_mode="KEEP_EXISTING")
    with pytest.raises(AirflowException, match="give primary_keys"):
        task.execute(attempt())
    task = operator(warehouse, name, insert_mode="KEEP_EXISTING", primary_keys=["ids"])
    with pytest.raises(AirflowException, match="did you mean 'id'"):
        task.execute(attempt())


def test_a_retry_comes_while_aws_remembers(warehouse, table):
    late = {"retries": 1, "retry_delay": timedelta(days=1)}
    with pytest.raises(AirflowFailException, match="retry_delay: AWS forgets"):
        operator(warehouse, table, **late).execute(attempt())
    operator(warehouse, table, insert_mode="TRUNCATE", **late).execute(attempt())


def test_loads_at_the_same_time_add_a_row_once(warehouse, table):
    slow = "select s.* from staging s, (select count(pg_sleep(1)) as n) p where p.n = 1"
    tasks = [
        operator(warehouse, table, insert_mode="KEEP_EXISTING", transform_sql=slow)
        for _ in range(2)
    ]
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda task: task.execute(attempt()), tasks))
    assert sorted(one["inserted"] for one in results) == [0, 2]
    assert rows(warehouse, table) == [[1, "a"], [2, "b"]]
