"""What a run has printed, in CloudWatch Logs.

https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
"""

import logging
import threading
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.local.gateway.clients import client
from include.local.gateway.services.glue.job_runs import GOING_ON, JobRun

_LOG = logging.getLogger(__name__)
_BATCH = 1000
_MOST_LINES = 10_000
_PAUSE = 1.0  # seconds between two looks at what a run has printed

_lock = threading.Lock()
_positions: dict[tuple[str, str], int] = {}


def follow_log(endpoint_url: str, run: JobRun, folder: Path) -> None:
    """Copy the output of a run while it grows, in a thread of its own.

    :param endpoint_url: address of the gateway.
    :param run: the run.
    :param folder: its directory.
    """

    def follow() -> None:
        while run.state in GOING_ON:
            time.sleep(_PAUSE)
            write_log(endpoint_url, run, folder, is_complete=False)

    threading.Thread(target=follow, name=f"log of {run.id}", daemon=True).start()


def write_log(endpoint_url: str, run: JobRun, folder: Path, *, is_complete: bool = True) -> None:
    """Copy what is new in the output of a run; a log that can't be written fails no run.

    :param endpoint_url: address of the gateway.
    :param run: the run.
    :param folder: its directory.
    :param is_complete: whether the run prints nothing any more, so that its last line counts even
        without an end.
    """
    logs: Any = client(endpoint_url, run.region, "logs")
    prefix = run.members()["LogGroupName"]
    for kind in ("output", "error"):
        with _lock:
            lines = _new_lines(folder / f"{kind}.log", (run.id, kind), is_complete=is_complete)
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": line} for line in lines if line]
            if not events and not is_complete:
                continue
            where = {"logGroupName": f"{prefix}/{kind}", "logStreamName": run.id}
            try:
                _make(logs, "create_log_group", logGroupName=where["logGroupName"])
                _make(logs, "create_log_stream", **where)
                for start in range(0, len(events), _BATCH):
                    logs.put_log_events(**where, logEvents=events[start : start + _BATCH])
            except (BotoCoreError, ClientError):
                _LOG.exception("The log of %s can't be written", run.id)


def _new_lines(path: Path, key: tuple[str, str], *, is_complete: bool) -> list[str]:
    if not path.is_file():
        return []
    with path.open("rb") as file:
        file.seek(_positions.get(key, 0))
        content = file.read()
    if not is_complete:
        content = content[: content.rfind(b"\n") + 1]
    _positions[key] = _positions.get(key, 0) + len(content)
    return content.decode(errors="replace").splitlines()[-_MOST_LINES:]


def _make(logs: Any, operation: str, **parameters: str) -> None:
    try:
        getattr(logs, operation)(**parameters)
    except logs.exceptions.ResourceAlreadyExistsException:
        return
