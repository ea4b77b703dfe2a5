"""ListLineageNodeHistory and QueryGraph: the versions of a node, and what is reached from it."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.datazone.records import StoredNode
from include.local.gateway.services.datazone.store import LineageStore, milliseconds

NEIGHBOURS = 100
"""Most neighbours of a node on each side, by the model of GetLineageNode."""

_PAGE = 50
_FORM = "OpenLineageFacets"


class GraphQueries:
    """What is asked about the graph beyond a single node.

    :param store: events and nodes.
    """

    def __init__(self, store: LineageStore) -> None:
        self._store = store

    def operations(self) -> dict[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {"ListLineageNodeHistory": self.history, "QueryGraph": self.query}

    def history(self, request: OperationRequest) -> Mapping[str, Any]:
        """List the versions of a node, one for each time at which an event describes it.

        :param request: the request.
        :returns: members of the answer.
        :raises AwsError: ``ResourceNotFoundException`` when no event mentions the node.
        """
        given = request.parameters
        domain, identifier = given["domainIdentifier"], given["identifier"]
        stored = self._store.node(domain, identifier, NEIGHBOURS)
        if stored is None:
            message = f"Domain {domain} has no lineage node {identifier}"
            raise AwsError("ResourceNotFoundException", message, HTTPStatus.NOT_FOUND)
        times = self._store.versions(domain, stored.node.id, given.get("direction"))
        earliest, latest = given.get("eventTimestampGTE"), given.get("eventTimestampLTE")
        chosen = [
            time
            for time in times
            if (earliest is None or time >= milliseconds(earliest))
            and (latest is None or time <= milliseconds(latest))
        ]
        if given.get("sortOrder") != "ASCENDING":
            chosen.reverse()
        nodes = [
            {**node_summary(stored), "eventTimestamp": datetime.fromtimestamp(time / 1000, UTC)}
            for time in chosen
        ]
        return _page(nodes, given, "nodes")

    def query(self, request: OperationRequest) -> Mapping[str, Any]:
        """List the nodes that can be reached from one, the nearest first and without itself.

        :param request: the request.
        :returns: members of the answer.
        :raises AwsError: ``ValidationException`` unless there is one pattern of each kind.
        """
        given = request.parameters
        entity, relation = _patterns(given["match"])
        if "filters" in entity:
            raise _invalid("The local stack does not filter the nodes of QueryGraph")
        domain = given["domainIdentifier"]
        upstream = relation["relationDirection"] == "IN"
        reached: dict[str, StoredNode] = {}
        edge = [entity["identifier"]]
        for _ in range(relation.get("maxPathLength", 1) + 1):
            further: list[str] = []
            for identifier in edge:
                found = self._store.node(domain, identifier, NEIGHBOURS)
                if found is None or found.node.id in reached:
                    continue
                reached[found.node.id] = found
                near = found.upstream if upstream else found.downstream
                further.extend(node_id for node_id, _ in near)
            edge = further
        names = given.get("additionalAttributes", {}).get("formNames", ())
        items = [{"lineageNode": _result(stored, names)} for stored in list(reached.values())[1:]]
        return _page(items, given, "items")


def node_summary(stored: StoredNode) -> dict[str, Any]:
    """Describe a node as all operations on lineage do.

    :param stored: the node.
    :returns: members that their answers share.
    """
    node = stored.node
    return {
        "domainId": node.domain,
        "id": node.id,
        "name": node.name,
        "typeName": f"amazon.datazone.{node.kind}NodeType",
        "typeRevision": "1",
        "sourceIdentifier": node.source_identifier,
        "eventTimestamp": stored.event_time,
        "createdAt": stored.created_at,
        "createdBy": stored.created_by,
        "updatedAt": stored.updated_at,
        "updatedBy": stored.updated_by,
    }


def node_forms(stored: StoredNode) -> list[dict[str, Any]]:
    """Put the facets of a node into a form.

    :param stored: the node.
    :returns: its forms.
    """
    return [{"formName": _FORM, "content": json.dumps(stored.node.facets)}]


def _result(stored: StoredNode, form_names: Iterable[str]) -> dict[str, Any]:
    wanted = set(form_names)
    forms = [form for form in node_forms(stored) if form["formName"] in wanted]
    return {
        **node_summary(stored),
        "formsOutput": forms,
        "upstreamLineageNodeIds": [node_id for node_id, _ in stored.upstream],
        "downstreamLineageNodeIds": [node_id for node_id, _ in stored.downstream],
    }


def _patterns(clauses: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    found: dict[str, Any] = {}
    for clause in clauses:
        found.update(clause)
    if set(found) != {"entityPattern", "relationPattern"}:
        raise _invalid("match needs one entityPattern and one relationPattern")
    return found["entityPattern"], found["relationPattern"]


def _page(entries: list[Any], given: Mapping[str, Any], member: str) -> dict[str, Any]:
    start = 0
    if "nextToken" in given:
        try:
            start = int(base64.urlsafe_b64decode(given["nextToken"]))
        except (binascii.Error, ValueError) as error:
            raise _invalid(f"nextToken {given['nextToken']!r} is not valid") from error
    end = start + given.get("maxResults", _PAGE)
    answer: dict[str, Any] = {member: entries[start:end]}
    if end < len(entries):
        answer["nextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
