"""Files of a ``CopyActivity``: where they are, how they are written, how they are compressed.

Sources: guide, "S3DataNode", "CSV", "TSV", "Custom" and "RegEx"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-s3datanode.html and
https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-program-pipeline-dataformats.html).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.ledger import Status
from updraft.migration.mappers.redshift_files import folder_uri
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.tasks import ArgumentValue
from updraft.s3_uri import parse_s3_uri
from updraft.text_formats.named_formats import named_format

# Jinja drops a line feed at the end of a text and makes one of a carriage return, so that the DAG
# has them as two characters, as definitions often do. An escape may be doubled there, too.
_WRITTEN = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\\\": "\\"}
_BACKSLASH = "\\"
_NAMES = {"CSV": "csv", "TSV": "tsv", "Custom": "custom", "RegEx": "regex"}
_FIELDS = {
    "columnSeparator": "column_separator",
    "recordSeparator": "record_separator",
    "escapeChar": "escape_char",
    "inputRegEx": "input_regex",
    "outputFormat": "output_format",
}
# What the operators take when they are not told.
_DEFAULTS = {
    "csv": {"escape_char": _BACKSLASH},
    "tsv": {"column_separator": r"\t", "record_separator": r"\n", "escape_char": _BACKSLASH},
    "custom": {"record_separator": r"\n", "escape_char": _BACKSLASH},
    "regex": {},
}
# The guide has no escapeChar for Custom.
_LEGACY_DEFAULTS = {"custom": {"escape_char": ""}}
_COLUMNS_NOTE = "columns go by their order; names and types of the format are not used"
_OTHER_SERVICE = "read by a RedshiftCopyActivity only"


@dataclass(frozen=True)
class FileFormat:
    """How the rows of a file are written.

    :param name: the format as the operators name it.
    :param options: those of its options that are not the operators' own, templates.
    """

    name: str
    options: dict[str, str] = field(default_factory=dict)

    def arguments(self, name: str, default: "FileFormat | None" = None) -> dict[str, ArgumentValue]:
        """Give the arguments that say so.

        :param name: name of the argument for the format.
        :param default: the format that the operator takes when it is told none.
        :returns: the arguments, nothing for the default.
        """
        if self == default:
            return {}
        arguments: dict[str, ArgumentValue] = {name: self.name}
        if self.options:
            arguments[f"{name}_options"] = dict(self.options)
        return arguments


DEFAULT_FORMAT = FileFormat("csv")
"""What a file is taken for whose data node has no format.

The guide's tutorial makes a CSV file of a table so
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-copydata-mysql.html); for files
that are read it does not say.
"""


def default_format_note(nodes: Sequence[ResolvedObject]) -> str:
    """Say what files without a format are taken for.

    :param nodes: data nodes, some of which have no format.
    :returns: a clause.
    """
    named = ", ".join(one.id for one in nodes if one.field("dataFormat") is None)
    return (
        f"{named} has no format, and the guide does not say what that means: it is taken for CSV "
        "as the service wrote it, without quotes"
    )


def is_directory(node: ResolvedObject) -> bool:
    """Tell whether a data node is a directory.

    :param node: the S3DataNode.
    :returns: whether it has a ``directoryPath``.
    """
    return node.field("directoryPath") is not None


def location(node: ResolvedObject, fields: TaskFields) -> str:
    """Say where files are.

    :param node: the S3DataNode.
    :param fields: the activity.
    :returns: URI of an object, or of a directory with a slash at its end; a template.
    :raises NotCompilableError: when it names no place, or two.
    """
    fields.note(node, "manifestFilePath", Status.DROPPED, _OTHER_SERVICE)
    if is_directory(node) and node.field("filePath") is not None:
        raise NotCompilableError(f"{node.id} has both filePath and directoryPath")
    if is_directory(node):
        template = fields.template("directoryPath", node)
        uri = folder_uri(template, fields) if template and template.text.strip() else None
    else:
        template = fields.template("filePath", node)
        uri = template.text if template and template.text.strip() else None
        if uri is not None and uri.endswith("/"):
            raise NotCompilableError(
                f"{node.id}.filePath ends with a slash; a directory is a directoryPath"
            )
    if uri is None:
        reason = "; a manifest counts for a RedshiftCopyActivity only"
        has_manifest = node.field("manifestFilePath") is not None
        raise NotCompilableError(f"{node.id} names no path{reason if has_manifest else ''}")
    if template is not None and template.literal is not None:
        try:
            parse_s3_uri(template.literal)
        except UpdraftError as error:
            raise NotCompilableError(f"{node.id}: {error}") from error
    return uri


def compression(node: ResolvedObject, fields: TaskFields) -> str | None:
    """Say how files are compressed.

    :param node: the S3DataNode.
    :param fields: the activity.
    :returns: the argument of the operator, a template; none where files are not compressed.
    :raises NotCompilableError: when there is no such compression.
    """
    template = fields.template("compression", node)
    if template is None or template.literal is None:
        return template.text if template else None
    given = template.literal.strip().casefold() or "none"
    if given not in {"none", "gzip"}:
        raise NotCompilableError(f"{node.id}.compression is neither none nor gzip")
    return given if given == "gzip" else None


def file_format(node: ResolvedObject, fields: TaskFields, *, reads: bool) -> FileFormat | None:
    """Say how the rows of files are written.

    :param node: the S3DataNode.
    :param fields: the activity.
    :param reads: whether files are read, not written.
    :returns: the format, none when the data node has none.
    :raises NotCompilableError: when the operators have no such format.
    """
    found = fields.reference("dataFormat", node)
    if found is None:
        return None
    name = _NAMES.get(found.type or "")
    if name is None:
        raise NotCompilableError(
            f"{found.id} ({found.type or 'without type'}) is no format that a CopyActivity reads "
            "or writes"
        )
    fields.describe(found)
    fields.note(found, "column", Status.EQUIVALENT, _COLUMNS_NOTE)
    options: dict[str, str] = {}
    literals: dict[str, str] = {}
    is_fixed = True
    for legacy, option in _FIELDS.items():
        template = fields.template(legacy, found) if _has(name, option) else None
        if template is not None:
            options[option] = _WRITTEN.get(template.literal or "", template.text)
            literals[option] = _WRITTEN.get(template.literal or "", template.literal or "")
            is_fixed = is_fixed and template.literal is not None
    options = _LEGACY_DEFAULTS.get(name, {}) | options
    if name == "regex":
        _check_regex(found, options, reads=reads)
    if is_fixed:
        try:
            named_format("dataFormat", name, _LEGACY_DEFAULTS.get(name, {}) | literals)
        except UpdraftError as error:
            raise NotCompilableError(f"{found.id}: {error}") from error
    own = _DEFAULTS[name]
    return FileFormat(name, {key: one for key, one in options.items() if own.get(key) != one})


def _has(name: str, option: str) -> bool:
    if name == "regex":
        return option in {"input_regex", "output_format"}
    if name == "csv":
        return option == "escape_char"
    return option in {"column_separator", "record_separator", "escape_char"}


def _check_regex(found: ResolvedObject, options: dict[str, str], *, reads: bool) -> None:
    needed, legacy = ("input_regex", "inputRegEx") if reads else ("output_format", "outputFormat")
    if not options.get(needed):
        verb = "read" if reads else "written"
        raise NotCompilableError(f"{found.id} has no {legacy}, by which files are {verb}")
