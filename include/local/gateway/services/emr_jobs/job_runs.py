"""Job runs, and the files that keep them.

EMR Serverless and EMR on EKS have the same runs under different names of states.
"""

import json
import secrets
import string
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_CHARACTERS = string.digits + string.ascii_lowercase
_LOST = "The local stack was stopped or killed while this was going on"
_FILE = "run.json"


@dataclass(frozen=True, slots=True)
class States:
    """What a service calls the states of a run.

    :param waiting: the states before it runs, in order.
    :param succeeded: the state of a run that went well.
    :param cancelling: the state while its process ends on request.
    """

    waiting: tuple[str, ...]
    succeeded: str
    cancelling: str
    running: str = "RUNNING"
    failed: str = "FAILED"
    cancelled: str = "CANCELLED"

    def is_over(self, state: str) -> bool:
        """Tell whether a state is final.

        :param state: the state.
        :returns: whether it is.
        """
        return state in {self.succeeded, self.failed, self.cancelled}


@dataclass
class JobRun:
    """One run.

    :param id: its id.
    :param region: its Region.
    :param parent: id of the application or virtual cluster that it runs on.
    :param request: the parameters of StartJobRun.
    :param settings: what it takes from its parent, in the form of the members of a run.
    :param created_by: ARN of who started it.
    :param state: its state.
    :param details: its state in words.
    :param attempt: number of the attempt, from 1.
    :param created: when it was started, in seconds since 1970.
    :param updated: when its state changed last.
    :param started: when its process was started.
    :param ended: when it ended.
    :param tags: its tags.
    """

    id: str
    region: str
    parent: str
    request: dict[str, Any]
    settings: dict[str, Any]
    created_by: str
    state: str
    details: str = ""
    attempt: int = 1
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    started: float | None = None
    ended: float | None = None
    tags: dict[str, str] = field(default_factory=dict)


class TokenConflictError(Exception):
    """A client token has been used with other parameters."""


class JobRuns:
    """All runs of a service: a directory for each.

    A run that was going on when the gateway ended can't be taken up again; it has failed.

    :param directory: where they are kept.
    :param states: what the service calls their states.
    """

    def __init__(self, directory: Path, states: States) -> None:
        self._directory = directory
        self.states = states
        self._lock = threading.RLock()
        self._runs: dict[str, JobRun] = {}
        for path in sorted(directory.glob(f"*/{_FILE}")):
            run = JobRun(**json.loads(path.read_text()))
            self._runs[run.id] = run
            if not states.is_over(run.state):
                self.move(run, states.failed, _LOST)

    def folder(self, run: JobRun, *names: str) -> Path:
        """Name a directory of a run.

        :param run: the run.
        :param names: parts of the path below.
        :returns: the directory, which exists.
        """
        folder = self._directory.joinpath(run.id, *names)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def add(self, run: JobRun) -> JobRun:
        """Add a run, unless there is one for its client token.

        :param run: the run.
        :returns: the run that there is now for the token.
        :raises TokenConflictError: when that was started with other parameters.
        """
        with self._lock:
            for other in self.of_parent(run.region, run.parent):
                if other.request["clientToken"] == run.request["clientToken"]:
                    if _plain(other.request) != _plain(run.request):
                        raise TokenConflictError(run.request["clientToken"])
                    return other
            self._runs[run.id] = run
            self._save(run)
            return run

    def find(self, region: str, parent: str, run_id: str) -> JobRun | None:
        """Find a run.

        :param region: its Region.
        :param parent: what it runs on.
        :param run_id: its id.
        :returns: the run, None when there is none.
        """
        run = self._runs.get(run_id)
        return run if run is not None and (run.region, run.parent) == (region, parent) else None

    def of_parent(self, region: str, parent: str) -> Iterator[JobRun]:
        """List runs.

        :param region: their Region.
        :param parent: what they run on.
        :returns: the runs, the latest first.
        """
        with self._lock:
            runs = list(self._runs.values())
        for run in sorted(runs, key=lambda run: run.created, reverse=True):
            if (run.region, run.parent) == (region, parent):
                yield run

    def move(self, run: JobRun, state: str, details: str = "", *, unless: str = "") -> bool:
        """Put a run into another state; a final state stays.

        :param run: the run.
        :param state: the state.
        :param details: the state in words.
        :param unless: a state that it must not be in.
        :returns: whether it is in the state now.
        """
        with self._lock:
            if self.states.is_over(run.state) or run.state == unless:
                return False
            run.state, run.details, run.updated = state, details, time.time()
            if state == self.states.running:
                run.started = run.started or run.updated
            elif self.states.is_over(state):
                run.ended = run.updated
            self._save(run)
            return True

    def set_tags(self, run: JobRun, tags: Mapping[str, str]) -> None:
        """Replace the tags of a run.

        :param run: the run.
        :param tags: its tags.
        """
        with self._lock:
            run.tags = dict(tags)
            self._save(run)

    def _save(self, run: JobRun) -> None:
        path = self.folder(run) / _FILE
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(run), indent=2, default=str))
        temporary.replace(path)


def new_id(length: int) -> str:
    """Make an id of digits and small letters.

    :param length: its length.
    :returns: the id.
    """
    return "00" + "".join(secrets.choice(_CHARACTERS) for _ in range(length - 2))


def _plain(request: Mapping[str, Any]) -> Any:
    return json.loads(json.dumps(request, default=str))
