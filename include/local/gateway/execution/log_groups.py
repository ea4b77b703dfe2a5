"""What jobs print, in CloudWatch Logs."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.local.gateway.clients import client

_LOG = logging.getLogger(__name__)
_BATCH = 1000
_MOST_LINES = 10_000


def write_lines(
    endpoint_url: str, region: str, group: str, stream: str, lines: Sequence[str]
) -> None:
    """Write lines to a log stream, which is made; a log that can't be written fails no job.

    :param endpoint_url: address of the gateway.
    :param region: Region of the log group.
    :param group: name of the log group.
    :param stream: name of the stream.
    :param lines: the lines; of many, the last ones.
    """
    logs: Any = client(endpoint_url, region, "logs")
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines[-_MOST_LINES:] if line]
    where = {"logGroupName": group, "logStreamName": stream}
    try:
        _make(logs, "create_log_group", logGroupName=group)
        _make(logs, "create_log_stream", **where)
        for start in range(0, len(events), _BATCH):
            logs.put_log_events(**where, logEvents=events[start : start + _BATCH])
    except (BotoCoreError, ClientError) as error:
        _LOG.warning("The log stream %s of %s can't be written: %s", stream, group, error)


def _make(logs: Any, operation: str, **parameters: str) -> None:
    try:
        getattr(logs, operation)(**parameters)
    except logs.exceptions.ResourceAlreadyExistsException:
        return
