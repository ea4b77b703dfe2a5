"""Makes an event small enough for a catalog, and loses as little lineage as possible.

What goes first is what a catalog does not show, then what it shows beside the graph, then detail of
the graph. Datasets are never dropped: an event that is too large without any detail is posted in
several pieces, each with some of them.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from updraft.lineage.wire_format import encode

Event = dict[str, Any]

FACET = "updraft_trimmed"
"""Run facet of an event that was trimmed; says what is missing."""

_PRODUCER = "https://github.com/OpenLineage/OpenLineage"
_SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunFacet"
_LONGEST_SQL = 4_000  # characters
_LONGEST_MESSAGE = 1_000
_RESERVE = 1_000  # bytes for the facet that says what was trimmed


@dataclass
class Trimmed:
    """An event as a catalog can take it.

    :param events: the event, or the pieces that it was split into.
    :param removed: what is missing, in words; empty for an event that was small enough.
    """

    events: list[Event]
    removed: list[str] = field(default_factory=list)


def trim(event: Event, limit: int) -> Trimmed:
    """Trim a valid run event.

    :param event: the event; it is changed.
    :param limit: how many bytes it may have as :func:`updraft.lineage.wire_format.encode` makes it.
    :returns: events of that size at most, which have all its datasets between them; an event of
        which a single dataset is too large stays too large.
    """
    size = _size(event)
    if size <= limit:
        return Trimmed([event])
    removed: list[str] = []
    for what, step in _STEPS:
        if step(event):
            removed.append(what)
            if _size(event) <= limit - _RESERVE:
                return _noted([event], removed, size)
    return _noted(_split(event, limit - _RESERVE, removed), removed, size)


def _noted(events: list[Event], removed: list[str], size: int) -> Trimmed:
    if len(events) > 1:
        removed.append(f"split into {len(events)} events")
    for event in events:
        facets = event["run"].setdefault("facets", {})
        facets[FACET] = {
            "_producer": _PRODUCER,
            "_schemaURL": _SCHEMA,
            "bytes": size,
            "removed": list(removed),
        }
    return Trimmed(events, removed)


def _size(event: Event) -> int:
    return len(encode(event))


def _drop(entity: str, *names: str) -> Callable[[Event], bool]:
    def step(event: Event) -> bool:
        facets = event[entity].get("facets", {})
        found = [name for name in names if name in facets]
        for name in found:
            del facets[name]
        return bool(found)

    return step


def _datasets(event: Event) -> list[Event]:
    return [*event.get("inputs", []), *event.get("outputs", [])]


def _drop_from_datasets(is_dropped: Callable[[str], bool], *groups: str) -> Callable[[Event], bool]:
    def step(event: Event) -> bool:
        changed = False
        for dataset in _datasets(event):
            for group in groups:
                facets = dataset.get(group, {})
                for name in [name for name in facets if is_dropped(name)]:
                    del facets[name]
                    changed = True
        return changed

    return step


def _drop_tags(event: Event) -> bool:
    steps = (
        _drop("run", "tags"),
        _drop("job", "tags"),
        _drop_from_datasets("tags".__eq__, "facets"),
    )
    return sum(step(event) for step in steps) > 0


def _shorten_sql(event: Event) -> bool:
    facet = event["job"].get("facets", {}).get("sql")
    query = facet.get("query") if isinstance(facet, dict) else None
    if not isinstance(query, str) or len(query) <= _LONGEST_SQL:
        return False
    digest = sha256(query.encode("utf-8", "replace")).hexdigest()
    facet["query"] = f"{query[:_LONGEST_SQL]}\n-- {len(query)} characters, SHA-256 {digest}"
    return True


def _shorten_message(event: Event) -> bool:
    facet = event["run"].get("facets", {}).get("errorMessage")
    if not isinstance(facet, dict):
        return False
    changed = facet.pop("stackTrace", None) is not None
    message = facet.get("message")
    if isinstance(message, str) and len(message) > _LONGEST_MESSAGE:
        facet["message"] = f"{message[:_LONGEST_MESSAGE]}…"
        changed = True
    return changed


def _drop_indirect_columns(event: Event) -> bool:
    """Drop columns that only decide which rows there are, as those of a filter do."""
    changed = False
    for dataset in event.get("outputs", []):
        facet = dataset.get("facets", {}).get("columnLineage", {})
        lists = [facet, *facet.get("fields", {}).values()]
        for holder, name in zip(lists, ["dataset", *["inputFields"] * len(lists)], strict=False):
            kept = [one for one in holder.get(name, []) if not _is_indirect(one)]
            if name in holder and len(kept) < len(holder[name]):
                holder[name] = kept
                changed = True
    return changed


def _is_indirect(column: Event) -> bool:
    transformations = column.get("transformations") or []
    return bool(transformations) and all(one.get("type") == "INDIRECT" for one in transformations)


_RUN_DETAILS = (
    "airflow",
    "airflowDagRun",
    "airflowState",
    "airflow_mappedTask",
    "airflow_runArgs",
    "environment-properties",
)
_STEPS: Sequence[tuple[str, Callable[[Event], bool]]] = (
    # Glue's rule for names of datasets reads environment-properties; names are final by now.
    ("details of Airflow's run", _drop("run", *_RUN_DETAILS)),
    ("details of Airflow's job", _drop("job", "airflow")),
    ("source code", _drop("job", "sourceCode")),
    ("attributes of unknown sources", _drop("run", "unknownSourceAttribute")),
    ("tags", _drop_tags),
    ("the end of the SQL", _shorten_sql),
    ("the stack trace", _shorten_message),
    ("columns that only filter", _drop_indirect_columns),
)
_LAST_STEPS: Sequence[tuple[str, Callable[[Event], bool]]] = (
    ("lineage of columns", _drop_from_datasets("columnLineage".__eq__, "facets")),
    (
        "details of datasets",
        _drop_from_datasets("schema".__ne__, "facets", "inputFacets", "outputFacets"),
    ),
    ("schemas", _drop_from_datasets(lambda _: True, "facets", "inputFacets", "outputFacets")),
    ("details of the run", lambda event: _drop_others(event["run"])),
    ("details of the job", lambda event: _drop_others(event["job"])),
)


def _drop_others(entity: Event) -> bool:
    return bool(entity.pop("facets", None))


def _split(event: Event, limit: int, removed: list[str]) -> list[Event]:
    """Split an event until each piece fits, with each input beside each output in some piece."""
    if _size(event) <= limit:
        return [event]
    sizes = {side: sum(map(_size, event.get(side, []))) for side in ("inputs", "outputs")}
    if len(event.get("outputs", [])) > 1 and sizes["outputs"] >= sizes["inputs"]:
        return _halves(event, "outputs", limit, removed)
    for what, step in _LAST_STEPS:
        if step(event):
            if what not in removed:
                removed.append(what)
            if _size(event) <= limit:
                return [event]
    sides = [side for side in sizes if len(event.get(side, [])) > 1]
    if not sides:
        return [event]
    return _halves(event, max(sides, key=sizes.__getitem__), limit, removed)


def _halves(event: Event, side: str, limit: int, removed: list[str]) -> list[Event]:
    middle = len(event[side]) // 2
    first = {**event, side: event[side][:middle]}
    second = {**copy.deepcopy({**event, side: []}), side: event[side][middle:]}
    return [*_split(first, limit, removed), *_split(second, limit, removed)]
