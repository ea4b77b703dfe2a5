"""Takes a task from its request to its end, with its container between."""

import logging
import threading
import time
from typing import Any

from include.local.gateway.execution.container import (
    Container,
    ContainerSettings,
    NotStartedError,
    variables,
)
from include.local.gateway.services.ecs.tasks import (
    BY_USER,
    DEPROVISIONING,
    EXITED,
    NOT_STARTED,
    PENDING,
    RUNNING,
    STOPPED,
    Task,
    TaskStore,
)

_LOG = logging.getLogger(__name__)
_PHASE = 0.1  # seconds in each state on the way
_STOP_TIMEOUT = 30.0  # seconds between SIGTERM and SIGKILL, unless the definition says otherwise


class TaskExecution:
    """The life of one task, in a thread of its own.

    :param store: where its state is kept.
    :param task: the task.
    :param endpoint_url: address of the gateway.
    """

    def __init__(self, store: TaskStore, task: Task, endpoint_url: str) -> None:
        self._store = store
        self._task = task
        self._closed = threading.Event()
        self._container = Container(
            _settings(task), store.folder(task), endpoint_url=endpoint_url, region=task.region
        )

    def start(self) -> None:
        """Begin; the state of the task tells the rest."""
        threading.Thread(target=self._live, name=self._task.id, daemon=True).start()

    def stop(self, reason: str) -> None:
        """Let the task end because somebody wants it to.

        :param reason: what that person says.
        """
        if self._store.ask_to_stop(self._task, BY_USER, reason):
            self._container.stop()

    def kill(self) -> None:
        """End the container at once, since the gateway ends."""
        self._closed.set()
        self._container.kill()

    def _live(self) -> None:
        store, task = self._store, self._task
        try:
            self._run()
        except NotStartedError as error:
            task.container_reason = str(error)
            store.ask_to_stop(task, NOT_STARTED, str(error))
        except Exception as error:  # noqa: BLE001 - it has to end, whatever happens
            _LOG.exception("Task %s failed", task.id)
            store.ask_to_stop(task, NOT_STARTED, f"The local stack failed: {error!r}")
        if self._closed.is_set():
            return
        store.ask_to_stop(task, EXITED, "Essential container in task exited")
        store.move(task, DEPROVISIONING)
        time.sleep(_PHASE)
        store.move(task, STOPPED)
        _LOG.info("Task %s: %s, exit code %s", task.id, task.reason, task.exit_code)

    def _run(self) -> None:
        for status in (PENDING, RUNNING):
            time.sleep(_PHASE)
            if not self._store.move(self._task, status, only_if_wanted=True):
                return
        self._task.exit_code = self._container.run()


def _settings(task: Task) -> ContainerSettings:
    """Read what the container of a task runs."""
    container = task.definition["containerDefinitions"][0]
    override = _override(task)
    command = override.get("command") or container.get("command") or ()
    log = container.get("logConfiguration") or {}
    options = log.get("options") or {}
    stream = f"{options.get('awslogs-stream-prefix')}/{container['name']}/{task.id}"
    return ContainerSettings(
        [*(container.get("entryPoint") or ()), *command],
        variables(container.get("environment"), override.get("environment")),
        (options["awslogs-group"], stream) if log.get("logDriver") == "awslogs" else None,
        float(container.get("stopTimeout") or _STOP_TIMEOUT),
    )


def _override(task: Task) -> dict[str, Any]:
    given = (task.request.get("overrides") or {}).get("containerOverrides") or [{}]
    override: dict[str, Any] = given[0]
    return override
