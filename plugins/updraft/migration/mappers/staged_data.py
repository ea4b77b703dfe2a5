"""Data nodes that an activity stages: where their data lie, and how they are written.

Sources: guide, "Staging Data and Tables with Pipeline Activities"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-concepts-staging.html), and the
pages of the data formats.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.hive_staging import Delimited, Regex
from updraft.emr.staged_columns import Column, parse_columns
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import (
    compile_value,
    compile_values,
    flag,
    reading,
    references_to,
)
from updraft.migration.mappers.copy_tables import TABLES
from updraft.migration.mappers.emr_steps import ActivitySteps

ITEM_FORMAT, ATTRIBUTE_FORMAT = "DynamoDBExportDataFormat", "DynamoDBDataFormat"
"""Formats of DynamoDB: whole items, and the attributes that are listed."""

_STAGED_TYPES = {"DynamoDBDataNode", "S3DataNode"}
_VARIABLE = re.compile(r"\$\{(?P<role>input|output)(?P<number>\d+)\}", re.IGNORECASE)
# How definitions write characters that JSON has escapes for, too.
_ESCAPED = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}
_BACKSLASHES = re.compile(r"\\+")
_DEFAULT_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class StagedNode:
    """A data node under the name that scripts know it by.

    :param item: the data node.
    :param variable: ``input1``, ``output2`` and so on.
    :param format: its data format.
    :param columns: the columns of that.
    """

    item: ResolvedObject
    variable: str
    format: ResolvedObject
    columns: tuple[Column, ...]

    @property
    def is_input(self) -> bool:
        """Whether the activity reads it."""
        return self.variable.startswith("input")


def mentioned_variables(script: str) -> list[str]:
    """List the names of staged data that a script mentions.

    :param script: the script.
    :returns: each name once, spelt as it is there.
    """
    return list(dict.fromkeys(match[0][2:-1] for match in _VARIABLE.finditer(script)))


def undescribed_nodes(script: str | None, steps: ActivitySteps) -> dict[str, ResolvedObject]:
    """List the data nodes that a script mentions and the definition lacks.

    :param script: the script, none when it lies in S3 and nobody knows what it mentions.
    :param steps: the activity.
    :returns: for each name, spelt as it is there, an object of which nothing is known.
    """
    found: dict[str, ResolvedObject] = {}
    for name in mentioned_variables(script or ""):
        match = _VARIABLE.fullmatch(f"${{{name}}}")
        nodes = references_to(match["role"].casefold(), steps.item, steps.workflow) if match else []
        place = int(match["number"]) - 1 if match else 0
        if 0 <= place < len(nodes) and nodes[place].id in steps.workflow.missing:
            found[name] = nodes[place]
    return found


def staged_tables(script: str | None, steps: ActivitySteps) -> dict[str, ResolvedObject]:
    """List the tables of a database that an activity stages.

    :param script: the script, none when it lies in S3 and nobody knows what it mentions.
    :param steps: the activity.
    :returns: by the name that the script knows it by, in lower case, the data node.
    """
    if flag("stage", steps.item) is False:
        return {}
    mentioned = {name.casefold() for name in mentioned_variables(script or "")}
    return {
        f"{role}{number}": node
        for role in ("input", "output")
        for number, node in enumerate(references_to(role, steps.item, steps.workflow), 1)
        if node.type in TABLES and (script is None or f"{role}{number}" in mentioned)
    }


def staged_nodes(
    script: str | None, steps: ActivitySteps, elsewhere: Collection[str] = ()
) -> list[StagedNode]:
    """List the data nodes that an activity stages.

    :param script: the script, none when it lies in S3 and nobody knows what it mentions.
    :param steps: the activity.
    :param elsewhere: names of data that something else stands for.
    :returns: data nodes with columns, empty when nothing is staged.
    :raises NotCompilableError: when the script needs one that has none.
    """
    mentioned = {name.casefold() for name in mentioned_variables(script or "")}
    others = {name.casefold() for name in elsewhere}
    mentioned -= others
    staging = flag("stage", steps.item)
    if staging is False or (staging is None and script is not None and not mentioned):
        return []
    nodes: list[StagedNode] = []
    for role in ("input", "output"):
        for number, node in enumerate(references_to(role, steps.item, steps.workflow), 1):
            variable = f"{role}{number}"
            if variable in others:
                continue
            if node.type not in _STAGED_TYPES and (variable in mentioned or script is None):
                raise NotCompilableError(
                    f"{node.id} is a {node.type or 'node without type'}, whose rows no step on a "
                    "cluster reads or writes"
                )
            found = staged_node(node, variable, steps)
            if found is not None:
                nodes.append(found)
            elif variable in mentioned:
                raise NotCompilableError(
                    f"its script uses ${{{variable}}}, but no data format lists the columns of "
                    f"{node.id}"
                )
    absent = mentioned - {node.variable for node in nodes}
    if absent:
        raise NotCompilableError(f"its script uses ${{{min(absent)}}}, and there is no such node")
    return nodes


def staging_notes(note: str, staged: Collection[object], item: ResolvedObject) -> list[str]:
    """Say at an activity's type how its staging differs, where no field of its own says so.

    :param note: how it differs.
    :param staged: what is staged.
    :param item: the activity.
    :returns: the note, nothing where it stands at ``stage``, or nothing is staged.
    """
    return [note] if staged and item.field("stage") is None else []


def staged_node(node: ResolvedObject, variable: str, steps: ActivitySteps) -> StagedNode | None:
    """Look at the data format of a data node.

    :param node: the data node.
    :param variable: its name in scripts.
    :param steps: the activity.
    :returns: the node with its columns, none when it has none.
    :raises NotCompilableError: when the columns are not fixed.
    """
    formats = references_to("dataFormat", node, steps.workflow)
    if len(formats) != 1:
        return None
    columns = compile_values("column", formats[0], steps.workflow)
    literals = [column.literal for column in columns if column.literal is not None]
    if len(literals) < len(columns):
        raise NotCompilableError(f"the columns of {formats[0].id} are not fixed")
    if not literals:
        return None
    for template in (*columns, reading("dataFormat", node)):
        steps.take(template)
    steps.describe(formats[0])
    try:
        return StagedNode(node, variable, formats[0], parse_columns(literals))
    except UpdraftError as error:
        raise NotCompilableError(f"{formats[0].id}: {error}") from error


def text_storage(node: StagedNode, steps: ActivitySteps) -> Delimited | Regex:
    """Say how the files of a data node are written.

    :param node: the data node.
    :param steps: the activity.
    :returns: their form.
    :raises NotCompilableError: when it is not known.
    """

    def text(name: str, default: str | None) -> str | None:
        template = compile_value(name, node.format, steps.workflow)
        if template is None:
            return default
        if template.literal is None:
            raise NotCompilableError(f"{node.format.id}.{name} is not fixed")
        steps.take(template)
        return _ESCAPED.get(template.literal, template.literal)

    match node.format.type:
        case "CSV":
            return Delimited(",", text("escapeChar", _DEFAULT_ESCAPE))
        case "TSV":
            separator = text("columnSeparator", "\t") or "\t"
            ends = text("recordSeparator", "\n") or "\n"
            return Delimited(separator, text("escapeChar", _DEFAULT_ESCAPE), ends)
        case "Custom":
            given = text("columnSeparator", None)
            if given:
                return Delimited(given, None, text("recordSeparator", "\n") or "\n")
        case "RegEx":
            pattern = _single_escapes(text("inputRegEx", None) or "")
            output = None if node.is_input else text("outputFormat", None)
            if pattern and (node.is_input or output):
                return Regex(pattern, output)
    raise NotCompilableError(
        f"{node.format.id} ({node.format.type or 'without type'}) does not say how the files of "
        f"{node.item.id} are written"
    )


def _single_escapes(pattern: str) -> str:
    r"""Undo a second escaping: definitions write ``\d`` and ``\\d``, and both mean a digit."""
    runs = _BACKSLASHES.findall(pattern)
    if all(len(run) % 2 == 0 for run in runs):
        return pattern.replace("\\\\", "\\")
    return pattern


def location_of(node: ResolvedObject, steps: ActivitySteps) -> tuple[str, bool]:
    """Say where the files of a data node lie.

    :param node: the data node.
    :param steps: the activity.
    :returns: the URI, and whether it is that of a single file.
    :raises NotCompilableError: when it is none in S3, or names no path.
    """
    if node.type != "S3DataNode":
        raise NotCompilableError(
            f"{node.id} is a {node.type or 'node without type'}, and only data in S3 are staged"
        )
    for name in ("directoryPath", "filePath"):
        template = compile_value(name, node, steps.workflow)
        if template is not None:
            return steps.take(template), name == "filePath"
    raise NotCompilableError(f"{node.id} names no path")
