"""Starts of runs of Airflow that have emitted none.

A task that is killed before it could say that it starts, or that the executor never got started,
has an end all the same: the scheduler emits it. A catalog shows a run by its start, so one is made
of the end.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.lineage.open_runs import OpenRuns
from updraft.lineage.outbox import EventKey, ObjectMissingError, Outbox
from updraft.lineage.preparation import Event
from updraft.lineage.validation import InvalidEventError
from updraft.lineage.wire_format import decode, encode

_CLOCKS_DIFFER = timedelta(minutes=15)


def missing_starts(
    runs: OpenRuns,
    outbox: Outbox,
    *,
    namespace: str,
    after: timedelta,
    now: datetime | None = None,
) -> Iterator[tuple[EventKey, bytes]]:
    """Make the starts of runs that have ended without one.

    :param runs: the runs that the catalog was told of.
    :param outbox: where the ends are.
    :param namespace: namespace of the jobs of this Airflow; other runs are left alone.
    :param after: how long a start may be on its way.
    :param now: the time, if it is not now.
    :returns: key and content of each start.
    :raises OutboxError: when the outbox cannot be read.
    """
    now = now or datetime.now(UTC)
    for run_id, ended in runs.ended.unfinished():
        if now - ended.at < after:
            continue
        name = str(EventKey(ended.at, run_id, ended.event_type, ended.digest))
        try:
            end = decode(outbox.read(name))
            is_ours = end["job"]["namespace"] == namespace
            start = encode(_start(end)) if is_ours and not _has_start(outbox, run_id, end) else b""
        except (ObjectMissingError, InvalidEventError, KeyError, TypeError):
            start = b""  # a lifecycle rule has deleted the end
        if start:
            yield EventKey.for_event(start, run_id=run_id, event_type="START"), start
        else:
            runs.ended[run_id] = ended._replace(lacks_start=False)


def _has_start(outbox: Outbox, run_id: str, end: Mapping[str, Any]) -> bool:
    """Look for the start among the names of all events since the task was queued.

    It is there when an end comes long after another one: somebody has marked the task in the UI,
    and what the catalog was told of the task is forgotten.
    """
    facet = end["run"]["facets"]["airflow"]
    since = _time(facet.get("taskInstance", {}).get("queued_dttm"))
    since = since or _time(facet["dagRun"].get("start_date"))
    if since is None:
        return False
    keys = map(EventKey.parse, outbox.event_names(since - _CLOCKS_DIFFER))
    return any(
        key is not None and (key.run_id, key.event_type) == (run_id, "START") for key in keys
    )


def _start(end: Mapping[str, Any]) -> Event:
    run, facets = end["run"], end["run"]["facets"]
    return {
        **{name: end[name] for name in ("producer", "schemaURL", "job")},
        "eventType": "START",
        "eventTime": _began(end, facets["airflow"].get("taskInstance", {})),
        "run": {
            **run,
            "facets": {name: facets[name] for name in facets if name != "errorMessage"},
        },
        "inputs": [],
        "outputs": [],
    }


def _began(end: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    ended = end["eventTime"]
    duration, moment = instance.get("duration"), _time(ended)
    if not isinstance(duration, int | float) or moment is None:
        return str(ended)
    try:
        return (moment - timedelta(seconds=max(0.0, duration))).isoformat()
    except (OverflowError, ValueError):
        return str(ended)


def _time(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
