"""Triggers that wait until clusters and workgroups of Redshift stay as they are."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.hooks.redshift import RedshiftClusterHook, RedshiftServerlessHook
from updraft.redshift.clusters import Cluster, ClusterSize
from updraft.triggers.polling import PollingTrigger


class RedshiftSettlingTrigger(PollingTrigger):
    """Base of both.

    :param progress: what the task needs to know when it goes on.
    :param pause: seconds before the first look.
    :param kwargs: as of :class:`PollingTrigger`.
    """

    def __init__(self, *, progress: Mapping[str, Any], pause: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.progress = dict(progress)
        self.pause = pause

    def first_pause(self) -> float:
        """Say how long to wait before the first look.

        :returns: seconds.
        """
        return self.pause


class RedshiftClusterTrigger(RedshiftSettlingTrigger):
    """Wait until a cluster is available or paused, or never will be.

    :param cluster_identifier: name of the cluster.
    :param cancels: size to which the task itself has begun a classic resize, as
        :meth:`ClusterSize.code` writes it; empty when there is nothing to take back.
    :param kwargs: as of :class:`RedshiftSettlingTrigger`.
    """

    argument_names = ("cluster_identifier", "cancels", "progress", "pause")
    aws_hook_class: ClassVar[type[AwsBaseHook]] = RedshiftClusterHook

    def __init__(self, *, cluster_identifier: str, cancels: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cluster_identifier = cluster_identifier
        self.cancels = cancels

    async def is_over(self, client: Any) -> bool:
        """Look at the cluster.

        :param client: asynchronous client of Redshift.
        :returns: whether the task has to look; true as well where there is no cluster.
        """
        try:
            answer = await client.describe_clusters(ClusterIdentifier=self.cluster_identifier)
        except client.exceptions.ClusterNotFoundFault:
            return True
        (description,) = answer["Clusters"]
        cluster = Cluster.of(description)
        self.log.info("Cluster %s is %s", cluster.identifier, cluster.status)
        return cluster.is_settled or cluster.trouble is not None

    async def stop(self, client: Any) -> None:
        """Take the task's own resize back if it is a classic one; others can't be.

        :param client: asynchronous client of Redshift.
        """
        if not self.cancels:
            return
        errors = client.exceptions
        with suppress(
            errors.ClusterNotFoundFault, errors.InvalidClusterStateFault, errors.ResizeNotFoundFault
        ):
            resize = await client.describe_resize(ClusterIdentifier=self.cluster_identifier)
            if is_own_resize(resize, self.cancels):
                await client.cancel_resize(ClusterIdentifier=self.cluster_identifier)


class RedshiftWorkgroupTrigger(RedshiftSettlingTrigger):
    """Wait until a workgroup is available.

    :param workgroup_name: name of the workgroup.
    :param kwargs: as of :class:`RedshiftSettlingTrigger`.
    """

    argument_names = ("workgroup_name", "progress", "pause")
    aws_hook_class: ClassVar[type[AwsBaseHook]] = RedshiftServerlessHook

    def __init__(self, *, workgroup_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workgroup_name = workgroup_name

    async def is_over(self, client: Any) -> bool:
        """Look at the workgroup.

        :param client: asynchronous client of Redshift Serverless.
        :returns: whether the task has to look; true as well where there is no workgroup.
        """
        try:
            answer = await client.get_workgroup(workgroupName=self.workgroup_name)
        except client.exceptions.ResourceNotFoundException:
            return True
        status = answer["workgroup"]["status"]
        self.log.info("Workgroup %s is %s", self.workgroup_name, status)
        return status in {"AVAILABLE", "DELETING"}


def is_own_resize(resize: Mapping[str, Any], target: str) -> bool:
    """Tell whether a resize goes on that can be taken back, and leads to a size.

    :param resize: what DescribeResize answers.
    :param target: the size, as :meth:`ClusterSize.code` writes it.
    """
    if resize.get("Status") != "IN_PROGRESS" or resize.get("ResizeType") != "ClassicResize":
        return False
    size = ClusterSize(resize["TargetNodeType"], resize["TargetNumberOfNodes"])
    return size.code() == target
