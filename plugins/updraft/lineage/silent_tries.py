"""Starts and ends of tries that have emitted nothing at all.

A task that is killed before it could say that it starts has an end all the same if it is tried
again: the scheduler emits it. On its last try nobody does, as the supervisor of the task reports
the failure to Airflow alone. So when a DAG run has ended, its last tries are looked for.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.lineage.open_runs import OpenRuns
from updraft.lineage.orphans import END_OF_STATE, made_event
from updraft.lineage.outbox import EventKey, Outbox
from updraft.lineage.run_records import EndedDagRun

_CLOCKS_DIFFER = timedelta(minutes=15)
_JOB_TYPE_SCHEMA = (
    "https://openlineage.io/spec/facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet"
)
_PARENT_SCHEMA = (
    "https://openlineage.io/spec/facets/1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet"
)


@dataclass(frozen=True)
class LastTry:
    """The last try of a task instance whose DAG run has ended.

    :param lineage_run: the OpenLineage run id of the try.
    :param task_id: id of the task.
    :param map_index: index of a mapped task, else -1.
    :param try_number: its number, from 1.
    :param state: its state, ``failed`` or ``success``.
    :param started_at: when Airflow began it.
    :param ended_at: when Airflow noted its end.
    """

    lineage_run: str
    task_id: str
    map_index: int
    try_number: int
    state: str
    started_at: datetime
    ended_at: datetime


LastTries = Callable[[EndedDagRun], Iterable[LastTry]]
"""Asks Airflow for the last tries of a DAG run that may have emitted nothing: those that have
failed, and those of tasks that were tried again."""


def silent_tries(
    runs: OpenRuns,
    outbox: Outbox,
    last_tries: LastTries,
    *,
    namespace: str,
    after: timedelta,
    now: datetime | None = None,
) -> Iterator[tuple[EventKey, bytes]]:
    """Make the events of last tries that have none.

    :param runs: the runs that the catalog was told of; DAG runs that were looked at are noted.
    :param outbox: where the events are.
    :param last_tries: asks Airflow.
    :param namespace: namespace of the jobs of this Airflow; other runs are left alone.
    :param after: how long events may be on their way after the end of a DAG run.
    :param now: the time, if it is not now.
    :returns: key and content of each event, the start of a try before its end.
    :raises OutboxError: when the outbox cannot be read.
    """
    now = now or datetime.now(UTC)
    for lineage_run, dag_run in runs.dag_runs.items():
        if dag_run.is_checked or dag_run.namespace != namespace or now - dag_run.seen_at < after:
            continue
        unknown = {
            one.lineage_run: one
            for one in last_tries(dag_run)
            if one.lineage_run not in runs.runs and one.lineage_run not in runs.ended
        }
        for name in _runs_since(outbox, dag_run.started_at) if unknown else ():
            unknown.pop(name, None)
        for one in unknown.values():
            yield from _events(one, lineage_run, dag_run)
        dag_run.is_checked = True


def _runs_since(outbox: Outbox, began: datetime) -> Iterator[str]:
    keys = map(EventKey.parse, outbox.event_names(began - _CLOCKS_DIFFER))
    return (key.run_id for key in keys if key is not None)


def _events(
    one: LastTry, dag_lineage_run: str, dag_run: EndedDagRun
) -> Iterator[tuple[EventKey, bytes]]:
    # They follow from what Airflow knows alone, so that two forwarders make the same ones.
    parent = {
        "job": {"namespace": dag_run.namespace, "name": dag_run.dag_id},
        "run": {"runId": dag_lineage_run},
    }
    airflow = {
        "dag": {"dag_id": dag_run.dag_id},
        "dagRun": {"dag_id": dag_run.dag_id, "run_id": dag_run.run_id},
        "task": {"task_id": one.task_id},
        "taskInstance": {"try_number": one.try_number, "map_index": one.map_index},
        "taskUuid": one.lineage_run,
    }
    job = {
        "namespace": dag_run.namespace,
        "name": f"{dag_run.dag_id}.{one.task_id}",
        "facets": {
            "jobType": {
                "_schemaURL": _JOB_TYPE_SCHEMA,
                "processingType": "BATCH",
                "integration": "AIRFLOW",
                "jobType": "TASK",
            }
        },
    }
    facets: dict[str, Any] = {
        "airflow": airflow,
        "parent": {"_schemaURL": _PARENT_SCHEMA, **parent},
    }
    start = made_event("START", one.started_at, one.lineage_run, job, facets)
    message = f"The try has emitted nothing. Airflow says: {one.state}."
    kind = END_OF_STATE[one.state]
    end = made_event(kind, one.ended_at, one.lineage_run, job, facets, reason=message)
    for event_type, event in (("START", start), (kind, end)):
        body = json.dumps(event, sort_keys=True).encode()
        yield EventKey.for_event(body, run_id=one.lineage_run, event_type=event_type), body
