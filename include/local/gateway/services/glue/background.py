"""What the gateway does for Glue in threads of its own: crawls, statistics, evaluations.

All of it lives in memory, as moto's Data Catalog does which it reads and writes.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

_LOG = logging.getLogger(__name__)

LEAST_SECONDS = 2.0
"""How long anything takes at least, so that a caller can see it going on and stop it."""


class States(NamedTuple):
    """What the states of a kind of work are called."""

    running: str = "RUNNING"
    succeeded: str = "SUCCEEDED"
    failed: str = "FAILED"
    stopping: str = "STOPPING"
    stopped: str = "STOPPED"


@dataclass
class Work:
    """A piece of work.

    :param region: its Region.
    :param subject: what it is about, such as the name of a crawler.
    :param states: what its states are called.
    :param details: what its kind adds.
    :param id: its id.
    :param state: where it is.
    :param started: when it was started.
    :param ended: when it ended.
    :param error: why it failed.
    """

    region: str
    subject: Any
    states: States = field(default_factory=States)
    details: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    error: str | None = None
    stop_asked: threading.Event = field(default_factory=threading.Event)

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None


class WorkError(Exception):
    """Work that fails as it would on AWS; its text becomes the reason."""


class Works:
    """All pieces of work of one kind."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._works: list[Work] = []

    def start(self, work: Work, function: Callable[[Work], None]) -> bool:
        """Begin, unless something is going on about the same subject.

        :param work: what to begin.
        :param function: does it; what it raises becomes the reason of the failure.
        :returns: whether it was begun.
        """
        with self._lock:
            if any(other.goes_on for other in self.about(work.region, work.subject)):
                return False
            self.add(work)
        threading.Thread(target=self._run, args=(work, function), name=work.id, daemon=True).start()
        return True

    def add(self, work: Work) -> None:
        """Add a piece of work that its caller carries out.

        :param work: the work.
        """
        with self._lock:
            work.state = work.states.running
            self._works.append(work)

    def about(self, region: str, subject: Any) -> Iterator[Work]:
        """List the work about a subject.

        :param region: its Region.
        :param subject: the subject.
        :returns: the work, the latest first.
        """
        with self._lock:
            works = list(reversed(self._works))
        return (work for work in works if (work.region, work.subject) == (region, subject))

    def find(self, region: str, work_id: str) -> Work | None:
        """Find a piece of work.

        :param region: its Region.
        :param work_id: its id.
        :returns: the work, None when there is none.
        """
        with self._lock:
            works = list(self._works)
        return next((w for w in works if (w.region, w.id) == (region, work_id)), None)

    def stop(self, work: Work) -> None:
        """Ask a piece of work to end.

        :param work: the work.
        """
        with self._lock:
            if work.goes_on:
                work.state = work.states.stopping
                work.stop_asked.set()

    def end(self, work: Work, state: str, error: str | None = None) -> None:
        """End a piece of work; one that was stopped ends so, whatever else happened.

        :param work: the work.
        :param state: how it ended.
        :param error: why it failed.
        """
        with self._lock:
            if work.stop_asked.is_set():
                state, error = work.states.stopped, None
            work.state, work.error, work.ended = state, error, datetime.now(UTC)

    def _run(self, work: Work, function: Callable[[Work], None]) -> None:
        begun = time.monotonic()
        state, error = work.states.succeeded, None
        try:
            function(work)
        except WorkError as failure:
            state, error = work.states.failed, str(failure)
        except Exception as failure:  # noqa: BLE001 - it has to end, whatever happens
            _LOG.exception("%s about %s failed", work.id, work.subject)
            state, error = work.states.failed, f"The local stack failed: {failure!r}"
        work.stop_asked.wait(max(0.0, LEAST_SECONDS - (time.monotonic() - begun)))
        self.end(work, state, error)
