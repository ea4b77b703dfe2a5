"""Takes a job from its queue to its end, with a container for each attempt."""

import logging
import subprocess
import threading
import time
import uuid
from typing import Any

from include.local.gateway.execution.container import (
    Container,
    ContainerSettings,
    NotStartedError,
    variables,
)
from include.local.gateway.services.batch.jobs import (
    FAILED,
    PENDING,
    RUNNABLE,
    RUNNING,
    STARTING,
    SUBMITTED,
    SUCCEEDED,
    Job,
    JobStore,
)

_LOG = logging.getLogger(__name__)
_PHASE = 0.05  # seconds in each state on the way
_PATIENCE = 30.0  # seconds between SIGTERM and SIGKILL, those of ECS, which runs the containers
_LOG_GROUP = "/aws/batch/job"
_PARAMETER = "Ref::"
_EXITED = "Essential container in task exited"
_TOO_LONG = "Job attempt duration exceeded timeout"


class JobExecution:
    """The life of one job, in a thread of its own.

    :param store: where its state is kept.
    :param job: the job.
    :param endpoint_url: address of the gateway.
    """

    def __init__(self, store: JobStore, job: Job, endpoint_url: str) -> None:
        self._store = store
        self._job = job
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._container: Container | None = None
        self._closed = threading.Event()

    def start(self) -> None:
        """Begin; the state of the job tells the rest."""
        threading.Thread(target=self._live, name=self._job.id, daemon=True).start()

    def terminate(self, reason: str) -> None:
        """Let the job end because somebody wants it to.

        :param reason: what that person says.
        """
        if self._store.ask_to_end(self._job, reason):
            with self._lock:
                container = self._container
            if container is not None:
                container.stop()

    def kill(self) -> None:
        """End the container at once, since the gateway ends."""
        self._closed.set()
        with self._lock:
            container = self._container
        if container is not None:
            container.kill()

    def _live(self) -> None:
        store, job = self._store, self._job
        try:
            status, reason = self._wait_and_run()
        except Exception as error:  # noqa: BLE001 - it has to end, whatever happens
            _LOG.exception("Job %s failed", job.id)
            status, reason = FAILED, f"The local stack failed: {error!r}"
        if self._closed.is_set():
            return
        if job.is_terminated:
            status, reason = FAILED, job.reason
        store.move(job, status, reason)
        _LOG.info("Job %s: %s, %s", job.id, status, reason)

    def _wait_and_run(self) -> tuple[str, str]:
        waiting: tuple[str, ...] = (SUBMITTED, PENDING, RUNNABLE, STARTING)
        while True:
            for status in (*waiting, RUNNING):
                if status == RUNNING:
                    # From here on there is something to end.
                    with self._lock:
                        self._container = self._new_container()
                if not self._store.move(self._job, status, only_if_wanted=True):
                    return FAILED, ""
                if status != RUNNING:
                    time.sleep(_PHASE)
            status, reason = self._attempt()
            is_last = len(self._job.attempts) >= self._job.most_attempts
            if status == SUCCEEDED or is_last or self._job.is_terminated or reason == _TOO_LONG:
                return status, reason
            waiting = (RUNNABLE, STARTING)

    def _attempt(self) -> tuple[str, str]:
        job, reason = self._job, _EXITED
        job.exit_code, job.container_reason = None, ""
        assert self._container is not None  # noqa: S101 - made right before
        try:
            job.exit_code = self._container.run(job.timeout)
        except subprocess.TimeoutExpired:
            job.exit_code, reason = 137, _TOO_LONG
        except NotStartedError as error:
            job.container_reason = str(error)
            reason = "Task failed to start"
        job.attempts.append(
            {
                "container": {
                    "exitCode": job.exit_code,
                    "logStreamName": job.log_stream,
                    "reason": job.container_reason or None,
                },
                "startedAt": job.started,
                "statusReason": reason,
                "stoppedAt": time.time(),
            }
        )
        return (SUCCEEDED if job.exit_code == 0 else FAILED), reason

    def _new_container(self) -> Container:
        job, task = self._job, uuid.uuid4().hex
        given = job.definition["containerProperties"]
        override = job.request.get("containerOverrides") or {}
        job.log_stream = f"{job.definition['jobDefinitionName']}/default/{task}"
        options = (given.get("logConfiguration") or {}).get("options") or {}
        own = {
            "AWS_BATCH_JOB_ATTEMPT": str(len(job.attempts) + 1),
            "AWS_BATCH_JOB_ID": job.id,
            "AWS_BATCH_JQ_NAME": job.queue_arn.rpartition("/")[2],
        }
        settings = ContainerSettings(
            _command(job, override.get("command") or given.get("command") or []),
            {**variables(given.get("environment"), override.get("environment")), **own},
            (options.get("awslogs-group", _LOG_GROUP), job.log_stream),
            _PATIENCE,
        )
        return Container(
            settings,
            self._store.folder(job, task),
            endpoint_url=self._endpoint_url,
            region=job.region,
        )


def _command(job: Job, command: list[str]) -> list[str]:
    """Put parameters into a command.

    .. seealso:: https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html
    """
    values: dict[str, Any] = {
        **(job.definition.get("parameters") or {}),
        **(job.request.get("parameters") or {}),
    }
    return [
        str(values.get(one.removeprefix(_PARAMETER), one)) if one.startswith(_PARAMETER) else one
        for one in command
    ]
