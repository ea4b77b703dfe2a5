"""How a task waits for AWS: in Airflow's triggerer, or in its own slot."""

import importlib.util
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from updraft.errors import ArgumentError

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

log = logging.getLogger(__name__)

GRACE = timedelta(hours=1)
"""Time for the calls between the pauses, so that a trigger ends before Airflow's timeout."""


@dataclass(frozen=True)
class Deferral:
    """What is returned when AWS does the work and the task has to wait for it.

    :param trigger: tells when AWS is done; its event goes to whoever takes the task up again.
    :param timeout: longest time to wait.
    """

    trigger: "BaseTrigger"
    timeout: timedelta


def may_defer(*, deferrable: bool) -> bool:
    """Decide whether a task gives its slot back while it waits.

    :param deferrable: whether it was told to.
    :returns: whether it does; the log says why not.
    """
    if deferrable and importlib.util.find_spec("aiobotocore") is None:
        log.warning(
            "The task waits in its slot, since the package aiobotocore is not installed. Add it to "
            "requirements.txt, or set deferrable=False."
        )
        return False
    return deferrable


def check_poll_interval(seconds: object) -> None:
    """Check the time between two looks at what AWS is doing.

    :param seconds: that time in seconds.
    :raises UpdraftError: when it is no whole number above 0.
    """
    if not isinstance(seconds, int) or seconds < 1:
        raise ArgumentError(
            f"poll_interval: {seconds!r} is not a whole number of seconds, such as 30"
        )
