"""The time without work after which EMR itself ends a cluster.

.. seealso:: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-auto-termination-policy.html
"""

import re
from collections.abc import Mapping
from typing import Any

from updraft.errors import UpdraftError

DEFAULT_IDLE_TIMEOUT = 3600
"""Seconds after which EMR itself ends a cluster that nobody uses, if the request says nothing."""

_IDLE_TIMEOUTS = (60, 604_800)


def check_idle_timeout(request: Mapping[str, Any]) -> None:
    """Check the bounds.

    :param request: a request as RunJobFlow takes it.
    :raises UpdraftError: when its time is no number of seconds that EMR takes.
    """
    policy = request.get("AutoTerminationPolicy")
    if policy is None:
        return
    timeout = policy.get("IdleTimeout") if isinstance(policy, Mapping) else None
    least, most = _IDLE_TIMEOUTS
    if not isinstance(timeout, int) or not least <= timeout <= most:
        raise UpdraftError(
            f"cluster: AutoTerminationPolicy.IdleTimeout: {timeout!r} is not a whole number of "
            f"seconds from {least} to {most}"
        )


def ends_idle_clusters(request: Mapping[str, Any]) -> bool:
    """Tell whether the release knows automatic termination, as those from 5.30 and 6.1 on do.

    :param request: a request as RunJobFlow takes it.
    :returns: whether it does; also if it names no release.
    """
    if request.get("AmiVersion"):
        return False
    match = re.fullmatch(r"emr-(\d+)\.(\d+)\..*", str(request.get("ReleaseLabel") or ""))
    if match is None:
        return True
    major, minor = int(match[1]), int(match[2])
    return (major, minor) >= (6, 1) or (major == 5 and minor >= 30)  # noqa: PLR2004 - releases
