"""The operations of DynamoDB that the gateway executes itself, put together."""

from collections.abc import Mapping
from pathlib import Path

from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.handlers import Operation
from include.local.gateway.services.dynamodb.capacity import Capacities
from include.local.gateway.services.dynamodb.control import Control
from include.local.gateway.services.dynamodb.exports import Exports
from include.local.gateway.services.dynamodb.front import DynamoDBFront
from include.local.gateway.services.dynamodb.history_store import HistoryStore
from include.local.gateway.services.dynamodb.imports import Imports
from include.local.gateway.services.dynamodb.point_in_time import Recorder
from include.local.gateway.services.dynamodb.recovery import Recovery
from include.local.gateway.services.dynamodb.task_store import TaskStore


class DynamoDBHandler:
    """Exports, imports and continuous backups; ministack has the rest behind :attr:`front`.

    :param directory: where history, exports and imports are kept.
    :param backend: ministack.
    :param endpoint_url: address of the gateway, for S3 and CloudWatch Logs.
    """

    service = "dynamodb"

    def __init__(self, directory: Path, backend: DynamoDBBackend, endpoint_url: str) -> None:
        self._backend = backend
        self._history = HistoryStore(directory / "history.sqlite3")
        self._tasks = TaskStore(directory / "tasks.sqlite3")
        recorder = Recorder(backend, self._history)
        capacities = Capacities()
        self._recovery = Recovery(backend, recorder, self._history)
        self._exports = Exports(
            self._tasks, self._recovery, lambda: self.control.tasks, endpoint_url
        )
        self._imports = Imports(self._tasks, backend, lambda: self.control.tasks, endpoint_url)
        self.front = DynamoDBFront(backend, recorder, capacities, lambda: self._imports.creating)
        self.control = Control(backend, self.front, capacities)

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "DescribeContinuousBackups": self._recovery.describe,
            "DescribeExport": self._exports.describe,
            "DescribeImport": self._imports.describe,
            "ExportTableToPointInTime": self._exports.start,
            "ImportTable": self._imports.start,
            "ListExports": self._exports.list_all,
            "ListImports": self._imports.list_all,
            "UpdateContinuousBackups": self._recovery.update,
        }

    def close(self) -> None:
        """Close the files and the connections to ministack; tasks under way fail."""
        self._tasks.close()
        self._history.close()
        self._backend.close()
