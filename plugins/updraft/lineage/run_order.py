"""The order in which stored events are delivered, and which of them go together."""

from collections.abc import Iterator, Sequence

from updraft.lineage.open_runs import END_TYPES
from updraft.lineage.outbox import EventKey

Named = tuple[str, EventKey]


def in_run_order(pending: Sequence[tuple[str, EventKey]]) -> list[tuple[str, EventKey]]:
    """Put the start of a run before its end where the outbox has them the other way round.

    :param pending: names and keys in the order of the outbox.
    :returns: the same, moved as little as possible.
    """
    first_end: dict[str, int] = {}
    for index, (_, key) in enumerate(pending):
        if key.event_type in END_TYPES:
            first_end.setdefault(key.run_id, index)

    def rank(indexed: tuple[int, tuple[str, EventKey]]) -> tuple[int, bool]:
        index, (_, key) = indexed
        if key.event_type == "START":
            return min(index, first_end.get(key.run_id, index)), False
        return index, True

    return [item for _, item in sorted(enumerate(pending), key=rank)]


def same_moments(ordered: Sequence[Named]) -> Iterator[list[Named]]:
    """Put together the starts of a run, and its ends of the same type.

    :param ordered: names and keys in the order of delivery.
    :returns: groups in that order; a group stands where its first event stood.
    """
    groups: dict[object, list[Named]] = {}
    for index, (name, key) in enumerate(ordered):
        has_moment = key.event_type == "START" or key.event_type in END_TYPES
        moment = (key.run_id, key.event_type) if has_moment else index
        groups.setdefault(moment, []).append((name, key))
    yield from groups.values()
