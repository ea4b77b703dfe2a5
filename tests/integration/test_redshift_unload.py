"""Unloads by the operator, on the SQL engine of the local stack."""

import io
import json
import uuid

import pyarrow.parquet as pq
import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from tests.integration.redshift_tasks import attempt, load_arguments, quick_looks, with_lineage
from tests.integration.redshift_warehouse import ROLE, new_warehouse, new_workgroup
from updraft.operators.redshift_copy import RedshiftCopyOperator
from updraft.operators.redshift_unload import RedshiftUnloadOperator

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    warehouse.run("create table sales (id int, v varchar(9), day varchar(9))")
    warehouse.run("insert into sales values (1, 'a', 'mon'), (2, 'b', 'mon'), (3, 'c', 'tue')")
    return warehouse


@pytest.fixture(autouse=True)
def surroundings(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    quick_looks(monkeypatch)


@pytest.fixture
def folder():
    return f"out/{uuid.uuid4()}/"


def operator(warehouse, folder, **more):
    what = {} if "query" in more or "table" in more else {"table": "sales"}
    uri = f"s3://{warehouse.bucket}/{folder}"
    arguments = {"s3_uri": uri, "iam_role": ROLE, "parallel": False, **what, **more}
    return RedshiftUnloadOperator(**load_arguments(warehouse, **arguments))


def test_a_table_by_columns(warehouse, folder):
    task = operator(warehouse, folder, columns="id, v", header=True)
    run = str(uuid.uuid4())
    result = task.execute(attempt(1, run))
    files = warehouse.files(folder)
    assert files == {"000": b"id,v\n1,a\n2,b\n3,c\n"}
    assert (result["rows"], result["files"], result["bytes"]) == (3, 1, len(files["000"]))
    assert task.execute(attempt(2, run)) == result  # a retry writes nothing, and does not fail


@pytest.mark.parametrize(
    "query",
    [
        "select 'it''s' as a, '\\\\ back' as b from sales where id = 1;",
        "with s as (select * from sales) select 'it''s' as a, '\\\\ back' as b from s where id = 1",
    ],
)
def test_a_query_with_quotes(warehouse, folder, query):
    operator(warehouse, folder, query=query).execute(attempt())
    assert warehouse.files(folder) == {"000": b"it's,\\ back\n"}


def test_formats(warehouse, folder):
    query = "select id, v from sales order by id"
    for name, options, body in [
        ("tsv", {"file_format": "tsv"}, b"1\ta\n2\tb\n3\tc\n"),
        (
            "json",
            {"file_format": "json"},
            b'{"id":1,"v":"a"}\n{"id":2,"v":"b"}\n{"id":3,"v":"c"}\n',
        ),
        ("text", {"file_format": "text", "add_quotes": True}, b'"1"|"a"\n"2"|"b"\n"3"|"c"\n'),
    ]:
        task = operator(warehouse, f"{folder}{name}/", query=query, **options)
        task.execute(attempt())
        assert warehouse.files(f"{folder}{name}/")["000"] == body
    operator(warehouse, f"{folder}p", query=query, file_format="parquet").execute(attempt())
    [body] = warehouse.files(f"{folder}p/").values()
    assert pq.read_table(io.BytesIO(body)).to_pydict() == {"id": [1, 2, 3], "v": ["a", "b", "c"]}


def test_what_is_there_is_not_mixed_with_what_is_new(warehouse, folder):
    warehouse.put(f"{folder}0009_part_00", b"old")
    with pytest.raises(AirflowException, match="has files, such as"):
        operator(warehouse, folder).execute(attempt())
    assert list(warehouse.files(folder)) == ["0009_part_00"]
    operator(warehouse, folder, if_exists="replace").execute(attempt())
    assert list(warehouse.files(folder)) == ["000"]


def test_a_workgroup_loads_and_unloads(warehouse, folder, monkeypatch):
    with_lineage(monkeypatch)
    name, run = new_workgroup(warehouse), str(uuid.uuid4())
    arn = f"arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/{name}"
    place = {"cluster_identifier": None, "db_user": None}
    load = RedshiftCopyOperator(
        **load_arguments(
            warehouse,
            **place,
            workgroup_name=name,
            table="orders",
            s3_uri=warehouse.put(f"{folder}in", b"1|a\n2|b\n"),
            iam_role=ROLE,
            create_table_sql="create table orders (id int, v varchar(9))",
        )
    )
    assert load.execute(attempt(1, run))["inserted"] == 2
    assert load.execute(attempt(2, run))["inserted"] == 2  # a retry finds the load
    unload = operator(warehouse, f"{folder}out/", **place, workgroup_name=name, table="orders")
    assert unload.execute(attempt())["rows"] == 2
    assert warehouse.files(f"{folder}out/") == {"000": b"1,a\n2,b\n"}
    unload.workgroup_name = arn
    (written,) = load.get_openlineage_facets_on_complete(None).outputs
    for told in (
        unload.get_openlineage_facets_on_start(),
        unload.get_openlineage_facets_on_complete(None),
    ):
        (read,) = told.inputs
        assert (read.namespace, read.name) == (written.namespace, written.name)
    assert written.namespace == f"redshift://{name}.us-east-1:5439"


def test_partitions(warehouse, folder):
    neighbour = f"{folder[:-1]}-neighbour/x"
    for key in (f"{folder}day=mon/old", f"{folder}day=sun/old", neighbour):
        warehouse.put(key, b"old")
    partitioned = {"partition_by": ["day"], "manifest": "verbose", "parallel": True}
    operator(warehouse, folder, if_exists="replace_partitions", **partitioned).execute(attempt())
    names = warehouse.files(folder)
    assert {name.split("/")[0] for name in names} == {"day=mon", "day=tue", "day=sun", "manifest"}
    assert "day=mon/old" not in names
    assert len(json.loads(names["manifest"])["entries"]) == len(names) - 2

    operator(warehouse, folder, if_exists="replace", **partitioned).execute(attempt())
    assert not any(name.startswith("day=sun") for name in warehouse.files(folder))
    assert warehouse.files(neighbour) == {"": b"old"}


def test_lineage(warehouse, folder, monkeypatch):
    with_lineage(monkeypatch)
    task = operator(warehouse, folder, query="select id as n, upper(v) as w from sales")
    result = task.execute(attempt())
    lineage = task.get_openlineage_facets_on_complete(None)
    [source], [target] = lineage.inputs, lineage.outputs
    assert source.name == "dev.public.sales"
    assert len(source.facets["schema"].fields) == 3
    assert (target.namespace, target.name) == (f"s3://{warehouse.bucket}", folder.strip("/"))
    fields = target.facets["columnLineage"].fields
    assert {name: [one.field for one in of.inputFields] for name, of in fields.items()} == {
        "n": ["id"],
        "w": ["v"],
    }
    numbers = target.outputFacets["outputStatistics"]
    assert (numbers.rowCount, numbers.fileCount) == (3, 1)
    assert lineage.run_facets["externalQuery"].externalQueryId == result["statement_id"]


REFUSED = [
    ({"query": "select 1; drop table sales"}, "2 statements"),
    ({"query": "drop table sales"}, "begins with 'drop'"),
    ({"query": "select * into x from sales"}, "INTO"),
    ({"query": "select 1", "table": "sales"}, "either query or table"),
    ({"query": "select 1", "columns": "a"}, "columns: "),
    ({"table": "sales; drop table sales"}, "table: "),
    ({"columns": ["id) --"]}, "columns: "),
    ({"s3_uri": "s3://bucket"}, "whole bucket"),
    ({"s3_uri": "s3://bucket//"}, "whole bucket"),
    ({"iam_role": "x' ALLOWOVERWRITE"}, "iam_role: "),
    ({"if_exists": "overwrite"}, "if_exists: "),
    ({"if_exists": "replace_partitions"}, "needs partition_by"),
    ({"partition_by": ["day) --"]}, "partition_by: "),
    ({"include_partition_columns": True}, "needs partition_by"),
    ({"file_format": "parquet", "compression": "gzip"}, "Parquet has its own"),
    ({"file_format": "parquet", "header": True}, "header: "),
    ({"file_format": "avro"}, "file_format: "),
    ({"delimiter": "','"}, "single ASCII"),
    ({"max_file_size": "1 GB"}, "no whole number"),
    ({"max_file_size": 4}, "not from 5 to 6200"),
    ({"manifest": "yes"}, "manifest: "),
    ({"target_region": "eu' --"}, "no region"),
    ({"extension": "/../x"}, "has a slash"),
]


@pytest.mark.parametrize(("wrong", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_wrong_arguments_are_refused_before_any_call(warehouse, monkeypatch, wrong, message):
    task = operator(warehouse, "no/", **wrong)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(AirflowFailException, match=message):
        task.execute(attempt())


QUOTED = [
    {"query": "select '''); drop table sales; --' as v"},
    {"query": "select 'x' as v -- ') to 's3://elsewhere/'"},
    {"null_as": "' ALLOWOVERWRITE; drop table sales; --"},
    {"extension": "'; drop table sales; --"},
    {"s3_uri": "it's; drop table sales"},
    {"s3_uri": "back\\' slash"},
]


@pytest.mark.parametrize("odd", QUOTED, ids=str)
def test_odd_arguments_stay_what_they_are(warehouse, folder, odd):
    if "s3_uri" in odd:
        odd = {"s3_uri": f"s3://{warehouse.bucket}/{folder}{odd['s3_uri']}"}
    task = operator(warehouse, folder, **odd)
    task.execute(attempt())
    assert len(warehouse.files(folder)) == 1
    assert warehouse.rows("select count(*) from sales") == [[3]]
