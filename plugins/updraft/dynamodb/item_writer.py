"""Writes batches of items into a table, until the service has taken or refused each of them."""

import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import tenacity

from updraft.dynamodb.cancellation import Cancellation
from updraft.dynamodb.capacity import TokenBucket
from updraft.dynamodb.formats import Item
from updraft.dynamodb.item_keys import ItemKey, KeyReader
from updraft.dynamodb.service import DynamoDBService
from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.errors import UpdraftError

log = logging.getLogger(__name__)

MAXIMUM_BATCH_ITEMS = 25
"""Requests that BatchWriteItem takes.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

BYTES_PER_UNIT = 1024
"""Bytes that one write capacity unit pays for."""

# What says that an item itself is wrong, whatever else is in the batch.
_ITEM_IS_WRONG = frozenset({"ValidationException", "ItemCollectionSizeLimitExceededException"})
_MAXIMUM_SENDS = 30
_LONGEST_PAUSE = 20.0
_FIRST_PAUSE = 0.05


class Write(NamedTuple):
    """One item that is to be put, or one key that is to be deleted.

    :param key: the key, to tell the writes of a batch apart.
    :param item: the item; of a deletion only the key attributes.
    :param deleted: whether to delete it.
    :param size: size of the item in bytes, at least as DynamoDB counts.
    """

    key: ItemKey
    item: Item
    deleted: bool
    size: int


class WriteOutcome(NamedTuple):
    """What became of a batch.

    :param skipped: keys of items that were left alone because the table has them.
    :param refused: what the service said about the items it refused, by key.
    """

    skipped: frozenset[ItemKey]
    refused: Mapping[ItemKey, str]


class ItemWriter(Protocol):
    """Writes batches; called from several threads."""

    @property
    def replaces(self) -> bool:
        """Whether it replaces items that the table has already."""

    def write(self, batch: Sequence[Write]) -> WriteOutcome:
        """Write a batch.

        :param batch: writes with different keys, at most 25.
        :returns: what became of them, when none is left.
        :raises ServiceError: when the service fails, or throttles without end.
        :raises CancelledError: when the work was cancelled.
        """


class _TableWriter:
    def __init__(
        self,
        service: DynamoDBService,
        table: str,
        keys: KeyReader,
        *,
        budget: TokenBucket,
        cancellation: Cancellation,
    ) -> None:
        self._service = service
        self._table = table
        self._keys = keys
        self._budget = budget
        self._cancellation = cancellation

    def _call(
        self, operation: str, request: Mapping[str, Any], expected_units: float
    ) -> dict[str, Any]:
        self._budget.reserve(expected_units, self._cancellation)
        where = f"table {self._table!r} in {self._service.region}"
        with explained(f"dynamodb:{operation}", where):
            response = self._service.call(operation, {**request, "ReturnConsumedCapacity": "TOTAL"})
        charges = response.get("ConsumedCapacity") or expected_units
        if isinstance(charges, Mapping):
            charges = charges.get("CapacityUnits", expected_units)
        elif isinstance(charges, list):
            charges = sum(charge.get("CapacityUnits", 0) for charge in charges)
        self._budget.settle(expected_units, charges)
        return response


class ReplacingWriter(_TableWriter):
    """Puts items with BatchWriteItem; one that the table has already is replaced.

    :param service: DynamoDB.
    :param table: name or ARN of the table.
    :param keys: reads the keys of the table's items.
    :param budget: write capacity that all threads share.
    :param cancellation: looked at before every call.
    """

    replaces = True

    def write(self, batch: Sequence[Write]) -> WriteOutcome:
        """Write a batch, see :meth:`ItemWriter.write`."""
        try:
            self._send_all({write.key: write for write in batch})
        except ServiceError as error:
            if error.code not in _ITEM_IS_WRONG:
                raise
            return WriteOutcome(frozenset(), self._write_one_by_one(batch, error))
        return WriteOutcome(frozenset(), {})

    def _write_one_by_one(self, batch: Sequence[Write], error: ServiceError) -> dict[ItemKey, str]:
        """Find out which item it is that the service refuses; it does not say."""
        if len(batch) == 1:
            return {batch[0].key: error.message}
        refused: dict[ItemKey, str] = {}
        for write in batch:
            refused |= self.write([write]).refused
        return refused

    def _send_all(self, batch: dict[ItemKey, Write]) -> None:
        left = self._send(batch)
        if left:
            self._send_again(left)

    def _send_again(self, left: dict[ItemKey, Write]) -> None:
        """Send what a first call has left unprocessed, after a pause."""

        def send() -> int:
            nonlocal left
            left = self._send(left)
            return len(left)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_result(bool),
            wait=tenacity.wait_random_exponential(_FIRST_PAUSE, max=_LONGEST_PAUSE),
            stop=tenacity.stop_after_attempt(_MAXIMUM_SENDS - 1),
            sleep=self._cancellation.sleep,
        )
        self._cancellation.sleep(random.uniform(0, _FIRST_PAUSE))  # noqa: S311 - jitter
        try:
            retrying(send)
        except tenacity.RetryError:
            raise ServiceError(
                f"DynamoDB left {len(left)} items of a batch for table {self._table!r} unprocessed "
                f"{_MAXIMUM_SENDS} times, which says that it throttles. Lower "
                "write_throughput_ratio or give the table more capacity, and run the task again: "
                "it goes on where it stopped."
            ) from None

    def _send(self, batch: Mapping[ItemKey, Write]) -> dict[ItemKey, Write]:
        requests = [
            {"DeleteRequest": {"Key": write.item}}
            if write.deleted
            else {"PutRequest": {"Item": write.item}}
            for write in batch.values()
        ]
        units = float(sum(_units(write) for write in batch.values()))
        response = self._call("BatchWriteItem", {"RequestItems": {self._table: requests}}, units)
        unprocessed = response.get("UnprocessedItems")
        if not unprocessed:
            return {}
        self._budget.slow_down()
        return {
            key: batch[key]
            for requests_left in unprocessed.values()
            for request in requests_left
            for key in [self._keys.key(_attributes(request))]
        }


class KeepingWriter(_TableWriter):
    """Puts items one by one, and leaves alone what the table has already.

    BatchWriteItem knows no conditions. Parameters are those of :class:`ReplacingWriter`.
    """

    replaces = False

    def write(self, batch: Sequence[Write]) -> WriteOutcome:
        """Write a batch, see :meth:`ItemWriter.write`."""
        skipped = set()
        refused: dict[ItemKey, str] = {}
        for write in batch:
            if write.deleted:
                raise UpdraftError(
                    "on_conflict: 'skip' does not go with an incremental export, which says what "
                    "to replace and to delete; use 'put'"
                )
            try:
                self._put(write)
            except ServiceError as error:
                if error.code == "ConditionalCheckFailedException":
                    skipped.add(write.key)
                elif error.code in _ITEM_IS_WRONG:
                    refused[write.key] = error.message
                else:
                    raise
        return WriteOutcome(frozenset(skipped), refused)

    def _put(self, write: Write) -> None:
        partition_key = next(iter(self._keys.attributes(write.item)))
        self._call(
            "PutItem",
            {
                "TableName": self._table,
                "Item": write.item,
                "ConditionExpression": "attribute_not_exists(#key)",
                "ExpressionAttributeNames": {"#key": partition_key},
            },
            float(_units(write)),
        )


def _units(write: Write) -> int:
    return -(-write.size // BYTES_PER_UNIT) or 1


def _attributes(request: Mapping[str, Any]) -> Item:
    """Take the item, or the key, out of a request that came back unprocessed."""
    if "PutRequest" in request:
        item: Item = request["PutRequest"]["Item"]
        return item
    key: Item = request["DeleteRequest"]["Key"]
    return key
