"""CPU time per item of two clients side by side: Updraft's raw JSON and bare boto3.

Both write the same items with BatchWriteItem and read them with Scan, dumping each as a line of
JSON. Every measurement runs in a process of its own and counts that process's CPU time, which is
what a worker with one vCPU pays. Items/s are what the server gives on the same machine, whose cores
it shares with the client.

Run it with ``python -m benchmarks.dynamodb_client``, which starts a local stack of its own, or with
``--endpoint-url http://127.0.0.1:4567`` against another server, such as dynalite.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import boto3
import orjson
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from include.local.stack import LocalStack

PROJECT = Path(__file__).parents[1]
TABLE = "client-benchmark"
BATCH = 25
CONFIG: dict[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 10},
    "max_pool_connections": 16,
}

Call: TypeAlias = Callable[[str, Mapping[str, Any]], Any]


def item(number: int) -> dict[str, Any]:
    """Make an item of 400 bytes.

    :param number: what its key is made from.
    :returns: the item in DynamoDB's JSON.
    """
    return {
        "id": {"S": f"order-{number:09d}"},
        "customer": {"S": f"customer-{number % 9973:06d}"},
        "amount": {"N": f"{number}.25"},
        "paid": {"BOOL": number % 2 == 0},
        "address": {"M": {"city": {"S": "Zürich"}, "zip": {"N": str(8000 + number % 99)}}},
        "lines": {"L": [{"S": f"article-{number % 101}"}, {"N": "3"}]},
        "note": {"S": "x" * 260},
    }


def boto3_call() -> Call:
    """Prepare boto3's client as a user would have it."""
    client = boto3.client("dynamodb", config=Config(**CONFIG))
    methods: dict[str, Callable[..., Any]] = {
        "BatchWriteItem": client.batch_write_item,
        "Scan": client.scan,
    }
    return lambda operation, request: methods[operation](**request)


def raw_call() -> Call:
    """Prepare Updraft's raw JSON."""
    # The contender that needs no Airflow must not pay for it.
    from updraft.hooks import dynamodb, dynamodb_service  # noqa: PLC0415 - see above

    hook = dynamodb.DynamoDBClientHook(aws_conn_id=None, config=CONFIG)
    service = dynamodb_service.dynamodb_service(
        hook, sleep=time.sleep, on_throttled=lambda: None, raw=True
    )
    return service.call


CLIENTS: dict[str, Callable[[], Call]] = {"boto3": boto3_call, "raw": raw_call}


def write(call: Call, items: int, threads: int) -> Callable[[], int]:
    """Prepare the writing of all items.

    :param call: calls an operation.
    :param items: number of items, a multiple of 25.
    :param threads: number of threads.
    """
    batches = [
        [{"PutRequest": {"Item": item(number)}} for number in range(start, start + BATCH)]
        for start in range(0, items, BATCH)
    ]

    def put(batch: list[dict[str, Any]]) -> int:
        answer = call("BatchWriteItem", {"RequestItems": {TABLE: batch}})
        if answer["UnprocessedItems"]:
            raise SystemExit("The server did not take all items of a batch")
        return len(batch)

    def run() -> int:
        with ThreadPoolExecutor(threads) as executor:
            return sum(executor.map(put, batches))

    return run


def scan(call: Call, items: int, threads: int) -> Callable[[], int]:
    """Prepare the reading of all items, each dumped as a line of JSON.

    :param call: calls an operation.
    :param items: number of items that there are.
    :param threads: number of threads, each of which reads one segment.
    """

    def read(segment: int) -> int:
        request = {"TableName": TABLE, "Segment": segment, "TotalSegments": threads}
        count = 0
        while True:
            page = call("Scan", request)
            lines = b"\n".join(map(orjson.dumps, page["Items"]))
            count += lines.count(b"\n") + bool(lines)
            if "LastEvaluatedKey" not in page:
                return count
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def run() -> int:
        with ThreadPoolExecutor(threads) as executor:
            found = sum(executor.map(read, range(threads)))
        if found != items:
            raise SystemExit(f"The scan found {found:,} of {items:,} items")
        return found

    return run


WORK = {"BatchWriteItem": write, "Scan": scan}


def measure(client: str, operation: str, items: int, threads: int) -> None:
    """Run one client on one operation in this process and print its figures as JSON.

    :param client: its name in ``CLIENTS``.
    :param operation: ``BatchWriteItem`` or ``Scan``.
    :param items: number of items.
    :param threads: number of threads.
    """
    logging.disable(logging.WARNING)
    call = CLIENTS[client]()
    call("Scan", {"TableName": TABLE, "Limit": 1})  # what is made at the first call is not counted
    run = WORK[operation](call, items, threads)
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}))


def create_table() -> None:
    """Make the table anew."""
    client = boto3.client("dynamodb")
    if TABLE in client.list_tables()["TableNames"]:
        client.delete_table(TableName=TABLE)
        client.get_waiter("table_not_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    client.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})


def _figures(client: str, operation: str, items: int, threads: int) -> dict[str, float]:
    process = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.dynamodb_client", "--items", str(items)),
            *("--client", client, "--operation", operation, "--threads", str(threads)),
        ],
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return figures


def compare(items: int, server: str) -> Table:
    """Measure all clients on all operations.

    :param items: number of items.
    :param server: name of the server for the title.
    :returns: the figures.
    """
    create_table()
    table = Table(title=f"{items:,} items of 400 bytes, {server}, {os.cpu_count()} cores")
    for heading in ("", "threads", "client", "items/s", "CPU s per million items", "CPU ratio"):
        table.add_column(heading, justify="left" if heading in {"", "client"} else "right")
    for operation in WORK:
        for threads in (1, 8):
            base = 0.0
            for client in CLIENTS:
                figures = _figures(client, operation, items, threads)
                per_item = figures["cpu"] / items * 1e6
                base = base or per_item
                table.add_row(
                    operation,
                    str(threads),
                    client,
                    f"{items / figures['wall']:,.0f}",
                    f"{per_item:,.1f}",
                    f"{per_item / base:.2f}",
                )
    return table


def main() -> None:
    """Compare on the given server, or on a local stack that lives as long as the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000, help="number of items (20,000)")
    parser.add_argument("--endpoint-url", help="server to use in place of a local stack")
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--operation", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    items = -(-arguments.items // BATCH) * BATCH
    if arguments.client:
        measure(arguments.client, arguments.operation, items, arguments.threads)
        return

    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="updraft-benchmark-") as directory:
        stack = LocalStack(Path(directory) / "stack", throttling=False)
        os.environ |= {
            "AIRFLOW_HOME": str(Path(directory) / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }
        if arguments.endpoint_url:
            os.environ |= {
                "AWS_ENDPOINT_URL": arguments.endpoint_url,
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "AWS_DEFAULT_REGION": "us-east-1",
            }
            console.print(compare(items, arguments.endpoint_url))
            return
        stack.up()
        try:
            os.environ |= stack.environment()
            console.print(compare(items, "local stack"))
        finally:
            stack.down()


if __name__ == "__main__":
    main()
