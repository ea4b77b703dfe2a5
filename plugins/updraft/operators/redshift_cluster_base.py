"""Brings a provisioned cluster of Amazon Redshift to a goal, step by step."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.redshift import RedshiftClusterHook
from updraft.operators.redshift_capacity_base import RedshiftCapacityOperator
from updraft.operators.redshift_cluster_plan import node_hours, planned_steps, shown
from updraft.operators.redshift_links import RedshiftClusterLink, persist_console_link
from updraft.operators.redshift_refusals import Wait
from updraft.operators.redshift_resizing import Resizing
from updraft.redshift.capacity_goal import PAUSE, RESIZE, CapacityGoal
from updraft.redshift.clusters import PAUSED, Cluster, ClusterSize, require_identifier
from updraft.resource_owner import ResourceOwner
from updraft.triggers.redshift import RedshiftClusterTrigger

_NO_CLUSTER = frozenset({"ClusterNotFound", "ClusterNotFoundFault"})


class RedshiftClusterOperator(RedshiftCapacityOperator[RedshiftClusterHook]):
    """Base of the operators for clusters.

    The task waits until nobody changes the cluster, takes the next step towards its goal, and waits
    again. What somebody else does meanwhile is waited for and looked at anew; a resize that fails
    is an error. A user who ends the task takes a classic resize back which the task itself has
    begun. Elastic resizes, pauses and resumes can't be taken back, and go on.

    :param cluster_identifier: name of the cluster. (templated)
    :param classic: whether resizes are classic ones. These lead to any size, and the cluster can
        only be read meanwhile.
    :param kwargs: as of :class:`RedshiftCapacityOperator`.
    """

    aws_hook_class = RedshiftClusterHook
    template_fields: Sequence[str] = aws_template_fields("cluster_identifier", "plan")
    operator_extra_links = (RedshiftClusterLink(),)

    def __init__(
        self, *, cluster_identifier: str, classic: bool | str = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_identifier = cluster_identifier
        self.classic = classic
        self._made_resizing: Resizing | None = None
        self._resource_owner: ResourceOwner | None = None

    @property
    def what(self) -> str:
        """Name of what is changed, for messages."""
        return f"cluster {self.cluster_identifier!r}"

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        require_identifier(self.cluster_identifier)

    @abstractmethod
    def goal(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> CapacityGoal | None:
        """Say what the cluster shall be like.

        :param context: context of the task instance.
        :param cluster: the cluster as it is, which may be on its way to something else.
        :param progress: what this attempt has done so far; it gets what the next step has to know.
        :returns: the goal; None when it can stay as it is, without waiting until it settles.
        :raises UpdraftError: when an argument is wrong.
        """

    def finished(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> dict[str, Any]:
        """Do what is left when the goal is reached.

        :param context: context of the task instance.
        :param cluster: the cluster, which stays as it is unless there was no goal.
        :param progress: what this attempt has done so far.
        :returns: what to add to the result.
        :raises UpdraftError: when AWS refuses.
        """
        del context, cluster, progress
        return {}

    def missing(self) -> dict[str, Any]:
        """Decide what it means that there is no cluster.

        :returns: the result.
        :raises UpdraftError: when the task needs it.
        """
        raise UpdraftError(
            f"There is no {self.what} in {self.hook.conn_region_name}. Check the name, the Region "
            "and the account of the connection."
        )

    def step(self, context: Context, progress: dict[str, Any]) -> dict[str, Any] | Wait:
        """Look at the cluster, and take the next step.

        :param context: context of the task instance.
        :param progress: what this attempt has done so far.
        :returns: the result, or a :class:`Wait`.
        :raises UpdraftError: when it was not possible.
        """
        cluster = self.look()
        if cluster is None:
            return self.missing()
        self._require_health(cluster)
        goal = self.goal(context, cluster, progress)
        progress.setdefault("before", [cluster.settles_as, cluster.size.code()])
        if goal is None:
            return self._result(context, cluster, progress)
        resizing = self.resizing(context)
        is_news = resizing.take_up(progress)
        if not cluster.is_settled:
            if resizing.note(cluster, progress) or is_news:
                self.kill_switch.check(self.stop)
            return Wait(f"{self.what} is {cluster.status}")
        action = self._next_action(goal, cluster.status, cluster.size)
        wait = resizing.judge(progress, is_missing=action == RESIZE)
        if wait is None and action is None:
            return self._result(context, cluster, progress)
        return wait or self._act(action or "", goal, cluster, progress)

    def _act(
        self, action: str, goal: CapacityGoal, cluster: Cluster, progress: dict[str, Any]
    ) -> Wait:
        def has_changed() -> bool:
            now = self.look()
            return now is None or (now.status, now.size) != (cluster.status, cluster.size)

        if action == RESIZE and goal.size is not None and self._made_resizing is not None:
            resizing, target = self._made_resizing, goal.size.of(cluster.size)
            self.log.info("%s: resize from %s to %s", self.what, cluster.size, target)

            def call() -> None:
                resizing.begin(cluster, target, progress, self.log)
        else:
            self.log.info("%s: %s", self.what, action)
            operation = "PauseCluster" if action == PAUSE else "ResumeCluster"

            def call() -> None:
                self._request(operation)

        return self.act(progress, action, call, has_changed)

    def _require_health(self, cluster: Cluster) -> None:
        if cluster.trouble is not None:
            raise UpdraftError(f"The {self.what} can't be brought to its goal: {cluster.trouble}.")

    def explain(self, context: Context) -> dict[str, Any]:
        """Say what would be done.

        :param context: context of the task instance.
        :returns: the steps under ``plan``, and what the cluster is like.
        :raises UpdraftError: when it could not be done.
        """
        cluster = self.look()
        if cluster is None:
            return {**self.missing(), "plan": []}
        self._require_health(cluster)
        goal = self.goal(context, cluster, {})
        plan: list[str] = []
        if goal is not None:
            self._next_action(goal, cluster.settles_as, cluster.next_size or cluster.size)
            plan = planned_steps(goal, cluster, self.resizing(context))
        for number, line in enumerate(plan or ["nothing; it is as it shall be"], 1):
            self.log.info("Plan for %s, step %s: %s", self.what, number, line)
        return {**shown(cluster), "changed": [], "plan": plan}

    def look(self) -> Cluster | None:
        """Describe the cluster.

        :returns: the cluster; None when there is none.
        :raises ServiceError: when AWS refuses.
        """
        try:
            answer = self.hook.request(
                "DescribeClusters", self.what, ClusterIdentifier=self.cluster_identifier
            )
        except ServiceError as error:
            if error.code in _NO_CLUSTER:
                return None
            raise
        (description,) = answer["Clusters"]
        return Cluster.of(description)

    def tag(self, cluster: Cluster, tags: Mapping[str, str]) -> None:
        """Write tags on the cluster.

        :param cluster: the cluster.
        :param tags: value by key.
        :raises ServiceError: when AWS refuses.
        """
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.hook.request("CreateTags", self.what, ResourceName=cluster.arn(), Tags=listed)

    def untag(self, cluster: Cluster, keys: Sequence[str]) -> None:
        """Take tags off the cluster.

        :param cluster: the cluster.
        :param keys: their keys.
        :raises ServiceError: when AWS refuses.
        """
        self.hook.request("DeleteTags", self.what, ResourceName=cluster.arn(), TagKeys=list(keys))

    def resource_owner(self, context: Context) -> ResourceOwner:
        """Name the task instance.

        :param context: its context.
        """
        if self._resource_owner is None:
            self._resource_owner = ResourceOwner.of(context)
        return self._resource_owner

    def resizing(self, context: Context) -> Resizing:
        """Give what resizes the cluster.

        :param context: context of the task instance.
        """
        if self._made_resizing is None:
            owner = self.resource_owner(context).token("resize")
            self._made_resizing = Resizing(self.hook, self.cluster_identifier, owner, self.classic)
        return self._made_resizing

    def stop(self) -> None:
        """Take the task's own classic resize back; whatever else is under way goes on."""
        if self._made_resizing is not None:
            self._made_resizing.cancel(self.log)

    def find_own(self, context: Context) -> None:
        """Find the classic resize that the task has begun.

        :param context: context of the task instance.
        :raises UpdraftError: when AWS refuses.
        """
        cluster = self.look()
        if cluster is not None:
            self.resizing(context).note(cluster, {})

    def trigger(self, progress: dict[str, Any], pause: float) -> RedshiftClusterTrigger:
        """Make what waits for the next step.

        :param progress: what this attempt has done so far.
        :param pause: seconds before the first look.
        :returns: the trigger.
        """
        return RedshiftClusterTrigger(
            cluster_identifier=self.cluster_identifier,
            cancels=progress.get("cancels", ""),
            **self.waiting(progress, pause),
        )

    def persist_link(self, context: Context) -> None:
        """Give the task its link to the cluster in the AWS console.

        :param context: context of the task instance.
        """
        persist_console_link(
            self, context, RedshiftClusterLink, cluster_identifier=self.cluster_identifier
        )

    def _next_action(self, goal: CapacityGoal, state: str, size: ClusterSize) -> str | None:
        try:
            return goal.next_action(state, size)
        except UpdraftError as error:
            raise UpdraftError(f"The {self.what} can't be resized. {error}") from None

    def _request(self, operation: str) -> None:
        self.hook.request(operation, self.what, ClusterIdentifier=self.cluster_identifier)

    def _result(
        self, context: Context, cluster: Cluster, progress: dict[str, Any]
    ) -> dict[str, Any] | Wait:
        try:
            self.resizing(context).forget(cluster)
            more = self.finished(context, cluster, progress)
        except ServiceError as error:
            return self.wait_after(error, progress)
        done = list(progress["done"])
        change = "nothing had to be done"
        if done:
            state, size = progress["before"][0], ClusterSize.parse(progress["before"][1])
            before = 0 if state == PAUSED else size.nodes
            after = 0 if cluster.status == PAUSED else cluster.size.nodes
            change = node_hours(size, before, cluster.size, after)
        self.log.info("%s is %s with %s; %s", self.what, cluster.status, cluster.size, change)
        return {**shown(cluster), "changed": done, **more}
