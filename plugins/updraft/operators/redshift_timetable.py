"""Brings a cluster to what a timetable says for now."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.operators.redshift_cluster_base import RedshiftClusterOperator
from updraft.operators.redshift_holds import BEFORE_TAG, Before, holds
from updraft.operators.redshift_refusals import BUSY
from updraft.operators.template_arguments import truth
from updraft.redshift.capacity_goal import CapacityGoal
from updraft.redshift.clusters import Cluster
from updraft.redshift.timetables import Due, Timetable
from updraft.resource_owner import environment_name

DONE_TAG = "updraft:timetable"
"""Tag of a cluster: up to which moment its timetable was carried out."""


class RedshiftTimetableOperator(RedshiftClusterOperator):
    """Bring a cluster to the state and the size that a timetable says for now.

    Made to be run every few minutes. Each time of the timetable is carried out once: a tag of the
    cluster says up to which one that was done. So a time that was missed is made up for, and what
    people change in between stays until the next time.

    While a workload has changed the cluster (:func:`resized_cluster`, :func:`resumed_cluster`), it
    is left alone, and comes back afterwards to what the timetable says.

    :param cluster_identifier: name of the cluster. (templated)
    :param timetable: its lines, see :meth:`TimetableEntry.parse`, or their JSON. (templated)
    :param time_zone: time zone of its times, such as ``Europe/Berlin``. (templated)
    :param enforce: whether to undo as well what people have changed since. (templated)
    :param kwargs: as of :class:`RedshiftClusterOperator`.
    """

    template_fields: Sequence[str] = (
        *RedshiftClusterOperator.template_fields,
        "timetable",
        "time_zone",
        "enforce",
    )

    def __init__(
        self,
        *,
        timetable: Sequence[Mapping[str, Any]] | str,
        time_zone: str = "UTC",
        enforce: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.timetable = timetable
        self.time_zone = time_zone
        self.enforce = enforce

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        truth("enforce", self.enforce)
        read_timetable(self.timetable, self.time_zone)

    def goal(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> CapacityGoal | None:
        """Say what the cluster shall be like.

        :param context: context of the task instance.
        :param cluster: the cluster as it is.
        :param progress: gets the moment that is carried out.
        :returns: the goal; None when there is nothing to do now.
        """
        del context
        progress.pop("moment", None)
        due = read_timetable(self.timetable, self.time_zone).due(self.now())
        if due is None:
            self.log.info("No time of the timetable of %s has come yet", self.what)
            return None
        if _done_until(cluster) >= due.since and not truth("enforce", self.enforce):
            self.log.info("%s was brought to what counts since %s", self.what, due.since)
            return None
        progress["moment"] = due.since.isoformat(timespec="seconds")
        if others := holds(cluster, environment_name()):
            self.log.info("%s is left alone for %s", self.what, ", ".join(sorted(others)))
            return None
        self.classic = due.classic
        return due.goal

    def finished(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> dict[str, Any]:
        """Note up to which moment the timetable was carried out.

        :param context: context of the task instance.
        :param cluster: the cluster.
        :param progress: what this attempt has done so far.
        :returns: that moment, under ``since``; None when there was nothing to do.
        :raises ServiceError: when AWS refuses.
        """
        del context
        moment = progress.get("moment")
        tags = {DONE_TAG: moment} if moment and cluster.tags.get(DONE_TAG) != moment else {}
        due = read_timetable(self.timetable, self.time_zone).due(self.now())
        before = Before.of(cluster)
        if tags and due is not None and before is not None:
            tags[BEFORE_TAG] = _then(before, due).code()
        if tags:
            try:
                self.tag(cluster, tags)
            except ServiceError as error:
                if error.code not in BUSY:
                    raise
                self.log.warning("%s is as it shall be, but takes no tag now: %s", self.what, error)
        return {"since": moment}

    def now(self) -> datetime:
        """Read the clock."""
        return datetime.now(UTC)


def read_timetable(value: Sequence[Mapping[str, Any]] | str, time_zone: str) -> Timetable:
    """Read the arguments that make a timetable.

    :param value: its lines, or their JSON.
    :param time_zone: its time zone.
    :returns: the timetable.
    :raises UpdraftError: when something is wrong.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise UpdraftError(f"timetable: {value!r} is no JSON") from None
    return Timetable.parse(value, time_zone)


def _done_until(cluster: Cluster) -> datetime:
    try:
        moment = datetime.fromisoformat(cluster.tags.get(DONE_TAG, ""))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _then(before: Before, due: Due) -> Before:
    """Say what a cluster comes back to when its timetable has moved on meanwhile."""
    size = due.goal.size.of(before.size) if due.goal.size is not None else before.size
    return Before(due.goal.state or before.state, size)
