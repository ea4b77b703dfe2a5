"""Clusters of EMR, and job runs of EMR Serverless and of EMR on EKS, that tasks have started."""

from collections.abc import Iterator
from typing import ClassVar

from updraft.hooks.owned_resources import OwnedResource, OwnedResources, is_of
from updraft.resource_owner import KEEP_TAG, ResourceOwner

_LIVE_CLUSTERS = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")
_LIVE_SERVERLESS_RUNS = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "QUEUED")
_LIVE_CONTAINER_RUNS = ("PENDING", "SUBMITTED", "RUNNING")


class OwnedEmrClusters(OwnedResources):
    """The clusters of EMR on EC2."""

    kind: ClassVar[str] = "EMR cluster"
    client_type: ClassVar[str] = "emr"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find clusters; their tags stand in their descriptions alone.

        :param environment: name of the Airflow environment.
        :returns: the clusters that have not ended.
        :raises ServiceError: when AWS refuses a call.
        """
        listed = self._pages("list_clusters", "Clusters", ClusterStates=list(_LIVE_CLUSTERS))
        for found in listed:
            with self._explained("elasticmapreduce:DescribeCluster", f"cluster {found['Id']}"):
                cluster = self.client.describe_cluster(ClusterId=found["Id"])["Cluster"]
            tags = {tag["Key"]: tag.get("Value", "") for tag in cluster.get("Tags", [])}
            if is_of(environment, tags) and cluster["Status"]["State"] in _LIVE_CLUSTERS:
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


class OwnedEmrServerlessJobRuns(OwnedResources):
    """The job runs of EMR Serverless."""

    kind: ClassVar[str] = "EMR Serverless job run"
    client_type: ClassVar[str] = "emr-serverless"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find job runs of all applications; their tags stand in their descriptions alone.

        :param environment: name of the Airflow environment.
        :returns: the runs that have not ended.
        :raises ServiceError: when AWS refuses a call.
        """
        for application in self._pages("list_applications", "applications"):
            which = {"applicationId": application["id"]}
            states = list(_LIVE_SERVERLESS_RUNS)
            for found in self._pages("list_job_runs", "jobRuns", **which, states=states):
                with self._explained("emr-serverless:GetJobRun", f"run {found['id']}"):
                    run = self.client.get_job_run(**which, jobRunId=found["id"])["jobRun"]
                tags = run.get("tags", {})
                if is_of(environment, tags):
                    yield OwnedResource(
                        self.kind,
                        run["jobRunId"],
                        run.get("name", ""),
                        run["state"],
                        run["createdAt"],
                        ResourceOwner.from_tags(tags),
                        which,
                    )

    def end(self, resource: OwnedResource) -> None:
        """Cancel a job run.

        :param resource: the run.
        :raises ServiceError: when AWS refuses.
        """
        with self._explained("emr-serverless:CancelJobRun", f"run {resource.identifier}"):
            self.client.cancel_job_run(**resource.parents, jobRunId=resource.identifier)


class OwnedEmrContainersJobRuns(OwnedResources):
    """The job runs of EMR on EKS."""

    kind: ClassVar[str] = "EMR on EKS job run"
    client_type: ClassVar[str] = "emr-containers"

    def find(self, environment: str) -> Iterator[OwnedResource]:
        """Find job runs of all virtual clusters.

        :param environment: name of the Airflow environment.
        :returns: the runs that have not ended.
        :raises ServiceError: when AWS refuses a call.
        """
        clusters = self._pages("list_virtual_clusters", "virtualClusters", states=["RUNNING"])
        for cluster in clusters:
            which = {"virtualClusterId": cluster["id"]}
            states = list(_LIVE_CONTAINER_RUNS)
            for run in self._pages("list_job_runs", "jobRuns", **which, states=states):
                tags = run.get("tags", {})
                if is_of(environment, tags):
                    yield OwnedResource(
                        self.kind,
                        run["id"],
                        run.get("name", ""),
                        run["state"],
                        run["createdAt"],
                        ResourceOwner.from_tags(tags),
                        which,
                    )

    def end(self, resource: OwnedResource) -> None:
        """Cancel a job run.

        :param resource: the run.
        :raises ServiceError: when AWS refuses.
        """
        with self._explained("emr-containers:CancelJobRun", f"run {resource.identifier}"):
            self.client.cancel_job_run(**resource.parents, id=resource.identifier)
