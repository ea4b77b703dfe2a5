"""Where an import tells of the items that it leaves out: CloudWatch Logs, as DynamoDB does.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Validation.html
"""

import json
import logging
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.local.gateway.clients import client

_LOG = logging.getLogger(__name__)

GROUP = "/aws-dynamodb/imports"
_MOST = 10_000  # errors that DynamoDB writes down; it counts on after them
_BATCH = 500


class ImportLog:
    """The error stream of one import. A log that can't be written stops no import.

    :param endpoint_url: address of the gateway.
    :param region: Region of the import.
    :param import_arn: its ARN.
    :param bucket: bucket of the source.
    """

    def __init__(self, endpoint_url: str, region: str, import_arn: str, bucket: str) -> None:
        self._arn = import_arn
        self._bucket = bucket
        self._stream = f"{import_arn.rpartition('/')[2]}/error"
        self._logs: Any = client(endpoint_url, region, "logs")
        self._waiting: list[dict[str, Any]] = []
        self._count = 0

    def add(self, key: str, index: int, problem: str) -> None:
        """Tell of an item.

        :param key: key of the object.
        :param index: place of the item in it.
        :param problem: what is wrong with it.
        """
        if self._count == _MOST:
            return
        self._count += 1
        message = {
            "itemS3Pointer": {"bucket": self._bucket, "key": key, "itemIndex": index},
            "importArn": self._arn,
            "errorMessages": [problem],
        }
        now = int(time.time() * 1000)
        self._waiting.append({"timestamp": now, "message": json.dumps(message)})
        if len(self._waiting) == _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        events, self._waiting = self._waiting, []
        where = {"logGroupName": GROUP, "logStreamName": self._stream}
        try:
            self._make("create_log_group", logGroupName=GROUP)
            self._make("create_log_stream", **where)
            self._logs.put_log_events(**where, logEvents=events)
        except (BotoCoreError, ClientError):
            _LOG.exception("The log of %s can't be written", self._arn)

    def _make(self, operation: str, **parameters: str) -> None:
        try:
            getattr(self._logs, operation)(**parameters)
        except self._logs.exceptions.ResourceAlreadyExistsException:
            return
