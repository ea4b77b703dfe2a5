"""Ends the clusters of a setup task that has failed for good."""

import logging
from collections.abc import Callable, Collection
from typing import Any, TypeAlias

from updraft.compat import Context
from updraft.emr.cluster_states import LIVE
from updraft.errors import UpdraftError
from updraft.operators.emr_base import EmrBaseOperator
from updraft.operators.emr_clusters import EmrClusters
from updraft.resource_owner import ResourceOwner

log = logging.getLogger(__name__)

Callback: TypeAlias = Callable[[Context], Any]
"""What Airflow calls when the state of a task has changed."""


def end_clusters(context: Context) -> None:
    """End the clusters of a task; the callback for its failure.

    A teardown does not run when its setup has failed. A process that was killed ends nothing
    either: then the DAG processor calls this, as soon as Airflow misses the task's heartbeat.

    .. seealso:: https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/callbacks.html

    :param context: context of the task instance.
    """
    operator = context["task"]
    if not isinstance(operator, EmrBaseOperator):
        log.warning("No cluster is ended: %r makes none", operator)
        return
    try:
        clusters = EmrClusters(operator.calls_outside(context), ResourceOwner.of(context))
        for cluster in clusters.own(*LIVE):
            clusters.terminate(cluster["Id"])
    except UpdraftError as error:
        log.warning("A cluster may go on until it has been idle for too long. %s", error)


def with_end_of_clusters(callbacks: Callback | Collection[Callback] | None) -> list[Callback]:
    """Add :func:`end_clusters` to the callbacks of a task.

    :param callbacks: those of the user: none, one, or several.
    :returns: all of them, the user's after the end of the clusters.
    """
    if callbacks is None:
        own: list[Callback] = []
    else:
        own = [callbacks] if callable(callbacks) else list(callbacks)
    return [end_clusters, *(one for one in own if one is not end_clusters)]
