"""An operator that makes a cluster: one for a run, however often it is tried."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.links.emr import EmrClusterLink, EmrLogsLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError, is_uncertain
from updraft.emr.cluster_request import ClusterRequest, asks_for_spot, owned, read_cluster
from updraft.emr.cost_bound import instance_bound
from updraft.errors import UpdraftError
from updraft.hooks.emr import is_limit
from updraft.operators.emr_base import EmrBaseOperator
from updraft.operators.emr_clusters import (
    ENDED,
    ENDING,
    LIVE,
    READY,
    STARTING,
    Cluster,
    EmrClusters,
    lacks_capacity,
)
from updraft.operators.emr_failed_cluster import with_end_of_clusters
from updraft.operators.emr_trigger_failure import StopsAfterTrigger
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

    template_fields: Sequence[str] = aws_template_fields("cluster", "inputs", "outputs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"cluster": "json"}
    operator_extra_links = (EmrClusterLink(), EmrLogsLink())

    def __init__(
        self,
        *,
        cluster: ClusterRequest | Mapping[str, Any] | str,
        on_demand_fallback: bool = False,
        start_timeout: timedelta = timedelta(hours=2),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.on_failure_callback = with_end_of_clusters(self.on_failure_callback)
        self.cluster = cluster
        self.on_demand_fallback = on_demand_fallback
        self.start_timeout = start_timeout
        self._cluster_id: str | None = None
        self._creating = False
        self._adopted = False
        self._ready_id: str | None = None

    def execute(self, context: Context) -> str:
        """Make a cluster, or find the one that an earlier attempt has made.

        :param context: context of the task instance.
        :returns: id of the cluster.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when there is no cluster that is ready. It has been ended.
        """
        return self._releasing(context, lambda request: self._begin(context, request, None))

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> str:
        """Go on when there may be something new.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: as :meth:`execute`.
        """
        carried = self.note_event(self.log, event)
        self._cluster_id = carried.get("cluster_id")
        self._adopted = carried.get("adopted", False)

        def step(request: Mapping[str, Any]) -> str | Deferral:
            if self._cluster_id is None:
                return self._begin(context, request, carried["limit_ends_at"])
            return self._follow(context, request, self._cluster_id, carried["give_up_at"])

        return self._releasing(context, step)

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

    def _releasing(
        self, context: Context, step: Callable[[Mapping[str, Any]], str | Deferral]
    ) -> str:
        """Make a step, and end the cluster before an exception leaves."""
        request: dict[str, Any] = self._checked(lambda: read_cluster(self.cluster))
        self._owner = ResourceOwner.of(context)

        def guarded() -> str | Deferral:
            try:
                return step(request)
            except BaseException:
                self._release()
                raise

        outcome = self._run(guarded)
        self._cluster_id = None  # it belongs to the teardown from here on
        self._ready_id = str(outcome)
        return self._ready_id

    def _begin(
        self, context: Context, request: Mapping[str, Any], limit_ends_at: float | None
    ) -> str | Deferral:
        clusters = self._clusters()
        limit_ends_at = limit_ends_at or time.time() + _LIMIT_PATIENCE.total_seconds()
        while True:
            give_up_at = time.time() + self.start_timeout.total_seconds()
            found = clusters.adopt()
            self._adopted = found is not None
            if found is not None:
                self._cluster_id = found["Id"]
                self.log.info("Adopted cluster %s of an earlier attempt", found["Id"])
                self._kill_switch.check(self._release)
                return self._follow(context, request, found["Id"], give_up_at)
            try:
                self._cluster_id = self._create(clusters, request)
            except ServiceError as error:
                self._creating = is_uncertain(error)
                if not is_limit(error) or time.time() > limit_ends_at:
                    raise
                self.log.info("EMR takes no more clusters at the moment; waiting. %s", error)
                waiting = self._waiting().pause({"limit_ends_at": limit_ends_at}, _LIMIT_PAUSE)
                if waiting is not None:
                    return waiting
                continue
            kept = clusters.adopt()  # another attempt may have made one at the same time
            if kept is not None:
                self._cluster_id = kept["Id"]
            return self._follow(context, request, self._cluster_id, give_up_at)

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
        self, context: Context, request: Mapping[str, Any], cluster_id: str, give_up_at: float
    ) -> str | Deferral:
        clusters, state = self._clusters(), ""
        while True:
            cluster = clusters.describe(cluster_id)
            if not state:
                self._show(context, cluster)
            if cluster["Status"]["State"] != state:
                state = cluster["Status"]["State"]
                self.log.info("Cluster %s is %s", cluster_id, state)
            if state in READY:
                return cluster_id
            if state in ENDED:
                return self._failed(context, request, cluster)
            if time.time() > give_up_at:
                raise UpdraftError(
                    f"Cluster {cluster_id} is still {state} after {self.start_timeout}; it is "
                    "being ended. Raise start_timeout if it needs longer."
                )
            waiting = self._waiting().wait(
                EmrClusterTrigger,
                {
                    "cluster_id": cluster_id,
                    "give_up_at": give_up_at,
                    "adopted": self._adopted,
                },
                give_up_at,
                cluster_id=cluster_id,
                states=(*STARTING, ENDING),
                terminates=True,
            )
            if waiting is not None:
                return waiting

    def _failed(
        self, context: Context, request: Mapping[str, Any], cluster: Cluster
    ) -> str | Deferral:
        self._cluster_id = None
        reason = cluster["Status"].get("StateChangeReason") or {}
        if self._adopted and reason.get("Code") == "USER_REQUEST":
            self.log.info("Cluster %s was ended for an earlier attempt", cluster["Id"])
            return self._begin(context, request, None)
        error = self._clusters().failure(cluster)
        if lacks_capacity(cluster) and asks_for_spot(request):
            if self.on_demand_fallback and not cluster["Name"].endswith("on-demand]"):
                self.log.warning("%s", error)
                return self._begin(context, request, None)
            raise UpdraftError(
                f"{error} Allow more types of instances or zones, or set on_demand_fallback=True."
            )
        raise error

    def _show(self, context: Context, cluster: Cluster) -> None:
        self._persist(context, EmrClusterLink, job_flow_id=cluster["Id"])
        log_uri = (cluster.get("LogUri") or "").partition("://")[2].rstrip("/")
        self._persist(context, EmrLogsLink, job_flow_id=cluster["Id"], log_uri=log_uri)

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
        if self._owner is None:
            raise UpdraftError("the task has no owner before it is executed")
        return EmrClusters(self._calls, self._owner, self._kill_switch)

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Name the cluster, and what is declared.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` where OpenLineage is not installed.
        """
        return self._lineage(self._ready_id)
