"""Remembers which runs have started and not ended, as far as a catalog was told.

A task that was deferred says that it starts each time it goes on, and a task that was killed never
says that it ends. The first must not start twice in the catalog, the second has to be closed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from updraft.lineage.outbox import EventKey

END_TYPES = frozenset({"COMPLETE", "ABORT", "FAIL"})

_LONGEST_OPEN = timedelta(days=30)


@dataclass(frozen=True)
class TaskAttempt:
    """What of Airflow a run is about.

    :param dag_id: id of the DAG.
    :param run_id: id of the DAG run.
    :param task_id: id of the task; empty for the DAG run as a whole.
    :param map_index: index of a mapped task, else -1.
    :param try_number: number of the attempt, from 1 on.
    """

    dag_id: str
    run_id: str
    task_id: str = ""
    map_index: int = -1
    try_number: int = 1

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Self | None:
        """Read it from the facets that Airflow's listener adds.

        :param event: a valid run event.
        :returns: the attempt; ``None`` for an event of something else.
        """
        facets = event["run"].get("facets", {})
        facet = facets.get("airflow") or facets.get("airflowDagRun")
        try:
            dag_run = facet["dagRun"]
            task = facet.get("task", {}).get("task_id", "") if "airflow" in facets else ""
            instance = facet.get("taskInstance", {})
            return cls(
                str(dag_run["dag_id"]),
                str(dag_run["run_id"]),
                str(task),
                int(instance.get("map_index", -1)),
                int(instance.get("try_number", 1)),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def precedes(self, other: Self) -> bool:
        """Tell whether the other one is a later attempt of the same task."""
        return (
            (self.dag_id, self.run_id, self.task_id, self.map_index)
            == (other.dag_id, other.run_id, other.task_id, other.map_index)
            and bool(self.task_id)
            and self.try_number < other.try_number
        )


@dataclass
class OpenRun:
    """A run that has started in the catalog and not ended.

    :param started_at: when its start was written to the outbox.
    :param digest: that of the start.
    :param namespace: namespace of its job.
    :param job: name of its job.
    :param attempt: what of Airflow it is about, if it is about Airflow.
    :param superseded: whether a later attempt of the same task was seen, so this one has failed.
    :param over_since: when Airflow was first asked and said that it is over.
    """

    started_at: datetime
    digest: str
    namespace: str
    job: str
    attempt: TaskAttempt | None = None
    superseded: bool = False
    over_since: datetime | None = None


class EndedRun(NamedTuple):
    """A run that has ended in the catalog.

    :param at: when its end was written to the outbox.
    :param event_type: type of the end.
    :param digest: that of the end.
    :param start: digest of its start, empty if there was none yet.
    :param lacks_start: whether it is a task of Airflow that has ended without a start.
    """

    at: datetime
    event_type: str
    digest: str
    start: str
    lacks_start: bool = False

    @property
    def is_unfinished(self) -> bool:
        """Whether there is something that has to be done about it."""
        return self.lacks_start and not self.start


@dataclass
class OpenRuns:
    """The runs that a reader of the outbox knows about.

    :param runs: by run id, those that are open.
    :param ended: by run id, those that have ended a while ago.
    """

    runs: dict[str, OpenRun] = field(default_factory=dict)
    ended: dict[str, EndedRun] = field(default_factory=dict)

    def other_type(self, key: EventKey) -> str | None:
        """Say as what an event is sent whose run has had an event of its type.

        :param key: the event.
        :returns: ``RUNNING`` for the second start of a run, ``OTHER`` for one of a run that has
            ended; ``None`` for any other event, and for the same start once more.
        """
        if key.event_type != "START":
            return None
        run, ended = self.runs.get(key.run_id), self.ended.get(key.run_id)
        if run is not None and run.digest != key.digest:
            return "RUNNING"
        return "OTHER" if ended is not None and ended.start not in {"", key.digest} else None

    def is_ended(self, key: EventKey) -> bool:
        """Tell whether another end of the same type was delivered."""
        ended = self.ended.get(key.run_id)
        return (
            ended is not None and ended.event_type == key.event_type and ended.digest != key.digest
        )

    def note(self, key: EventKey, event: Mapping[str, Any]) -> None:
        """Remember that an event was delivered.

        :param key: its name in the outbox.
        :param event: the event with the facets of Airflow.
        """
        attempt = TaskAttempt.of(event)
        if attempt is not None and attempt.task_id and attempt.try_number > 1:
            for other in self.runs.values():
                if other.attempt is not None and other.attempt.precedes(attempt):
                    other.superseded = True
        if key.event_type in END_TYPES:
            run, before = self.runs.pop(key.run_id, None), self.ended.get(key.run_id)
            start = run.digest if run is not None else before.start if before is not None else ""
            is_task = attempt is not None and bool(attempt.task_id)
            self.ended[key.run_id] = EndedRun(
                key.written_at, key.event_type, key.digest, start, is_task and not start
            )
        elif key.event_type == "START":
            self._note_start(key, event, attempt)

    def _note_start(
        self, key: EventKey, event: Mapping[str, Any], attempt: TaskAttempt | None
    ) -> None:
        ended = self.ended.get(key.run_id)
        if ended is not None:
            self.ended[key.run_id] = ended._replace(start=ended.start or key.digest)
            return
        job = event["job"]
        self.runs.setdefault(
            key.run_id, OpenRun(key.written_at, key.digest, job["namespace"], job["name"], attempt)
        )

    def merge(self, other: Self) -> None:
        """Take over what another reader knows."""
        self.ended = {**other.ended, **self.ended}
        for name in self.runs.keys() & other.runs.keys():
            # Whichever of the two has seen the later attempt.
            self.runs[name].superseded |= other.runs[name].superseded
        known = {**other.runs, **self.runs}
        self.runs = {name: run for name, run in known.items() if name not in self.ended}

    def forget(self, floor: datetime) -> None:
        """Forget ends before a time, and runs that nobody will ever end.

        :param floor: time before which no event is read any more.
        """
        oldest = floor - _LONGEST_OPEN
        self.ended = {
            name: end
            for name, end in self.ended.items()
            if end.at >= (oldest if end.is_unfinished else floor)
        }
        self.runs = {name: run for name, run in self.runs.items() if run.started_at >= oldest}

    def as_json(self) -> dict[str, Any]:
        """Return what goes into the checkpoint."""
        return {
            "runs": {
                name: {
                    **asdict(run),
                    "started_at": run.started_at.isoformat(),
                    "over_since": run.over_since and run.over_since.isoformat(),
                }
                for name, run in self.runs.items()
            },
            "ended": {name: [end.at.isoformat(), *end[1:]] for name, end in self.ended.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read it back.

        :param document: what :meth:`as_json` gave.
        :raises ValueError: when it is something else; so do KeyError and TypeError.
        """
        runs = {}
        for name, run in document["runs"].items():
            attempt, over_since = run["attempt"], run.get("over_since")
            runs[name] = OpenRun(
                datetime.fromisoformat(run["started_at"]),
                run["digest"],
                run["namespace"],
                run["job"],
                TaskAttempt(**attempt) if attempt else None,
                bool(run["superseded"]),
                datetime.fromisoformat(over_since) if over_since else None,
            )
        ended = {
            name: EndedRun(datetime.fromisoformat(at), str(kind), str(digest), str(start), *rest)
            for name, (at, kind, digest, start, *rest) in document["ended"].items()
        }
        return cls(runs, ended)
