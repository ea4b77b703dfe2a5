"""The DynamoDB workflows, run from their files with the values of a form."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowSkipException

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]
ITEMS = 200
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


def _item(number):
    return {"id": {"S": f"item-{number}"}, "v": {"N": str(number)}, "b": {"B": b"\1\2"}}


@pytest.fixture(scope="module")
def cloud(local_stack, dag_runs):
    def client(service, region="us-east-1"):
        return boto3.client(
            service,
            endpoint_url=local_stack.endpoint_url,
            region_name=region,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    s3 = client("s3")
    bucket = f"dags-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    return SimpleNamespace(runs=dag_runs, client=client, s3=s3, bucket=bucket)


def _run(cloud, name, form):
    """Run a DAG and return the states of its tasks."""
    run = cloud.runs.run(name, form)
    assert run.state == "success", run.output[-5000:]
    return run.states


def _table(client, items=0):
    name = f"dags-{uuid.uuid4()}"
    client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    for start in range(0, items, 25):
        requests = [{"PutRequest": {"Item": _item(n)}} for n in range(start, start + 25)]
        client.batch_write_item(RequestItems={name: requests})
    return name


def _items(client, table):
    pages = client.get_paginator("scan").paginate(TableName=table)
    return sorted((item for page in pages for item in page["Items"]), key=lambda i: i["id"]["S"])


def test_export_and_import(cloud):
    dynamodb = cloud.client("dynamodb")
    source, target = _table(dynamodb, ITEMS), _table(dynamodb)
    uri = f"s3://{cloud.bucket}/backup"
    _run(
        cloud,
        "dynamodb_export",
        {"table_name": source, "s3_uri": uri, "export_format": "ION"},
    )
    for mode in ("import", "verify"):
        _run(
            cloud,
            "dynamodb_import",
            {"table_name": target, "s3_uri": uri, "mode": mode},
        )

    assert _items(dynamodb, target) == _items(dynamodb, source)


def test_copy_across_regions(cloud):
    here, there = cloud.client("dynamodb"), cloud.client("dynamodb", "eu-west-1")
    source, target = _table(here, ITEMS), _table(there)
    states = _run(
        cloud,
        "dynamodb_copy_across_regions",
        {
            "source_table_name": source,
            "source_region_name": "us-east-1",
            "target_table_name": target,
            "target_region_name": "eu-west-1",
            "staging_s3_uri": f"s3://{cloud.bucket}/copies/",
        },
    )

    assert set(states.values()) == {"success"}
    assert _items(there, target) == _items(here, source)


def test_changes_hour_by_hour_need_a_list_of_tables():
    file = PROJECT / "dags" / "dynamodb_incremental_export.py"
    (dag,) = DagBag(dag_folder=str(file)).dags.values()
    hour = datetime(2026, 11, 2, 3, tzinfo=UTC)
    with pytest.raises(AirflowSkipException, match="lists no table"):
        dag.get_task("tables").python_callable(hour, hour)


def test_changes_of_an_interval_are_exported_for_the_tables_whose_chain_has_begun(monkeypatch):
    file = PROJECT / "dags" / "dynamodb_incremental_export.py"
    (dag,) = DagBag(dag_folder=str(file)).dags.values()
    entries = [
        {"table_name": "orders", "s3_uri": "s3://b/orders/", "since": "2026-11-02T03:59:59+00:00"},
        {"table_name": "later", "s3_uri": "s3://b/later", "since": "2026-11-02T04:00:00+00:00"},
    ]
    monkeypatch.setenv("AIRFLOW_VAR_DYNAMODB_INCREMENTAL_EXPORTS", json.dumps(entries))
    begin, end = datetime(2026, 11, 2, 3, tzinfo=UTC), datetime(2026, 11, 2, 4, tzinfo=UTC)

    assert dag.get_task("tables").python_callable(begin, end) == [
        {
            "table_name": "orders",
            "s3_uri": "s3://b/orders/20261102T030000Z",
            "region_name": None,
        }
    ]
    waiting = dag.get_task("recovery_window")
    assert waiting.downstream_task_ids == {"export"}
    just_ended = {"data_interval_end": datetime.now(UTC) - timedelta(minutes=5)}
    assert not waiting.poke(just_ended)
    assert waiting.poke({"data_interval_end": end})
    arguments = dag.get_task("export").partial_kwargs
    assert arguments["export_from_time"] == "{{ data_interval_start }}"
    assert arguments["export_to_time"] == "{{ data_interval_end }}"
