"""How a task waits that AWS throttles: without a slot, and longer each time."""

import random
import time
from datetime import timedelta
from typing import Any

from updraft.compat import BaseOperator
from updraft.dynamodb.service_errors import THROTTLED, ServiceError
from updraft.operators.waiting import GRACE
from updraft.triggers.pause import PauseTrigger

_MOST_PAUSES = 20
_FIRST_PAUSE = 15.0  # seconds
_LONGEST_PAUSE = 300.0


def may_pause(error: ServiceError, pauses: int) -> bool:
    """Say whether to try again later.

    :param error: why AWS refused.
    :param pauses: how many pauses there were since the work last got on.
    :returns: whether AWS has throttled a call, and not for too long.
    """
    return error.code in THROTTLED and pauses < _MOST_PAUSES


def pause(
    task: BaseOperator,
    error: ServiceError,
    pauses: int,
    progress: dict[str, Any],
    *,
    deferrable: bool,
) -> None:
    """Let time pass; it returns in the task's slot only.

    :param task: the task. Its ``execute_complete`` gets ``progress`` by this name.
    :param error: why AWS refused.
    :param pauses: how many pauses there were since the work last got on.
    :param progress: what the task needs to know when it goes on, as JSON can hold it.
    :param deferrable: whether to wait without a slot.
    :raises TaskDeferred: when it is so.
    """
    seconds = min(_FIRST_PAUSE * 2**pauses, _LONGEST_PAUSE)
    seconds *= random.uniform(0.5, 1)  # noqa: S311 - spreads calls, hides nothing
    task.log.info("%s Going on in %.0f s", error, seconds)
    if deferrable:
        # PauseTrigger speaks to nobody, so that it needs no aiobotocore.
        task.defer(
            trigger=PauseTrigger(seconds),
            method_name="execute_complete",
            kwargs={"progress": progress},
            timeout=timedelta(seconds=seconds) + GRACE,
        )
    time.sleep(seconds)
