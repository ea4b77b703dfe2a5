"""Clusters of EMR, and job runs of EMR Serverless and of EMR on EKS, that tasks have started."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from updraft.emr.cluster_states import LIVE
from updraft.hooks.emr import CLUSTERS, CONTAINERS, SERVERLESS
from updraft.hooks.owned_resources import OwnedResource, OwnedResources, is_of
from updraft.resource_owner import KEEP_TAG, ResourceOwner


class OwnedEmrClusters(OwnedResources):
    """The clusters of EMR on EC2."""

    kind: ClassVar[str] = "EMR cluster"
    client_type: ClassVar[str] = CLUSTERS

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find clusters; their tags stand in their descriptions alone.

        :param environment: name of the Airflow environment.
        :returns: the clusters that have not ended.
        :raises ServiceError: when AWS refuses a call.
        """
        listed = self._pages("list_clusters", "Clusters", ClusterStates=list(LIVE))
        for found in listed:
            with self._explained("elasticmapreduce:DescribeCluster", f"cluster {found['Id']}"):
                cluster = self.client.describe_cluster(ClusterId=found["Id"])["Cluster"]
            tags = {tag["Key"]: tag.get("Value", "") for tag in cluster.get("Tags", [])}
            if is_of(environment, tags) and cluster["Status"]["State"] in LIVE:
                yield OwnedResource(
                    self.kind,
                    cluster["Id"],
                    cluster["Name"],
                    cluster["Status"]["State"],
                    cluster["Status"]["Timeline"]["CreationDateTime"],
                    ResourceOwner.from_tags(tags),
                    kept=tags.get(KEEP_TAG) == "true",
                )

    def end(self, resource: OwnedResource) -> None:
        """Terminate a cluster.

        :param resource: the cluster.
        :raises ServiceError: when AWS refuses, as it does while the cluster is protected.
        """
        action = "elasticmapreduce:TerminateJobFlows"
        with self._explained(action, f"cluster {resource.identifier}"):
            self.client.terminate_job_flows(JobFlowIds=[resource.identifier])


class OwnedEmrJobRuns(OwnedResources):
    """The job runs of a service that runs jobs in places of its own; a subclass knows which."""

    live: ClassVar[tuple[str, ...]]
    """States of a run that has not ended."""

    place: ClassVar[str]
    """Parameter of a call that names where a run takes place."""

    identifier: ClassVar[str]
    """Parameter of a call that names a run."""

    @abstractmethod
    def places(self) -> Iterator[str]:
        """Find where runs take place.

        :returns: ids.
        :raises ServiceError: when AWS refuses a call.
        """

    def described(self, run: Mapping[str, Any], which: Mapping[str, str]) -> Mapping[str, Any]:
        """Find out about a run what a list does not say.

        :param run: what the list says.
        :param which: parameters of a call that name the run.
        :returns: the run with its tags.
        :raises ServiceError: when AWS refuses a call.
        """
        del which
        return run

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find job runs in all places.

        :param environment: name of the Airflow environment.
        :returns: the runs that have not ended.
        :raises ServiceError: when AWS refuses a call.
        """
        for place in self.places():
            parents = {self.place: place}
            listed = self._pages("list_job_runs", "jobRuns", **parents, states=list(self.live))
            for found in listed:
                run = self.described(found, {**parents, self.identifier: found["id"]})
                tags = run.get("tags", {})
                if is_of(environment, tags):
                    yield OwnedResource(
                        self.kind,
                        found["id"],
                        run.get("name", ""),
                        run["state"],
                        run["createdAt"],
                        ResourceOwner.from_tags(tags),
                        parents,
                    )

    def end(self, resource: OwnedResource) -> None:
        """Cancel a job run.

        :param resource: the run.
        :raises ServiceError: when AWS refuses.
        """
        which = {**resource.parents, self.identifier: resource.identifier}
        with self._explained(f"{self.client_type}:CancelJobRun", f"run {resource.identifier}"):
            self.client.cancel_job_run(**which)


class OwnedEmrServerlessJobRuns(OwnedEmrJobRuns):
    """The job runs of EMR Serverless; their tags stand in their descriptions alone."""

    kind: ClassVar[str] = "EMR Serverless job run"
    client_type: ClassVar[str] = SERVERLESS
    live: ClassVar[tuple[str, ...]] = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "QUEUED")
    place: ClassVar[str] = "applicationId"
    identifier: ClassVar[str] = "jobRunId"

    def places(self) -> Iterator[str]:
        """Find the applications."""
        for application in self._pages("list_applications", "applications"):
            yield application["id"]

    def described(self, run: Mapping[str, Any], which: Mapping[str, str]) -> Mapping[str, Any]:
        """Ask for a run."""
        with self._explained("emr-serverless:GetJobRun", f"run {run['id']}"):
            answer: Mapping[str, Any] = self.client.get_job_run(**which)["jobRun"]
        return answer


class OwnedEmrContainersJobRuns(OwnedEmrJobRuns):
    """The job runs of EMR on EKS."""

    kind: ClassVar[str] = "EMR on EKS job run"
    client_type: ClassVar[str] = CONTAINERS
    live: ClassVar[tuple[str, ...]] = ("PENDING", "SUBMITTED", "RUNNING")
    place: ClassVar[str] = "virtualClusterId"
    identifier: ClassVar[str] = "id"

    def places(self) -> Iterator[str]:
        """Find the virtual clusters."""
        for cluster in self._pages("list_virtual_clusters", "virtualClusters", states=["RUNNING"]):
            yield cluster["id"]
