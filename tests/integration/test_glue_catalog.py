"""Column statistics and crawlers that the local stack really runs."""

import asyncio
import io
import json
import subprocess
import threading
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import boto3
import pyarrow as pa
import pyarrow.parquet
import pytest
from airflow.exceptions import AirflowException, TaskDeferred

from tests.integration.glue_tasks import event_of, finish, resume, task_context, wait_until
from updraft.operators.glue_column_statistics import GlueColumnStatisticsOperator
from updraft.operators.glue_crawler import GlueCrawlerOperator

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/glue"
ROWS = pa.table(
    {
        "id": pa.array([1, 2, 2, None, 5], pa.int64()),
        "city": ["Ulm", "Köln", "Köln", None, "Bonn"],
        "price": pa.array([Decimal("1.50"), Decimal("-2.25"), None, None, Decimal("9.99")]),
        "paid": [True, False, True, None, True],
        "day": [date(2026, 11, 2), date(2026, 11, 1), None, date(2026, 11, 3), None],
        "weight": [0.5, 1.5, None, -3.0, 1.5],
        "tags": [["a"], [], None, ["b"], ["c"]],
    }
)


@pytest.fixture
def cloud(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    s3, glue = (
        boto3.client(
            name,
            endpoint_url=local_stack.endpoint_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            region_name="us-east-1",
        )
        for name in ("s3", "glue")
    )
    name = f"lake-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    glue.create_database(DatabaseInput={"Name": name})
    glue.create_crawler(
        Name=name,
        Role=ROLE,
        DatabaseName=name,
        Targets={"S3Targets": [{"Path": f"s3://{name}/data/"}]},
        TablePrefix="raw_",
    )
    return SimpleNamespace(s3=s3, glue=glue, name=name)


def _put(cloud, key, body):
    cloud.s3.put_object(Bucket=cloud.name, Key=key, Body=body)


def _parquet(rows):
    file = io.BytesIO()
    pyarrow.parquet.write_table(rows, file)
    return file.getvalue()


def _fill(cloud):
    _put(cloud, "data/orders/day=2026-11-01/a.parquet", _parquet(ROWS.drop(["day"])))
    _put(cloud, "data/orders/day=2026-11-02/b.parquet", _parquet(ROWS.drop(["day"])))
    _put(cloud, "data/customers/a.csv", b"number,name\n1,Ada\n2,\n3,Ada\n")
    _put(cloud, "data/events/a.jsonl", b'{"kind":"c","at":{"ms":1}}\n{"kind":"d","at":{"ms":2}}\n')


def _crawler(cloud, **others):
    arguments = {"crawler_name": cloud.name, "deferrable": False, **others}
    return GlueCrawlerOperator(task_id="work", aws_conn_id=None, poll_interval=1, **arguments)


def _statistics(cloud, **others):
    arguments = {"database_name": cloud.name, "role": ROLE, "deferrable": False, **others}
    return GlueColumnStatisticsOperator(
        task_id="work", aws_conn_id=None, poll_interval=1, **arguments
    )


def _crawls(cloud):
    return cloud.glue.list_crawls(CrawlerName=cloud.name)["Crawls"]


def _state(cloud):
    return cloud.glue.get_crawler(Name=cloud.name)["Crawler"]["State"]


def test_a_crawl_makes_tables_and_partitions(cloud):
    _fill(cloud)
    operator = _crawler(cloud, deferrable=True)
    result = finish(operator, task_context(cloud.name))

    summary = json.loads(result["summary"])
    assert json.loads(summary["TABLE"])["ADD"]["Count"] == 3
    tables = {t["Name"]: t for t in cloud.glue.get_tables(DatabaseName=cloud.name)["TableList"]}
    assert set(tables) == {"raw_orders", "raw_customers", "raw_events"}
    orders = tables["raw_orders"]
    assert [(c["Name"], c["Type"]) for c in orders["StorageDescriptor"]["Columns"]] == [
        ("id", "bigint"),
        ("city", "string"),
        ("price", "decimal(3,2)"),
        ("paid", "boolean"),
        ("weight", "double"),
        ("tags", "array<string>"),
    ]
    assert orders["PartitionKeys"] == [{"Name": "day", "Type": "string"}]
    found = cloud.glue.get_partitions(DatabaseName=cloud.name, TableName="raw_orders")
    assert sorted(p["Values"] for p in found["Partitions"]) == [["2026-11-01"], ["2026-11-02"]]
    events = tables["raw_events"]["StorageDescriptor"]["Columns"]
    assert events[1] == {"Name": "at", "Type": "struct<ms:bigint>"}
    lineage = operator.get_openlineage_facets_on_complete(None)
    assert [(d.namespace, d.name) for d in lineage.inputs] == [(f"s3://{cloud.name}", "data")]
    assert {(d.namespace, d.name) for d in lineage.outputs} == {
        ("arn:aws:glue:us-east-1:123456789012", f"table/{cloud.name}/{name}") for name in tables
    }

    # A retry finds the crawl, and so does one that was cleared not.
    assert finish(_crawler(cloud), task_context(cloud.name, attempt=2)) == result
    assert len(_crawls(cloud)) == 1
    _put(cloud, "data/orders/day=2026-11-03/c.parquet", _parquet(ROWS.drop(["day"])))
    cleared = finish(_crawler(cloud), task_context(cloud.name, attempt=3, max_tries=4))
    assert len(_crawls(cloud)) == 2
    assert json.loads(json.loads(cleared["summary"])["PARTITION"])["ADD"]["Details"] == {
        "names": ["raw_orders:2026-11-03"]
    }


def test_a_crawl_of_somebody_else_is_waited_for_and_not_stopped(cloud):
    _fill(cloud)
    _put(cloud, "data/_hold", b"")
    cloud.glue.start_crawler(Name=cloud.name)
    operator = _crawler(cloud, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(task_context(cloud.name))
    operator.on_kill()
    asyncio.run(deferred.value.trigger.on_kill())
    assert _state(cloud) == "RUNNING"
    cloud.s3.delete_object(Bucket=cloud.name, Key="data/_hold")
    event = event_of(deferred.value.trigger)
    _put(cloud, "data/_hold", b"")

    operator = _crawler(cloud, deferrable=True)  # the other one was told to stop
    with pytest.raises(TaskDeferred) as own:
        operator.execute_complete(task_context(cloud.name), event)
    assert len(_crawls(cloud)) == 2
    # A retry adopts the crawl that goes on, and a kill stops it.
    retry = _crawler(cloud, deferrable=True)
    with pytest.raises(TaskDeferred) as adopted:
        retry.execute(task_context(cloud.name, attempt=2))
    assert adopted.value.trigger.after == own.value.trigger.after is not None
    asyncio.run(adopted.value.trigger.on_kill())
    retry.on_kill()
    with pytest.raises(AirflowException, match="ended as STOPPED"):
        retry.execute_complete(task_context(cloud.name, attempt=2), event_of(adopted.value.trigger))
    assert [crawl["State"] for crawl in _crawls(cloud)] == ["STOPPED", "COMPLETED"]


def test_a_crawl_that_fails_says_why(cloud):
    _put(cloud, "data/a/x.csv", b"n,m\n1,2\n")
    _put(cloud, "data/b/x.csv", b"n,m\n1,2\n")
    with pytest.raises(AirflowException, match=r"have the same columns.*/aws-glue/crawlers"):
        finish(_crawler(cloud), task_context(cloud.name))
    assert cloud.glue.get_crawler(Name=cloud.name)["Crawler"]["LastCrawl"]["Status"] == "FAILED"
    with pytest.raises(AirflowException, match=r"crawler 'missing'.*EntityNotFoundException"):
        finish(_crawler(cloud, crawler_name="missing"), task_context(cloud.name))


def _column(cloud, table, column):
    answer = cloud.glue.get_column_statistics_for_table(
        DatabaseName=cloud.name, TableName=table, ColumnNames=[column]
    )
    (found,) = answer["ColumnStatisticsList"]
    (data,) = [value for name, value in found["StatisticsData"].items() if name != "Type"]
    return data


def test_statistics_of_a_database_equal_those_of_the_rows(cloud):
    _fill(cloud)
    finish(_crawler(cloud), task_context(cloud.name))
    operator = _statistics(cloud, deferrable=True, concurrency=2)
    result = finish(operator, task_context(cloud.name))

    assert list(result) == ["raw_customers", "raw_events", "raw_orders"]
    assert {outcome["state"] for outcome in result.values()} == {"SUCCEEDED"}
    assert _column(cloud, "raw_orders", "id") == {
        "MinimumValue": 1,
        "MaximumValue": 5,
        "NumberOfNulls": 2,
        "NumberOfDistinctValues": 3,
    }
    price = _column(cloud, "raw_orders", "price")
    ends = (price["MinimumValue"], price["MaximumValue"])
    least, most = (
        Decimal(int.from_bytes(end["UnscaledValue"], "big", signed=True)).scaleb(-end["Scale"])
        for end in ends
    )
    assert (least, most, price["NumberOfNulls"]) == (Decimal("-2.25"), Decimal("9.99"), 4)
    assert _column(cloud, "raw_orders", "city") == {
        "MaximumLength": len("Köln".encode()),
        "AverageLength": (3 + 5 + 5 + 4) / 4,
        "NumberOfNulls": 2,
        "NumberOfDistinctValues": 3,
    }
    assert _column(cloud, "raw_orders", "paid") == {
        "NumberOfTrues": 6,
        "NumberOfFalses": 2,
        "NumberOfNulls": 2,
    }
    assert _column(cloud, "raw_orders", "day")["NumberOfDistinctValues"] == 2
    assert _column(cloud, "raw_customers", "name")["NumberOfNulls"] == 1
    names = {dataset.name for dataset in operator.get_openlineage_facets_on_complete(None).inputs}
    assert names == {f"table/{cloud.name}/{table}" for table in result}

    # A retry in the same DAG run computes nothing twice; after a clear all is computed anew.
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    assert finish(_statistics(cloud), task_context(cloud.name, attempt=2, started=begun)) == result
    cleared = finish(
        _statistics(cloud, table_pattern="*orders"),
        task_context(cloud.name, attempt=3, max_tries=4, started=begun),
    )
    assert list(cleared) == ["raw_orders"]
    assert cleared["raw_orders"]["run_id"] != result["raw_orders"]["run_id"]


# Written by pyiceberg, which the local stack has in its own environment.
WRITE_ICEBERG = """
import sys
from datetime import date
import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog

endpoint, database = sys.argv[1:]
keys = {"access-key-id": "local", "secret-access-key": "local", "region": "us-east-1"}
catalog = GlueCatalog("lake", **{"glue.endpoint": endpoint, "s3.endpoint": endpoint},
    **{f"{service}.{name}": value for service in ("glue", "s3") for name, value in keys.items()})
rows = pa.table({"day": [date(2026, 11, 2), date(2026, 11, 1), None], "n": [1, 2, 2]})
table = catalog.create_table(f"{database}.visits", rows.schema, f"s3://{database}/visits")
table.append(rows)
table.append(rows)
table.delete("n = 1")
"""


def test_statistics_of_an_iceberg_table(cloud):
    python = PROJECT / ".venv-local" / "bin" / "python"
    arguments = [python, "-c", WRITE_ICEBERG, cloud.glue.meta.endpoint_url, cloud.name]
    subprocess.run(arguments, check=True, timeout=60)
    finish(_statistics(cloud, table_names="visits"), task_context(cloud.name))

    day = _column(cloud, "visits", "day")
    assert day["MaximumValue"].date() == date(2026, 11, 1)  # the rows of the day after are deleted
    assert (day["NumberOfNulls"], day["NumberOfDistinctValues"]) == (2, 1)


def _tables_named(cloud, *names):
    for name in names:
        _put(cloud, f"data/{name}/a.csv", f"n{name}\n1\n".encode())
    finish(_crawler(cloud), task_context(cloud.name))


def test_statistics_are_adopted_and_stopped(cloud):
    _tables_named(cloud, "a", "b")
    for name in ("a", "b"):
        _put(cloud, f"data/{name}/_hold", b"")
    begun = datetime.now(UTC) - timedelta(seconds=1)
    operator = _statistics(cloud, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(task_context(cloud.name, started=begun))
    with pytest.raises(TaskDeferred) as adopted:
        _statistics(cloud, deferrable=True).execute(
            task_context(cloud.name, attempt=2, started=begun)
        )
    assert adopted.value.trigger.runs == deferred.value.trigger.runs
    asyncio.run(adopted.value.trigger.on_kill())
    with pytest.raises(AirflowException, match=r"raw_a: STOPPED.*raw_b: STOPPED"):
        resume(operator, task_context(cloud.name, started=begun), deferred.value.trigger)

    waiting = _statistics(cloud, table_names=["raw_a"])
    outcome = []

    def execute():
        try:
            waiting.execute(task_context(cloud.name))
        except AirflowException as error:
            outcome.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    wait_until(lambda: waiting._progress and waiting._progress.running)
    waiting.on_kill()
    thread.join(30)
    assert "raw_a: STOPPED" in outcome[0]


def test_one_table_that_fails_does_not_keep_the_others_back(cloud):
    _tables_named(cloud, "a", "b")
    _put(cloud, "data/a/b.csv", b"na\nno number\n")
    with pytest.raises(AirflowException) as told:
        finish(
            _statistics(cloud, table_names='["raw_a", "raw_b", "none"]'), task_context(cloud.name)
        )
    text = str(told.value)
    assert text.startswith(f"The statistics of 2 of 3 tables in {cloud.name} were not computed: ")
    assert "raw_a: FAILED, Column na is no bigint" in text
    assert f"none: FAILED, There is no table {cloud.name}.none" in text
    assert _column(cloud, "raw_b", "nb")["MaximumValue"] == 1
