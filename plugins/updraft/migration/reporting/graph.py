"""Graphs of a pipeline, before and after: what refers to what, and which task waits for which."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.model import Definition
from updraft.datapipeline.resolution import DEFAULT_ID, parent_ids
from updraft.migration.mapper import Workflow
from updraft.migration.tasks import DagSpec, TaskSpec

# By these an object names what comes after it; by all others, what it needs.
_FORWARD = {"output", "onFail", "onSuccess", "onLateAction"}


class NodeKind(StrEnum):
    """What a node is, which decides how it looks."""

    ACTIVITY = "activity"
    DATA_NODE = "data node"
    RESOURCE = "resource"
    PRECONDITION = "precondition"
    ACTION = "action"
    SCHEDULE = "schedule"
    DESCRIPTION = "description"
    UNKNOWN = "unknown"
    TASK = "task"
    SENSOR = "sensor"
    SETUP = "setup"
    TEARDOWN = "teardown"
    PLACEHOLDER = "placeholder"


class Node(BaseModel):
    """A legacy object, or a task.

    :param id: id of the object, or of the task.
    :param label: what people call it.
    :param detail: type of the object, or operator of the task.
    :param kind: what it is.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    label: str
    detail: str
    kind: NodeKind


class Edge(BaseModel):
    """A line between two nodes, in the direction in which work flows.

    :param source: id of the node that comes first.
    :param target: id of the other one.
    :param field: by which field the objects refer to each other, for tasks ``waits for``.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    target: str
    field: str


class Graph(BaseModel):
    """Nodes in the order of the file, and the edges between them."""

    model_config = ConfigDict(frozen=True)

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


def graph_before(workflow: Workflow) -> Graph:
    """Draw what a definition says: its objects, and the references written on them.

    :param workflow: the workflow.
    :returns: the graph, with the objects that references name and the file lacks.
    """
    definition = workflow.definition
    parents = parent_ids(definition)
    nodes = tuple(
        Node(
            id=item.id,
            label=item.name,
            detail=item.type or _without_type(item.id, workflow, parents),
            kind=_kind(item.id, workflow, parents),
        )
        for item in definition.objects_by_id.values()
    )
    return Graph(nodes=nodes, edges=tuple(dict.fromkeys(_references(definition))))


def graph_after(dag: DagSpec) -> Graph:
    """Draw a DAG.

    :param dag: the DAG.
    :returns: its tasks and which waits for which.
    """
    edges = [
        Edge(source=one, target=task.task_id, field="waits for")
        for task in dag.tasks
        for one in dict.fromkeys((*dag.upstream.get(task.task_id, ()), *_implied(task)))
    ]
    nodes = tuple(
        Node(
            id=task.task_id,
            label=task.task_id,
            detail=task.operator_name,
            kind=_task_kind(task),
        )
        for task in dag.tasks
    )
    return Graph(nodes=nodes, edges=tuple(edges))


def _implied(task: TaskSpec) -> list[str]:
    return sorted(task.implied_upstream)


def _without_type(object_id: str, workflow: Workflow, parents: frozenset[str]) -> str:
    if object_id == DEFAULT_ID:
        return "pipeline-wide"
    if object_id in workflow.missing:
        return "not in the definition"
    return "lends its fields" if object_id in parents else "no type"


def _kind(object_id: str, workflow: Workflow, parents: frozenset[str]) -> NodeKind:
    item = workflow.resolved.get(object_id)
    category = item.category if item is not None else None
    if category is None:
        lends = object_id == DEFAULT_ID or (
            item is not None and not item.type and object_id in parents
        )
        return NodeKind.DESCRIPTION if lends else NodeKind.UNKNOWN
    known = {kind.value for kind in NodeKind}
    return NodeKind(category) if category in known else NodeKind.DESCRIPTION


def _task_kind(task: TaskSpec) -> NodeKind:
    if not task.migrated:
        return NodeKind.PLACEHOLDER
    if task.is_setup:
        return NodeKind.SETUP
    if task.ends is not None:
        return NodeKind.TEARDOWN
    return NodeKind.SENSOR if task.operator_name.endswith("Sensor") else NodeKind.TASK


def _references(definition: Definition) -> Iterator[Edge]:
    known = definition.objects_by_id
    for item in known.values():
        for field in item.fields:
            for other in field.references:
                if other not in known:
                    continue
                pair = (item.id, other) if field.name in _FORWARD else (other, item.id)
                yield Edge(source=pair[0], target=pair[1], field=field.name)
