"""What a run has printed, in CloudWatch Logs.

https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
"""

import logging
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.local.gateway.services.dynamodb.object_store import client
from include.local.gateway.services.glue.job_runs import JobRun

_LOG = logging.getLogger(__name__)
_BATCH = 1000
_MOST_LINES = 10_000


def write_log(endpoint_url: str, run: JobRun, folder: Path) -> None:
    """Copy the output of a run; a log that can't be written fails no run.

    :param endpoint_url: address of the gateway.
    :param run: the run.
    :param folder: its directory.
    """
    logs: Any = client(endpoint_url, run.region, "logs")
    for kind in ("output", "error"):
        path = folder / f"{kind}.log"
        if not path.is_file():
            continue
        lines = path.read_text(errors="replace").splitlines()[-_MOST_LINES:]
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines if line]
        where = {"logGroupName": f"/aws-glue/jobs/{kind}", "logStreamName": run.id}
        try:
            _make(logs, "create_log_group", logGroupName=where["logGroupName"])
            _make(logs, "create_log_stream", **where)
            for start in range(0, len(events), _BATCH):
                logs.put_log_events(**where, logEvents=events[start : start + _BATCH])
        except (BotoCoreError, ClientError):
            _LOG.exception("The log of %s can't be written", run.id)


def _make(logs: Any, operation: str, **parameters: str) -> None:
    try:
        getattr(logs, operation)(**parameters)
    except logs.exceptions.ResourceAlreadyExistsException:
        return
