"""Unloads of a table of Amazon Redshift to files in S3."""

import re

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.ledger import Status
from updraft.migration.mappers.redshift_databases import account_data_api, account_role
from updraft.migration.mappers.redshift_files import attached_format, is_gzip
from updraft.migration.mappers.redshift_loads import DEFAULT_ROLE
from updraft.migration.mappers.redshift_tables import place_of, table_arguments
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.tasks import ArgumentValue

OPERATOR = "updraft.operators.redshift_unload.RedshiftUnloadOperator"

# https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
_OPTION = re.compile(
    r"""\s*(?:
    (?P<compression>GZIP|BZIP2|ZSTD)
    |(?P<flag>ADDQUOTES|ESCAPE|HEADER|MANIFEST(?:\s+VERBOSE)?|ALLOWOVERWRITE|CLEANPATH)
    |(?P<parallel>PARALLEL)\s+(?P<switch>ON|TRUE|OFF|FALSE)
    |(?P<text>DELIMITER|NULL)\s+(?:AS\s+)?'(?P<value>(?:[^'\\]|''|\\[^'])*)'
    |(?:FORMAT\s+(?:AS\s+)?)?(?P<format>CSV|JSON|PARQUET)
    )(?=\s|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_TEXT_ARGUMENTS = {"DELIMITER": "delimiter", "NULL": "null_as"}
_FLAGS: dict[str, tuple[str, ArgumentValue]] = {
    "ADDQUOTES": ("add_quotes", True),
    "ALLOWOVERWRITE": ("if_exists", "replace"),
    "CLEANPATH": ("if_exists", "replace"),
    "ESCAPE": ("escape", True),
    "HEADER": ("header", True),
    "MANIFEST": ("manifest", "files"),
    "MANIFEST VERBOSE": ("manifest", "verbose"),
}


def add_unload(source: ResolvedObject, target: ResolvedObject, fields: TaskFields) -> None:
    """Add the task of an unload.

    :param source: the RedshiftDataNode to read.
    :param target: the S3DataNode to write.
    :param fields: the activity.
    :raises NotCompilableError: when a part of it can't be kept.
    """
    if fields.item.field("transformSql") is not None:
        raise NotCompilableError("transformSql is for loads, and this is an unload")
    arguments: dict[str, ArgumentValue] = {
        **place_of(source, fields),
        **table_arguments(source, fields),
        "s3_uri": _target(target, fields),
        "iam_role": DEFAULT_ROLE,
        **_format([source, target], fields),
    }
    if is_gzip(target, fields):
        arguments["compression"] = "gzip"
    queue = fields.text("queue")
    if queue is not None:
        arguments["query_group"] = queue
    account_data_api(fields)
    account_role(fields)
    fields.note(fields.item, "insertMode", Status.DROPPED, "an unload inserts nothing")
    fields.finish(
        OPERATOR,
        arguments,
        "unloads a Redshift table to files in S3",
        (
            Status.APPROXIMATED,
            "`RedshiftUnloadOperator`; it refuses a folder that holds files, also those of an "
            'attempt that failed: set `if_exists="replace"` where nothing else writes there',
        ),
    )


def _target(target: ResolvedObject, fields: TaskFields) -> str:
    template = fields.template("directoryPath", target)
    name = "directoryPath" if template is not None else "filePath"
    if template is None:
        template = fields.template("filePath", target)
        note = "a folder of this name: UNLOAD writes several files, and chooses their names"
        fields.note(target, "filePath", Status.APPROXIMATED, note)
    if template is None:
        raise NotCompilableError(f"{target.id} names no path")
    if template.literal is not None:
        fields.warn(
            target,
            name,
            "Every run unloads to the same place, which the task refuses once it holds files",
            "Append the time, such as /#{format(@scheduledStartTime, 'YYYY-MM-dd-HH-mm-ss')}",
        )
    return template.text


def _format(nodes: list[ResolvedObject], fields: TaskFields) -> dict[str, ArgumentValue]:
    text = attached_format(nodes, fields)
    arguments: dict[str, ArgumentValue] = {"file_format": "text", "parallel": False}
    if text is None:
        return arguments | _options(fields)
    arguments["delimiter"] = text.delimiter
    if text.escape:
        arguments["escape"] = True
    return arguments


def _options(fields: TaskFields) -> dict[str, ArgumentValue]:
    found: dict[str, ArgumentValue] = {}
    for template in fields.templates("commandOptions"):
        text, at = template.literal, 0
        if text is None:
            raise NotCompilableError("commandOptions of an unload have to be fixed")
        while text[at:].strip():
            match = _OPTION.match(text, at)
            if match is None:
                raise NotCompilableError(
                    f"commandOptions: {text[at : at + 30].strip()!r} is no option of UNLOAD that "
                    "is known here"
                )
            at = match.end()
            name, value = _argument(match)
            found[name] = value
    return found


def _argument(match: re.Match[str]) -> tuple[str, ArgumentValue]:
    if match["compression"]:
        return "compression", match["compression"].lower()
    if match["format"]:
        return "file_format", match["format"].lower()
    if match["parallel"]:
        return "parallel", match["switch"].upper() in {"ON", "TRUE"}
    if match["text"]:
        return _TEXT_ARGUMENTS[match["text"].upper()], match["value"].replace("''", "'")
    return _FLAGS[" ".join(match["flag"].upper().split())]
