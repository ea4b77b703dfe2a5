"""Ends runs that have started in the catalog and will never end by themselves.

A task that is killed from outside emits nothing more. What became of it, Airflow knows.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.lineage.open_runs import OpenRun, OpenRuns, TaskAttempt

StateOf = Callable[[TaskAttempt], str | None]
"""Asks Airflow for the state of a task instance or a DAG run; ``None`` if it knows none."""

_PRODUCER = "https://github.com/apache/airflow"
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_ERROR_SCHEMA = (
    "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet"
)
_ENDS = {
    "success": "COMPLETE",
    "failed": "FAIL",
    "upstream_failed": "FAIL",
    "skipped": "ABORT",
    "removed": "ABORT",
    None: "ABORT",
}


def closing_events(
    open_runs: OpenRuns,
    state_of: StateOf,
    *,
    namespace: str,
    after: timedelta,
    grace: timedelta = timedelta(0),
    now: datetime | None = None,
) -> Iterator[tuple[str, str, bytes]]:
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
    :returns: run id, type and content of each end.
    """
    now = now or datetime.now(UTC)
    for run_id, run in open_runs.runs.items():
        if run.attempt is None or run.namespace != namespace or now - run.started_at < after:
            continue
        state = "failed" if run.superseded else state_of(run.attempt)
        if state not in _ENDS:
            run.over_since = None  # it may have been cleared since the last look
            continue
        run.over_since = run.over_since or now
        if now - run.over_since >= grace:
            event_type = _ENDS[state]
            event = _end(run_id, run, event_type, state, now)
            yield run_id, event_type, json.dumps(event, sort_keys=True).encode()


def _end(
    run_id: str, run: OpenRun, event_type: str, state: str | None, now: datetime
) -> dict[str, Any]:
    message = (
        f"The run has emitted no end. Airflow says: {state}."
        if state
        else "The run has emitted no end, and Airflow knows it no more."
    )
    facets = {
        "errorMessage": {
            "_producer": _PRODUCER,
            "_schemaURL": _ERROR_SCHEMA,
            "message": message,
            "programmingLanguage": "python",
        }
    }
    return {
        "eventTime": now.isoformat(),
        "eventType": event_type,
        "producer": _PRODUCER,
        "schemaURL": _SCHEMA,
        "run": {"runId": run_id, "facets": {} if event_type == "COMPLETE" else facets},
        "job": {"namespace": run.namespace, "name": run.job, "facets": {}},
        "inputs": [],
        "outputs": [],
    }
