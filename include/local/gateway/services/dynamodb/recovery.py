"""Point-in-time recovery of tables: UpdateContinuousBackups and DescribeContinuousBackups.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContinuousBackups.html
"""

import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from include.local.gateway.dynamodb_backend import DynamoDBBackend
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import OperationRequest
from include.local.gateway.services.dynamodb.history_store import HistoryStore, TrackedTable
from include.local.gateway.services.dynamodb.item_keys import table_name
from include.local.gateway.services.dynamodb.point_in_time import Recorder

_DAYS = 35  # of recovery unless asked otherwise
_DAY_SECONDS = 24 * 60 * 60
_MICRO = 1_000_000
_TABLE_ARN = re.compile(r"arn:aws[\w-]*:dynamodb:(?P<region>[^:]+):\d{12}:table/(?P<name>[\w.-]+)")


class Recovery:
    """Which tables have point-in-time recovery, and their history.

    :param backend: ministack.
    :param recorder: records their writes.
    :param history: what was recorded.
    """

    def __init__(self, backend: DynamoDBBackend, recorder: Recorder, history: HistoryStore) -> None:
        self._backend = backend
        self._recorder = recorder
        self.history = history

    def update(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out UpdateContinuousBackups.

        :param request: the request.
        :returns: the new description.
        :raises AwsError: when there is no such table.
        """
        name = table_name(request.parameters["TableName"])
        wanted = request.parameters["PointInTimeRecoverySpecification"]
        description = self._table(request.region, name)
        if wanted["PointInTimeRecoveryEnabled"]:
            days = wanted.get("RecoveryPeriodInDays", _DAYS)
            self._recorder.enable(request.region, description, days)
        else:
            self._recorder.disable(request.region, name)
        return self.describe(request)

    def describe(self, request: OperationRequest) -> Mapping[str, Any]:
        """Carry out DescribeContinuousBackups.

        :param request: the request.
        :returns: the description.
        :raises AwsError: when there is no such table.
        """
        name = table_name(request.parameters["TableName"])
        description = self._table(request.region, name)
        table = self._recorder.find(request.region, name, description["TableId"])
        recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
        if table is not None:
            now = time.time()
            # In whole seconds, as SDKs send them back.
            earliest = math.ceil(self.earliest(table, now))
            recovery = {
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": table.days,
                "EarliestRestorableDateTime": datetime.fromtimestamp(earliest, UTC),
                "LatestRestorableDateTime": datetime.fromtimestamp(
                    max(earliest, math.floor(now)), UTC
                ),
            }
        return {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": recovery,
            }
        }

    def require(self, region: str, table_arn: str) -> TrackedTable:
        """Find the table of an export.

        :param region: Region of the request.
        :param table_arn: ARN of the table.
        :returns: the table.
        :raises AwsError: when it does not exist or has no point-in-time recovery.
        """
        match = _TABLE_ARN.fullmatch(table_arn)
        if match is None or match["region"] != region:
            message = f"Invalid TableArn: {table_arn} is no ARN of a table in {region}"
            raise AwsError("ValidationException", message)
        description = self._table(region, match["name"])
        table = self._recorder.find(region, match["name"], description["TableId"])
        if table is None:
            message = f"Point in time recovery is not enabled for table '{match['name']}'"
            raise AwsError("PointInTimeRecoveryUnavailableException", message)
        return table

    def catch_up(self, table: TrackedTable) -> None:
        """Bring into the history what changed without a request: expired items, replicas.

        :param table: the table.
        """
        name = {"TableName": table.name}
        expiry = self._backend.call("DescribeTimeToLive", name, table.region)
        expires = expiry["TimeToLiveDescription"]["TimeToLiveStatus"] != "DISABLED"
        replicated = bool(self._table(table.region, table.name).get("Replicas"))
        self._recorder.settle(table, compare=expires or replicated)

    def wait_for_writes(self, table: TrackedTable) -> None:
        """Wait until every write that has a time by now is in the history.

        :param table: the table.
        """
        self._recorder.settle(table, compare=False)

    @staticmethod
    def earliest(table: TrackedTable, now: float) -> float:
        """Tell how far back a table can be seen.

        :param table: the table.
        :param now: the present, in seconds since 1970.
        :returns: the earliest instant, in seconds since 1970.
        """
        return max(table.enabled_at / _MICRO, now - table.days * _DAY_SECONDS)

    def _table(self, region: str, name: str) -> dict[str, Any]:
        try:
            table: dict[str, Any] = self._backend.call(
                "DescribeTable", {"TableName": name}, region
            )["Table"]
        except AwsError as error:
            if error.code == "ResourceNotFoundException":
                message = f"Table not found: {name}"
                raise AwsError("TableNotFoundException", message) from error
            raise
        return table
