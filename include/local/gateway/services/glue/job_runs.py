"""The runs of Glue jobs, which outlive the process: a file for each.

A run that was going on when the gateway ended can't be taken up again; it has failed.
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

STARTING, RUNNING, STOPPING = "STARTING", "RUNNING", "STOPPING"
STOPPED, SUCCEEDED, FAILED, TIMEOUT = "STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT"
GOING_ON = frozenset({STARTING, RUNNING, STOPPING})

_INTERRUPTED = "The local stack was stopped or killed while this was going on"
_FILE = "run.json"


@dataclass
class JobRun:
    """One run of a job.

    :param id: its id.
    :param region: its Region.
    :param job: name of the job.
    :param arguments: the arguments that it was started with.
    :param settings: what else of the job holds for it, as members of ``JobRun``.
    :param started: when it was started, in seconds since 1970.
    :param state: where it is, one of the values of ``JobRunState``.
    :param running_since: when its script was started.
    :param ended: when it ended.
    :param error: why it failed.
    """

    id: str
    region: str
    job: str
    arguments: dict[str, str]
    settings: dict[str, Any]
    started: float = field(default_factory=time.time)
    state: str = STARTING
    running_since: float | None = None
    ended: float | None = None
    error: str | None = None

    def members(self) -> dict[str, Any]:
        """Give the run as GetJobRun returns it."""
        members: dict[str, Any] = {
            "Id": self.id,
            "Attempt": 0,
            "JobName": self.job,
            "JobMode": "SCRIPT",
            "StartedOn": _moment(self.started),
            "LastModifiedOn": _moment(self.ended or self.running_since or self.started),
            "JobRunState": self.state,
            "Arguments": self.arguments,
            "PredecessorRuns": [],
            "ExecutionTime": int((self.ended or self.running_since or 0) - self._begin()),
            "LogGroupName": "/aws-glue/jobs",
            **self.settings,
        }
        if self.ended is not None:
            members["CompletedOn"] = _moment(self.ended)
        if self.error is not None:
            members["ErrorMessage"] = self.error
        return members

    def _begin(self) -> float:
        return self.running_since or self.ended or 0


class JobRuns:
    """All runs.

    :param directory: where they are kept, a directory for each.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.RLock()
        self._runs: dict[str, JobRun] = {}
        for path in sorted(directory.glob(f"*/{_FILE}")):
            run = JobRun(**json.loads(path.read_text()))
            self._runs[run.id] = run
            if run.state in GOING_ON:
                self.end(run, FAILED, _INTERRUPTED)

    def folder(self, run: JobRun) -> Path:
        """Name the directory of a run.

        :param run: the run.
        :returns: its directory, which exists.
        """
        folder = self._directory / run.id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def add(self, run: JobRun, most: int) -> bool:
        """Add a run, unless there are enough of its job.

        :param run: the run.
        :param most: how many runs of the job may go on at the same time.
        :returns: whether it was added.
        """
        with self._lock:
            others = self.of_job(run.region, run.job)
            if sum(other.state in GOING_ON for other in others) >= most:
                return False
            self._runs[run.id] = run
            self._save(run)
            return True

    def find(self, region: str, job: str, run_id: str) -> JobRun | None:
        """Find a run.

        :param region: its Region.
        :param job: name of its job.
        :param run_id: its id.
        :returns: the run, None when there is none.
        """
        run = self._runs.get(run_id)
        return run if run is not None and (run.region, run.job) == (region, job) else None

    def of_job(self, region: str, job: str) -> Iterator[JobRun]:
        """List the runs of a job.

        :param region: its Region.
        :param job: its name.
        :returns: the runs, the latest first.
        """
        with self._lock:
            runs = list(self._runs.values())
        for run in sorted(runs, key=lambda run: run.started, reverse=True):
            if (run.region, run.job) == (region, job):
                yield run

    def advance(self, run: JobRun, state: str, *, only_from: str) -> bool:
        """Move a run on.

        :param run: the run.
        :param state: its next state.
        :param only_from: the state that it must be in.
        :returns: whether it was.
        """
        with self._lock:
            if run.state != only_from:
                return False
            run.state = state
            if state == RUNNING:
                run.running_since = time.time()
            self._save(run)
            return True

    def end(self, run: JobRun, state: str, error: str | None = None) -> None:
        """End a run; one that is being stopped ends as stopped whatever happened.

        :param run: the run.
        :param state: how it ended.
        :param error: why, if it failed.
        """
        with self._lock:
            stopped = run.state == STOPPING and error != _INTERRUPTED
            run.state, run.error = (STOPPED, None) if stopped else (state, error)
            run.ended = time.time()
            self._save(run)

    def _save(self, run: JobRun) -> None:
        path = self.folder(run) / _FILE
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(run), indent=2))
        temporary.replace(path)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
