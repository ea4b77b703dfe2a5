"""Resizes a cluster: begins, recognises, judges and cancels resizes.

AWS cancels classic resizes only, so only these need an owner. A task that begins one writes on the
cluster, as a tag, who it is and which size it wants; a retry recognises its resize by that.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/mgmt/resizing-cluster.html
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import PermanentError, UpdraftError
from updraft.hooks.redshift import RedshiftClusterHook
from updraft.operators.redshift_refusals import Wait
from updraft.operators.template_arguments import truth
from updraft.redshift.clusters import RESIZING, Cluster, ClusterSize
from updraft.triggers.redshift import is_own_resize

OWNER_TAG = "updraft:resize_owner"
"""Tag of a cluster in a classic resize: token of the task, and the size that it wants."""

_OVER = frozenset(
    {
        "ClusterNotFound",
        "InvalidClusterState",
        "InvalidClusterStateFault",
        "ResizeNotFound",
        "ResizeNotFoundFault",
    }
)


_SHORT = 2  # numbers that are written one by one


class Resizing:
    """The resizes of one cluster, as one task sees them.

    :param hook: makes the calls.
    :param cluster_identifier: name of the cluster.
    :param owner: token of the task instance.
    :param classic: whether the task's own are classic ones.
    """

    def __init__(
        self,
        hook: RedshiftClusterHook,
        cluster_identifier: str,
        owner: str,
        classic: bool | str,
    ) -> None:
        self._hook = hook
        self._identifier = cluster_identifier
        self._what = f"cluster {cluster_identifier!r}"
        self._owner = owner
        self.is_classic = truth("classic", classic)
        self._cancels = ""

    def take_up(self, progress: dict[str, Any]) -> bool:
        """Go on with a resize that was begun before a deferral.

        :param progress: what this attempt has done so far.
        :returns: whether it can be taken back, which was not known.
        """
        is_news = bool(progress.get("cancels")) and not self._cancels
        self._cancels = progress.get("cancels", "")
        return is_news

    def begin(
        self, cluster: Cluster, target: ClusterSize, progress: dict[str, Any], log: Any
    ) -> None:
        """Begin a resize.

        :param cluster: the cluster, which is available.
        :param target: the size that it leads to.
        :param progress: gets a note of it.
        :param log: logger of the task.
        :raises PermanentError: when the size can't be reached.
        :raises ServiceError: when AWS refuses.
        """
        if self.is_classic:
            tag = {"Key": OWNER_TAG, "Value": f"{self._owner}/{target.code()}"}
            self._request("CreateTags", ResourceName=cluster.arn(), Tags=[tag])
        else:
            full = self.require_allowed(cluster.size, target)
            if full is not None:
                log.info("AWS estimates that the disks will be %s %% full", full)
        cancels = target.code() if self.is_classic else ""
        # Before the call, since the signal to stop may come while it is made.
        self._cancels = cancels
        try:
            self._request(
                "ResizeCluster",
                ClusterIdentifier=self._identifier,
                ClusterType=target.cluster_type,
                NodeType=target.node_type,
                NumberOfNodes=target.nodes,
                Classic=self.is_classic,
            )
        except ServiceError as error:
            if error.code:  # without an answer, it may have begun
                self._cancels = ""
            raise
        progress["resize"], progress["cancels"] = target.code(), cancels

    def require_allowed(self, size: ClusterSize, target: ClusterSize) -> float | None:
        """Check that an elastic resize can lead to a size.

        :param size: present size.
        :param target: the wanted one.
        :returns: how full AWS estimates the disks to be then, in percent, if it does.
        :raises PermanentError: when it can't; the message names the sizes that can be reached.
        :raises ServiceError: when AWS refuses.
        """
        if self.is_classic:
            return None
        options = {
            ClusterSize(option["NodeType"], option["NumberOfNodes"]): option
            for option in self._hook.pages(
                "DescribeNodeConfigurationOptions",
                "NodeConfigurationOptionList",
                self._what,
                ActionType="resize-cluster",
                ClusterIdentifier=self._identifier,
            )
        }
        if target in options:
            full: float | None = options[target].get("EstimatedDiskUtilizationPercent")
            return full
        sizes = _listed(options) or "to no size at all"
        raise PermanentError(
            f"The {self._what} can't be resized elastically from {size} to {target}, but {sizes}. "
            "A classic resize (classic=True) leads to any size; the cluster can only be read "
            "meanwhile, for hours or days."
        )

    def note(self, cluster: Cluster, progress: dict[str, Any]) -> bool:
        """Note the resize that goes on.

        :param cluster: the cluster as it is.
        :param progress: gets a note of it.
        :returns: whether it turned out to be the task's own, which was not known.
        """
        if cluster.status != RESIZING:
            return False
        target = cluster.next_size
        if target is None:
            resize = self._describe()
            if "TargetNodeType" not in resize or "TargetNumberOfNodes" not in resize:
                return False
            target = ClusterSize(resize["TargetNodeType"], resize["TargetNumberOfNodes"])
        progress["resize"] = target.code()
        is_own = cluster.tags.get(OWNER_TAG) == f"{self._owner}/{target.code()}"
        is_news = is_own and not self._cancels
        self._cancels = progress["cancels"] = target.code() if is_own else ""
        return is_news

    def judge(self, progress: dict[str, Any], *, is_missing: bool) -> Wait | None:
        """Look what has become of the resize that was waited for.

        :param progress: what this attempt has done so far.
        :param is_missing: whether the cluster has not the size that it shall have.
        :returns: what to wait for if it does not show yet, None when it is over.
        :raises UpdraftError: when it has failed, or was cancelled.
        """
        target = progress.get("resize")
        was_own = bool(progress.get("cancels"))
        if target is None:
            return None
        if is_missing:
            resize = self._describe()
            status = resize.get("Status")
            leads_there = f"{resize.get('TargetNumberOfNodes')}/{resize.get('TargetNodeType')}"
            wanted = str(ClusterSize.parse(target))
            if status in {"IN_PROGRESS", "CANCELLING"}:
                return Wait(f"the resize of {self._what} is {status}", 1.0)
            if status == "FAILED" and leads_there == target:
                raise UpdraftError(
                    f"The resize of {self._what} to {wanted} has failed: "
                    f"{resize.get('Message') or 'AWS gives no reason'}. The cluster has its old "
                    "size; a retry of this task begins a new resize."
                )
            if status == "NONE" and was_own:
                raise UpdraftError(
                    f"Somebody has cancelled the resize of {self._what} to {wanted}. A retry of "
                    "this task begins a new one."
                )
        del progress["resize"]
        progress["cancels"] = self._cancels = ""
        return None

    def forget(self, cluster: Cluster) -> None:
        """Take the owner off the cluster.

        :param cluster: the cluster, which has the wanted size.
        :raises ServiceError: when AWS refuses.
        """
        if cluster.tags.get(OWNER_TAG, "").startswith(self._owner):
            self._request("DeleteTags", ResourceName=cluster.arn(), TagKeys=[OWNER_TAG])

    def cancel(self, log: Any) -> None:
        """Take the task's own resize back, if AWS can do that.

        :param log: logger of the task.
        """
        if not self._cancels:
            log.info("A change of %s that is under way goes on; AWS can't cancel it", self._what)
            return
        try:
            if is_own_resize(self._describe(), self._cancels):
                self._request("CancelResize", ClusterIdentifier=self._identifier)
                log.info("Told AWS to take the resize of %s back", self._what)
        except ServiceError as error:
            if error.code in _OVER:
                log.info("The resize of %s has ended, or is being taken back", self._what)
            else:
                log.warning("The resize of %s may go on. %s", self._what, error)

    def _describe(self) -> dict[str, Any]:
        try:
            return self._request("DescribeResize", ClusterIdentifier=self._identifier)
        except ServiceError as error:
            if error.code in {"ResizeNotFound", "ResizeNotFoundFault"}:
                return {}
            raise

    def _request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self._hook.request(operation, self._what, **parameters)


def _listed(sizes: Iterable[ClusterSize]) -> str:
    """Write sizes down: ``to 4, 8 x ra3.xlplus, or to 2-4 x ra3.4xlarge``."""
    grouped = groupby(sorted(sizes), key=lambda size: size.node_type)
    return ", or ".join(
        f"to {_ranges([size.nodes for size in group])} x {node_type}"
        for node_type, group in grouped
    )


def _ranges(numbers: Sequence[int]) -> str:
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    return ", ".join(
        f"{run[0]}-{run[-1]}" if len(run) > _SHORT else ", ".join(map(str, run)) for run in ranges
    )
