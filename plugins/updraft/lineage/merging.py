"""Merges what several events say about the same moment of a run.

A task that was deferred says twice that it has started, and an emitter may say in pieces what it
has read and written. Which piece comes first is chance, so the result depends on none: merging is
commutative, associative and idempotent.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from typing import Any

Event = dict[str, Any]

_FACET_GROUPS = ("facets", "inputFacets", "outputFacets")


def merge(events: Sequence[Event]) -> Event:
    """Merge valid run events of the same run and type.

    A start has the earliest of their times, any other event the latest. All datasets and facets are
    kept; of two facets of the same name the larger one is, except that lineage of columns adds up.

    :param events: one or more events.
    :returns: one event, with its datasets in order of their names.
    """
    return reduce(_merge_two, events[1:], _normal(events[0]))


def _merge_two(first: Event, second: Event) -> Event:
    second = _normal(second)
    merged = _union(first, second, _merge_member)
    merged["eventTime"] = _event_time(first, second)
    return merged


def _merge_member(name: str, first: Any, second: Any) -> Any:
    if name in {"inputs", "outputs"}:
        return _datasets([*first, *second])
    if name in {"run", "job"}:
        return _merge_entity(first, second)
    return _larger(first, second)


def _merge_entity(first: Event, second: Event) -> Event:
    return _union(
        first,
        second,
        lambda name, one, other: (
            _union(one, other, _merge_facet) if name in _FACET_GROUPS else _larger(one, other)
        ),
    )


def _merge_facet(name: str, first: Any, second: Any) -> Any:
    if name != "columnLineage":
        return _larger(first, second)

    def member(key: str, one: Any, other: Any) -> Any:
        if key == "fields":
            return _union(one, other, _merge_column)
        return _distinct([*one, *other]) if key == "dataset" else _larger(one, other)

    return _union(first, second, member)


def _merge_column(_: str, first: Any, second: Any) -> Any:
    return _union(
        first,
        second,
        lambda name, one, other: (
            _distinct([*one, *other]) if name == "inputFields" else _larger(one, other)
        ),
    )


def _normal(event: Event) -> Event:
    """Bring an event into the form that merging keeps."""
    normal = dict(event)
    for side in ("inputs", "outputs"):
        if side in normal:
            normal[side] = _datasets(normal[side])
    return normal


def _datasets(datasets: Iterable[Event]) -> list[Event]:
    by_name: dict[tuple[str, str], Event] = {}
    for dataset in datasets:
        name = (dataset["namespace"], dataset["name"])
        # A dataset is merged with itself, so that what only one of several has is in the same form
        # as what all of them have.
        own = _merge_entity(dataset, dataset)
        known = by_name.get(name)
        by_name[name] = own if known is None else _merge_entity(known, own)
    return [by_name[name] for name in sorted(by_name)]


def _union(
    first: Mapping[str, Any], second: Mapping[str, Any], both: Callable[[str, Any, Any], Any]
) -> dict[str, Any]:
    merged = {**first, **second}
    for name in first.keys() & second.keys():
        merged[name] = both(name, first[name], second[name])
    return merged


def _distinct(items: Iterable[Any]) -> list[Any]:
    by_text = {_text(item): item for item in items}
    return [by_text[text] for text in sorted(by_text)]


def _larger(first: Any, second: Any) -> Any:
    """Choose by an order that is total, so that it does not matter what was chosen before."""
    return max(first, second, key=lambda value: (len(_text(value)), _text(value)))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _event_time(first: Event, second: Event) -> str:
    choose = min if first.get("eventType") == "START" else max
    times = (first["eventTime"], second["eventTime"])
    chosen: str = choose(times, key=lambda time: (datetime.fromisoformat(time.upper()), time))
    return chosen
