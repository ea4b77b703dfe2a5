"""Jobs, and the files that keep them.

States and their order: https://docs.aws.amazon.com/batch/latest/userguide/job_states.html
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from include.local.gateway.handlers import ACCOUNT_ID
from include.local.gateway.records import Records

SUBMITTED, PENDING, RUNNABLE, STARTING = "SUBMITTED", "PENDING", "RUNNABLE", "STARTING"
RUNNING, SUCCEEDED, FAILED = "RUNNING", "SUCCEEDED", "FAILED"
BEFORE_CONTAINER = frozenset({SUBMITTED, PENDING, RUNNABLE})
"""States in which a job has no container, so that it ends at once."""

OVER = frozenset({SUCCEEDED, FAILED})
_LOST = "The local stack was stopped or killed while the job ran"


@dataclass
class Job:
    """A job with one container.

    :param id: its id.
    :param region: its Region.
    :param queue_arn: its queue.
    :param request: the parameters of SubmitJob.
    :param definition: its job definition, as DescribeJobDefinitions has it.
    :param status: its status.
    :param reason: its status in words.
    :param is_cancelled: whether somebody ended it before it had a container.
    :param is_terminated: whether somebody ended it.
    :param attempts: those that have ended, as the API describes them.
    :param exit_code: that of its last container, None as long as there is none.
    :param container_reason: what is to be said of the last container.
    :param log_stream: where the container writes to.
    :param created: when it was submitted, in seconds since 1970.
    :param started: when its last container began.
    :param stopped: when it ended.
    """

    id: str
    region: str
    queue_arn: str
    request: dict[str, Any]
    definition: dict[str, Any]
    status: str = SUBMITTED
    reason: str = ""
    is_cancelled: bool = False
    is_terminated: bool = False
    attempts: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None
    container_reason: str = ""
    log_stream: str = ""
    created: float = field(default_factory=time.time)
    started: float | None = None
    stopped: float | None = None

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:batch:{self.region}:{ACCOUNT_ID}:job/{self.id}"

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.request["jobName"])

    @property
    def most_attempts(self) -> int:
        """How often it is tried at most."""
        return int(self._setting("retryStrategy", "attempts") or 1)

    @property
    def timeout(self) -> float | None:
        """Seconds that an attempt may take, None for no limit."""
        seconds = self._setting("timeout", "attemptDurationSeconds")
        return None if seconds is None else float(seconds)

    def _setting(self, name: str, member: str) -> Any:
        given = self.request.get(name) or self.definition.get(name) or {}
        return given.get(member)


class JobStore(Records[Job]):
    """All jobs. Those that were going on when the gateway ended have failed.

    :param directory: where they are kept.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, Job)
        for job in list(self._records.values()):
            self.move(job, FAILED, _LOST)

    def move(
        self, job: Job, status: str, reason: str = "", *, only_if_wanted: bool = False
    ) -> bool:
        """Put a job into another state; the last one stays.

        :param job: the job.
        :param status: the state.
        :param reason: the state in words; what was said before stays when there is none.
        :param only_if_wanted: whether it stays where it is when somebody has ended it.
        :returns: whether it is in the state now.
        """
        with self.lock:
            if job.status in OVER or (only_if_wanted and job.is_terminated):
                return False
            job.status, job.reason = status, reason or job.reason
            if status == RUNNING:
                job.started = time.time()
            elif status in OVER:
                job.stopped = time.time()
            self.save(job)
            return True

    def ask_to_end(self, job: Job, reason: str) -> bool:
        """Note that a job is to end; one without a container has ended then.

        :param job: the job.
        :param reason: what the person who ends it says.
        :returns: whether it has a container, which has to be ended.
        """
        with self.lock:
            if job.status in OVER or job.is_terminated:
                return False
            job.is_terminated, job.reason = True, reason
            job.is_cancelled = job.status in BEFORE_CONTAINER
            if job.is_cancelled:
                self.move(job, FAILED)
            self.save(job)
            return not job.is_cancelled
