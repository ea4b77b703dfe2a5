"""``HiveCopyActivity``: whole tables from DynamoDB to S3, back, or to another table.

What picks items or attributes goes on being done by Hive.

Source: guide, "HiveCopyActivity" and "DynamoDBExportDataFormat"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-hivecopyactivity.html).
"""

from dataclasses import dataclass
from typing import ClassVar

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.dynamodb_copies import (
    EXPORT,
    HIVE_FORMAT_NOTE,
    IMPORT,
    CopyKind,
    TableCopy,
    account_cluster_use,
    checked_ratio,
    copy_task,
    report_fixed_target,
    templates_of,
    time_limit,
)
from updraft.migration.mappers.hive_copy_steps import add_hive_copy, needs_hive
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.table_regions import compile_own, region_of
from updraft.migration.mappers.task_settings import account_task_settings, retry_settings
from updraft.migration.staging import staging_param, staging_prefix
from updraft.migration.tasks import ArgumentValue

_TABLE, _FILES = "DynamoDBDataNode", "S3DataNode"
_WHOLE_ITEMS = "DynamoDBExportDataFormat"
# What Hive used up of a table's capacity unless told otherwise (EMR guide, "Hive options").
_HIVE_RATIO = 0.5


@dataclass(frozen=True, slots=True)
class _Ends:
    source: ResolvedObject
    target: ResolvedObject

    @property
    def types(self) -> tuple[str | None, str | None]:
        return self.source.type, self.target.type


class HiveCopyActivityMapper(ObjectMapper):
    """Maps copies of whole tables to operators of their own, all other copies to steps."""

    object_types: ClassVar[tuple[str, ...]] = ("HiveCopyActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a HiveCopyActivity.

        :param item: the activity.
        :param workflow: where the tasks, accounts and findings go.
        """
        with placeholder_unless_mapped(item, "input", workflow):
            map_copy(item, workflow)


def map_copy(item: ResolvedObject, workflow: Workflow) -> None:
    """Map an activity that copies its input to its output.

    :param item: the activity.
    :param workflow: where the tasks, accounts and findings go.
    :raises NotCompilableError: when it is not certain what was copied.
    """
    ends = _ends(item, workflow)
    nodes = (ends.source, ends.target)
    if needs_hive(item, nodes, workflow):
        add_hive_copy(item, nodes, workflow)
        return
    for node in nodes:
        _require_whole_items(node, workflow)
    if ends.types == (_TABLE, _TABLE):
        _add_table_to_table(item, ends, workflow)
        return
    kind, files = (EXPORT, ends.target) if ends.types == (_TABLE, _FILES) else (IMPORT, ends.source)
    s3_uri = _location(files, kind, workflow)
    copy = _copy(kind, s3_uri, item, ends, workflow)
    settings = time_limit(item, workflow) | retry_settings(item, workflow)
    if kind is EXPORT:
        report_fixed_target(s3_uri, files, "directoryPath", workflow)
    workflow.add_task(copy_task(item, copy, workflow.task_id(item), settings), templates_of(copy))
    _account(item, (copy,), workflow)
    if kind is EXPORT:
        workflow.ledger.account(item, "output", Status.APPROXIMATED, HIVE_FORMAT_NOTE)


def _ends(item: ResolvedObject, workflow: Workflow) -> _Ends:
    """Find source and target of a copy."""
    sides = []
    for role in ("input", "output"):
        nodes = [
            workflow.resolved[one] for one in item.references(role) if one in workflow.resolved
        ]
        if len(nodes) != 1:
            raise NotCompilableError(f"a copy takes one {role}, here there are {len(nodes)}")
        sides += nodes
    ends = _Ends(*sides)
    if ends.types not in {(_TABLE, _FILES), (_FILES, _TABLE), (_TABLE, _TABLE)}:
        source, target = (one or "an object without type" for one in ends.types)
        raise NotCompilableError(f"a copy from {source} to {target} is none with a DynamoDB table")
    return ends


def _require_whole_items(node: ResolvedObject, workflow: Workflow) -> None:
    formats = [
        workflow.resolved[one] for one in node.references("dataFormat") if one in workflow.resolved
    ]
    if len(formats) == 1 and formats[0].type == _WHOLE_ITEMS:
        return
    raise NotCompilableError(
        f"{node.id} has no {_WHOLE_ITEMS}, so it is not certain which attributes Hive copied"
    )


def _location(files: ResolvedObject, kind: CopyKind, workflow: Workflow) -> Template:
    # An export makes several files, an import may take a single one.
    for name in ("directoryPath", "filePath") if kind is IMPORT else ("directoryPath",):
        if files.field(name) is not None:
            return compile_own(name, files, workflow)
    raise NotCompilableError(f"{files.id} names no directory")


def _copy(
    kind: CopyKind, s3_uri: Template, item: ResolvedObject, ends: _Ends, workflow: Workflow
) -> TableCopy:
    table = ends.source if kind is EXPORT else ends.target
    if table.field("tableName") is None:
        raise NotCompilableError(f"{table.id} names no table")
    name = f"{kind.capacity}ThroughputPercent"
    ratio: ArgumentValue = _HIVE_RATIO
    templates: tuple[Template, ...] = ()
    if table.field(name) is not None:
        given = compile_own(name, table, workflow)
        ratio, templates = checked_ratio(given, kind, table, name, workflow), (given,)
    return TableCopy(
        kind=kind,
        table_name=compile_own("tableName", table, workflow),
        s3_uri=s3_uri,
        ratio=ratio,
        region=region_of(item, kind.table_role, workflow, node_first=True),
        templates=templates,
        by_hive=True,
    )


def _add_table_to_table(item: ResolvedObject, ends: _Ends, workflow: Workflow) -> None:
    staging = staging_param(workflow)
    s3_uri = staging_prefix(staging, item, workflow)
    copies = tuple(_copy(kind, s3_uri, item, ends, workflow) for kind in (EXPORT, IMPORT))
    settings = time_limit(item, workflow) | retry_settings(item, workflow)
    for copy, add in zip(copies, (workflow.add_preparation, workflow.add_task), strict=True):
        task_id = workflow.task_id(item, copy.kind.noun)
        add(copy_task(item, copy, task_id, settings), templates_of(copy))
    workflow.ask_for(staging)
    _account(item, copies, workflow)
    workflow.report(
        Severity.WARNING,
        item,
        "type",
        "Hive copied straight from table to table; the DAG goes through S3 and asks for a prefix",
        "Give a prefix of your own; its files stay, so expire them by a lifecycle rule",
    )


def _account(item: ResolvedObject, copies: tuple[TableCopy, ...], workflow: Workflow) -> None:
    account_task_settings(item, workflow)
    notes = [
        note for copy in copies for note in (copy.kind.account[1], _capacity_note(copy)) if note
    ]
    if len(copies) > 1:
        notes.append("the files between them stay in S3")
    exact = all(copy.kind.account[0] is Status.CARRIED_OVER for copy in copies)
    status = Status.CARRIED_OVER if exact else Status.APPROXIMATED
    workflow.ledger.account(item, "type", status, "; ".join(notes))
    noun = copies[0].kind.noun if len(copies) == 1 else "copy"
    account_cluster_use(item, noun, tuple(copy.region for copy in copies), workflow)


def _capacity_note(copy: TableCopy) -> str:
    if copy.templates:
        return ""
    return f"it uses {_HIVE_RATIO} of the {copy.kind.capacity} capacity, as Hive did by itself"
