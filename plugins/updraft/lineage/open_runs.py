"""Remembers which runs have started and not ended, as far as a catalog was told.

A task that was deferred says that it starts each time it goes on, and a task that was killed never
says that it ends. The first must not start twice in the catalog, the second has to be closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from updraft.lineage.ended_runs import EndedRuns
from updraft.lineage.outbox import EventKey
from updraft.lineage.run_records import EndedDagRun, EndedRun, OpenRun, TaskAttempt

END_TYPES = frozenset({"COMPLETE", "ABORT", "FAIL"})

_LONGEST_OPEN = timedelta(days=30)
# How long the DAG that forwards may stand still before it misses a DAG run.
_LONGEST_UNCHECKED = timedelta(days=3)


@dataclass
class OpenRuns:
    """The runs that a reader of the outbox knows about.

    :param runs: by run id, those that are open.
    :param ended: by run id, those that have ended a while ago.
    :param dag_runs: by run id, DAG runs that have ended a while ago.
    """

    runs: dict[str, OpenRun] = field(default_factory=dict)
    ended: EndedRuns = field(default_factory=EndedRuns)
    dag_runs: dict[str, EndedDagRun] = field(default_factory=dict)

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
            self._note_retry(attempt, event)
        if key.event_type in END_TYPES:
            self._note_end(key, event, attempt)
        elif key.event_type == "START":
            self._note_start(key, event, attempt)

    def _note_retry(self, attempt: TaskAttempt, event: Mapping[str, Any]) -> None:
        for other in self.runs.values():
            if other.attempt is not None and other.attempt.precedes(attempt):
                other.superseded = True
        parent = event["run"]["facets"].get("parent", {}).get("run", {}).get("runId")
        dag_run = self.runs.get(parent) or self.dag_runs.get(parent)
        if dag_run is not None:
            dag_run.retried.add((attempt.task_id, attempt.map_index))

    def _note_end(
        self, key: EventKey, event: Mapping[str, Any], attempt: TaskAttempt | None
    ) -> None:
        run, before = self.runs.pop(key.run_id, None), self.ended.get(key.run_id)
        start = run.digest if run is not None else before.start if before is not None else ""
        is_task = attempt is not None and bool(attempt.task_id)
        self.ended[key.run_id] = EndedRun(
            key.written_at, key.event_type, key.digest, start, is_task and not start
        )
        dag_run = EndedDagRun.of(event)
        if dag_run is not None:
            dag_run.retried |= run.retried if run is not None else set()
            self.dag_runs[key.run_id] = dag_run

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
        self.ended.merge(other.ended)
        for name in self.runs.keys() & other.runs.keys():
            # Whichever of the two has seen the later attempt.
            self.runs[name].superseded |= other.runs[name].superseded
            self.runs[name].retried |= other.runs[name].retried
        known = {**other.runs, **self.runs}
        self.runs = {name: run for name, run in known.items() if name not in self.ended}
        for name in self.dag_runs.keys() & other.dag_runs.keys():
            self.dag_runs[name].is_checked |= other.dag_runs[name].is_checked
            self.dag_runs[name].retried |= other.dag_runs[name].retried
        self.dag_runs = {**other.dag_runs, **self.dag_runs}

    def forget(self, floor: datetime) -> None:
        """Forget ends before a time, and runs that nobody will ever end.

        :param floor: time before which no event is read any more.
        """
        oldest = floor - _LONGEST_OPEN
        self.ended.forget(floor, oldest)
        self.runs = {name: run for name, run in self.runs.items() if run.started_at >= oldest}
        unchecked = datetime.now(UTC) - _LONGEST_UNCHECKED
        self.dag_runs = {
            name: run
            for name, run in self.dag_runs.items()
            if run.seen_at >= (floor if run.is_checked else unchecked)
        }

    def rows(self) -> Iterator[tuple[str, str, Any]]:
        """Say what goes into the checkpoint.

        :returns: for each run, what it is, its id and what is known of it, for JSON.
        """
        for name, run in self.runs.items():
            yield "open", name, run.as_json()
        for name, end in self.ended:
            yield "ended", name, [end.at.isoformat(), *end[1:]]
        for name, dag_run in self.dag_runs.items():
            yield "DAG run", name, dag_run.as_json()

    def add(self, row: Sequence[Any]) -> None:
        """Read a row back.

        :param row: what :meth:`rows` gave.
        :raises ValueError: when it is something else; so do KeyError and TypeError.
        """
        kind, name, known = row
        if kind == "open":
            self.runs[name] = OpenRun.from_json(known)
        elif kind == "ended":
            at, *rest = known
            self.ended[name] = EndedRun(datetime.fromisoformat(at), *rest)
        elif kind == "DAG run":
            self.dag_runs[name] = EndedDagRun.from_json(known)
        else:
            raise ValueError(f"{kind!r} is no kind of entry")
