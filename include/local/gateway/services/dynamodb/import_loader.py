"""Writing the items of an import into its table, and counting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.errors import AwsError
from include.local.gateway.services.dynamodb.import_sources import Candidate
from include.local.gateway.services.dynamodb.item_keys import key_text

_BATCH = 25  # of BatchWriteItem
_REFUSALS = frozenset({"SerializationException", "ValidationException"})

Item = dict[str, Any]


@dataclass
class Counts:
    """What an import has done so far, by the names of its description."""

    ProcessedItemCount: int = 0
    ImportedItemCount: int = 0
    ErrorCount: int = 0
    ProcessedSizeBytes: int = 0


class Loader:
    """Puts items into a new table. Of items with one key, the last wins.

    :param backend: ministack.
    :param region: Region of the table.
    :param table: its name.
    :param key_names: names of its key attributes, the partition key first.
    :param tell: hears of items that are left out: object, place, problem.
    """

    def __init__(
        self,
        backend: DynamoDBBackend,
        region: str,
        table: str,
        key_names: list[str],
        tell: Callable[[str, int, str], None],
    ) -> None:
        self._backend = backend
        self._region = region
        self._table = table
        self._key_names = key_names
        self._tell = tell
        self._batch: dict[str, tuple[str, int, Item]] = {}
        self.counts = Counts()

    def add(self, source: str, candidate: Candidate) -> None:
        """Take what stands at one place of an object.

        :param source: key of the object.
        :param candidate: what stands there.
        :raises AwsError: when ministack does not answer.
        """
        self.counts.ProcessedItemCount += 1
        if candidate.item is None:
            self._reject(source, candidate.index, candidate.problem)
            return
        key = key_text(self._key_names, candidate.item)
        if key is None:
            problem = f"The item lacks a key attribute or has it in another type: {self._key_names}"
            self._reject(source, candidate.index, problem)
            return
        if key in self._batch or len(self._batch) == _BATCH:
            self.flush()
        self._batch[key] = (source, candidate.index, candidate.item)

    def flush(self) -> None:
        """Write what waits.

        :raises AwsError: when ministack does not answer.
        """
        batch, self._batch = list(self._batch.values()), {}
        if not batch:
            return
        puts = [{"PutRequest": {"Item": item}} for _, _, item in batch]
        try:
            self._call("BatchWriteItem", {"RequestItems": {self._table: puts}})
        except AwsError as error:
            if error.code not in _REFUSALS:
                raise
        else:
            self.counts.ImportedItemCount += len(batch)
            return
        # One bad item has all of them refused.
        for source, index, item in batch:
            try:
                self._call("PutItem", {"TableName": self._table, "Item": item})
            except AwsError as error:
                if error.code not in _REFUSALS:
                    raise
                self._reject(source, index, error.message)
            else:
                self.counts.ImportedItemCount += 1

    def _call(self, operation: str, parameters: dict[str, Any]) -> None:
        self._backend.call(operation, parameters, self._region)

    def _reject(self, source: str, index: int, problem: str) -> None:
        self.counts.ErrorCount += 1
        self._tell(source, index, problem)
