"""The memory of a copy does not depend on the size of the table.

Each copy runs in a process of its own, whose peak counts. A table that is held in memory, even as
compact JSON, adds more than the bound.
"""

import json
import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from include.local.layout import PROJECT

pytestmark = pytest.mark.integration

SMALL, LARGE = 5_000, 13_000  # items of 4 kB; each of four segments is several parts of an upload
MAXIMUM_GROWTH = 16  # MiB, while the table grows by 32

SCRIPT = """
import sys
from benchmarks.dynamodb import operators
from benchmarks.dynamodb.measurement import report
direction, table, uri, items = sys.argv[1:]
copy = operators.worker_export if direction == "export" else operators.worker_import
report(copy(table, uri, int(items), "DATA_PIPELINE"))
"""


@pytest.fixture
def environment(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return os.environ | {"PYTHONPATH": str(PROJECT / "plugins")}


@pytest.fixture
def bucket(environment):
    name = f"memory-{uuid.uuid4()}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


def _create_table():
    name = f"memory-{uuid.uuid4()}"
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    return name


def _item(number):
    tags = {f"tag{index}": {"N": f"{number}.{index}"} for index in range(10)}
    return {"id": {"S": f"{number:08}"}, "text": {"S": f"{number:08}" * 475}, "tags": {"M": tags}}


def _fill(table, first, last):
    client = boto3.client("dynamodb")

    def write(start):
        requests = [{"PutRequest": {"Item": _item(n)}} for n in range(start, start + 25)]
        assert not client.batch_write_item(RequestItems={table: requests})["UnprocessedItems"]

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(write, range(first, last, 25)))


def _peak(environment, *arguments):
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)],
        cwd=PROJECT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(process.stdout.splitlines()[-1])["memory"]


@pytest.mark.thorough
def test_memory_is_that_of_a_smaller_table(environment, bucket):
    table = _create_table()
    exports, imports = {}, {}
    for first, last in ((0, SMALL), (SMALL, LARGE)):
        _fill(table, first, last)
        uri = f"s3://{bucket}/{last}"
        exports[last] = _peak(environment, "export", table, uri, last)
        imports[last] = _peak(environment, "import", _create_table(), uri, last)

    assert exports[LARGE] - exports[SMALL] < MAXIMUM_GROWTH
    assert imports[LARGE] - imports[SMALL] < MAXIMUM_GROWTH
    assert max(*exports.values(), *imports.values()) < 300
