"""Objects that wait for one another in a circle, and so for ever.

An object waits for what it depends on, for its preconditions, and for the activities that write
the data nodes it reads.
"""

from collections.abc import Iterator

from updraft.datapipeline.findings import Finding, Severity
from updraft.datapipeline.model import Definition
from updraft.datapipeline.resolution import Resolved, ResolvedObject

CIRCLE = "The objects wait for one another"


def check_order(resolved: Resolved, definition: Definition) -> Iterator[Finding]:
    """Find circles.

    :param resolved: the objects with inheritance applied.
    :param definition: the definition.
    :returns: one error for each circle, at the object of it that stands first in the file.
    """
    waits = {item.id: _waits_for(item, resolved) for item in resolved.values()}
    for circle in _circles(waits):
        first = resolved[circle[0]]
        field = next(
            (
                found
                for name in ("dependsOn", "input", "precondition")
                if (found := first.field(name))
            ),
            None,
        )
        yield Finding(
            severity=Severity.ERROR,
            file=definition.source,
            position=field.position if field else first.item.position,
            object_id=first.id,
            field="dependsOn",
            value=", ".join(field.references) if field else None,
            message=f"{CIRCLE}: {' → '.join([*circle, circle[0]])}",
            advice="Remove one of the dependencies",
        )


def are_ordered(one: ResolvedObject, other: ResolvedObject, resolved: Resolved) -> bool:
    """Tell whether one of two objects waits for the other, at any remove.

    :param one: an object.
    :param other: another one.
    :param resolved: the objects with inheritance applied.
    :returns: true when they can't run at the same time.
    """
    for start, goal in ((one, other), (other, one)):
        seen: set[str] = set()
        pending = [start.id]
        while pending:
            current = pending.pop()
            if current == goal.id:
                return True
            if current not in seen:
                seen.add(current)
                pending += _waits_for(resolved[current], resolved)
    return False


def _waits_for(item: ResolvedObject, resolved: Resolved) -> list[str]:
    found = [
        *item.references("dependsOn"),
        *item.references("precondition"),
        *(
            producer.id
            for node in item.references("input")
            for producer in resolved.values()
            if producer.category == "activity" and node in producer.references("output")
        ),
        *item.references("input"),
    ]
    # What waits for itself alone is said elsewhere, or reads and writes the same node.
    return [one for one in dict.fromkeys(found) if one in resolved and one != item.id]


def _circles(waits: dict[str, list[str]]) -> list[list[str]]:
    """Find circles by walking along; each object is walked through once."""
    circles: list[list[str]] = []
    done: set[str] = set()
    for start in waits:
        path: list[str] = []
        pending: list[tuple[str, bool]] = [(start, False)]
        while pending:
            one, left = pending.pop()
            if left:
                path.pop()
                done.add(one)
            elif one in path:
                circles.append(path[path.index(one) :])
            elif one not in done:
                path.append(one)
                pending.append((one, True))
                pending += [(other, False) for other in reversed(waits[one])]
    return circles
