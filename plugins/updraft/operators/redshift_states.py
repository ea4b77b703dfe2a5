"""Pause, resume and resize a cluster of Amazon Redshift, or bring it to a state and a size."""

from collections.abc import Sequence
from typing import Any

from updraft.choices import require_choice
from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.operators.redshift_cluster_base import RedshiftClusterOperator
from updraft.operators.template_arguments import given, truth
from updraft.redshift.capacity_goal import IF_PAUSED, CapacityGoal, WantedSize, wanted_size
from updraft.redshift.clusters import AVAILABLE, PAUSED, Cluster

_SIZE_FIELDS = ("node_type", "number_of_nodes", "cluster_type", "classic")


class RedshiftPauseOperator(RedshiftClusterOperator):
    """Pause a cluster and wait until it is paused; one that is paused already is success.

    A cluster that is just being changed is waited for. What runs on it ends with the pause.

    .. seealso:: https://docs.aws.amazon.com/redshift/latest/APIReference/API_PauseCluster.html

    :param cluster_identifier: name of the cluster. (templated)
    :param kwargs: as of :class:`RedshiftClusterOperator`.
    """

    def goal(self, context: Context, cluster: Cluster, progress: dict[str, Any]) -> CapacityGoal:
        """Say what the cluster shall be like.

        :param context: context of the task instance.
        :param cluster: the cluster as it is.
        :param progress: what this attempt has done so far.
        :returns: the goal.
        """
        del context, cluster, progress
        return CapacityGoal(PAUSED)


class RedshiftResumeOperator(RedshiftClusterOperator):
    """Resume a cluster and wait until it is available; one that is already is success.

    A cluster that is just being changed is waited for.

    .. seealso:: https://docs.aws.amazon.com/redshift/latest/APIReference/API_ResumeCluster.html

    :param cluster_identifier: name of the cluster. (templated)
    :param kwargs: as of :class:`RedshiftClusterOperator`.
    """

    def goal(self, context: Context, cluster: Cluster, progress: dict[str, Any]) -> CapacityGoal:
        """Say what the cluster shall be like.

        :param context: context of the task instance.
        :param cluster: the cluster as it is.
        :param progress: what this attempt has done so far.
        :returns: the goal.
        """
        del context, cluster, progress
        return CapacityGoal(AVAILABLE)


class _SizeOperator(RedshiftClusterOperator):
    """Base of the operators that are given a size."""

    template_fields: Sequence[str] = tuple(
        dict.fromkeys((*RedshiftClusterOperator.template_fields, *_SIZE_FIELDS))
    )

    def __init__(
        self,
        *,
        node_type: str | None = None,
        number_of_nodes: int | str | None = None,
        cluster_type: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.node_type = node_type
        self.number_of_nodes = number_of_nodes
        self.cluster_type = cluster_type

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        self.size()
        truth("classic", self.classic)

    def size(self) -> WantedSize | None:
        """Read the size that was given.

        :returns: the size, None when none was given.
        :raises UpdraftError: when it is wrong.
        """
        nodes = self.number_of_nodes
        return wanted_size(
            given(self.node_type),
            given(nodes) if isinstance(nodes, str) else nodes,
            given(self.cluster_type),
        )


class RedshiftResizeOperator(_SizeOperator):
    """Resize a cluster and wait until it has the size; one that has it already is success.

    Before an elastic resize it asks AWS which sizes it can lead to, and an error names them.

    .. seealso:: https://docs.aws.amazon.com/redshift/latest/APIReference/API_ResizeCluster.html

    :param cluster_identifier: name of the cluster. (templated)
    :param node_type: type of the nodes, such as ``ra3.xlplus``; by default that which it has.
        (templated)
    :param number_of_nodes: their number; by default that which it has. (templated)
    :param cluster_type: ``single-node`` or ``multi-node``; the number says it too. (templated)
    :param classic: whether to make a classic resize, which leads to any size and during which the
        cluster can only be read. A user who ends the task takes it back. (templated)
    :param if_paused: what to do with a paused cluster of another size, which can't be resized:
        ``fail``, ``resume``, which leaves it available, or ``skip``. (templated)
    :param kwargs: as of :class:`RedshiftClusterOperator`.
    """

    template_fields: Sequence[str] = (*_SizeOperator.template_fields, "if_paused")

    def __init__(self, *, if_paused: str = "fail", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.if_paused = if_paused

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        require_choice("if_paused", self.if_paused, IF_PAUSED)
        if self.size() is None:
            raise UpdraftError("number_of_nodes: it is missing, and so is node_type")

    def goal(self, context: Context, cluster: Cluster, progress: dict[str, Any]) -> CapacityGoal:
        """Say what the cluster shall be like.

        :param context: context of the task instance.
        :param cluster: the cluster as it is.
        :param progress: what this attempt has done so far.
        :returns: the goal.
        """
        del context, cluster, progress
        return CapacityGoal(size=self.size(), if_paused=self.if_paused)


class RedshiftEnsureStateOperator(_SizeOperator):
    """Bring a cluster to a state, and to a size if one is given.

    It resumes, resizes and pauses as needed and in this order: a paused cluster that shall be
    paused with another size is resumed in between. Whatever is so already is left alone.

    :param cluster_identifier: name of the cluster. (templated)
    :param state: ``available`` or ``paused``. (templated)
    :param node_type: type of the nodes; by default that which it has. (templated)
    :param number_of_nodes: their number; by default that which it has. (templated)
    :param cluster_type: ``single-node`` or ``multi-node``; the number says it too. (templated)
    :param classic: whether a resize is a classic one. (templated)
    :param missing_ok: whether it is as good as paused that there is no cluster of that name. Then
        the state in the result is ``absent``. (templated)
    :param kwargs: as of :class:`RedshiftClusterOperator`.
    """

    template_fields: Sequence[str] = (*_SizeOperator.template_fields, "state", "missing_ok")

    def __init__(self, *, state: str, missing_ok: bool | str = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state = state
        self.missing_ok = missing_ok

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        require_choice("state", self.state, (AVAILABLE, PAUSED))
        if truth("missing_ok", self.missing_ok) and self.state != PAUSED:
            raise UpdraftError("missing_ok: a cluster that does not exist is not available")

    def goal(self, context: Context, cluster: Cluster, progress: dict[str, Any]) -> CapacityGoal:
        """Say what the cluster shall be like.

        :param context: context of the task instance.
        :param cluster: the cluster as it is.
        :param progress: what this attempt has done so far.
        :returns: the goal.
        """
        del context, cluster, progress
        return CapacityGoal(self.state, self.size())

    def missing(self) -> dict[str, Any]:
        """Decide what it means that there is no cluster.

        :returns: the result, if that is as good as paused.
        :raises UpdraftError: when it isn't.
        """
        if not truth("missing_ok", self.missing_ok):
            return super().missing()
        self.log.info("There is no %s, which is as good as paused", self.what)
        return {"cluster_identifier": self.cluster_identifier, "state": "absent", "changed": []}
