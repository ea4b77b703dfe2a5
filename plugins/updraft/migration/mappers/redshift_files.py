"""Files that Redshift loads or unloads: how they are written, and the options that say so.

``commandOptions`` counts only where no data node has a format (guide, "RedshiftCopyActivity",
https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-redshiftcopyactivity.html).
"""

import re
from dataclasses import dataclass

from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.tasks import ArgumentValue
from updraft.redshift.copy_options import check_options, parse_command_options
from updraft.redshift.copy_statement import character

# How definitions write characters that JSON has escapes for, too.
_ESCAPED = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\\\": "\\"}
_FORMAT_NOTE = (
    "the statement is Updraft's own, as the service never published its: fields without quotes, "
    "with a backslash before special characters; for fields in quotes set `file_format`"
)
_COLUMNS_NOTE = (
    "COPY fills the columns of the table in order; name them by `columns` if they differ"
)
_LAST_CODE = re.compile(r"\{\{\s*(?P<code>[\w.]+(?:\['\w+'\])?)\s*\}\}$")


@dataclass(frozen=True, slots=True)
class TextFormat:
    """Delimited text.

    :param delimiter: the character between two fields.
    :param escape: whether a backslash stands before special characters.
    """

    delimiter: str
    escape: bool


def attached_format(nodes: list[ResolvedObject], fields: TaskFields) -> TextFormat | None:
    """Find the format that is attached to one of the data nodes.

    :param nodes: input and output of the activity.
    :param fields: the activity.
    :returns: the format of the files; none when there is none.
    :raises NotCompilableError: when Redshift knows no such format.
    """
    holders = [node for node in nodes if node.field("dataFormat") is not None]
    if not holders:
        return None
    files = [node for node in holders if node.type == "S3DataNode"] or holders
    text = _text_format(files[0], fields)
    fields.note(files[0], "dataFormat", Status.APPROXIMATED, _FORMAT_NOTE)
    for other in holders:
        if other is not files[0]:
            fields.note(other, "dataFormat", Status.DROPPED, "the format of the files counts")
    ignored = "the service ignored it, since a data node has a format"
    fields.note(fields.item, "commandOptions", Status.EQUIVALENT, ignored)
    return text


def command_options(fields: TaskFields, *, from_dynamodb: bool = False) -> ArgumentValue:
    """Read ``commandOptions`` of an activity whose data nodes have no format.

    :param fields: the activity.
    :param from_dynamodb: whether it reads a table of DynamoDB.
    :returns: the options, templates; the template of their JSON when a list is among them.
    :raises NotCompilableError: when COPY has no such option, or some exclude each other.
    """
    values = fields.texts("commandOptions")
    if isinstance(values, str):
        return values  # the operator checks what the list holds
    given = fields.templates("commandOptions")
    fixed = [one.literal for one in given if one.literal is not None]
    try:
        options = parse_command_options("commandOptions", fixed)
        check_options(options, from_dynamodb=from_dynamodb)
    except UpdraftError as error:
        raise NotCompilableError(f"its commandOptions can't be kept: {error}") from error
    return [one.text for one in given]


def option_names(options: ArgumentValue) -> set[str]:
    """List what options set, as far as the texts are plain.

    :param options: the options.
    :returns: names in capitals.
    """
    texts = [str(one) for one in options] if isinstance(options, list) else []
    try:
        return {one.name for one in parse_command_options("commandOptions", texts)}
    except UpdraftError:
        return set()


def is_gzip(node: ResolvedObject, fields: TaskFields) -> bool:
    """Say whether the files of a data node are compressed.

    :param node: the S3DataNode.
    :param fields: the activity.
    :returns: whether they are.
    :raises NotCompilableError: when it is not known, or how is not.
    """
    given = (fields.fixed("compression", node) or "none").strip().casefold()
    if given not in {"none", "gzip"}:
        raise NotCompilableError(f"{node.id}.compression is neither none nor gzip")
    return given == "gzip"


def folder_uri(template: Template, fields: TaskFields) -> str:
    """Write a directory so that Redshift takes it for one: with a slash at its end.

    ``s3://bucket/a`` would stand for ``s3://bucket/ab`` too.

    :param template: the directory.
    :param fields: the activity.
    :returns: a template.
    """
    text = template.text
    if text.endswith("/"):
        return text
    match = _LAST_CODE.search(text)
    if match is None or not _is_text(template, fields):
        return f"{text}/"
    return f"{text[: match.start()]}{{{{ {match['code']}.rstrip('/') }}}}/"


def _is_text(template: Template, fields: TaskFields) -> bool:
    declared = fields.workflow.definition.parameters_by_name
    types = {declared[one].type.casefold() for one in template.parameters if one in declared}
    return not types & {"integer", "double"}


def _text_format(node: ResolvedObject, fields: TaskFields) -> TextFormat:
    found = fields.reference("dataFormat", node)
    if found is None:
        raise NotCompilableError(f"{node.id} has no format")
    fields.describe(found)
    fields.note(found, "column", Status.APPROXIMATED, _COLUMNS_NOTE)
    match found.type:
        case "CSV":
            return TextFormat(",", _escapes(found, fields, default=True))
        case "TSV":
            _check_record_separator(found, fields)
            separator = _character("columnSeparator", found, fields) or "\t"
            return TextFormat(separator, _escapes(found, fields, default=True))
        case "Custom":
            _check_record_separator(found, fields)
            separator = _character("columnSeparator", found, fields) or "\t"
            return TextFormat(separator, _escapes(found, fields, default=False))
    raise NotCompilableError(
        f"{found.id} ({found.type or 'without type'}) is no format that Redshift reads or writes"
    )


def _escapes(found: ResolvedObject, fields: TaskFields, *, default: bool) -> bool:
    given = fields.fixed("escapeChar", found)
    if given is None:
        return default
    if _ESCAPED.get(given, given) != "\\":
        raise NotCompilableError(
            f"{found.id}.escapeChar is no backslash, and Redshift has no other"
        )
    return True


def _check_record_separator(found: ResolvedObject, fields: TaskFields) -> None:
    given = fields.fixed("recordSeparator", found)
    if given is not None and _ESCAPED.get(given, given) not in {"\n", "\r\n"}:
        raise NotCompilableError(
            f"{found.id}.recordSeparator is no line feed, and Redshift has no other"
        )


def _character(name: str, found: ResolvedObject, fields: TaskFields) -> str | None:
    given = fields.fixed(name, found)
    try:
        return character(f"{found.id}.{name}", given)
    except UpdraftError as error:
        raise NotCompilableError(str(error)) from error
