"""In which region the tables of an activity are.

AWS's tools for export and import asked their cluster, Hive first asked the data node.
"""

from dataclasses import dataclass, replace

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.jinja_compiler import Template
from updraft.migration.mapper import Workflow


@dataclass(frozen=True, slots=True)
class Region:
    """Where a table is.

    :param template: its region, none for that of the Airflow connection.
    :param note: how that may differ from where the legacy pipeline looked, empty for not at all.
    """

    template: Template | None
    note: str = ""


def compile_own(name: str, item: ResolvedObject, workflow: Workflow) -> Template:
    """Compile a field so that it counts as read itself.

    :param name: the field, which has one text.
    :param item: the object that has it.
    :param workflow: the workflow.
    :returns: the template.
    :raises NotCompilableError: when a part of it can't be said exactly.
    """
    template = workflow.compiler.compile_field(name, item)
    own = (item.fields[name].owner_id, name)
    return replace(template, fields=template.fields | {own})


def clusters_of(item: ResolvedObject, workflow: Workflow) -> list[ResolvedObject]:
    """List what an activity runs on.

    :param item: the activity.
    :param workflow: the workflow.
    :returns: the resources that exist.
    """
    resolved = workflow.resolved
    return [resolved[one] for one in item.references("runsOn") if one in resolved]


def region_of(item: ResolvedObject, role: str, workflow: Workflow, *, node_first: bool) -> Region:
    """Find the region of the table.

    :param item: the activity.
    :param role: the field of the activity that points to the table, ``input`` or ``output``.
    :param workflow: the workflow.
    :param node_first: whether the data node's word counts more than the cluster's: Hive read it,
        AWS's tools for export and import asked their cluster.
    :returns: the region.
    """
    nodes = [node] if (node := _table(item, role, workflow)) is not None else []
    clusters = clusters_of(item, workflow)
    first, second = (nodes, clusters) if node_first else (clusters, nodes)
    for place in first:
        if place.text("region") is not None:
            return Region(compile_own("region", place, workflow))
    for place in second:
        if place.text("region") is not None:
            note = f"the table is looked for in the region of {place.id}, the only one that is told"
            return Region(compile_own("region", place, workflow), note)
    return Region(
        None,
        "no region is told: the table is looked for in that of the Airflow connection, where the "
        "pipeline took its own",
    )


def _table(item: ResolvedObject, role: str, workflow: Workflow) -> ResolvedObject | None:
    """Find the table's data node, none when there is not exactly one on that side."""
    resolved = workflow.resolved
    found = [
        resolved[one]
        for one in item.references(role)
        if one in resolved and resolved[one].type == "DynamoDBDataNode"
    ]
    return found[0] if len(found) == 1 else None
