"""Tasks, and the files that keep them.

States and their order:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.local.gateway.handlers import ACCOUNT_ID
from include.local.gateway.records import Records

PROVISIONING, PENDING, RUNNING = "PROVISIONING", "PENDING", "RUNNING"
STOPPING, DEPROVISIONING, STOPPED = "STOPPING", "DEPROVISIONING", "STOPPED"

EXITED, BY_USER, NOT_STARTED = "EssentialContainerExited", "UserInitiated", "TaskFailedToStart"
"""Why a task has stopped, in the words of ``stopCode``."""

VISIBLE_AFTER_END = 3600.0
"""Seconds for which a stopped task is listed."""

_LOST = "The local stack was stopped or killed while the task ran"


@dataclass
class Task:
    """A task, which has one container.

    :param id: its id, the last part of its ARN.
    :param region: its Region.
    :param cluster: name of its cluster.
    :param request: the parameters of RunTask.
    :param definition: its task definition, as DescribeTaskDefinition has it.
    :param status: where it is, its ``lastStatus``.
    :param desired: where it is to be, its ``desiredStatus``: RUNNING or STOPPED.
    :param stop_code: why it stops.
    :param reason: why it stops, in words.
    :param exit_code: that of its container, None when it has none.
    :param container_reason: what is to be said of the container.
    :param created: when it was asked for, in seconds since 1970.
    :param started: when its container began.
    :param stopping: when it began to stop.
    :param stopped: when it had stopped.
    """

    id: str
    region: str
    cluster: str
    request: dict[str, Any]
    definition: dict[str, Any]
    status: str = PROVISIONING
    desired: str = RUNNING
    stop_code: str = ""
    reason: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    created: float = field(default_factory=time.time)
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"{_arn(self.region, 'task')}/{self.cluster}/{self.id}"

    @property
    def cluster_arn(self) -> str:
        """ARN of its cluster."""
        return f"{_arn(self.region, 'cluster')}/{self.cluster}"

    @property
    def is_visible(self) -> bool:
        """Whether it is still listed."""
        return self.stopped is None or time.time() - self.stopped < VISIBLE_AFTER_END


class TaskStore(Records[Task]):
    """All tasks. Those that were going on when the gateway ended have stopped.

    :param directory: where they are kept.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, Task)
        for task in list(self._records.values()):
            if task.status != STOPPED:
                self.ask_to_stop(task, EXITED, _LOST)
                self.move(task, STOPPED)

    def move(self, task: Task, status: str, *, only_if_wanted: bool = False) -> bool:
        """Put a task into another state.

        :param task: the task.
        :param status: the state.
        :param only_if_wanted: whether it stays where it is when it is to stop.
        :returns: whether it is in the state now.
        """
        with self.lock:
            if only_if_wanted and task.desired == STOPPED:
                return False
            task.status = status
            if status == RUNNING:
                task.started = time.time()
            elif status == STOPPED:
                task.stopped = time.time()
            self.save(task)
            return True

    def ask_to_stop(self, task: Task, code: str, reason: str) -> bool:
        """Note that a task is to stop; the first to say so has said why.

        :param task: the task.
        :param code: why, in the words of ``stopCode``.
        :param reason: why, in words.
        :returns: whether nobody had said so before.
        """
        with self.lock:
            if task.desired == STOPPED:
                return False
            task.desired, task.stop_code, task.reason = STOPPED, code, reason
            task.stopping = time.time()
            if task.status == RUNNING:
                task.status = STOPPING
            self.save(task)
            return True


def _arn(region: str, kind: str) -> str:
    return f"arn:aws:ecs:{region}:{ACCOUNT_ID}:{kind}"
