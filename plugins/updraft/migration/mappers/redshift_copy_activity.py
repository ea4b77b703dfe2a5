"""``RedshiftCopyActivity``: loads into tables of Amazon Redshift, and unloads.

Source: guide, "RedshiftCopyActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-redshiftcopyactivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import references_to
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.redshift_loads import add_load
from updraft.migration.mappers.redshift_tables import TYPE as TABLE
from updraft.migration.mappers.redshift_unloads import add_unload
from updraft.migration.mappers.task_fields import TaskFields

_SOURCES = {"DynamoDBDataNode", "S3DataNode", TABLE}


class RedshiftCopyActivityMapper(ObjectMapper):
    """Maps loads to ``RedshiftCopyOperator``, unloads to ``RedshiftUnloadOperator``."""

    object_types: ClassVar[tuple[str, ...]] = ("RedshiftCopyActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a RedshiftCopyActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        with placeholder_unless_mapped(item, "input", workflow):
            _map_activity(item, workflow)


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    source, target = (_node(item, role, workflow) for role in ("input", "output"))
    fields = TaskFields(item, workflow)
    if target.type == TABLE and source.type in _SOURCES:
        add_load(source, target, fields)
    elif target.type == "S3DataNode" and source.type == TABLE:
        add_unload(source, target, fields)
    else:
        names = " to ".join(one.type or "an object without type" for one in (source, target))
        raise NotCompilableError(f"Redshift neither loads nor unloads from {names}")


def _node(item: ResolvedObject, role: str, workflow: Workflow) -> ResolvedObject:
    found = references_to(role, item, workflow)
    if len(found) != 1:
        raise NotCompilableError(f"a copy takes one {role}, here there are {len(found)}")
    return found[0]
