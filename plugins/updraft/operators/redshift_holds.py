"""What tasks note on a cluster as tags while a workload has changed its capacity.

XComs of Airflow are cleared before a retry, and runs of several DAGs may use one cluster. So the
cluster itself says what it was like before, and who works on it now. The last one to leave brings
it back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from updraft.airflow_states import dag_run_state
from updraft.errors import UpdraftError
from updraft.redshift.clusters import AVAILABLE, PAUSED, Cluster, ClusterSize
from updraft.resource_owner import ResourceOwner

BEFORE_TAG = "updraft:capacity_before"
"""Tag with state and size that the cluster comes back to."""

_HOLD = "updraft:capacity_held_by:"
_LONGEST = 256
_OVER = frozenset({"success", "failed", None})


@dataclass(frozen=True)
class Before:
    """What a cluster was like.

    :param state: ``available`` or ``paused``.
    :param size: its size.
    """

    state: str
    size: ClusterSize

    @classmethod
    def of(cls, cluster: Cluster) -> Self | None:
        """Read the tag.

        :param cluster: the cluster.
        :returns: what it was like, None when it has no such tag.
        :raises UpdraftError: when somebody has changed the tag.
        """
        text = cluster.tags.get(BEFORE_TAG)
        if text is None:
            return None
        state, _, size = text.partition("/")
        if state not in {AVAILABLE, PAUSED}:
            raise UpdraftError(
                f"The tag {BEFORE_TAG} of cluster {cluster.identifier!r} is {text!r}, not what it "
                "comes back to, such as available/2/ra3.xlplus. Correct it, or remove it."
            )
        return cls(state, ClusterSize.parse(size))

    def code(self) -> str:
        """Write it down.

        :returns: the value of the tag.
        """
        return f"{self.state}/{self.size.code()}"


def hold_of(asking: ResourceOwner, task_id: str) -> tuple[str, str]:
    """Make the tag of who works on a cluster.

    :param asking: a task instance of the same run.
    :param task_id: the task that began it.
    :returns: its key and its value.
    """
    owner = ResourceOwner(
        asking.environment, asking.dag_id, asking.run_id, task_id, asking.map_index
    )
    tags = owner.tags()
    value = "/".join(tags[f"updraft:{name}"] for name in ("environment", "dag_id", "run_id"))
    return f"{_HOLD}{owner.token('capacity')}", value[:_LONGEST]


def holds(cluster: Cluster, environment: str, besides: Iterable[str] = ()) -> list[str]:
    """List who works on a cluster.

    A run of the same Airflow environment that has ended, or does not exist, works no more: its
    teardown could not take its tag away.

    :param cluster: the cluster.
    :param environment: name of this Airflow environment, as in the tag.
    :param besides: keys of tags that do not count.
    :returns: values of the tags: environment, DAG and run.
    """
    return [
        value
        for key, value in cluster.tags.items()
        if key.startswith(_HOLD) and key not in set(besides) and not _is_over(value, environment)
    ]


def hold_keys(cluster: Cluster) -> list[str]:
    """List the keys of all tags of who works on a cluster.

    :param cluster: the cluster.
    """
    return [key for key in cluster.tags if key.startswith(_HOLD)]


def _is_over(value: str, environment: str) -> bool:
    """Tell whether a run has ended, as far as this environment can know."""
    parts = value.split("/", 2)
    if len(parts) != 3 or parts[0] != environment or len(value) == _LONGEST or "=" in value:  # noqa: PLR2004
        return False
    return dag_run_state(parts[1], parts[2]) in _OVER
