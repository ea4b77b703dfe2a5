"""Charging requests to the buckets of their tables, and telling what they consumed."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from include.local.gateway.services.dynamodb import item_keys, read_charges
from include.local.gateway.services.dynamodb.capacity import EXCEEDED, Bucket, Capacities
from include.local.gateway.services.dynamodb.item_sizes import item_size, write_units

Json = dict[str, Any]
Forward = Callable[[Json], tuple[int, Json]]
"""Sends a changed request; gives status and body of the answer."""

OPERATIONS = read_charges.READS | item_keys.ITEM_WRITES

_SPLIT = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}


class Throttle:
    """Lets a request through, in part or not at all, and charges what it cost.

    :param capacities: the buckets.
    :param region: Region of the request.
    :param operation: one of :data:`OPERATIONS`.
    :param call: calls another operation for the throttle's own purposes.
    """

    def __init__(
        self, capacities: Capacities, region: str, operation: str, call: read_charges.Call
    ) -> None:
        self._capacities = capacities
        self._region = region
        self._operation = operation
        self._call = call

    def respond(self, request: Json, forward: Forward) -> tuple[int, Json]:
        """Answer a request.

        :param request: its input.
        :param forward: sends what is let through.
        :returns: status and body of the answer.
        :raises AwsError: when nothing of it is let through.
        """
        if self._operation in read_charges.READS:
            return self._read(request, forward)
        return self._write(request, forward)

    def _read(self, request: Json, forward: Forward) -> tuple[int, Json]:
        passing: Json = request
        left: Json = {}
        buckets = {
            name: self._capacities.bucket(self._region, item_keys.table_name(name), "read")
            for name in _names(self._operation, request)
        }
        if any(buckets.values()):
            if self._operation == "BatchGetItem":
                passing, left = self._split_keys(request, buckets)
            elif not all(bucket.admit(0) for bucket in buckets.values() if bucket):
                raise EXCEEDED
        status, answer = forward(passing)
        if status != HTTPStatus.OK:
            return status, answer
        units = read_charges.charges(self._operation, passing, answer, self._call)
        for name, amount in units.items():
            bucket = buckets.get(name)
            if bucket is not None:
                bucket.charge(amount)
        if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
            answer["ConsumedCapacity"] = read_charges.consumed(
                self._operation, request, answer, units
            )
        for name, asked in left.items():
            answer.setdefault("UnprocessedKeys", {})[name] = asked
        return status, answer

    def _split_keys(self, request: Json, buckets: Mapping[str, Bucket | None]) -> tuple[Json, Json]:
        """Let whole tables through: what their items cost is known only afterwards."""
        asked: Json = request["RequestItems"]
        passing = {
            name: keys
            for name, keys in asked.items()
            if (bucket := buckets[name]) is None or bucket.admit(0)
        }
        if not passing:
            raise EXCEEDED
        left = {name: keys for name, keys in asked.items() if name not in passing}
        return {**request, "RequestItems": passing}, left

    def _write(self, request: Json, forward: Forward) -> tuple[int, Json]:
        taken: dict[str, float] = {}
        passing: Json = request
        left: Json = {}
        if self._operation == "BatchWriteItem":
            passing, left = self._split_writes(request, taken)
        else:
            names = {
                name for name, _ in item_keys.written(self._operation, request)
            }  # of a transaction several
            for name in names:
                bucket = self._capacities.bucket(self._region, name, "write")
                if bucket is not None and not bucket.admit(0):
                    raise EXCEEDED
        status, answer = forward({**passing, "ReturnConsumedCapacity": "INDEXES"})
        if status == HTTPStatus.OK:
            self._charge(answer, taken)
            _trim(answer, request.get("ReturnConsumedCapacity", "NONE"))
            for name, requests in left.items():
                answer.setdefault("UnprocessedItems", {}).setdefault(name, []).extend(requests)
        else:
            for name, units in taken.items():
                bucket = self._capacities.bucket(self._region, item_keys.table_name(name), "write")
                if bucket is not None:
                    bucket.charge(-units)
        return status, answer

    def _split_writes(self, request: Json, taken: dict[str, float]) -> tuple[Json, Json]:
        """Let through what the buckets have units for, item by item."""
        passing: Json = {}
        left: Json = {}
        for name, requests in request["RequestItems"].items():
            bucket = self._capacities.bucket(self._region, item_keys.table_name(name), "write")
            for each in requests:
                units = _least_units(each)
                if bucket is None or bucket.admit(units):
                    passing.setdefault(name, []).append(each)
                    taken[name] = taken.get(name, 0.0) + (units if bucket is not None else 0.0)
                else:
                    left.setdefault(name, []).append(each)
        if not passing:
            raise EXCEEDED
        return {**request, "RequestItems": passing}, left

    def _charge(self, answer: Json, taken: Mapping[str, float]) -> None:
        consumed = answer.get("ConsumedCapacity", [])
        for entry in consumed if isinstance(consumed, list) else [consumed]:
            name = entry["TableName"]
            bucket = self._capacities.bucket(self._region, item_keys.table_name(name), "write")
            if bucket is not None:
                bucket.charge(entry["Table"]["CapacityUnits"] - taken.get(name, 0.0))


def _names(operation: str, request: Json) -> list[str]:
    """Name the tables as the request does, by name or ARN."""
    if operation == "BatchGetItem":
        return list(request["RequestItems"])
    return [str(request["TableName"])]


def _least_units(request: Json) -> float:
    item = request.get("PutRequest", {}).get("Item")
    return write_units(item_size(item)) if item else 1.0


def _trim(answer: Json, wanted: str) -> None:
    """Leave of ``ConsumedCapacity`` what the caller asked for."""
    if wanted == "NONE":
        answer.pop("ConsumedCapacity", None)
    elif wanted == "TOTAL":
        consumed = answer.get("ConsumedCapacity", [])
        for entry in consumed if isinstance(consumed, list) else [consumed]:
            for member in ("Table", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
                entry.pop(member, None)
