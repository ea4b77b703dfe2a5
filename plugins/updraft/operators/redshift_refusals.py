"""What to do when Amazon Redshift does not take a step towards a goal."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from updraft.dynamodb.service_errors import ServiceError, is_uncertain
from updraft.errors import UpdraftError

BUSY = frozenset(
    {
        "ConflictException",
        "DependentServiceRequestThrottlingFault",
        "InvalidClusterState",
        "InvalidClusterStateFault",
    }
)
"""Codes that say that somebody else is changing the same thing now."""

NO_CAPACITY = frozenset(
    {
        "InsufficientCapacityException",
        "InsufficientClusterCapacity",
        "InsufficientClusterCapacityFault",
    }
)
"""Codes that say that AWS has no nodes at the moment."""

_LONGEST_PAUSE = 10  # poll intervals


@dataclass(frozen=True)
class Wait:
    """What a step is followed by as long as the goal is not reached.

    :param reason: what is waited for.
    :param seconds: least time until the next look.
    """

    reason: str
    seconds: float = 0.0


def wait_after(
    error: ServiceError,
    progress: dict[str, Any],
    what: str,
    poll_interval: int,
    capacity_timeout: timedelta,
) -> Wait:
    """Decide how long to wait when a call was refused.

    :param error: how it was refused.
    :param progress: what this attempt has done so far; it counts the refusals.
    :param what: what is changed, for messages: ``cluster 'sales'``.
    :param poll_interval: seconds between two looks; the pauses double from there on.
    :param capacity_timeout: how long to wait for nodes that AWS does not have.
    :returns: what to wait for.
    :raises UpdraftError: when there is nothing to wait for.
    """
    if error.code in NO_CAPACITY:
        until = progress.setdefault(
            "capacity_until", time.time() + capacity_timeout.total_seconds()
        )
        if time.time() >= until:
            raise UpdraftError(
                f"AWS has had no nodes for the {what} for {capacity_timeout}: {error.message} Try "
                "later, another type of nodes, or fewer of them."
            ) from error
    elif error.code not in BUSY and not is_uncertain(error):
        raise error
    refusals = progress["refusals"] = progress.get("refusals", 0) + 1
    pause = float(poll_interval * min(2 ** (refusals - 1), _LONGEST_PAUSE))
    said = f"{error.code}: {error.message}".strip(": ") or str(error)
    return Wait(f"AWS does not take it now ({said})", pause)
