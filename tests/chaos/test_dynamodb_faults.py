"""Copies of tables through a proxy that throttles, fails, resets and cuts.

Nothing may be lost: a copy ends complete, or with a clear error after which a retry completes it.
"""

import base64
import json
import urllib.request
import uuid
from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException

from include.local.fault_proxy import FaultProxy, fault_proxy
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator

pytestmark = pytest.mark.integration

ITEMS = 1_500
THROTTLING = {"code": "ProvisionedThroughputExceededException"}
FAULTS = {
    "throttling of 30 % of the calls": {"probability": 0.3, "error": THROTTLING},
    "throttling of 45 % of the calls": {"probability": 0.45, "error": THROTTLING},
    "server errors": {"probability": 0.2, "error": {"code": "InternalServerError", "status": 500}},
    "connections that are reset": {"probability": 0.2, "reset": True},
    "answers that are cut": {"probability": 0.2, "response": {"abort_frac": 0.5}},
    "slow answers": {"probability": 0.2, "latency": 700},
}
USUAL = {"throttling of 30 % of the calls"}
# In few attempts with short timeouts, so that a test waits seconds where AWS makes wait minutes.
CONFIGURATION = {"read_timeout": 5, "retries": {"mode": "standard", "total_max_attempts": 12}}


def _item(number):
    return {
        "id": {"S": f"item-{number}"},
        "digits": {"N": f"{number + 1}.1234567890123456789012345678"},
        "binary": {"B": number.to_bytes(4, "big")},
        "note": {"S": "x" * 300},
    }


@pytest.fixture(scope="module")
def faults(local_stack, tmp_path_factory) -> Iterator[FaultProxy]:
    with fault_proxy(local_stack.endpoint_url, tmp_path_factory.mktemp("faults")) as proxy:
        yield proxy


class Cloud:
    """Direct clients of the local stack, and operators that go through the proxy."""

    def __init__(self, stack, faults):
        self.stack, self.faults = stack, faults
        arguments = {
            "endpoint_url": stack.endpoint_url,
            "region_name": "us-east-1",
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }
        self.dynamodb = boto3.client("dynamodb", **arguments)
        self.s3 = boto3.client("s3", **arguments)
        self.bucket = f"faults-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.bucket)

    def create_table(self, items=0, **throughput):
        name = f"faults-{uuid.uuid4()}"
        billing = {"ProvisionedThroughput": throughput} if throughput else {}
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PROVISIONED" if throughput else "PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            **billing,
        )
        for start in range(0, items, 25):
            requests = [{"PutRequest": {"Item": _item(n)}} for n in range(start, start + 25)]
            self.dynamodb.batch_write_item(RequestItems={name: requests})
        return name

    def items(self, table):
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table)
        return {item["id"]["S"]: item for page in pages for item in page["Items"]}

    def exported(self, prefix):
        manifest = json.loads(self.read(f"{prefix}/manifest"))
        keys = [entry["url"].removeprefix(f"s3://{self.bucket}/") for entry in manifest["entries"]]
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"{prefix}/")
        names = [
            entry["Key"] for entry in found["Contents"] if "/_updraft/import_" not in entry["Key"]
        ]
        assert sorted([*keys, f"{prefix}/manifest"]) == names
        items = [json.loads(line) for key in keys for line in self.read(key).splitlines()]
        assert len({item["id"]["s"] for item in items}) == len(items)
        return {
            item["id"]["s"]: {
                "id": {"S": item["id"]["s"]},
                "digits": {"N": item["digits"]["n"]},
                "binary": {"B": base64.b64decode(item["binary"]["b"])},
                "note": {"S": item["note"]["s"]},
            }
            for item in items
        }

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def control(self, method, what, **settings):
        url = f"{self.stack.endpoint_url}/_local/dynamodb/{what}"
        body = json.dumps(settings).encode()
        urllib.request.urlopen(urllib.request.Request(url, body, method=method)).close()


@pytest.fixture
def cloud(local_stack, faults, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", faults.endpoint_url)
    yield Cloud(local_stack, faults)
    faults.set_rules([])


@pytest.fixture(scope="module")
def expected():
    return {f"item-{number}": _item(number) for number in range(ITEMS)}


def _export(cloud, table, prefix, attempt=1, **arguments):
    operator = DynamoDBExportOperator(
        task_id="export",
        table_name=table,
        s3_uri=f"s3://{cloud.bucket}/{prefix}",
        aws_conn_id=None,
        botocore_config=CONFIGURATION,
        total_segments=8,
        **{"read_throughput_ratio": 1.0} | arguments,
    )
    return operator.execute(_context("export", attempt))


def _import(cloud, table, prefix, attempt=1, **arguments):
    operator = DynamoDBImportOperator(
        task_id="import",
        table_name=table,
        s3_uri=f"s3://{cloud.bucket}/{prefix}",
        aws_conn_id=None,
        botocore_config=CONFIGURATION,
        **{"write_throughput_ratio": 1.0} | arguments,
    )
    return operator.execute(_context("import", attempt))


def _context(task_id, attempt):
    return {
        "ti": SimpleNamespace(
            dag_id="d", task_id=task_id, map_index=-1, run_id="run", try_number=attempt
        )
    }


def _usual(faults):
    """Leave all but the usual faults to the thorough tests."""
    return [
        fault if fault in USUAL else pytest.param(fault, marks=pytest.mark.thorough)
        for fault in faults
    ]


@pytest.mark.parametrize("fault", _usual(FAULTS))
def test_a_copy_survives(cloud, expected, fault):
    source, target = cloud.create_table(ITEMS), cloud.create_table()
    cloud.faults.set_rules([{"service": "dynamodb", **FAULTS[fault]}])
    # Throttling alone is no reason to fail.
    most = 1 if fault.startswith("throttling") else 5
    _complete(lambda attempt: _export(cloud, source, "copy", attempt), most)
    _complete(lambda attempt: _import(cloud, target, "copy", attempt), most)

    assert cloud.faults.fired()
    assert cloud.exported("copy") == expected
    assert cloud.items(target) == expected


@pytest.mark.parametrize(
    "fault", _usual(name for name in FAULTS if not name.startswith("throttling"))
)
def test_a_copy_survives_them_in_s3_too(cloud, expected, fault):
    source, target = cloud.create_table(ITEMS), cloud.create_table()
    cloud.faults.set_rules([{"service": "s3", **FAULTS[fault], "probability": 0.1}])
    _complete(lambda attempt: _export(cloud, source, "copy", attempt))
    _complete(lambda attempt: _import(cloud, target, "copy", attempt))

    assert cloud.exported("copy") == expected
    assert cloud.items(target) == expected


def _complete(copy, most=5):
    """Run a copy, and again after an error, as Airflow does."""
    for attempt in range(1, most + 1):
        try:
            return copy(attempt)
        except AirflowException as error:
            last = error
    raise AssertionError(f"{most} attempts have failed") from last


def test_a_table_that_throttles_and_leaves_items_unprocessed(cloud, expected):
    source = cloud.create_table(ITEMS)
    target = cloud.create_table()
    cloud.control("PUT", "capacity", table=source, read=40, write=40)
    cloud.control("PUT", "capacity", table=target, read=300, write=300)
    try:
        _export(cloud, source, "copy", read_throughput_ratio=0.01)
        _import(cloud, target, "copy", write_throughput_ratio=0.02)
    finally:
        cloud.control("DELETE", "capacity", table=source)
        cloud.control("DELETE", "capacity", table=target)

    assert cloud.exported("copy") == expected
    assert cloud.items(target) == expected


def test_a_copy_keeps_within_its_share_so_that_nothing_is_throttled(cloud):
    source = cloud.create_table(ITEMS, ReadCapacityUnits=100, WriteCapacityUnits=1000)
    cloud.control("PUT", "capacity", table=source, read=100, write=1000, burst_seconds=2)
    try:
        cloud.faults.fired()
        _export(cloud, source, "copy", read_throughput_ratio=0.5)
    finally:
        cloud.control("DELETE", "capacity", table=source)

    assert len(cloud.exported("copy")) == ITEMS


def test_credentials_that_expire_in_the_middle(cloud, expected, monkeypatch):
    source, target = cloud.create_table(ITEMS), cloud.create_table()
    expired = {
        "headers": {"authorization": "Credential=local/"},
        "error": {"code": "ExpiredTokenException", "message": "The token has expired"},
    }
    _export(cloud, source, "copy")
    for operation, copy in (
        ("Scan", lambda attempt: _export(cloud, source, "again", attempt)),
        ("BatchWriteItem", lambda attempt: _import(cloud, target, "copy", attempt)),
    ):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
        cloud.faults.set_rules(
            [{"service": "dynamodb", "operation": operation, "probability": 0.4, **expired}]
        )
        with pytest.raises(AirflowException, match="The credentials have expired; renew those of"):
            copy(1)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "renewed")
        copy(2)

    assert cloud.exported("again") == expected
    assert cloud.items(target) == expected
