"""An operator that makes a cluster: one for a run, however often it is tried."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.links.emr import EmrClusterLink, EmrLogsLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError, is_uncertain
from updraft.emr.cluster_failure import lacks_capacity, may_find_room_later
from updraft.emr.cluster_request import ClusterRequest, asks_for_spot, owned, read_cluster
from updraft.emr.cluster_states import ENDED, ENDING, LIVE, READY, STARTING
from updraft.emr.cost_bound import instance_bound
from updraft.emr.steps import StepDefinition, read_steps
from updraft.errors import UpdraftError
from updraft.hooks.emr import is_limit
from updraft.operators.emr_base import EmrBaseOperator
from updraft.operators.emr_cluster_progress import ClusterProgress
from updraft.operators.emr_clusters import ON_DEMAND_END, Cluster, EmrClusters
from updraft.operators.emr_failed_cluster import with_end_of_clusters
from updraft.operators.emr_step_concurrency import read_concurrency
from updraft.operators.trigger_failure import StopsAfterTrigger
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.triggers.emr import EmrClusterTrigger

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

_LIMIT_PAUSE = 300
_LIMIT_PATIENCE = timedelta(hours=24)
_END_PATIENCE = timedelta(hours=1)


class EmrClusterOperator(StopsAfterTrigger, EmrBaseOperator):
    """Make a cluster and wait until it is ready; or take over the one of an earlier attempt.

    Use it as setup task with an :class:`EmrTerminateClusterOperator` as its teardown. The teardown
    does not run when this task has failed: the task itself ends its cluster when it fails or is
    killed, and a callback does so when its process could not. The callback comes before those of
    ``on_failure_callback``. Whatever happens, EMR itself ends a cluster that is idle for the time
    of its ``AutoTerminationPolicy``, by default an hour.

    .. seealso:: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-what-is-emr.html

    :param cluster: a :class:`~updraft.emr.cluster_request.ClusterRequest`, or what RunJobFlow
        takes as mapping or JSON, without ``Steps``. (templated)
    :param planned_steps: what a later :class:`EmrStepsOperator` gets as ``steps``, if it is known
        already. It is only checked here, so that a wrong step costs no cluster. (templated)
    :param planned_step_concurrency: what that one gets as ``step_concurrency``. (templated)
    :param on_demand_fallback: whether a cluster that fails for want of spot instances is made once
        more with instances on demand.
    :param start_timeout: longest time until the cluster is ready.
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the cluster; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "cluster", "planned_steps", "planned_step_concurrency", "inputs", "outputs"
    )
    template_fields_renderers: ClassVar[dict[str, str]] = {
        "cluster": "json",
        "planned_steps": "json",
    }
    operator_extra_links = (EmrClusterLink(), EmrLogsLink())

    def __init__(
        self,
        *,
        cluster: ClusterRequest | Mapping[str, Any] | str,
        planned_steps: Sequence[StepDefinition | Mapping[str, Any]] | str | None = None,
        planned_step_concurrency: int | str | None = None,
        on_demand_fallback: bool = False,
        start_timeout: timedelta = timedelta(hours=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.on_failure_callback = with_end_of_clusters(self.on_failure_callback)
        self.cluster = cluster
        self.planned_steps = planned_steps
        self.planned_step_concurrency = planned_step_concurrency
        self.on_demand_fallback = on_demand_fallback
        self.start_timeout = start_timeout
        self._cluster_id: str | None = None
        self._creating = False
        self._ready_id: str | None = None

    def execute(self, context: Context) -> str:
        """Make a cluster, or find the one that an earlier attempt has made.

        :param context: context of the task instance.
        :returns: id of the cluster.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when there is no cluster that is ready. It has been ended.
        """
        progress = ClusterProgress(time.time() + _LIMIT_PATIENCE.total_seconds())
        return self._releasing(context, progress)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> str:
        """Go on when there may be something new.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: as :meth:`execute`.
        """
        progress = ClusterProgress.read(self.note_event(self.log, event))
        self._cluster_id = progress.cluster_id
        return self._releasing(context, progress)

    def stop_after_trigger(self, context: Context) -> None:
        """End the cluster, because the trigger that watched it has failed.

        :param context: context of the task instance.
        """
        self._owner, self._creating = ResourceOwner.of(context), True
        self._release()

    def on_kill(self) -> None:
        """End the cluster; called from a signal handler."""
        self._kill_switch.throw()
        self._release()

    def _releasing(self, context: Context, progress: ClusterProgress) -> str:
        """Make a step, and end the cluster before an exception leaves."""
        request: dict[str, Any] = self._checked(self._checked_cluster)
        self._owner = ResourceOwner.of(context)

        def guarded() -> str | Deferral:
            try:
                return self._advance(context, request, progress)
            except BaseException:
                self._release()
                raise

        outcome = self.carry_out(guarded)
        self._cluster_id = None  # it belongs to the teardown from here on
        self._ready_id = str(outcome)
        return self._ready_id

    def _checked_cluster(self) -> dict[str, Any]:
        if self.planned_steps is not None:
            concurrency = read_concurrency(self.planned_step_concurrency)
            read_steps(self.planned_steps, concurrent=(concurrency or 1) > 1)
        return read_cluster(self.cluster)

    def _advance(
        self, context: Context, request: Mapping[str, Any], progress: ClusterProgress
    ) -> str | Deferral:
        """Make a cluster, and another one where that helps, until one is ready."""
        while True:
            if progress.cluster_id is None:
                waiting = self._obtain(request, progress)
                if waiting is not None:
                    return waiting
            if progress.cluster_id is not None:
                outcome = self._follow(context, request, progress, progress.cluster_id)
                if outcome is not None:
                    return outcome

    def _obtain(self, request: Mapping[str, Any], progress: ClusterProgress) -> Deferral | None:
        """Find the cluster of an earlier attempt, or make one, unless EMR takes none now."""
        clusters = self._clusters()
        progress.give_up_at = time.time() + self.start_timeout.total_seconds()
        found = clusters.adopt()
        progress.adopted = found is not None
        if found is None:
            try:
                self._cluster_id = self._create(clusters, request)
            except ServiceError as error:
                self._creating = is_uncertain(error)
                if not is_limit(error) or time.time() > progress.limit_ends_at:
                    raise
                self.log.info("EMR takes no more clusters at the moment; waiting. %s", error)
                return self._waiting().pause(progress.carried(), _LIMIT_PAUSE)
            # Another attempt may have made one at the same time.
            kept = clusters.adopt()
            if kept is not None:
                self._cluster_id = kept["Id"]
        else:
            self._cluster_id = found["Id"]
            self.log.info("Adopted cluster %s of an earlier attempt", found["Id"])
            self._kill_switch.check(self._release)
        progress.cluster_id = self._cluster_id
        return None

    def _create(self, clusters: EmrClusters, request: Mapping[str, Any]) -> str:
        spot = asks_for_spot(request)
        if spot and self.on_demand_fallback and clusters.lacked_capacity():
            self.log.info("There were no spot instances; asking for instances on demand")
            spot = False
        complete = owned(request, suffix="", tags={}, spot=spot)
        self.log.info("%s", instance_bound(complete))
        self._creating = True
        cluster_id = clusters.create(request, spot=spot or not asks_for_spot(request))
        self._cluster_id, self._creating = cluster_id, False
        self.log.info("EMR has begun cluster %s", cluster_id)
        self._kill_switch.check(self._release)
        return cluster_id

    def _follow(
        self,
        context: Context,
        request: Mapping[str, Any],
        progress: ClusterProgress,
        cluster_id: str,
    ) -> str | Deferral | None:
        """Wait until the cluster is ready.

        :returns: its id, what to defer with, or ``None`` when another one has to be made.
        """
        clusters, state = self._clusters(), ""
        while True:
            cluster = clusters.describe(cluster_id)
            if not state:
                self._show_cluster(context, cluster)
            if cluster["Status"]["State"] != state:
                state = cluster["Status"]["State"]
                self.log.info("Cluster %s is %s", cluster_id, state)
            if state in READY:
                return cluster_id
            if state in ENDED:
                self._cluster_id = progress.cluster_id = None
                return self._after_end(request, cluster, progress)
            if time.time() > progress.give_up_at:
                raise UpdraftError(
                    f"Cluster {cluster_id} is still {state} after {self.start_timeout}; it is "
                    "being ended. Raise start_timeout if it needs longer."
                )
            waiting = self._waiting().wait(
                EmrClusterTrigger,
                progress.carried(),
                progress.give_up_at,
                cluster_id=cluster_id,
                states=(*STARTING, ENDING),
                terminates=True,
            )
            if waiting is not None:
                return waiting

    def _after_end(
        self, request: Mapping[str, Any], cluster: Cluster, progress: ClusterProgress
    ) -> Deferral | None:
        """Decide whether another cluster is made after one that has ended, and wait if it helps.

        :returns: what to defer with before, ``None`` when it is made now.
        :raises UpdraftError: when another one would end in the same way.
        """
        reason = cluster["Status"].get("StateChangeReason") or {}
        if progress.adopted and reason.get("Code") == "USER_REQUEST":
            self.log.info("Cluster %s was ended for an earlier attempt", cluster["Id"])
            return None
        error = self._clusters().failure(cluster)
        spot = asks_for_spot(request) and not cluster["Name"].endswith(ON_DEMAND_END)
        if spot and self.on_demand_fallback and lacks_capacity(cluster):
            self.log.warning("%s", error)
            return None
        if may_find_room_later(cluster, spot=spot):
            if time.time() > progress.limit_ends_at:
                raise error
            self.log.warning("%s There is no room for it at the moment; waiting.", error)
            return self._waiting().pause(progress.carried(), _LIMIT_PAUSE)
        if spot and lacks_capacity(cluster):
            raise UpdraftError(
                f"{error} Allow more types of instances or zones, or set on_demand_fallback=True."
            )
        raise error

    def _release(self) -> None:
        """End what this attempt has begun."""
        if self._owner is None or not (self._cluster_id or self._creating):
            return
        known, self._cluster_id, self._creating = self._cluster_id, None, False
        clusters = self._clusters()
        try:
            for cluster_id in [known] if known else [one["Id"] for one in clusters.own(*LIVE)]:
                clusters.terminate(cluster_id)
        except UpdraftError as error:
            self.log.warning("The cluster goes on until its teardown ends it. %s", error)

    def _clusters(self) -> EmrClusters:
        return EmrClusters(self._calls, self._require_owner(), self._kill_switch)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name the cluster, and what is declared.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._lineage(self._ready_id)
