"""The contenders that use boto3's client and nothing else: the least that boto3 can do."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.dynamodb.items import batches

SCAN_THREADS = 4
"""Segments that are read at the same time, as many as Updraft's default for a small table."""

WRITE_THREADS = 8
"""Batches that are written at the same time, as many as Updraft writes."""


def _client() -> Any:
    retries: Any = {"mode": "standard", "total_max_attempts": 10}
    return boto3.client("dynamodb", config=Config(retries=retries, max_pool_connections=16))


def scan(table: str, items: int, *, dump: bool) -> Callable[[], None]:
    """Prepare a parallel scan.

    :param table: name of the table.
    :param items: number of items that there are.
    :param dump: whether to turn each item into a line of JSON before it is thrown away.
    """

    def read(client: Any, segment: int) -> int:
        pages = client.get_paginator("scan").paginate(
            TableName=table, Segment=segment, TotalSegments=SCAN_THREADS
        )
        found = 0
        for page in pages:
            found += len(page["Items"])
            if dump:
                "\n".join(map(json.dumps, page["Items"])).encode()
        return found

    def run() -> None:
        client = _client()
        with ThreadPoolExecutor(SCAN_THREADS) as executor:
            found = sum(executor.map(partial(read, client), range(SCAN_THREADS)))
        if found != items:
            raise SystemExit(f"The scan found {found:,} of {items:,} items")

    return run


def write(table: str, items: int) -> Callable[[], None]:
    """Prepare parallel BatchWriteItem; the items are in memory before the clock starts.

    :param table: name of an empty table.
    :param items: number of items.
    """
    requests = [[{"PutRequest": {"Item": item}} for item in batch] for batch in batches(items)]

    def put(client: Any, batch: list[dict[str, Any]]) -> None:
        answer = client.batch_write_item(RequestItems={table: batch})
        if answer["UnprocessedItems"]:
            raise SystemExit("The server did not take all items of a batch")

    def run() -> None:
        client = _client()
        with ThreadPoolExecutor(WRITE_THREADS) as executor:
            list(executor.map(partial(put, client), requests))

    return run
