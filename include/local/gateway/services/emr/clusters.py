"""Clusters and their steps, and the files that keep them.

States and their order: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-overview.html
"""

import json
import secrets
import string
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

STARTING, BOOTSTRAPPING = "STARTING", "BOOTSTRAPPING"
RUNNING, WAITING = "RUNNING", "WAITING"
TERMINATING, TERMINATED = "TERMINATING", "TERMINATED"
TERMINATED_WITH_ERRORS = "TERMINATED_WITH_ERRORS"
OVER = frozenset({TERMINATED, TERMINATED_WITH_ERRORS})

PENDING, CANCEL_PENDING, COMPLETED = "PENDING", "CANCEL_PENDING", "COMPLETED"
CANCELLED, FAILED, INTERRUPTED = "CANCELLED", "FAILED", "INTERRUPTED"
STEP_OVER = frozenset({COMPLETED, CANCELLED, FAILED, INTERRUPTED})

_CHARACTERS = string.ascii_uppercase + string.digits
_LOST = "The local stack was stopped or killed while this was going on"
_FILE = "cluster.json"


@dataclass
class Step:
    """A step of a cluster.

    :param id: its id.
    :param config: the ``StepConfig`` that it was submitted with.
    :param execution_role: ARN of the role that it was submitted with.
    :param state: a value of ``StepState``.
    :param created: when it was submitted, in seconds since 1970.
    :param started: when it began.
    :param ended: when it ended.
    :param message: why it is in its state.
    :param failure: the members of ``FailureDetails``.
    """

    id: str
    config: dict[str, Any]
    execution_role: str | None = None
    state: str = PENDING
    created: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    message: str | None = None
    failure: dict[str, str] | None = None

    def move(self, state: str, message: str | None = None) -> None:
        """Put the step into another state.

        :param state: the state.
        :param message: why.
        """
        self.state, self.message = state, message
        if state == RUNNING:
            self.started = time.time()
        elif state in STEP_OVER:
            self.ended = time.time()


@dataclass
class Cluster:
    """A cluster.

    :param id: its id.
    :param region: its Region.
    :param request: the parameters of RunJobFlow, without steps and tags.
    :param tags: its tags.
    :param steps: its steps, in the order in which they were submitted.
    :param protected: whether it must not be terminated.
    :param keep_alive: whether it waits for more when its steps are done.
    :param visible: whether all users see it.
    :param concurrency: most steps that run at a time.
    :param auto_termination: the members of ``AutoTerminationPolicy``.
    :param managed_scaling: the members of ``ManagedScalingPolicy``.
    :param state: a value of ``ClusterState``.
    :param code: a value of ``ClusterStateChangeReasonCode``.
    :param message: why it is in its state.
    :param created: when it was requested, in seconds since 1970.
    :param ready: when its bootstrap actions were done.
    :param ended: when it ended.
    """

    id: str
    region: str
    request: dict[str, Any]
    tags: dict[str, str]
    steps: list[Step]
    protected: bool
    keep_alive: bool
    visible: bool = True
    concurrency: int = 1
    auto_termination: dict[str, Any] | None = None
    managed_scaling: dict[str, Any] | None = None
    state: str = STARTING
    code: str | None = None
    message: str | None = None
    created: float = field(default_factory=time.time)
    ready: float | None = None
    ended: float | None = None

    def move(self, state: str, code: str | None = None, message: str | None = None) -> None:
        """Put the cluster into another state.

        :param state: the state.
        :param code: the reason's code.
        :param message: the reason in words.
        """
        self.state, self.code, self.message = state, code, message
        if state in {RUNNING, WAITING} and self.ready is None:
            self.ready = time.time()
        elif state in OVER:
            self.ended = time.time()

    def pending(self) -> list[Step]:
        """List the steps that have not begun, in order."""
        return [step for step in self.steps if step.state == PENDING]


class ClusterStore:
    """All clusters: a directory for each, with what belongs to it.

    Clusters that were there when the gateway ended have lost their processes; they end with that
    reason when the store is opened.

    :param directory: where they are kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.RLock()
        self._clusters: dict[str, Cluster] = {}
        for path in sorted(directory.glob(f"*/{_FILE}")):
            values = json.loads(path.read_text())
            values["steps"] = [Step(**step) for step in values["steps"]]
            cluster = Cluster(**values)
            self._clusters[cluster.id] = cluster
            if cluster.state not in OVER:
                _lose(cluster)
                self.save(cluster)

    def folder(self, cluster: Cluster) -> Path:
        """Name the directory of a cluster.

        :param cluster: the cluster.
        :returns: its directory, which exists.
        """
        folder = self._directory / cluster.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, cluster: Cluster) -> None:
        """Keep a cluster as it is now.

        :param cluster: the cluster.
        """
        with self._lock:
            self._clusters[cluster.id] = cluster
            path = self.folder(cluster) / _FILE
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(asdict(cluster), indent=2, default=_plain))
            temporary.replace(path)

    def find(self, region: str, cluster_id: str) -> Cluster | None:
        """Find a cluster.

        :param region: its Region.
        :param cluster_id: its id.
        :returns: the cluster, None when there is none.
        """
        cluster = self._clusters.get(cluster_id)
        return cluster if cluster is not None and cluster.region == region else None

    def of_region(self, region: str) -> Iterator[Cluster]:
        """List clusters.

        :param region: their Region.
        :returns: the clusters, the latest first.
        """
        with self._lock:
            clusters = list(self._clusters.values())
        for cluster in sorted(clusters, key=lambda cluster: cluster.created, reverse=True):
            if cluster.region == region:
                yield cluster


def new_id(prefix: str) -> str:
    """Make an id as EMR does.

    :param prefix: ``j`` for a cluster, ``s`` for a step.
    :returns: such as ``j-2AXXXXXXGAPLF``.
    """
    return f"{prefix}-{''.join(secrets.choice(_CHARACTERS) for _ in range(13))}"


def _lose(cluster: Cluster) -> None:
    for step in cluster.steps:
        if step.state in {RUNNING, CANCEL_PENDING}:
            step.move(FAILED)
            step.failure = {"Reason": "Unknown Error.", "Message": _LOST}
        elif step.state == PENDING:
            step.move(CANCELLED, "Job terminated")
    cluster.move(TERMINATED_WITH_ERRORS, "INTERNAL_ERROR", _LOST)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is no JSON")
