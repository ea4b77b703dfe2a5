"""Runs the contenders one after the other on the same servers and collects their figures."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from benchmarks.dynamodb.contenders import BUCKET, CONTENDERS, EXPORT, TABLE, Contender, Work
from benchmarks.dynamodb.installation import PROJECT, awswrangler
from benchmarks.dynamodb.items import BATCH, item
from benchmarks.dynamodb.servers import Servers

_SEED_THREADS = 4


@dataclass(frozen=True)
class Figures:
    """What one contender needed.

    :param contender: the contender.
    :param items: number of items.
    :param wall: time in seconds.
    :param cpu: CPU time of its process in seconds.
    :param memory_before: memory of its process before the work, in MiB.
    :param memory: largest memory of its process in MiB.
    :param server: share of the time that the busiest server process was computing.
    """

    contender: Contender
    items: int
    wall: float
    cpu: float
    memory_before: float
    memory: float
    server: float

    @property
    def rate(self) -> float:
        """Items per second."""
        return self.items / self.wall

    @property
    def cpu_per_million(self) -> float:
        """CPU seconds for a million items."""
        return self.cpu / self.items * 1e6


class Comparison:
    """Contenders on one table.

    :param servers: what stands in for AWS.
    :param items: number of items, a multiple of 25.
    :param say: tells the user what is going on.
    """

    def __init__(self, servers: Servers, items: int, say: Callable[[str], None]) -> None:
        self._servers = servers
        self._items = items
        self._say = say
        self._dynamodb: Any = boto3.client("dynamodb", config=Config(max_pool_connections=16))
        self._exported: set[str] = set()

    def seed(self) -> None:
        """Make the bucket and the table that all exports read."""
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        self._create_table(TABLE)

        def write(start: int) -> None:
            batch = [
                {"PutRequest": {"Item": item(number)}} for number in range(start, start + BATCH)
            ]
            answer = self._dynamodb.batch_write_item(RequestItems={TABLE: batch})
            if answer["UnprocessedItems"]:
                raise SystemExit("The server did not take all items of a batch")

        self._say(f"Writing {self._items:,} items …")
        with ThreadPoolExecutor(_SEED_THREADS) as executor:
            list(executor.map(write, range(0, self._items, BATCH)))

    def run(self, names: Sequence[str]) -> list[Figures]:
        """Run contenders, each in a process of its own.

        :param names: their names; one that the server is not able to serve is left out.
        :returns: their figures.
        """
        figures = []
        for name in names:
            contender = CONTENDERS[name]
            if contender.needs_import_table and not self._servers.has_import_table:
                self._say(f"{contender.title}: left out, the server has no ImportTable")
                continue
            self._say(f"{contender.direction}: {contender.title} …")
            if contender.direction == EXPORT:
                figures.append(self._export(contender))
            else:
                figures.append(self._import(contender))
        return figures

    def _export(self, contender: Contender) -> Figures:
        self._exported.add(contender.name)
        return self._measure(contender, Work(TABLE, self._items, contender.name))

    def _import(self, contender: Contender) -> Figures:
        if contender.source and contender.source not in self._exported:
            self._export(CONTENDERS[contender.source])
        table = f"{TABLE}-{contender.name}"
        self._create_table(table)
        try:
            figures = self._measure(contender, Work(table, self._items, contender.source))
            self._check(table, contender)
        finally:
            self._dynamodb.delete_table(TableName=table)
        return figures

    def _measure(self, contender: Contender, work: Work) -> Figures:
        interpreter = awswrangler() if contender.prepare is None else None
        before = self._servers.cpu_seconds()
        process = subprocess.run(
            contender.command(work, interpreter),
            cwd=PROJECT,
            env=os.environ | {"PYTHONPATH": str(PROJECT / "plugins")},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        after = self._servers.cpu_seconds()
        found: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
        busiest = max(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
        return Figures(contender, work.items, server=busiest / found["wall"], **found)

    def _create_table(self, name: str) -> None:
        self._dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        waiter = self._dynamodb.get_waiter("table_exists")
        waiter.wait(TableName=name, WaiterConfig={"Delay": 1})

    def _check(self, table: str, contender: Contender) -> None:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, Select="COUNT")
        found = sum(page["Count"] for page in pages)
        if found != self._items:
            raise SystemExit(f"{contender.title} has written {found:,} of {self._items:,} items")
