"""RunJobFlow and the other operations on clusters as a whole."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from include.local.gateway.handlers import ACCOUNT_ID, Operation, OperationRequest
from include.local.gateway.services.emr.cluster_validation import check_request
from include.local.gateway.services.emr.clusters import Cluster, new_id
from include.local.gateway.services.emr.pages import page
from include.local.gateway.services.emr.running import (
    RunningClusters,
    invalid_request,
    moment,
    validation_error,
)
from include.local.gateway.services.emr.step_operations import check_steps, new_steps
from include.local.gateway.services.emr.views import cluster_members, cluster_summary

_PAGE = 50
_MOST_CONCURRENT = 256
_RESOURCE = re.compile(r"(?:.*:cluster/)?(j-[A-Z0-9]+)")
_SHUT_DOWN = "A job flow that is shutting down, terminated, or finished may not be modified."


class ClusterOperations:
    """The operations.

    :param clusters: the clusters.
    """

    def __init__(self, clusters: RunningClusters) -> None:
        self._clusters = clusters

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "AddTags": self._add_tags,
            "DescribeCluster": self._describe,
            "ListBootstrapActions": self._list_bootstrap_actions,
            "ListClusters": self._list,
            "ModifyCluster": self._modify,
            "RemoveTags": self._remove_tags,
            "RunJobFlow": self._run,
            "SetKeepJobFlowAliveWhenNoSteps": self._set_keep_alive,
            "SetTerminationProtection": self._set_protection,
            "SetVisibleToAllUsers": self._set_visible,
            "TerminateJobFlows": self._terminate,
        }

    def _run(self, request: OperationRequest) -> Mapping[str, Any]:
        given = dict(request.parameters)
        check_request(given)
        concurrency = given.get("StepConcurrencyLevel", 1)
        steps = given.pop("Steps", [])
        check_steps(steps, concurrency=concurrency, others=0)
        instances = given["Instances"]
        cluster = Cluster(
            id=new_id("j"),
            region=request.region,
            request=given,
            tags={tag["Key"]: tag.get("Value", "") for tag in given.pop("Tags", ())},
            steps=new_steps(steps, given.get("StepExecutionRoleArn")),
            protected=instances.get("TerminationProtected", False),
            keep_alive=instances.get("KeepJobFlowAliveWhenNoSteps", False),
            visible=given.get("VisibleToAllUsers", True),
            concurrency=concurrency,
            auto_termination=given.get("AutoTerminationPolicy"),
            managed_scaling=given.get("ManagedScalingPolicy"),
        )
        self._clusters.start(cluster)
        return {"JobFlowId": cluster.id, "ClusterArn": cluster_arn(cluster)}

    def _describe(self, request: OperationRequest) -> Mapping[str, Any]:
        cluster = self._clusters.find(request.region, request.parameters["ClusterId"])
        with self._clusters.locked(cluster):
            return {"Cluster": {**cluster_members(cluster), "ClusterArn": cluster_arn(cluster)}}

    def _list(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        states = given.get("ClusterStates")
        after, before = given.get("CreatedAfter"), given.get("CreatedBefore")
        found = [
            cluster
            for cluster in self._clusters.store.of_region(request.region)
            if (not states or cluster.state in states)
            and (after is None or moment(cluster.created).replace(tzinfo=None) > _naive(after))
            and (before is None or moment(cluster.created).replace(tzinfo=None) < _naive(before))
        ]
        listed, marker = page(found, given.get("Marker"), _PAGE, lambda cluster: cluster.id)
        summaries = [
            {**cluster_summary(cluster), "ClusterArn": cluster_arn(cluster)} for cluster in listed
        ]
        return {"Clusters": summaries, **marker}

    def _modify(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        cluster = self._clusters.find(request.region, given["ClusterId"])
        level = given.get("StepConcurrencyLevel")
        if level is not None and not 1 <= level <= _MOST_CONCURRENT:
            raise invalid_request(
                f"Invalid StepConcurrencyLevel {level}: it should be between 1 and "
                f"{_MOST_CONCURRENT}."
            )
        with self._clusters.modifiable(cluster, invalid_request(_SHUT_DOWN)) as lifecycle:
            if level is not None:
                cluster.concurrency = level
            lifecycle.save()
            return {"StepConcurrencyLevel": cluster.concurrency}

    def _terminate(self, request: OperationRequest) -> Mapping[str, Any]:
        clusters = self._job_flows(request)
        if any(cluster.protected and cluster.ended is None for cluster in clusters):
            raise validation_error(
                "Could not shut down one or more job flows since they are termination protected."
            )
        for cluster in clusters:
            with self._clusters.locked(cluster) as lifecycle:
                if lifecycle is not None and cluster.ended is None:
                    lifecycle.terminate()
        return {}

    def _set_protection(self, request: OperationRequest) -> Mapping[str, Any]:
        def protect(cluster: Cluster) -> None:
            cluster.protected = request.parameters["TerminationProtected"]

        return self._change(request, protect)

    def _set_keep_alive(self, request: OperationRequest) -> Mapping[str, Any]:
        def keep(cluster: Cluster) -> None:
            cluster.keep_alive = request.parameters["KeepJobFlowAliveWhenNoSteps"]

        return self._change(request, keep)

    def _set_visible(self, request: OperationRequest) -> Mapping[str, Any]:
        def show(cluster: Cluster) -> None:
            cluster.visible = request.parameters["VisibleToAllUsers"]

        return self._change(request, show)

    def _change(
        self, request: OperationRequest, change: Callable[[Cluster], None]
    ) -> Mapping[str, Any]:
        for cluster in self._job_flows(request):
            refusal = validation_error(_SHUT_DOWN)
            with self._clusters.modifiable(cluster, refusal) as lifecycle:
                change(cluster)
                lifecycle.save()
        return {}

    def _job_flows(self, request: OperationRequest) -> list[Cluster]:
        ids: Sequence[str] = request.parameters["JobFlowIds"]
        clusters = []
        for cluster_id in ids:
            cluster = self._clusters.store.find(request.region, cluster_id)
            if cluster is None:
                raise validation_error("Specified job flow ID does not exist.")
            clusters.append(cluster)
        return clusters

    def _add_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        new = {tag["Key"]: tag.get("Value", "") for tag in request.parameters["Tags"]}
        cluster = self._tagged(request)
        with self._clusters.modifiable(cluster, invalid_request(_SHUT_DOWN)) as lifecycle:
            cluster.tags |= new
            lifecycle.save()
        return {}

    def _remove_tags(self, request: OperationRequest) -> Mapping[str, Any]:
        cluster = self._tagged(request)
        with self._clusters.modifiable(cluster, invalid_request(_SHUT_DOWN)) as lifecycle:
            for key in request.parameters["TagKeys"]:
                cluster.tags.pop(key, None)
            lifecycle.save()
        return {}

    def _tagged(self, request: OperationRequest) -> Cluster:
        resource = request.parameters["ResourceId"]
        match = _RESOURCE.fullmatch(resource)
        return self._clusters.find(request.region, match[1] if match else resource)

    def _list_bootstrap_actions(self, request: OperationRequest) -> Mapping[str, Any]:
        cluster = self._clusters.find(request.region, request.parameters["ClusterId"])
        actions = []
        for action in cluster.request.get("BootstrapActions", ()):
            script = action["ScriptBootstrapAction"]
            arguments = script.get("Args", [])
            actions.append(
                {"Name": action["Name"], "ScriptPath": script["Path"], "Args": arguments}
            )
        listed, marker = page(
            list(enumerate(actions)), request.parameters.get("Marker"), _PAGE, lambda it: str(it[0])
        )
        return {"BootstrapActions": [action for _, action in listed], **marker}


def cluster_arn(cluster: Cluster) -> str:
    """Name a cluster as other services do.

    :param cluster: the cluster.
    :returns: its ARN.
    """
    return f"arn:aws:elasticmapreduce:{cluster.region}:{ACCOUNT_ID}:cluster/{cluster.id}"


def _naive(time: Any) -> Any:
    return time.replace(tzinfo=None)
