"""Steps of an EmrActivity that copy a DynamoDB table, by AWS's tools or its older Hive scripts.

Sources: guide, "Export DynamoDB table to S3" and "Import DynamoDB backup data from S3"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-template-exportddbtos3.html),
and the templates' own definitions.
"""

from dataclasses import dataclass

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
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.dynamodb_copies import (
    EXPORT,
    HIGHEST_RATIO,
    IMPORT,
    CopyKind,
    TableCopy,
    checked_ratio,
)
from updraft.migration.mappers.dynamodb_hive_scripts import hive_script_copy, hive_script_kind
from updraft.migration.mappers.table_regions import Region, region_of

_TOOLS = "org.apache.hadoop.dynamodb.tools."
# DynamoDB divides a scan into at most so many segments (API reference, "Scan").
_MOST_SEGMENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Tool:
    kind: CopyKind
    arguments: tuple[str, ...]
    optional: tuple[str, ...] = ()


_EXPORT_TOOL = _Tool(
    EXPORT, ("output directory", "table", "read throughput ratio"), ("total segments",)
)
_IMPORT_TOOL = _Tool(IMPORT, ("input directory", "table", "write throughput ratio"))
# The classes were renamed between releases.
_BY_CLASS = {
    f"{_TOOLS}DynamoDbExport": _EXPORT_TOOL,
    f"{_TOOLS}DynamoDBExport": _EXPORT_TOOL,
    f"{_TOOLS}DynamoDbImport": _IMPORT_TOOL,
    f"{_TOOLS}DynamoDBImport": _IMPORT_TOOL,
}


# Buckets of AWS, one in each region (guide, "Export DynamoDB table to S3").
_BUCKETS = {"s3://dynamodb-emr-", "s3://dynamodb-dpl-"}
_BUCKET_AND_PATH = 3  # the bucket's name has two parts


def step_kind(step: str) -> CopyKind | None:
    """Tell whether a step copies a table.

    :param step: the step.
    :returns: the direction, none for any other step.
    """
    try:
        arguments = split_step(step)
    except ExpressionError:
        return None
    tool = _tool(arguments)
    return tool.kind if tool is not None else hive_script_kind(arguments)


def step_copy(step: str, item: ResolvedObject, workflow: Workflow) -> TableCopy | None:
    """Read what a step copies.

    :param step: a step of which :func:`step_kind` says that it copies.
    :param item: its activity.
    :param workflow: wrong arguments become errors there.
    :returns: the copy, none when arguments are missing.
    :raises NotCompilableError: when the operators can't do the same.
    """
    arguments = split_step(step)
    tool = _tool(arguments)
    if tool is None:
        return hive_script_copy(arguments, item, workflow)
    given = arguments[2:]
    if not _is_complete(given, tool, item, workflow):
        return None
    most = len(tool.arguments) + len(tool.optional)
    if len(given) > most:
        raise NotCompilableError(
            f"the {tool.kind.noun} tool takes {most} arguments, the step has {len(given)}"
        )
    compiled = [workflow.compiler.compile_parts(parts, item) for parts in given]
    s3_uri, table_name, ratio, *others = compiled
    segments = _segments(others[0], item, workflow) if others else None
    return TableCopy(
        kind=tool.kind,
        table_name=table_name,
        s3_uri=s3_uri,
        region=_region(arguments[0], tool.kind, item, workflow),
        ratio=checked_ratio(ratio, tool.kind, item, "step", workflow),
        templates=(ratio,),
        total_segments=segments,
    )


def _region(
    jar: tuple[Part, ...], kind: CopyKind, item: ResolvedObject, workflow: Workflow
) -> Region:
    """Find the region of the table; where no object tells it, the bucket of the tool may do so.

    AWS's templates ask for the "Region of the DynamoDB table", and name the bucket after it. Where
    it is written out, it may have been copied with a sample, and nobody noticed.
    """
    region = region_of(item, kind.table_role, workflow, node_first=False)
    if region.template is not None or len(jar) < _BUCKET_AND_PATH:
        return region
    bucket, name, path = jar[0], jar[1], jar[2]
    if (
        isinstance(bucket, Verbatim)
        and bucket.text.strip() in _BUCKETS
        and isinstance(name, Embedded)
        and isinstance(path, Verbatim)
        and path.text.startswith("/")
    ):
        return Region(workflow.compiler.compile_parts((name,), item))
    return region


def _tool(arguments: tuple[tuple[Part, ...], ...]) -> _Tool | None:
    name = _literal(arguments[1]) if len(arguments) > 1 else None
    return _BY_CLASS.get(name) if name is not None else None


def _is_complete(
    given: tuple[tuple[Part, ...], ...], tool: _Tool, item: ResolvedObject, workflow: Workflow
) -> bool:
    missing = [
        name
        for index, name in enumerate(tool.arguments)
        if index >= len(given) or _literal(given[index]) == ""
    ]
    if len(given) == len(tool.arguments) - 1 and _is_ratio(given[-1], tool.kind, workflow):
        # The ratio stands in the place of the table.
        missing = ["table"]
    if missing:
        form = ",".join(f"<{name}>" for name in ("jar", "class", *tool.arguments))
        workflow.report(
            Severity.ERROR,
            item,
            "step",
            f"The {tool.kind.noun} step lacks its {' and '.join(missing)}",
            f"Write it as {form}",
        )
    return not missing


def _literal(parts: tuple[Part, ...]) -> str | None:
    if all(isinstance(part, Verbatim) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Verbatim)).strip()
    return None


def _is_ratio(parts: tuple[Part, ...], kind: CopyKind, workflow: Workflow) -> bool:
    """Tell whether an argument can only be a ratio: a number, or a parameter or field for one."""
    literal = _literal(parts)
    if literal is not None:
        try:
            return 0 <= float(literal) <= HIGHEST_RATIO
        except ValueError:
            return False
    if len(parts) != 1 or not isinstance(parts[0], Embedded):
        return False
    tree = parts[0].tree
    name = tree.name if isinstance(tree, Name | Member) else ""
    parameter = workflow.definition.parameters_by_name.get(name)
    is_double = parameter is not None and parameter.type.casefold() == "double"
    return is_double or name == f"{kind.capacity}ThroughputPercent"


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
