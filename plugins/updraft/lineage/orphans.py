"""Ends runs that have started in the catalog and will never end by themselves.

A task that is killed from outside emits nothing more. What became of it, Airflow knows.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.lineage.open_runs import OpenRuns
from updraft.lineage.outbox import EventKey
from updraft.lineage.preparation import Event
from updraft.lineage.run_records import TaskAttempt

StateOf = Callable[[TaskAttempt], str | None]
"""Asks Airflow for the state of a task instance or a DAG run; ``None`` if it knows none."""

_PRODUCER = "https://github.com/apache/airflow"
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACET_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"
_ERROR_SCHEMA = (
    "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
)
END_OF_STATE: Mapping[str | None, str] = {
    "success": "COMPLETE",
    "failed": "FAIL",
    "upstream_failed": "FAIL",
    "skipped": "ABORT",
    "removed": "ABORT",
    None: "ABORT",
}
"""What ends the run of a task or DAG run in a state; others are not over yet."""


def closing_events(
    open_runs: OpenRuns,
    state_of: StateOf,
    *,
    namespace: str,
    after: timedelta,
    grace: timedelta = timedelta(0),
    now: datetime | None = None,
) -> Iterator[tuple[EventKey, bytes]]:
    """Make the ends of runs that Airflow knows to be over.

    Runs of other namespaces are left alone: another environment may share the outbox, and this
    Airflow knows nothing of its tasks.

    Airflow knows that a task is over before the task has emitted its end. So a run is ended only
    when it was found to be over some time ago; the first look notes it down.

    :param open_runs: the runs that have started and not ended.
    :param state_of: asks Airflow.
    :param namespace: namespace of the jobs of this Airflow.
    :param after: how long a run is open before it is looked at.
    :param grace: how long before, at least, it must have been found to be over.
    :param now: the time, if it is not now.
    :returns: key and content of each end.
    """
    now = now or datetime.now(UTC)
    for run_id, run in open_runs.runs.items():
        if run.attempt is None or run.namespace != namespace or now - run.started_at < after:
            continue
        state = "failed" if run.superseded else state_of(run.attempt)
        if state not in END_OF_STATE:
            run.over_since = None  # it may have been cleared since the last look
            continue
        run.over_since = run.over_since or now
        if now - run.over_since >= grace:
            event_type = END_OF_STATE[state]
            message = (
                f"The run has emitted no end. Airflow says: {state}."
                if state
                else "The run has emitted no end, and Airflow knows it no more."
            )
            job = {"namespace": run.namespace, "name": run.job, "facets": {}}
            event = made_event(event_type, now, run_id, job, reason=message)
            body = json.dumps(event, sort_keys=True).encode()
            yield EventKey.for_event(body, run_id=run_id, event_type=event_type), body


def made_event(
    event_type: str,
    moment: datetime,
    run_id: str,
    job: Mapping[str, Any],
    facets: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    reason: str = "",
) -> Event:
    """Make an event that Airflow's listener has left out.

    :param event_type: its type.
    :param moment: its time.
    :param run_id: id of its run.
    :param job: its job.
    :param facets: facets of its run.
    :param reason: why an end is made; one of success does not carry it.
    :returns: the event.
    """
    facets = dict(facets or {})
    if reason and event_type != "COMPLETE":
        facets["errorMessage"] = {
            "_schemaURL": _ERROR_SCHEMA,
            "message": reason,
            "programmingLanguage": "python",
        }
    return {
        "eventTime": moment.isoformat(),
        "eventType": event_type,
        "producer": _PRODUCER,
        "schemaURL": _SCHEMA,
        "run": {
            "runId": run_id,
            "facets": {
                name: {"_producer": _PRODUCER, "_schemaURL": _FACET_SCHEMA, **facet}
                for name, facet in facets.items()
            },
        },
        "job": {
            **job,
            "facets": {
                name: {"_producer": _PRODUCER, **facet} for name, facet in job["facets"].items()
            },
        },
        "inputs": [],
        "outputs": [],
    }
