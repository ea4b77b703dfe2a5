"""Recording what is written to tables with point-in-time recovery.

ministack's streams would not do: they miss PartiQL, tell the time in seconds and forget all at a
restart. So each write to such a table is forwarded under a lock of the table, and what the written
keys hold afterwards is read back and stored before the caller hears of success. Other tables are
not looked at.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.errors import AwsError
from include.local.gateway.http import HttpResponse
from include.local.gateway.services.dynamodb import item_keys
from include.local.gateway.services.dynamodb.history_store import (
    HistoryStore,
    Image,
    TrackedTable,
)

_KEYS_PER_READ = 100  # of BatchGetItem
_RECONCILED_AT_ONCE = 10_000


@dataclass
class _Recorded:
    """A table under record.

    :param name: its name.
    :param unsure: whether something may have been written behind the gateway's back.
    :param table: its entry in the store; None until the baseline is complete.
    """

    name: str
    unsure: bool = False
    table: TrackedTable | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)


class Recorder:
    """Stands between the gateway and ministack where a table has point-in-time recovery.

    :param backend: ministack.
    :param store: where versions are kept.
    """

    def __init__(self, backend: DynamoDBBackend, store: HistoryStore) -> None:
        self._backend = backend
        self._store = store
        self._switching = threading.Lock()
        self._clock = threading.Lock()
        self._latest = 0
        # Writes under way to tables that were not recorded when they began.
        self._unrecorded: set[object] = set()
        self._recorded: dict[tuple[str, str], _Recorded] = {
            # The gateway or ministack may have been killed between a write and its record.
            (table.region, table.name): _Recorded(table.name, unsure=True, table=table)
            for table in store.tables()
        }

    def write(
        self, operation: str, region: str, body: bytes, forward: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """Carry out a write and record what it changes.

        :param operation: one of :data:`item_keys.WRITES`.
        :param region: its Region.
        :param body: the request, DynamoDB's JSON.
        :param forward: sends it to ministack.
        :returns: ministack's answer.
        :raises AwsError: when ministack does not answer.
        """
        while True:
            token = object()
            self._unrecorded.add(token)
            try:
                # Only after the token is known may a table be found not to be recorded: enabling
                # enters the table first and waits for the tokens then.
                tables = self._named_in(region, body)
                if not tables:
                    return forward()
            finally:
                self._unrecorded.discard(token)
            with ExitStack() as locks:
                for recorded in tables:
                    locks.enter_context(recorded.lock)
                if all(self._recorded.get((region, each.name)) is each for each in tables):
                    return self._write(operation, body, tables, forward)

    def _write(
        self,
        operation: str,
        body: bytes,
        tables: list[_Recorded],
        forward: Callable[[], HttpResponse],
    ) -> HttpResponse:
        written = _written(operation, body, tables)
        for recorded, _ in written:
            self._make_sure(recorded)
        try:
            response = forward()
            if response.status == HTTPStatus.OK:
                seen = [
                    (each.table, self._read(each.table, keys))
                    for each, keys in written
                    if each.table is not None and keys is not None
                ]
                self._store.record(seen, self._now())
        except BaseException:
            _doubt(written)
            raise
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _doubt(written)
        elif operation in item_keys.STATEMENTS:
            _doubt(written)
            for recorded, _ in written:
                self._make_sure(recorded)
        return response

    def _named_in(self, region: str, body: bytes) -> list[_Recorded]:
        """Find the recorded tables that a request may name, in an order that avoids deadlocks."""
        if not self._recorded:
            return []
        # JSON may write any character as an escape, though no SDK does it in a name.
        escaped = b"\\u00" in body
        return [
            recorded
            for (at, name), recorded in sorted(self._recorded.items())
            if at == region and (escaped or name.encode() in body)
        ]

    def enable(self, region: str, description: dict[str, Any], days: int) -> None:
        """Start recording a table; one that is recorded already keeps its history.

        :param region: its Region.
        :param description: what DescribeTable says of it.
        :param days: recovery period, in days.
        """
        name = description["TableName"]
        with self._switching:
            before = self._recorded.get((region, name))
            if before is not None and before.table is not None:
                if before.table.table_id == description["TableId"]:
                    before.table = self._store.keep_for(before.table, days)
                    return
                self._drop(region, name)
            recorded = _Recorded(name)
            with recorded.lock:
                self._recorded[region, name] = recorded
                under_way = set(self._unrecorded)
                while under_way & self._unrecorded:
                    time.sleep(0.001)
                names = [key["AttributeName"] for key in description["KeySchema"]]
                table = TrackedTable(0, region, name, description["TableId"], names, 0, days)
                try:
                    baseline = list(self._scan(table))
                    recorded.table = self._store.begin(table, baseline, self._now())
                except BaseException:
                    del self._recorded[region, name]
                    raise

    def disable(self, region: str, name: str) -> None:
        """Stop recording a table and forget its history.

        :param region: its Region.
        :param name: its name.
        """
        with self._switching:
            self._drop(region, name)

    def _drop(self, region: str, name: str) -> None:
        recorded = self._recorded.get((region, name))
        if recorded is None:
            return
        with recorded.lock:
            self._recorded.pop((region, name), None)
            if recorded.table is not None:
                self._store.forget(recorded.table)
                recorded.table = None

    def find(self, region: str, name: str, table_id: str) -> TrackedTable | None:
        """Look a table up.

        :param region: its Region.
        :param name: its name.
        :param table_id: DynamoDB's id of it.
        :returns: the table; None when it is not recorded.
        """
        recorded = self._recorded.get((region, name))
        table = recorded.table if recorded is not None else None
        return table if table is not None and table.table_id == table_id else None

    def settle(self, table: TrackedTable, *, compare: bool) -> None:
        """Wait until every write that began before is in the store.

        :param table: the table.
        :param compare: whether to compare the table with the history, because its items change
            without a write to it.
        """
        recorded = self._recorded.get((table.region, table.name))
        if recorded is not None:
            with recorded.lock:
                recorded.unsure = recorded.unsure or compare
                self._make_sure(recorded)

    def _make_sure(self, recorded: _Recorded) -> None:
        """Bring the history in line with the table where it may be behind."""
        table = recorded.table
        if not recorded.unsure or table is None:
            return
        try:
            self._reconcile(table)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            # Lost with a ministack that was killed.
            self._recorded.pop((table.region, table.name), None)
            self._store.forget(table)
            recorded.table = None
        recorded.unsure = False

    def _reconcile(self, table: TrackedTable) -> None:
        gone = self._store.present_keys(table)
        images: dict[str, Image | None] = {}
        for key, image in self._scan(table):
            gone.discard(key)
            images[key] = image
            if len(images) == _RECONCILED_AT_ONCE:
                self._store.record([(table, images)], self._now())
                images = {}
        self._store.record([(table, images | dict.fromkeys(gone))], self._now())

    def _scan(self, table: TrackedTable) -> Iterator[tuple[str, Image]]:
        request: dict[str, Any] = {"TableName": table.name, "ConsistentRead": True}
        while True:
            page = self._backend.call("Scan", request, table.region)
            for item in page["Items"]:
                key = item_keys.key_text(table.key_names, item)
                if key is not None:
                    yield key, item
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _read(self, table: TrackedTable, keys: set[str]) -> dict[str, Image | None]:
        images: dict[str, Image | None] = dict.fromkeys(keys)
        waiting = [json.loads(key) for key in keys]
        while waiting:
            asked, waiting = waiting[:_KEYS_PER_READ], waiting[_KEYS_PER_READ:]
            request = {table.name: {"Keys": asked, "ConsistentRead": True}}
            answer = self._backend.call("BatchGetItem", {"RequestItems": request}, table.region)
            for item in answer["Responses"].get(table.name, ()):
                key = item_keys.key_text(table.key_names, item)
                if key is not None:
                    images[key] = item
            waiting += answer.get("UnprocessedKeys", {}).get(table.name, {}).get("Keys", ())
        return images

    def _now(self) -> int:
        """Tell the time in microseconds since 1970, later than ever before."""
        with self._clock:
            self._latest = max(self._latest + 1, math.floor(time.time() * 1_000_000))
            return self._latest


_Written = list[tuple[_Recorded, set[str] | None]]


def _doubt(written: _Written) -> None:
    for recorded, _ in written:
        recorded.unsure = True


def _written(operation: str, body: bytes, tables: list[_Recorded]) -> _Written:
    """Say what a request writes: recorded tables, and keys where they can be told."""
    try:
        parameters = json.loads(body)
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        return []  # which DynamoDB will refuse
    if operation in item_keys.STATEMENTS:
        if item_keys.only_selects(parameters):
            return []
        return [(recorded, None) for recorded in tables]
    found = {each.name: (each, set[str]()) for each in tables if each.table is not None}
    for name, attributes in item_keys.written(operation, parameters):
        if name in found:
            recorded, keys = found[name]
            table = recorded.table
            key = item_keys.key_text(table.key_names, attributes) if table is not None else None
            if key is not None:
                keys.add(key)
    return [(recorded, keys) for recorded, keys in found.values() if keys]
