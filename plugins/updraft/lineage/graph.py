"""The graph of tables, columns and jobs that lineage events describe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from updraft.errors import ArgumentError
from updraft.lineage.naming import DatasetName


class Column(NamedTuple):
    """A column of a dataset."""

    dataset: DatasetName
    name: str


class JobName(NamedTuple):
    """Name of a job as OpenLineage splits it."""

    namespace: str
    name: str


@dataclass
class Dataset:
    """What is known of a dataset.

    :param columns: type by name of column, empty where it isn't known, in the order of its schema.
    """

    columns: dict[str, str] = field(default_factory=dict)


@dataclass
class Job:
    """What is known of a job.

    :param kind: such as ``AIRFLOW TASK``.
    :param state: type of its last event.
    """

    kind: str = ""
    state: str = ""


Node = DatasetName | JobName


@dataclass
class LineageGraph:
    """What flows where.

    :param datasets: the datasets by name.
    :param jobs: the jobs by name, those without datasets too.
    :param reads: dataset and the job that reads it.
    :param writes: job and the dataset that it writes.
    :param columns: source and target column, and whether the one only decides which rows there are.
    """

    datasets: dict[DatasetName, Dataset] = field(default_factory=dict)
    jobs: dict[JobName, Job] = field(default_factory=dict)
    reads: set[tuple[DatasetName, JobName]] = field(default_factory=set)
    writes: set[tuple[JobName, DatasetName]] = field(default_factory=set)
    columns: dict[tuple[Column, Column], bool] = field(default_factory=dict)

    def add(self, event: Mapping[str, Any]) -> None:
        """Take over what an event says.

        :param event: a valid event, with names as they shall be shown.
        """
        if "job" not in event:
            if "dataset" in event:
                self._dataset(event["dataset"])
            return
        name = JobName(event["job"]["namespace"], event["job"]["name"])
        job = self.jobs.setdefault(name, Job())
        job.state = event.get("eventType") or job.state
        job.kind = _kind(event["job"]) or job.kind
        for dataset in event.get("inputs", []):
            self.reads.add((self._dataset(dataset), name))
        for dataset in event.get("outputs", []):
            self.writes.add((name, self._dataset(dataset)))

    def edges(self) -> list[tuple[Node, Node]]:
        """Return what flows from node to node, sorted."""
        return sorted([*self.reads, *self.writes])

    def nodes(self) -> list[Node]:
        """Return the datasets and the jobs that read or write some, sorted."""
        busy = {node for edge in self.edges() for node in edge}
        return sorted([*self.datasets, *(job for job in self.jobs if job in busy)])

    def around(self, focus: Iterable[Node], depth: int) -> "LineageGraph":
        """Cut out what is upstream and downstream of some nodes.

        :param focus: the nodes.
        :param depth: how many jobs away.
        :returns: a graph of these and what is between them.
        """
        kept: set[Node] = set(focus)
        for source, target in ((0, 1), (1, 0)):
            reached = set(kept)
            for _ in range(2 * depth):
                reached |= {edge[target] for edge in self.edges() if edge[source] in reached}
            kept |= reached
        return LineageGraph(
            {name: value for name, value in self.datasets.items() if name in kept},
            {name: value for name, value in self.jobs.items() if name in kept},
            {edge for edge in self.reads if kept >= set(edge)},
            {edge for edge in self.writes if kept >= set(edge)},
            {
                edge: filters
                for edge, filters in self.columns.items()
                if edge[0].dataset in kept and edge[1].dataset in kept
            },
        )

    def find(self, text: str) -> list[Node]:
        """Find nodes by a part of their names.

        :param text: the part, in any case.
        :returns: the nodes.
        :raises ArgumentError: when there is none.
        """
        wanted = text.casefold()
        found = [node for node in self.nodes() if wanted in "/".join(node).casefold()]
        if not found:
            raise ArgumentError(f"no table and no job has {text!r} in its name")
        return found

    def _dataset(self, dataset: Mapping[str, Any]) -> DatasetName:
        name = DatasetName(dataset["namespace"], dataset["name"])
        node = self.datasets.setdefault(name, Dataset())
        facets = dataset.get("facets", {})
        for column in facets.get("schema", {}).get("fields", []):
            if isinstance(column.get("name"), str):
                node.columns[column["name"]] = str(column.get("type") or "")
        lineage = facets.get("columnLineage", {})
        for target, sources in lineage.get("fields", {}).items():
            node.columns.setdefault(target, "")
            for source in sources.get("inputFields", []):
                self._column_edge(source, Column(name, target))
        return name

    def _column_edge(self, source: Mapping[str, Any], target: Column) -> None:
        origin = Column(DatasetName(source["namespace"], source["name"]), source["field"])
        self.datasets.setdefault(origin.dataset, Dataset()).columns.setdefault(origin.name, "")
        kinds = {one.get("type") for one in source.get("transformations") or []}
        filters = kinds == {"INDIRECT"}
        self.columns[origin, target] = self.columns.get((origin, target), True) and filters


def _kind(job: Mapping[str, Any]) -> str:
    facet = job.get("facets", {}).get("jobType", {})
    return " ".join(str(facet[key]) for key in ("integration", "jobType") if facet.get(key))
