"""Athena on the local stack: queries are executed over the tables of the catalog."""

import io
import json
import time
import uuid
from types import SimpleNamespace

import boto3
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from include.local import processes
from include.local.stack import GATEWAY

pytestmark = pytest.mark.integration

SLOW = (
    "SELECT COUNT(*) FROM UNNEST(sequence(1, 100000)) AS a(x), "
    "UNNEST(sequence(1, 100000)) AS b(y) WHERE sin(x * y) > 2"
)

SERDES = {
    "json": "org.openx.data.jsonserde.JsonSerDe",
    "parquet": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
}


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, glue, athena = (
        session.client(name, endpoint_url=local_stack.endpoint_url)
        for name in ("s3", "glue", "athena")
    )
    bucket, database = f"athena-{uuid.uuid4()}", f"d_{uuid.uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": database})

    def table(name, columns, kind, keys=()):
        storage = {
            "Columns": [{"Name": n, "Type": t} for n, t in columns.items()],
            "Location": f"s3://{bucket}/{name}/",
            "SerdeInfo": {"SerializationLibrary": SERDES[kind]},
        }
        partition_keys = [{"Name": key, "Type": "string"} for key in keys]
        glue.create_table(
            DatabaseName=database,
            TableInput={
                "Name": name,
                "StorageDescriptor": storage,
                "PartitionKeys": partition_keys,
            },
        )
        return storage

    buffer = io.BytesIO()
    pq.write_table(pa.table({"ID": [1, 2, 3], "amount": [1.5, None, 2.5]}), buffer)
    s3.put_object(Bucket=bucket, Key="orders/day=1/a.parquet", Body=buffer.getvalue())
    s3.put_object(Bucket=bucket, Key="orders/day=1/_SUCCESS", Body=b"")
    storage = table("orders", {"id": "bigint", "amount": "double"}, "parquet", ["day"])
    glue.create_partition(
        DatabaseName=database,
        TableName="orders",
        PartitionInput={
            "Values": ["1"],
            "StorageDescriptor": {**storage, "Location": f"s3://{bucket}/orders/day=1/"},
        },
    )
    lines = [{"order_id": 1, "name": 'a "b"'}, {"order_id": 3}]
    body = "\n".join(map(json.dumps, lines))
    s3.put_object(Bucket=bucket, Key="names/1.json", Body=body.encode())
    table("names", {"order_id": "int", "name": "string"}, "json")
    return SimpleNamespace(s3=s3, athena=athena, bucket=bucket, database=database)


def _start(cloud, sql, **others):
    return cloud.athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": cloud.database},
        ResultConfiguration={"OutputLocation": f"s3://{cloud.bucket}/results/"},
        **others,
    )["QueryExecutionId"]


def _ended(cloud, query_id):
    while True:
        found = cloud.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        if found["Status"]["State"] not in {"QUEUED", "RUNNING"}:
            return found
        time.sleep(0.05)


def _rows(cloud, sql, **others):
    query_id = _start(cloud, sql, **others)
    ended = _ended(cloud, query_id)
    assert ended["Status"]["State"] == "SUCCEEDED", ended["Status"]
    found = cloud.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]["Rows"]
    return query_id, [[value.get("VarCharValue") for value in row["Data"]] for row in found]


def test_a_join_over_partitions_and_json(cloud):
    query_id, rows = _rows(
        cloud,
        "WITH big AS (SELECT id, amount, day FROM orders WHERE amount > ?) "
        "SELECT big.id, n.name, day, amount, true AS yes, date '2026-11-23' AS d, NULL AS nothing "
        f'FROM big JOIN "{cloud.database}"."names" n ON n.order_id = big.id ORDER BY 1',
        ExecutionParameters=["1.0"],
    )
    assert rows == [
        ["id", "name", "day", "amount", "yes", "d", "nothing"],
        ["1", 'a "b"', "1", "1.5", "true", "2026-11-23", None],
        ["3", None, "1", "2.5", "true", "2026-11-23", None],
    ]
    result = cloud.s3.get_object(Bucket=cloud.bucket, Key=f"results/{query_id}.csv")["Body"].read()
    assert result.decode().splitlines()[1] == '"1","a ""b""","1","1.5","true","2026-11-23",'
    columns = cloud.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"][
        "ResultSetMetadata"
    ]["ColumnInfo"]
    assert [c["Type"] for c in columns[:6]] == [
        "bigint",
        "varchar",
        "varchar",
        "double",
        "boolean",
        "date",
    ]


def test_functions_of_trino(cloud):
    _, rows = _rows(
        cloud, "SELECT COUNT_IF(amount IS NULL), date_format(date '2026-01-02', '%Y') FROM orders"
    )
    assert rows[1] == ["1", "2026"]


def test_pages_of_results(cloud):
    query_id, _ = _rows(cloud, "SELECT * FROM UNNEST(sequence(1, 25)) AS t(n)")
    pages = cloud.athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=query_id, PaginationConfig={"PageSize": 10}
    )
    rows = [row["Data"][0]["VarCharValue"] for page in pages for row in page["ResultSet"]["Rows"]]
    assert rows == ["n", *map(str, range(1, 26))]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM nobody", "TABLE_NOT_FOUND"),
        ("SELECT nothing FROM orders", "nothing"),
        ("SELEC 1", "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", "Only one sql statement"),
        ("SELECT * FROM orders WHERE id = ?", "expected 1 but found 0"),
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled"),
    ],
)
def test_wrong_queries_fail_with_the_reason(cloud, sql, reason):
    query_id = _start(cloud, sql)
    status = _ended(cloud, query_id)["Status"]
    assert status["State"] == "FAILED"
    assert reason in status["StateChangeReason"]
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        cloud.athena.get_query_results(QueryExecutionId=query_id)


def test_other_statements_are_refused(cloud):
    with pytest.raises(ClientError, match=r"executes queries .*, not DROP"):
        _start(cloud, "DROP TABLE orders")


def test_a_token_starts_one_query(cloud):
    token = str(uuid.uuid4())
    first = _start(cloud, "SELECT 1", ClientRequestToken=token)
    assert _start(cloud, "SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        _start(cloud, "SELECT 2", ClientRequestToken=token)


def test_a_query_that_was_stopped_costs_nothing_any_more(cloud, local_stack):
    gateway = next(
        psutil.Process(process.pid)
        for process in processes.find(local_stack.stack.state)
        if process.service == GATEWAY
    )
    threads = gateway.num_threads()
    for _ in range(5):
        cloud.athena.stop_query_execution(QueryExecutionId=_start(cloud, SLOW))
    deadline = time.monotonic() + 60
    while gateway.num_threads() > threads:
        assert time.monotonic() < deadline, "a query goes on"
        time.sleep(0.1)


def test_stopping_and_listing(cloud):
    slow = _start(cloud, SLOW)
    cloud.athena.stop_query_execution(QueryExecutionId=slow)
    assert _ended(cloud, slow)["Status"]["State"] == "CANCELLED"
    listed = cloud.athena.list_query_executions(MaxResults=1)
    assert listed["QueryExecutionIds"] == [slow]
    several = cloud.athena.batch_get_query_execution(QueryExecutionIds=[slow, str(uuid.uuid4())])
    assert [one["QueryExecutionId"] for one in several["QueryExecutions"]] == [slow]
    assert len(several["UnprocessedQueryExecutionIds"]) == 1


def test_without_a_place_for_the_result(cloud):
    with pytest.raises(ClientError, match="No output location provided"):
        cloud.athena.start_query_execution(QueryString="SELECT 1")
