"""An operator that ends the cluster of a setup task."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.links.emr import EmrClusterLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.emr.cluster_states import ENDED, ENDING, LIVE
from updraft.errors import UpdraftError
from updraft.operators.emr_base import EmrBaseOperator
from updraft.operators.emr_cluster import EmrClusterOperator
from updraft.operators.emr_clusters import (
    Cluster,
    EmrClusters,
    is_gone,
    owners_of_setups,
)
from updraft.operators.template_arguments import given, truth
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.triggers.emr import EmrClusterTrigger

_END_PATIENCE = timedelta(hours=1)


class EmrTerminateClusterOperator(EmrBaseOperator):
    """End the cluster of a setup task; nothing happens when it has ended already.

    It ends every cluster that the setup task has made in the same run, also one whose id the task
    could not hand on because it died.

    :param cluster_id: id of the cluster, such as ``{{ ti.xcom_pull("create") }}``. (templated)
    :param setup_task_id: id of the task that made it; by default each upstream
        :class:`EmrClusterOperator`.
    :param keep: whether the cluster stays, for somebody who wants to look at it. It gets the tag
        ``updraft:keep``, by which the reaper leaves it alone; EMR ends it when it has been idle for
        the time of its ``AutoTerminationPolicy``. (templated)
    :param wait_for_end: whether to wait until the instances are gone, not only until EMR has begun
        to end the cluster.
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the cluster; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    template_fields: Sequence[str] = aws_template_fields("cluster_id", "keep", "inputs", "outputs")
    operator_extra_links = (EmrClusterLink(),)

    def __init__(
        self,
        *,
        cluster_id: str | None = None,
        setup_task_id: str | None = None,
        keep: bool | str = False,
        wait_for_end: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster_id = cluster_id
        self.setup_task_id = setup_task_id
        self.keep = keep
        self.wait_for_end = wait_for_end

    def execute(self, context: Context) -> list[str]:
        """End the cluster.

        :param context: context of the task instance.
        :returns: ids of the clusters that had not ended and were not kept.
        :raises AirflowException: when a cluster is protected, or AWS refuses.
        """
        keep = self._checked(lambda: truth("keep", self.keep))
        outcome: list[str] = self.carry_out(lambda: self._end(context, keep=keep))
        return outcome

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> list[str]:
        """Go on when a cluster may have ended.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: as :meth:`execute`.
        """
        carried = self.note_event(self.log, event)
        self._owner = ResourceOwner.of(context)
        outcome: list[str] = self.carry_out(
            lambda: self._await_end(carried["cluster_ids"], carried["give_up_at"])
        )
        return outcome

    def _end(self, context: Context, *, keep: bool) -> list[str] | Deferral:
        found = self._found(context)
        ended = []
        for one, cluster in found.items():
            if cluster["Status"]["State"] in ENDED:
                self.log.info("Cluster %s has ended as %s", one, cluster["Status"]["State"])
                continue
            self._persist(context, EmrClusterLink, job_flow_id=one)
            if keep:
                EmrClusters(self._calls, self._require_owner()).keep(one)
                self.log.info("Cluster %s stays until it has been idle for too long", one)
                continue
            self._terminate(cluster)
            ended.append(one)
        if not found:
            self.log.info("There is no cluster to end")
        give_up_at = time.time() + _END_PATIENCE.total_seconds()
        return self._await_end(ended, give_up_at) if self.wait_for_end else ended

    def _found(self, context: Context) -> dict[str, Cluster]:
        """Find the clusters of the setup tasks, and the one that was named."""
        self._owner = owner = ResourceOwner.of(context)
        setups = [self.setup_task_id] if self.setup_task_id else self._upstream_setups()
        cluster_id = given(self.cluster_id)
        if not setups and cluster_id is None:
            raise UpdraftError(
                "There is neither a cluster_id nor a setup task; give one of cluster_id and "
                "setup_task_id, or put the task after an EmrClusterOperator."
            )
        found = {
            cluster["Id"]: cluster
            for setup in owners_of_setups(owner, setups)
            for cluster in EmrClusters(self._calls, setup).own(*LIVE)
        }
        if cluster_id is not None and cluster_id not in found:
            described = self._described(cluster_id)
            if described is not None:
                found[cluster_id] = described
        return found

    def _upstream_setups(self) -> list[str]:
        if not self.has_dag():  # type: ignore[no-untyped-call]
            return []
        return [
            task.task_id
            for task in self.get_direct_relatives(upstream=True)
            if isinstance(task, EmrClusterOperator) or getattr(task, "is_setup", False)
        ]

    def _described(self, cluster_id: str) -> Cluster | None:
        try:
            return EmrClusters(self._calls, self._require_owner()).describe(cluster_id)
        except ServiceError as error:
            if not is_gone(error):
                raise
            self.log.warning("EMR knows no cluster %s any more: %s", cluster_id, error)
            return None

    def _terminate(self, cluster: Cluster) -> None:
        cluster_id = cluster["Id"]
        if cluster.get("TerminationProtected"):
            raise _protected(cluster_id)
        clusters = EmrClusters(self._calls, self._require_owner())
        try:
            clusters.terminate(cluster_id)
        except ServiceError as error:
            if "protected" in error.message:
                raise _protected(cluster_id) from error
            raise
        state = clusters.describe(cluster_id)["Status"]["State"]
        self.log.info("Cluster %s is %s", cluster_id, state)

    def _await_end(self, cluster_ids: Sequence[str], give_up_at: float) -> list[str] | Deferral:
        clusters = EmrClusters(self._calls, self._require_owner())
        for cluster_id in cluster_ids:
            while (state := clusters.describe(cluster_id)["Status"]["State"]) not in ENDED:
                if time.time() > give_up_at:
                    raise UpdraftError(
                        f"Cluster {cluster_id} is still {state} after {_END_PATIENCE}."
                    )
                waiting = self._waiting().wait(
                    EmrClusterTrigger,
                    {"cluster_ids": list(cluster_ids), "give_up_at": give_up_at},
                    give_up_at,
                    cluster_id=cluster_id,
                    states=(*LIVE, ENDING),
                    terminates=False,
                )
                if waiting is not None:
                    return waiting
        return list(cluster_ids)


def _protected(cluster_id: str) -> UpdraftError:
    return UpdraftError(
        f"Cluster {cluster_id} has termination protection, which somebody has switched on since "
        "it was made. Switch it off (elasticmapreduce:SetTerminationProtection) and clear this "
        "task."
    )
