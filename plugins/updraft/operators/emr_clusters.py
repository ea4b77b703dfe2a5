"""The clusters that belong to a task instance: finding, making and ending them."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from updraft.dynamodb.service_errors import ServiceError, is_uncertain
from updraft.emr.cluster_failure import lacks_capacity
from updraft.emr.cluster_request import owned
from updraft.emr.cluster_states import FAILED, LIVE
from updraft.errors import UpdraftError
from updraft.hooks.emr import EmrCalls
from updraft.operators.emr_logs import EmrLogs
from updraft.operators.kill_switch import KillSwitch
from updraft.resource_owner import ENVIRONMENT_TAG, KEEP_TAG, TOKEN_TAG, ResourceOwner

log = logging.getLogger(__name__)

Cluster: TypeAlias = Mapping[str, Any]
"""What DescribeCluster says about one cluster."""

ON_DEMAND_END = " on-demand]"
"""What the name of a cluster ends with that was made on demand for want of spot instances."""

_LOOKBACK = timedelta(days=14)
_SHORT = 12
_LOOKS = 5
_PAUSE = 3.0


class EmrClusters:
    """The clusters of one task instance.

    They are recognised by their name, which ListClusters shows, and by the tag with the owner's
    token, which proves it. That works when Airflow has forgotten all about an earlier attempt.

    :param calls: calls of EMR.
    :param owner: the task instance.
    :param kill_switch: whether the task was told to stop; needed by who makes clusters.
    """

    def __init__(
        self, calls: EmrCalls, owner: ResourceOwner, kill_switch: KillSwitch | None = None
    ) -> None:
        self._calls = calls
        self._owner = owner
        self._kill_switch = kill_switch or KillSwitch()
        self._short = owner.token().replace("-", "")[:_SHORT]

    def own(self, *states: str, lookback: timedelta = _LOOKBACK) -> list[Cluster]:
        """Find the owner's clusters.

        :param states: the states to look for.
        :param lookback: how old a cluster may be.
        :returns: the clusters, the oldest first.
        :raises ServiceError: when AWS refuses.
        """
        listed = self._calls.items(
            "list_clusters",
            "clusters",
            "Clusters",
            CreatedAfter=datetime.now(UTC) - lookback,
            ClusterStates=list(states),
        )
        described = [self.describe(one["Id"]) for one in listed if self._short in one["Name"]]
        token = self._owner.token()
        confirmed = [
            one
            for one in described
            if any(tag["Key"] == TOKEN_TAG and tag["Value"] == token for tag in one.get("Tags", ()))
            and one["Status"]["State"] in states
        ]
        return sorted(confirmed, key=_age)

    def describe(self, cluster_id: str) -> Cluster:
        """Ask for a cluster.

        :param cluster_id: its id.
        :returns: what EMR says.
        :raises ServiceError: when AWS refuses, or there is none.
        """
        answer = self._calls.call(
            "describe_cluster", f"cluster {cluster_id!r}", ClusterId=cluster_id
        )
        cluster: Cluster = answer["Cluster"]
        return cluster

    def adopt(self) -> Cluster | None:
        """Take over the cluster that there is, and end those that there should not be.

        Two attempts of a task can overlap when Airflow takes one for dead that is not. Both keep
        the older cluster.

        :returns: the cluster, ``None`` when there is none.
        :raises ServiceError: when AWS refuses.
        """
        found = self.own(*LIVE)
        for surplus in found[1:]:
            log.warning(
                "Cluster %s is a second one of this task; %s is kept", surplus["Id"], found[0]["Id"]
            )
            self.terminate(surplus["Id"])
        return found[0] if found else None

    def lacked_capacity(self) -> bool:
        """Tell whether a cluster of the owner has failed lately for want of spot instances.

        :returns: whether one has that was not on demand.
        :raises ServiceError: when AWS refuses.
        """
        failed = self.own(FAILED, lookback=timedelta(hours=6))
        return any(
            lacks_capacity(one) and not one["Name"].endswith(ON_DEMAND_END) for one in failed
        )

    def create(self, request: Mapping[str, Any], *, spot: bool) -> str:
        """Make a cluster, once, whatever becomes of the answer.

        :param request: the request.
        :param spot: whether spot instances may stay what they are.
        :returns: id of the cluster.
        :raises TaskStoppedError: when the task was told to stop before it was made.
        :raises ServiceError: when AWS refuses, or leaves it open for too long whether there is one.
        """
        give_up_at = time.monotonic() + self._calls.patience
        suffix = f"[{self._short}{']' if spot else ON_DEMAND_END}"
        complete = owned(request, suffix=suffix, tags=self._owner.tags(), spot=spot)
        while True:
            try:
                answer = self._calls.call_once(
                    "run_job_flow", "a new cluster", self._kill_switch.check, **complete
                )
                return str(answer["JobFlowId"])
            except ServiceError as error:
                if not is_uncertain(error):
                    raise
                log.warning("It is open whether EMR has begun a cluster: %s", error)
                found = self._look_again()
                if found is None and time.monotonic() > give_up_at:
                    raise
            if found is not None:
                log.info("EMR had begun cluster %s", found["Id"])
                return str(found["Id"])

    def terminate(self, cluster_id: str) -> None:
        """Tell EMR to end a cluster.

        :param cluster_id: its id.
        :raises ServiceError: when AWS refuses.
        """
        self._calls.call("terminate_job_flows", f"cluster {cluster_id!r}", JobFlowIds=[cluster_id])
        log.info("Told EMR to terminate cluster %s", cluster_id)

    def keep(self, cluster_id: str) -> None:
        """Tag a cluster as one that stays after its run, so that the reaper leaves it alone.

        :param cluster_id: its id.
        :raises ServiceError: when AWS refuses.
        """
        # The worker's policy lets it tag nothing without the name of the environment.
        tags = {ENVIRONMENT_TAG: self._owner.tags()[ENVIRONMENT_TAG], KEEP_TAG: "true"}
        self._calls.call(
            "add_tags",
            f"cluster {cluster_id!r}",
            ResourceId=cluster_id,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )

    def failure(self, cluster: Cluster) -> UpdraftError:
        """Say why a cluster has ended.

        :param cluster: the cluster.
        :returns: the error with code, reason and what its bootstrap actions said.
        """
        reason = cluster["Status"].get("StateChangeReason") or {}
        said = ": ".join(reason[name] for name in ("Code", "Message") if reason.get(name))
        text = f"Cluster {cluster['Id']} ended as {cluster['Status']['State']}"
        text += f" ({said or 'EMR gives no reason'})."
        if reason.get("Code") == "BOOTSTRAP_FAILURE":
            text += self._bootstrap_log(cluster)
        details = [
            f"{one.get('ErrorCode')}: {one.get('ErrorMessage')}"
            for one in cluster["Status"].get("ErrorDetails") or ()
        ]
        return UpdraftError(" ".join([text, *details]))

    def _bootstrap_log(self, cluster: Cluster) -> str:
        logs = EmrLogs(self._calls.hook_parameters, cluster.get("LogUri"))
        if not logs.kept:
            return " Give the cluster a LogUri to see what its bootstrap action said."
        place = logs.uri(cluster["Id"], "node")
        texts = {
            uri: text
            for uri, text in logs.fetch(place, "/stderr", "/stdout").items()
            if "/bootstrap-actions/" in uri
        }
        line = logs.show(texts)
        return f" {line}." * bool(line) + f" Its log is below {place}/."

    def _look_again(self) -> Cluster | None:
        for _ in range(_LOOKS):
            time.sleep(_PAUSE)
            found = self.adopt()
            if found is not None:
                return found
        return None


def is_gone(error: ServiceError) -> bool:
    """Tell whether a call failed because EMR has no such cluster any more.

    :param error: how it failed.
    :returns: whether it has none; clusters are forgotten two months after their end.
    """
    return "is not valid" in error.message or "not found" in error.message.lower()


def owners_of_setups(owner: ResourceOwner, task_ids: Sequence[str]) -> Iterator[ResourceOwner]:
    """Name the setup tasks that a teardown may belong to.

    :param owner: the teardown task.
    :param task_ids: ids of its setup tasks.
    :returns: the same run's instances of them, mapped like the teardown, and not mapped.
    """
    for task_id in task_ids:
        for map_index in sorted({owner.map_index, -1}, reverse=True):
            yield ResourceOwner(owner.environment, owner.dag_id, owner.run_id, task_id, map_index)


def _age(cluster: Cluster) -> tuple[datetime, str]:
    return cluster["Status"]["Timeline"]["CreationDateTime"], cluster["Id"]
