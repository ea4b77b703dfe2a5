"""Amazon DataZone: lineage here, the rest of the catalog in a package of its own.

https://docs.aws.amazon.com/datazone/latest/APIReference/API_PostLineageEvent.html and its
neighbours. Where AWS says nothing (how long a token is remembered, which of two times a filter
means), the choice made here is written down in docs/local-stack.md.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from include.local.gateway.control import ControlInterface
from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.rate_limit import RateLimit
from include.local.gateway.services.datazone.catalog.context import TableReader
from include.local.gateway.services.datazone.catalog.operations import CatalogOperations
from include.local.gateway.services.datazone.events import EventReader
from include.local.gateway.services.datazone.graph import fragment
from include.local.gateway.services.datazone.graph_queries import (
    NEIGHBOURS,
    GraphQueries,
    node_forms,
    node_summary,
)
from include.local.gateway.services.datazone.records import (
    EventQuery,
    Posting,
    StoredEvent,
    StoredNode,
)
from include.local.gateway.services.datazone.source_identifiers import Caller
from include.local.gateway.services.datazone.store import LineageStore, milliseconds

POSTS_PER_SECOND = 20
"""Quota of PostLineageEvent per account and Region (user guide, "Quotas for Amazon DataZone")."""

PAGE = 50
"""Most events on a page, and the default."""

_PROCESSED = "SUCCESS"
_FAILED = "FAILED"

CONTROL_PATH = "/_local/datazone/"


class DataZoneHandler:
    """The operations; for lineage, every domain id of the right form exists.

    :param directory: where events and catalog are kept.
    :param tables: reads the tables of Glue for data sources.
    :param throttling: whether the quotas of requests are enforced.
    :param reader: checks the events.
    """

    service = "datazone"

    def __init__(
        self,
        directory: Path,
        tables: TableReader,
        *,
        throttling: bool = True,
        reader: EventReader | None = None,
    ) -> None:
        self._store = LineageStore(directory / "lineage.sqlite3")
        self._queries = GraphQueries(self._store)
        self._catalog = CatalogOperations(directory, tables, throttling=throttling)
        self._reader = reader or EventReader()
        self._quota = RateLimit(POSTS_PER_SECOND) if throttling else None
        self._failing: set[str] = set()
        self.control = ControlInterface(
            CONTROL_PATH,
            {
                "failures": {
                    "GET": self._get_failures,
                    "PUT": self._put_failures,
                    "DELETE": self._delete_failures,
                }
            },
        )

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            **self._catalog.operations(),
            **self._queries.operations(),
            "GetLineageEvent": self._get_event,
            "GetLineageNode": self._get_node,
            "ListLineageEvents": self._list_events,
            "PostLineageEvent": self._post_event,
        }

    def _get_failures(self, given: Mapping[str, Any]) -> Any:
        del given
        return {"jobs": sorted(self._failing)}

    def _put_failures(self, given: Mapping[str, Any]) -> Any:
        if given.keys() != {"job"} or not isinstance(given["job"], str):
            message = 'Name the job whose events cannot be processed: {"job": "sales.load"}'
            raise AwsError("InvalidControlCall", message)
        self._failing.add(given["job"])
        return self._get_failures({})

    def _delete_failures(self, given: Mapping[str, Any]) -> Any:
        self._failing.clear()
        return self._get_failures(given)

    def _status(self, event: StoredEvent) -> str:
        return _FAILED if event.summary["job"]["name"] in self._failing else _PROCESSED

    def close(self) -> None:
        """Close the stores."""
        self._store.close()
        self._catalog.close()

    def _post_event(self, request: OperationRequest) -> Mapping[str, Any]:
        if self._quota is not None and not self._quota.admits((request.account_id, request.region)):
            message = f"Rate exceeded: {POSTS_PER_SECOND} requests per second"
            raise AwsError("ThrottlingException", message, HTTPStatus.TOO_MANY_REQUESTS)
        domain = request.parameters["domainIdentifier"]
        event = self._reader.read(request.parameters["event"])
        caller = Caller(request.account_id, request.region)
        token = request.parameters.get("clientToken")
        addition = fragment(event, domain, caller)
        stored = self._store.add(Posting(domain, token, event, request.principal, addition))
        if stored.body != event.body:
            message = "The client token has already been used for an event with another content"
            raise AwsError("ConflictException", message, HTTPStatus.CONFLICT)
        return {"id": stored.id, "domainId": domain}

    def _get_event(self, request: OperationRequest) -> Mapping[str, Any]:
        domain, identifier = (
            request.parameters["domainIdentifier"],
            request.parameters["identifier"],
        )
        event = self._store.event(domain, identifier)
        if event is None:
            raise _not_found(f"lineage event {identifier}", domain)
        return {
            "domainId": domain,
            "id": event.id,
            "event": event.body,
            "processingStatus": self._status(event),
            "eventTime": event.event_time,
            "createdAt": event.created_at,
            "createdBy": event.created_by,
        }

    def _list_events(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        domain = given["domainIdentifier"]
        query = EventQuery(
            domain=domain,
            after=given.get("timestampAfter"),
            before=given.get("timestampBefore"),
            ascending=given.get("sortOrder") == "ASCENDING",
            start=_read_token(given["nextToken"]) if "nextToken" in given else None,
        )
        size = given.get("maxResults", PAGE)
        events = self._events(query, given.get("processingStatus"), size + 1)
        items = [_summary(domain, event, self._status(event)) for event in events[:size]]
        page: dict[str, Any] = {"items": items}
        if len(events) > size:
            page["nextToken"] = _write_token(events[size - 1])
        return page

    def _events(self, query: EventQuery, status: str | None, limit: int) -> list[StoredEvent]:
        """List events of a status; they are processed before the answer to their post."""
        found: list[StoredEvent] = []
        while len(found) < limit:
            page = self._store.events(query, limit)
            found += [event for event in page if status in {None, self._status(event)}]
            if len(page) < limit:
                break
            last = page[-1]
            query = replace(query, start=(milliseconds(last.event_time), last.sequence))
        return found[:limit]

    def _get_node(self, request: OperationRequest) -> Mapping[str, Any]:
        domain, identifier = (
            request.parameters["domainIdentifier"],
            request.parameters["identifier"],
        )
        stored = self._store.node(domain, identifier, NEIGHBOURS)
        if stored is None:
            raise _not_found(f"lineage node {identifier}", domain)
        return _node(stored)


def _not_found(what: str, domain: str) -> AwsError:
    return AwsError(
        "ResourceNotFoundException", f"Domain {domain} has no {what}", HTTPStatus.NOT_FOUND
    )


def _summary(domain: str, event: StoredEvent, status: str) -> dict[str, Any]:
    return {
        "id": event.id,
        "domainId": domain,
        "processingStatus": status,
        "eventTime": event.event_time,
        "eventSummary": {"openLineageRunEventSummary": event.summary},
        "createdBy": event.created_by,
        "createdAt": event.created_at,
    }


def _node(stored: StoredNode) -> dict[str, Any]:
    return {
        **node_summary(stored),
        "formsOutput": node_forms(stored),
        "upstreamNodes": [
            {"id": near, "eventTimestamp": moment} for near, moment in stored.upstream
        ],
        "downstreamNodes": [
            {"id": near, "eventTimestamp": moment} for near, moment in stored.downstream
        ],
    }


def _write_token(event: StoredEvent) -> str:
    position = json.dumps([milliseconds(event.event_time), event.sequence])
    return base64.urlsafe_b64encode(position.encode()).decode()


def _read_token(token: str) -> tuple[int, int]:
    try:
        time, sequence = json.loads(base64.urlsafe_b64decode(token))
        return int(time), int(sequence)
    except (binascii.Error, ValueError, TypeError) as error:
        raise AwsError("ValidationException", f"nextToken {token!r} is not valid") from error
