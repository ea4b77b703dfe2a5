"""Copies of tables that are killed at any instant, and run again as Airflow would.

``make chaos`` kills thirty exports and thirty imports; `make test` a few. The instants are random;
a failure names the seed, and ``CHAOS_SEED`` repeats it.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

pytestmark = pytest.mark.integration

KILLS = int(os.environ.get("CHAOS_KILLS", "2"))
SEED = int(os.environ.get("CHAOS_SEED", str(random.SystemRandom().randrange(1_000_000))))
ITEMS = 12_000
SEGMENTS = 12
SCRIPT = Path(__file__).parent / "copy_table.py"
PROJECT = Path(__file__).parents[2]


def _item(number):
    return {
        "id": {"S": f"item-{number:06d} \u2028 Zürich"},
        "digits": {"N": f"{number + 1}.12345678901234567890123456789"},
        "binary": {"B": number.to_bytes(4, "big")},
        "texts": {"SS": ["a", f"b{number}"]},
        "note": {"S": "x" * 300},
    }


class Cloud:
    """Clients of the local stack, and processes that copy tables there."""

    def __init__(self, stack):
        self.environment = {
            **os.environ,
            **stack.environment,
            "PYTHONPATH": str(PROJECT / "plugins"),
        }
        arguments = {
            "endpoint_url": stack.endpoint_url,
            "region_name": stack.environment["AWS_DEFAULT_REGION"],
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }
        self.dynamodb = boto3.client("dynamodb", **arguments)
        self.s3 = boto3.client("s3", **arguments)
        self.bucket = f"chaos-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=self.bucket)

    def create_table(self):
        name = f"chaos-{uuid.uuid4()}"
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        return name

    def fill(self, table):
        def write(start):
            requests = [{"PutRequest": {"Item": _item(n)}} for n in range(start, start + 25)]
            answer = self.dynamodb.batch_write_item(RequestItems={table: requests})
            assert not answer["UnprocessedItems"]

        with ThreadPoolExecutor(4) as executor:
            list(executor.map(write, range(0, ITEMS, 25)))

    def items(self, table):
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table)
        found = [item for page in pages for item in page["Items"]]
        for item in found:
            item["texts"]["SS"].sort()
        return {item["id"]["S"]: item for item in found}

    def objects(self, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def read(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def begin(self, *arguments):
        """Start a copy and wait until its work begins."""
        process = subprocess.Popen(
            [sys.executable, SCRIPT, *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "started\n"
        return process

    def finish(self, *arguments):
        """Run a copy to its end and return what it did, and how long it took."""
        process = self.begin(*arguments)
        start = time.monotonic()
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0
        return json.loads(output.splitlines()[-1]), time.monotonic() - start

    def kill(self, delay, *arguments):
        """Kill a copy some time after its work has begun, unless it ends before."""
        process = self.begin(*arguments)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def cloud(local_stack):
    return Cloud(local_stack)


@pytest.fixture(scope="module")
def source(cloud):
    name = cloud.create_table()
    cloud.fill(name)
    return name


@pytest.fixture(scope="module")
def undisturbed_export(cloud, source):
    """An export that nobody killed: its prefix, and how long it took."""
    report, seconds = cloud.finish("export", source, f"s3://{cloud.bucket}/undisturbed", 1)
    assert report["result"]["items"] == ITEMS
    return "undisturbed", seconds


@pytest.fixture(scope="module")
def undisturbed_import(cloud, undisturbed_export):
    """How long an import takes that nobody kills."""
    prefix, _ = undisturbed_export
    report, seconds = cloud.finish(
        "import", cloud.create_table(), f"s3://{cloud.bucket}/{prefix}", 1
    )
    assert report["written"] == ITEMS
    return seconds


def _delays(seconds):
    instants = random.Random(SEED)
    return [instants.uniform(0, seconds) for _ in range(KILLS)]


def _finished_segments(cloud, prefix):
    return {
        int(key.rpartition("/")[2].removesuffix(".json"))
        for key in cloud.objects(f"{prefix}/_updraft/")
    }


def test_an_export_that_is_killed_is_finished_by_its_retry(cloud, source, undisturbed_export):
    undisturbed, seconds = undisturbed_export
    lines = sorted(
        line
        for key in cloud.objects(f"{undisturbed}/")
        if not key.endswith("manifest")
        for line in cloud.read(key).splitlines()
    )
    assert len(lines) == ITEMS
    for number, delay in enumerate(_delays(seconds)):
        prefix = f"export-{number}"
        uri = f"s3://{cloud.bucket}/{prefix}"
        cloud.kill(delay, "export", source, uri, 1)
        was_complete = f"{prefix}/manifest" in cloud.objects(f"{prefix}/")
        finished = _finished_segments(cloud, prefix)

        report, _ = cloud.finish("export", source, uri, 2)

        where = f"seed {SEED}, kill {number} after {delay:.3f} s"
        expected = set() if was_complete else set(range(SEGMENTS)) - finished
        assert set(report["scanned"]) == expected, where
        manifest = json.loads(cloud.read(f"{prefix}/manifest"))
        named = [
            entry["url"].removeprefix(f"s3://{cloud.bucket}/") for entry in manifest["entries"]
        ]
        assert sorted([*named, f"{prefix}/manifest"]) == cloud.objects(f"{prefix}/"), where
        found = sorted(line for key in named for line in cloud.read(key).splitlines())
        assert found == lines, where
        uploads = cloud.s3.list_multipart_uploads(Bucket=cloud.bucket, Prefix=f"{prefix}/")
        assert not uploads.get("Uploads"), where


@pytest.mark.thorough
def test_an_import_that_is_killed_is_finished_by_its_retry(
    cloud, source, undisturbed_export, undisturbed_import
):
    prefix, _ = undisturbed_export
    expected = cloud.items(source)
    receipt = f"{prefix}/_updraft/import_chaos.json"
    for number, delay in enumerate(_delays(undisturbed_import)):
        cloud.s3.delete_object(Bucket=cloud.bucket, Key=receipt)
        target = cloud.create_table()
        uri = f"s3://{cloud.bucket}/{prefix}"
        cloud.kill(delay, "import", target, uri, 1)
        done = 0
        if receipt in cloud.objects(f"{prefix}/_updraft/"):
            done = json.loads(cloud.read(receipt))["counts"]["items"]

        report, _ = cloud.finish("import", target, uri, 2)

        where = f"seed {SEED}, kill {number} after {delay:.3f} s"
        assert report["written"] == ITEMS - done, where
        assert report["result"]["items"] == ITEMS, where
        assert cloud.items(target) == expected, where
        cloud.dynamodb.delete_table(TableName=target)
