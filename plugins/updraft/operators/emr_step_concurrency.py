"""How many steps of a cluster may run at the same time."""

import logging

from updraft.emr.cluster_states import ENDED, ENDING
from updraft.errors import UpdraftError
from updraft.hooks.emr import EmrCalls
from updraft.operators.emr_clusters import Cluster

log = logging.getLogger(__name__)

_MOST_CONCURRENT = 256


def read_concurrency(value: int | str | None) -> int | None:
    """Read how many steps may run at the same time; a template gives it as text.

    :param value: what the user says.
    :returns: the number, 1 to 256; ``None`` if the user says nothing.
    :raises UpdraftError: when it is no such number.
    """
    text = str(value)
    if text in {"", "None"}:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_CONCURRENT:
        raise UpdraftError(
            f"step_concurrency: {value!r} is not a whole number from 1 to {_MOST_CONCURRENT}"
        )
    return int(text)


def raise_concurrency(calls: EmrCalls, cluster: Cluster, wanted: int | None) -> None:
    """Let a cluster run more steps at the same time, unless it does already or ends.

    :param calls: calls of EMR.
    :param cluster: the cluster.
    :param wanted: how many; ``None`` for as many as it runs.
    :raises ServiceError: when AWS refuses.
    """
    has = cluster.get("StepConcurrencyLevel") or 1
    if wanted is None or wanted == has or cluster["Status"]["State"] in (ENDING, *ENDED):
        return
    if wanted < has:
        log.info("The cluster runs %d steps at the same time, and goes on so", has)
        return
    calls.call(
        "modify_cluster",
        f"cluster {cluster['Id']!r}",
        ClusterId=cluster["Id"],
        StepConcurrencyLevel=wanted,
    )
    log.info("The cluster runs %d steps at the same time from now on, not %d", wanted, has)
