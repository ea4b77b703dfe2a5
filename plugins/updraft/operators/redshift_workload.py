"""Changes the capacity of a cluster for a workload, and brings it back afterwards."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from updraft.compat import Context, EmptyOperator, TaskGroup
from updraft.operators.redshift_cluster_base import RedshiftClusterOperator
from updraft.operators.redshift_holds import BEFORE_TAG, Before, hold_keys, hold_of, holds
from updraft.operators.redshift_states import RedshiftEnsureStateOperator
from updraft.redshift.capacity_goal import CapacityGoal, WantedSize
from updraft.redshift.clusters import AVAILABLE, PAUSED, Cluster


class RedshiftRememberCapacityOperator(RedshiftClusterOperator):
    """Note on a cluster, as tags, what it is like and that this run works on it.

    It waits until nobody changes the cluster. If another run works on it already, what it was like
    before that one stays noted.

    :param cluster_identifier: name of the cluster. (templated)
    :param kwargs: as of :class:`RedshiftClusterOperator`.
    """

    def goal(self, context: Context, cluster: Cluster, progress: dict[str, Any]) -> CapacityGoal:
        """Say that the cluster shall be what it is.

        :param context: context of the task instance.
        :param cluster: the cluster as it is.
        :param progress: what this attempt has done so far.
        :returns: the goal.
        """
        del context, cluster, progress
        return CapacityGoal()

    def finished(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> dict[str, Any]:
        """Write the tags.

        :param context: context of the task instance.
        :param cluster: the cluster, which stays as it is.
        :param progress: what this attempt has done so far.
        :returns: what the cluster comes back to, under ``before``.
        :raises UpdraftError: when AWS refuses.
        """
        del progress
        owner = self.resource_owner(context)
        key, value = hold_of(owner, owner.task_id)
        before = Before.of(cluster)
        is_held = key in cluster.tags or bool(holds(cluster, owner.environment))
        if before is None or not is_held:
            before = Before(cluster.status, cluster.size)
        self.tag(cluster, {BEFORE_TAG: before.code(), key: value})
        self.log.info("%s comes back to: %s with %s", self.what, before.state, before.size)
        return {"before": before.code()}


class RedshiftRestoreCapacityOperator(RedshiftClusterOperator):
    """Bring a cluster back to what :class:`RedshiftRememberCapacityOperator` has noted.

    If another run works on the cluster, it stays as it is, and that run brings it back. A cluster
    that was paused meanwhile comes back to its size and stays paused.

    :param cluster_identifier: name of the cluster. (templated)
    :param setup_task_id: id of the task that has noted it.
    :param kwargs: as of :class:`RedshiftClusterOperator`.
    """

    template_fields: Sequence[str] = (*RedshiftClusterOperator.template_fields, "classic")

    def __init__(self, *, setup_task_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.setup_task_id = setup_task_id

    def goal(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> CapacityGoal | None:
        """Say what the cluster shall be like.

        :param context: context of the task instance.
        :param cluster: the cluster as it is.
        :param progress: what this attempt has done so far.
        :returns: the goal; None when there is nothing to bring back.
        :raises UpdraftError: when somebody has changed the tag.
        """
        before = Before.of(cluster)
        if before is None:
            self.log.info("Nothing is noted on %s; it was brought back already", self.what)
            return None
        others = self._others(context, cluster)
        if others:
            self.log.info("%s stays as it is for %s", self.what, ", ".join(sorted(others)))
            return None
        was_paused = PAUSED in {before.state, cluster.settles_as}
        state = progress.setdefault("state", PAUSED if was_paused else AVAILABLE)
        return CapacityGoal(state, WantedSize(before.size.node_type, before.size.nodes))

    def finished(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> dict[str, Any]:
        """Take the tags off.

        :param context: context of the task instance.
        :param cluster: the cluster.
        :param progress: what this attempt has done so far.
        :returns: nothing to add.
        :raises UpdraftError: when AWS refuses.
        """
        del progress
        key, _ = hold_of(self.resource_owner(context), self.setup_task_id)
        is_last = not self._others(context, cluster)
        gone = {BEFORE_TAG, *hold_keys(cluster)} if is_last else {key}
        if found := sorted(gone & set(cluster.tags)):
            self.untag(cluster, found)
        return {}

    def _others(self, context: Context, cluster: Cluster) -> list[str]:
        key, _ = hold_of(self.resource_owner(context), self.setup_task_id)
        return holds(cluster, self.resource_owner(context).environment, [key])


@contextmanager
def resized_cluster(
    group_id: str,
    *,
    cluster_identifier: str,
    number_of_nodes: int | str | None = None,
    node_type: str | None = None,
    classic: bool | str = False,
    **common: Any,
) -> Iterator[Any]:
    """Resize a cluster for the tasks of a block, and bring its size back whatever happens to them.

    ``remember`` notes on the cluster what it is like. ``scale_up`` makes it available and resizes
    it. ``scale_back``, a teardown, brings back what was noted, also if ``scale_up`` or a task of
    the block has failed; when it fails itself, so does the DAG run. ``work_done`` does nothing but
    to let the DAG run fail if a task of the block has failed. ::

        with resized_cluster("resized", cluster_identifier="sales", number_of_nodes=4):
            load() >> report()

    :param group_id: id of the task group.
    :param cluster_identifier: name of the cluster. (templated)
    :param number_of_nodes: number of nodes for the tasks. (templated)
    :param node_type: type of the nodes for them. (templated)
    :param classic: whether both resizes are classic ones. (templated)
    :param common: arguments of all three operators, such as ``region_name``.
    :returns: the task group for the tasks, as a context manager.
    """
    size = {"number_of_nodes": number_of_nodes, "node_type": node_type}
    given = {"cluster_identifier": cluster_identifier, "classic": classic, **common}
    with _brought_back(group_id, "scale_up", "scale_back", size, given) as work:
        yield work


@contextmanager
def resumed_cluster(group_id: str, *, cluster_identifier: str, **common: Any) -> Iterator[Any]:
    """Resume a cluster for the tasks of a block, and pause it again whatever happens to them.

    A cluster that was available before stays so. The tasks are ``remember``, ``resume`` and
    ``pause_again``, as with :func:`resized_cluster`.

    :param group_id: id of the task group.
    :param cluster_identifier: name of the cluster. (templated)
    :param common: arguments of all three operators, such as ``region_name``.
    :returns: the task group for the tasks, as a context manager.
    """
    given = {"cluster_identifier": cluster_identifier, **common}
    with _brought_back(group_id, "resume", "pause_again", {}, given) as work:
        yield work


@contextmanager
def _brought_back(
    group_id: str,
    prepare_id: str,
    restore_id: str,
    size: dict[str, Any],
    given: dict[str, Any],
) -> Iterator[Any]:
    with TaskGroup(group_id):
        remember = RedshiftRememberCapacityOperator(task_id="remember", **given)
        # The teardown runs if one of its setups has succeeded, so it does when this one has failed.
        prepare = RedshiftEnsureStateOperator(task_id=prepare_id, state=AVAILABLE, **size, **given)
        restore = RedshiftRestoreCapacityOperator(
            task_id=restore_id, setup_task_id=remember.task_id, **given
        ).as_teardown(setups=[remember, prepare], on_failure_fail_dagrun=True)
        with TaskGroup("work") as work:
            yield work
        # Where the teardown can fail the DAG run, Airflow does not ask the tasks before it any more
        # how the run has ended. This one stands for them.
        done = EmptyOperator(task_id="work_done")
        remember >> prepare >> work >> [done, restore]
        prepare >> [done, restore]
