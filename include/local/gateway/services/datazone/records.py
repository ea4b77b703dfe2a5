"""What goes into the store of the catalog and what comes out of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.local.gateway.services.datazone.events import RunEvent
from include.local.gateway.services.datazone.graph import Fragment, Node


@dataclass(frozen=True)
class Posting:
    """An event on its way into the store.

    :param domain: domain that it was posted to.
    :param client_token: idempotency token of the caller.
    :param event: the event.
    :param principal: ARN of the caller.
    :param addition: its part of the graph.
    """

    domain: str
    client_token: str | None
    event: RunEvent
    principal: str
    addition: Fragment


@dataclass(frozen=True)
class StoredEvent:
    """An event as it was stored.

    :param sequence: number in the order of arrival.
    :param id: identifier that was given to it.
    :param body: the event as it was posted.
    :param summary: members of ``OpenLineageRunEventSummary``.
    :param event_time: when it happened.
    :param created_at: when it was posted.
    :param created_by: ARN of who posted it.
    """

    sequence: int
    id: str
    body: bytes
    summary: dict[str, Any]
    event_time: datetime
    created_at: datetime
    created_by: str


@dataclass(frozen=True)
class StoredNode:
    """A node as all events so far describe it.

    :param node: the node, with the facets of the latest event.
    :param event_time: time of the latest event.
    :param created_at: when the first event was posted.
    :param updated_at: when the last event was posted.
    :param created_by: who posted the first.
    :param updated_by: who posted the last.
    :param upstream: ids of the nodes before it, with the times of their latest events.
    :param downstream: the same for the nodes after it.
    """

    node: Node
    event_time: datetime
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str
    upstream: list[tuple[str, datetime]]
    downstream: list[tuple[str, datetime]]


@dataclass(frozen=True)
class EventQuery:
    """What to list.

    :param domain: the domain.
    :param after: only events later than this.
    :param before: only events earlier than this.
    :param ascending: oldest first.
    :param start: event time (milliseconds) and sequence of the last event that is known already.
    """

    domain: str
    after: datetime | None = None
    before: datetime | None = None
    ascending: bool = False
    start: tuple[int, int] | None = None
