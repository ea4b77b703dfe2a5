"""Export rates side by side: Updraft, the provider's operator, and a scan that keeps nothing.

All read the same table of the same local stack, one after the other, each in a process of its own,
so that CPU time and peak memory are theirs alone. The bare scan is the limit for anything that goes
through boto3, once with pages of 1 MB and once with pages as short as Updraft's: the emulator walks
the whole table for every page, so that on a laptop the number of pages decides on items/s. DynamoDB
does not. Compare the CPU time per item, which is what a worker with one vCPU pays, and the memory.

Run it with ``make bench-dynamodb``, or ``python -m benchmarks.dynamodb_export --items 100000``.
"""

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
from rich.console import Console
from rich.table import Table

from include.local.stack import LocalStack
from updraft.dynamodb.read_capacity import MAXIMUM_PAGE_ITEMS

PROJECT = Path(__file__).parents[1]
TABLE, BUCKET = "benchmark", "benchmark"
SEGMENTS = 4


def _item(number: int) -> dict[str, Any]:
    """Make an item of about 400 bytes without sets and binary, which the provider cannot export."""
    return {
        "id": {"S": f"order-{number:09d}"},
        "customer": {"S": f"customer-{number % 9973:06d}"},
        "amount": {"N": f"{number}.25"},
        "paid": {"BOOL": number % 2 == 0},
        "address": {"M": {"city": {"S": "Zürich"}, "zip": {"N": str(8000 + number % 99)}}},
        "lines": {"L": [{"S": f"article-{number % 101}"}, {"N": "3"}]},
        "note": {"S": "x" * 260},
    }


def seed(items: int) -> None:
    """Write the table that all contenders read.

    :param items: number of items, rounded up to a multiple of 25.
    """
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    client = boto3.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )

    def write(start: int) -> None:
        requests = [{"PutRequest": {"Item": _item(n)}} for n in range(start, start + 25)]
        answer = client.batch_write_item(RequestItems={TABLE: requests})  # type: ignore[dict-item]
        if answer["UnprocessedItems"]:
            raise SystemExit("The server did not take all items of a batch")

    with ThreadPoolExecutor(SEGMENTS) as executor:
        list(executor.map(write, range(0, items, 25)))


def bare_scan(page_items: int | None = None) -> Callable[[], None]:
    """Prepare a parallel scan of boto3 that throws the items away.

    :param page_items: number of items on a page, as many as fit in 1 MB by default.
    """
    client = boto3.client("dynamodb")
    paginator = client.get_paginator("scan")

    def read(segment: int) -> None:
        pages = paginator.paginate(
            TableName=TABLE,
            Segment=segment,
            TotalSegments=SEGMENTS,
            PaginationConfig={"PageSize": page_items},
        )
        for _ in pages:
            pass

    def run() -> None:
        with ThreadPoolExecutor(SEGMENTS) as executor:
            list(executor.map(read, range(SEGMENTS)))

    return run


def updraft() -> Callable[[], None]:
    """Prepare Updraft's operator with the worker engine."""
    from updraft.operators.dynamodb import DynamoDBExportOperator  # noqa: PLC0415 - the others must not pay for it

    operator = DynamoDBExportOperator(
        task_id="export",
        table_name=TABLE,
        s3_uri=f"s3://{BUCKET}/updraft",
        read_throughput_ratio=1,
        total_segments=SEGMENTS,
        aws_conn_id=None,
    )
    instance = SimpleNamespace(
        dag_id="d", task_id="export", map_index=-1, run_id="run", try_number=1
    )
    return lambda: operator.execute({"ti": instance})  # type: ignore[typeddict-item,func-returns-value]


def provider(prefix: str, **arguments: Any) -> Callable[[], None]:
    """Prepare the provider's operator, which scans one segment.

    :param prefix: key prefix of its files.
    :param arguments: further arguments of the operator.
    """
    # The contenders that need no Airflow must not pay for it.
    from airflow.providers.amazon.aws.transfers import dynamodb_to_s3  # noqa: PLC0415 - see above

    operator = dynamodb_to_s3.DynamoDBToS3Operator(
        task_id="export",
        dynamodb_table_name=TABLE,
        s3_bucket_name=BUCKET,
        s3_key_prefix=f"{prefix}/",
        source_aws_conn_id=None,
        dest_aws_conn_id=None,
        **arguments,
    )
    return lambda: operator.execute({})  # type: ignore[typeddict-item]


CONTENDERS: dict[str, tuple[str, Callable[[], Callable[[], None]]]] = {
    "bare": ("boto3 scan, 4 segments, items thrown away", bare_scan),
    "bare-short": (
        f"the same, {MAXIMUM_PAGE_ITEMS:,} items a page",
        lambda: bare_scan(MAXIMUM_PAGE_ITEMS),
    ),
    "updraft": ("DynamoDBExportOperator, 4 segments", updraft),
    "provider": ("DynamoDBToS3Operator, its defaults", lambda: provider("provider")),
    "provider-large": (
        "DynamoDBToS3Operator, file_size 64 MiB",
        lambda: provider("provider-large", file_size=64 * 1024**2),
    ),
}


def _memory(field: str) -> float:
    """Read a value of this process in MiB; ``getrusage`` would count the parent's peak too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"/proc/self/status has no {field}")


def measure(contender: str) -> None:
    """Run one contender in this process and print its figures as JSON.

    :param contender: its name in ``CONTENDERS``.
    """
    logging.disable(logging.WARNING)
    run = CONTENDERS[contender][1]()
    before, cpu, wall = _memory("VmRSS"), time.process_time(), time.perf_counter()
    run()
    figures = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "before": before,
        "peak": _memory("VmHWM"),
    }
    print(json.dumps(figures))


def _objects(contender: str) -> int:
    pages = (
        boto3.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=BUCKET, Prefix=f"{contender}/")
    )
    return sum(page.get("KeyCount", 0) for page in pages)


def compare(items: int) -> Table:
    """Run all contenders on a new table.

    :param items: number of items.
    :returns: their figures.
    """
    console = Console(stderr=True)
    console.print(f"Writing {items:,} items …")
    seed(items)
    table = Table(title=f"{items:,} items of 400 bytes, local stack, {os.cpu_count()} cores")
    for heading in ("", "items/s", "CPU µs/item", "CPU ratio", "peak MiB", "added MiB", "objects"):
        table.add_column(heading, justify="right" if heading else "left")
    base = 0.0
    for name, (title, _) in CONTENDERS.items():
        console.print(f"{title} …")
        process = subprocess.run(
            [sys.executable, "-m", "benchmarks.dynamodb_export", "--contender", name],
            cwd=PROJECT,
            env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        figures = json.loads(process.stdout.splitlines()[-1])
        per_item = figures["cpu"] / items * 1e6
        base = base or per_item
        table.add_row(
            title,
            f"{items / figures['wall']:,.0f}",
            f"{per_item:,.0f}",
            f"{per_item / base:.2f}",
            f"{figures['peak']:,.0f}",
            f"{figures['peak'] - figures['before']:,.0f}",
            f"{_objects(name):,}",
        )
    return table


def main() -> None:
    """Start a local stack of its own, compare, and end it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=20_000, help="number of items (20,000)")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        measure(arguments.contender)
        return

    with tempfile.TemporaryDirectory(prefix="updraft-benchmark-") as directory:
        stack = LocalStack(Path(directory) / "stack", throttling=False)
        stack.up()
        try:
            os.environ |= {
                **stack.environment(),
                "AIRFLOW_HOME": str(Path(directory) / "airflow"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            }
            items = -(-arguments.items // 25) * 25
            Console(width=120).print(compare(items))
        finally:
            stack.down()


if __name__ == "__main__":
    main()
