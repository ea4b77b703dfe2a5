"""``EmrActivity`` and ``EmrCluster``.

An EmrActivity that only ran AWS's export tool for DynamoDB needs no cluster any more; every other
one waits for its migration.
"""

from dataclasses import dataclass
from typing import ClassVar

from updraft.datapipeline.expressions import (
    Embedded,
    ExpressionError,
    Member,
    Name,
    Part,
    Verbatim,
)
from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import ResolvedObject
from updraft.datapipeline.steps import split_step
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import parameter_code
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, ParameterUse, Workflow
from updraft.migration.mappers.emr_cluster_notes import cluster_note
from updraft.migration.mappers.placeholders import add_placeholder
from updraft.migration.mappers.task_settings import (
    account_task_settings,
    code_for,
    fixed_duration,
    retry_settings,
)
from updraft.migration.tasks import ArgumentValue, TaskSpec

# The class was renamed between releases of the tool.
_EXPORT_CLASSES = {
    "org.apache.hadoop.dynamodb.tools.DynamoDbExport",
    "org.apache.hadoop.dynamodb.tools.DynamoDBExport",
}
_EXPORT_OPERATOR = "updraft.operators.dynamodb.DynamoDBExportOperator"
_EXPORT_ARGUMENTS = ("output directory", "table", "read throughput ratio", "total segments")
_OPTIONAL_ARGUMENTS = 1
# DynamoDB divides a scan into at most so many segments (API reference, "Scan").
_MOST_SEGMENTS = 1_000_000
# A table's read throughput ratio lies between these (guide, "DynamoDBDataNode").
_LOWEST_RATIO, _HIGHEST_RATIO = 0.1, 1.0


@dataclass(frozen=True)
class _ExportArguments:
    s3_uri: Template
    table_name: Template
    ratio: Template
    total_segments: int | None


class EmrActivityMapper(ObjectMapper):
    """Maps the export of a DynamoDB table; other steps become placeholders."""

    object_types: ClassVar[tuple[str, ...]] = ("EmrActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an EmrActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        try:
            _map_activity(item, workflow)
        except MissingFieldError as error:
            owner_id, field = error.place or (item.fields["step"].owner_id, "step")
            owner = workflow.resolved[owner_id]
            workflow.report(Severity.ERROR, owner, field, error.message, error.advice)
        except NotCompilableError as error:
            add_placeholder(item, workflow, str(error))
        except ExpressionError:
            # The check of the definition has reported it, with its place.
            return


def is_export(item: ResolvedObject) -> bool:
    """Tell whether an activity does nothing but run the export tool once.

    :param item: the activity.
    :returns: true for a single step with one of the tool's main classes.
    """
    step = item.text("step")
    if item.type != "EmrActivity" or step is None:
        return False
    try:
        arguments = split_step(step)
    except ExpressionError:
        return False
    return len(arguments) > 1 and _literal(arguments[1]) in _EXPORT_CLASSES


def _literal(parts: tuple[Part, ...]) -> str | None:
    if all(isinstance(part, Verbatim) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Verbatim)).strip()
    return None


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    if not is_export(item):
        add_placeholder(item, workflow, "steps other than the DynamoDB export are not migrated yet")
        return
    for name in ("preStepCommand", "postStepCommand"):
        if item.field(name) is not None:
            add_placeholder(item, workflow, f"{name} around an export is not migrated yet")
            return
    workflow.compiler.require_public("step")
    arguments = _export_arguments(item, workflow)
    if arguments is not None:
        _add_export(item, arguments, workflow)


def _export_arguments(item: ResolvedObject, workflow: Workflow) -> _ExportArguments | None:
    given = split_step(item.text("step") or "")[2:]
    missing = [
        name
        for index, name in enumerate(_EXPORT_ARGUMENTS[:-_OPTIONAL_ARGUMENTS])
        if index >= len(given) or _literal(given[index]) == ""
    ]
    if len(given) == len(_EXPORT_ARGUMENTS) - 2 and _is_ratio(given[-1], workflow):
        # The ratio stands in the place of the table.
        missing = ["table"]
    if missing:
        workflow.report(
            Severity.ERROR,
            item,
            "step",
            f"The export step lacks its {' and '.join(missing)}",
            "Write it as <jar>,<class>,<output directory>,<table>,<read throughput ratio>",
        )
        return None
    if len(given) > len(_EXPORT_ARGUMENTS):
        raise NotCompilableError(
            f"the export tool takes {len(_EXPORT_ARGUMENTS)} arguments, the step has {len(given)}"
        )
    compiled = [workflow.compiler.compile_parts(parts, item) for parts in given]
    s3_uri, table_name, ratio, *others = compiled
    return _ExportArguments(
        s3_uri=s3_uri,
        table_name=table_name,
        ratio=ratio,
        total_segments=_segments(others[0], item, workflow) if others else None,
    )


def _is_ratio(parts: tuple[Part, ...], workflow: Workflow) -> bool:
    """Tell whether an argument can only be a ratio: a number, or a parameter or field for one."""
    literal = _literal(parts)
    if literal is not None:
        try:
            return 0 <= float(literal) <= _HIGHEST_RATIO
        except ValueError:
            return False
    if len(parts) != 1 or not isinstance(parts[0], Embedded):
        return False
    tree = parts[0].tree
    name = tree.name if isinstance(tree, Name | Member) else ""
    parameter = workflow.definition.parameters_by_name.get(name)
    is_double = parameter is not None and parameter.type.casefold() == "double"
    return is_double or name == "readThroughputPercent"


def _segments(given: Template, item: ResolvedObject, workflow: Workflow) -> int:
    text = (given.literal or "").strip()
    if not text.removeprefix("-").isdecimal():
        raise NotCompilableError("a number of segments that is not fixed is not supported yet")
    segments = int(text)
    if not 1 <= segments <= _MOST_SEGMENTS:
        workflow.report(
            Severity.ERROR,
            item,
            "step",
            f"The number of segments {segments} does not lie between 1 and {_MOST_SEGMENTS:,}",
            "Correct the last argument, or leave it out: the export then chooses by itself",
        )
    return segments


def _add_export(item: ResolvedObject, given: _ExportArguments, workflow: Workflow) -> None:
    region = _region(item, workflow)
    arguments: dict[str, ArgumentValue] = {
        "table_name": given.table_name.text,
        "s3_uri": given.s3_uri.text,
        "read_throughput_ratio": _ratio(item, given, workflow),
    }
    if given.total_segments is not None:
        arguments["total_segments"] = given.total_segments
    if region is not None:
        arguments["region_name"] = region.text
    arguments |= _time_limit(item, workflow)
    arguments |= retry_settings(item, workflow)
    templates = (given.table_name, given.s3_uri, given.ratio, *([region] if region else []))
    workflow.add_task(
        TaskSpec(
            task_id=workflow.task_id(item),
            object_id=item.id,
            object_type=item.type or "-",
            operator=_EXPORT_OPERATOR,
            arguments=arguments,
            summary="exports a DynamoDB table to S3, in the format that the pipeline wrote",
        ),
        templates,
    )
    account_task_settings(item, workflow)
    account = workflow.ledger.account
    account(item, "type", Status.CARRIED_OVER, "`DynamoDBExportOperator`")
    account(item, "step", Status.CARRIED_OVER, "output, table and ratio are its arguments")
    account(item, "runsOn", Status.DROPPED, "the export needs no cluster")
    account(item, "workerGroup", Status.DROPPED, "the export needs no worker of its own")
    for name in ("resizeClusterBeforeRunning", "resizeClusterMaxInstances"):
        account(item, name, Status.DROPPED, "the export needs no cluster")


def _clusters(item: ResolvedObject, workflow: Workflow) -> list[ResolvedObject]:
    return [
        workflow.resolved[object_id]
        for object_id in item.references("runsOn")
        if object_id in workflow.resolved
    ]


def _region(item: ResolvedObject, workflow: Workflow) -> Template | None:
    """Find the region of the table: the export tool took that of its cluster."""
    for cluster in _clusters(item, workflow):
        if cluster.text("region") is not None:
            return workflow.compiler.compile_field("region", cluster)
    return None


def _ratio(item: ResolvedObject, given: _ExportArguments, workflow: Workflow) -> ArgumentValue:
    literal = given.ratio.literal
    if literal is None:
        if len(given.ratio.parameters) == 1:
            (name,) = given.ratio.parameters
            if given.ratio.text == f"{{{{ {parameter_code(name)} }}}}":
                workflow.bounds[name] = ParameterUse(_LOWEST_RATIO, _HIGHEST_RATIO)
        return given.ratio.text
    try:
        ratio = float(literal)
    except ValueError:
        ratio = 0.0
    if not _LOWEST_RATIO <= ratio <= _HIGHEST_RATIO:
        workflow.report(
            Severity.ERROR,
            item,
            "step",
            f"The read throughput ratio {literal!r} is no number from 0.1 to 1.0",
            "Give the share of the table's read capacity that the export may use, such as 0.25",
        )
    return ratio


def _time_limit(item: ResolvedObject, workflow: Workflow) -> dict[str, ArgumentValue]:
    limits = []
    attempt = fixed_duration(item, "attemptTimeout", workflow)
    if attempt is not None:
        limits.append(attempt)
        note = "`execution_timeout`, for each try as before"
        workflow.ledger.account(item, "attemptTimeout", Status.CARRIED_OVER, note)
    for cluster in _clusters(item, workflow):
        lifetime = fixed_duration(cluster, "terminateAfter", workflow)
        if lifetime is not None:
            limits.append(lifetime)
    return {"execution_timeout": code_for(min(limits))} if limits else {}


class EmrClusterMapper(ObjectMapper):
    """Maps clusters: those that only served exports are not needed any more."""

    object_types: ClassVar[tuple[str, ...]] = ("EmrCluster",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an EmrCluster.

        :param item: the cluster.
        :param workflow: where the accounts, and if need be the placeholder, go.
        """
        # Default and abstract parents only lend the reference to those that inherit it.
        users = [
            user
            for user in workflow.users(item.id, "runsOn")
            if user.type is not None or user.id in workflow.tasks
        ]
        exports = [
            user for user in users if (task := workflow.tasks.get(user.id)) and task.migrated
        ]
        if len(exports) < len(users):
            add_placeholder(item, workflow, "clusters are not migrated yet")
            return
        account = workflow.ledger.account
        for name in item.fields:
            status, note = cluster_note(name, item, used=bool(users))
            if status is not None:
                account(item, name, status, note)
        note = "no activity runs on it" if not users else "the export needs no cluster"
        account(item, "type", Status.DROPPED, note)
        account(item, "name", Status.DROPPED, note)
