"""Compares the task runs that Airflow knows with the events that the catalog has."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from include.local.soak.metadata import FORGOTTEN, TaskRun

ENDS = frozenset({"COMPLETE", "FAIL", "ABORT"})

_OVER = frozenset({FORGOTTEN, "success", "failed", "skipped", "up_for_retry", "removed"})
_EXPECTED_END = {"success": "COMPLETE", "failed": "FAIL", "up_for_retry": "FAIL"}


class CatalogEvent(NamedTuple):
    """An event that the catalog has taken.

    :param lineage_run: id of its run.
    :param event_type: its type.
    :param job: name of its job, ``<DAG>.<task>`` or the DAG's.
    :param faults: why it is not valid.
    """

    lineage_run: str
    event_type: str
    job: str
    faults: Sequence[str] = ()


@dataclass
class DagFigures:
    """What the checker counts for a DAG.

    :param task_runs: tries that Airflow has begun.
    :param starts: events START of them.
    :param ends: events COMPLETE, FAIL and ABORT of them.
    :param repeated: events beyond the first START and the first end of a run.
    :param missing: runs without START, and runs without end.
    """

    task_runs: int = 0
    starts: int = 0
    ends: int = 0
    repeated: int = 0
    missing: int = 0


@dataclass
class Comparison:
    """What the checker has found.

    :param figures: by DAG.
    :param differences: each in a sentence.
    :param states: number of tries by what became of them.
    """

    figures: dict[str, DagFigures] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)


def compare(
    task_runs: Iterable[TaskRun],
    events: Iterable[CatalogEvent],
    kills: Mapping[str, str] | None = None,
) -> Comparison:
    """Compare.

    :param task_runs: from Airflow.
    :param events: from the catalog.
    :param kills: where a run was killed, by id of the lineage run; for the messages.
    :returns: figures and differences; none if every try has one START and one end that agrees with
        its state, and every event belongs to a try.
    """
    by_run: defaultdict[str, list[CatalogEvent]] = defaultdict(list)
    found = Comparison()
    for event in events:
        by_run[event.lineage_run].append(event)
        found.differences.extend(
            f"{event.event_type} of {event.job} is not valid: {fault}" for fault in event.faults
        )
    for run in sorted(task_runs):
        of_run = by_run.pop(run.lineage_run, [])
        if run.state == FORGOTTEN and not of_run:
            continue  # it may never have been begun
        where = (kills or {}).get(run.lineage_run)
        _check(run, Counter(event.event_type for event in of_run), where, found)
    for left in by_run.values():
        # Runs of DAGs have events too, and theirs is the name of the DAG alone.
        strangers = [event for event in left if "." in event.job]
        found.differences.extend(
            f"{event.event_type} of {event.job} belongs to no try that Airflow knows"
            for event in strangers
        )
    return found


def _check(run: TaskRun, types: Counter[str], killed: str | None, found: Comparison) -> None:
    figures = found.figures.setdefault(run.dag_id, DagFigures())
    starts, ends = types["START"], sum(types[name] for name in ENDS)
    figures.task_runs += 1
    figures.starts += starts
    figures.ends += ends
    figures.repeated += max(0, starts - 1) + max(0, ends - 1)
    figures.missing += (starts == 0) + (ends == 0)
    found.states[run.state] += 1
    name = f"{run.dag_id}.{run.task_id}[{run.map_index}] try {run.try_number} of {run.run_id}"
    context = f"{run.state}, killed: {killed}" if killed else run.state
    if run.state not in _OVER:
        found.differences.append(f"{name} is {run.state} still")
    if starts != 1 or ends != 1:
        seen = ", ".join(f"{count} {kind}" for kind, count in sorted(types.items())) or "nothing"
        found.differences.append(f"{name} ({context}) has {seen}")
    elif (wanted := _EXPECTED_END.get(run.state)) and not types[wanted]:
        (kind,) = (kind for kind in types if kind in ENDS)
        found.differences.append(f"{name} ({context}) ends with {kind}")
