"""From an event to nodes and edges of the lineage graph."""

from dataclasses import dataclass
from typing import Any

from include.local.gateway.services.datazone import source_identifiers
from include.local.gateway.services.datazone.events import RunEvent
from include.local.gateway.services.datazone.identifiers import derived_identifier
from include.local.gateway.services.datazone.source_identifiers import Caller

DATASET, JOB, JOB_RUN = "Dataset", "Job", "JobRun"


@dataclass(frozen=True)
class Node:
    """A node as one event describes it.

    :param domain: domain that it belongs to.
    :param kind: :data:`DATASET`, :data:`JOB` or :data:`JOB_RUN`.
    :param name: its name in the event.
    :param source_identifier: what links it to an asset of the catalog.
    :param facets: what the event says about it, as it stands there.
    """

    domain: str
    kind: str
    name: str
    source_identifier: str
    facets: dict[str, Any]

    @property
    def id(self) -> str:
        """Identifier of the node, the same in every event that mentions it."""
        return derived_identifier(self.domain, self.kind, self.source_identifier)


@dataclass(frozen=True)
class Fragment:
    """What one event adds to the graph.

    :param nodes: every node that it mentions, once.
    :param edges: pairs of node ids, upstream first: input to run, run to output.
    """

    nodes: list[Node]
    edges: list[tuple[str, str]]


def fragment(event: RunEvent, domain: str, caller: Caller) -> Fragment:
    """Translate an event.

    :param event: the event.
    :param domain: domain that it was posted to.
    :param caller: who posted it.
    :returns: its part of the graph.
    """
    job, run = event.content["job"], event.content["run"]
    job_node = Node(
        domain, JOB, job["name"], source_identifiers.of_job(job), dict(job.get("facets") or {})
    )
    run_node = Node(
        domain,
        JOB_RUN,
        run["runId"],
        source_identifiers.of_run(job, run),
        {
            "eventType": event.type,
            "eventTime": event.content["eventTime"],
            "job": {"namespace": job["namespace"], "name": job["name"]},
            "facets": run.get("facets") or {},
        },
    )

    def datasets(side: str) -> list[Node]:
        return [
            Node(
                domain,
                DATASET,
                dataset["name"],
                source_identifiers.of_dataset(dataset, run, caller),
                dict(dataset.get("facets") or {}),
            )
            for dataset in event.content.get(side) or []
        ]

    inputs, outputs = datasets("inputs"), datasets("outputs")
    nodes = {node.id: node for node in (job_node, run_node, *inputs, *outputs)}
    edges = [(node.id, run_node.id) for node in inputs]
    edges += [(run_node.id, node.id) for node in outputs]
    return Fragment(list(nodes.values()), list(dict.fromkeys(edges)))
