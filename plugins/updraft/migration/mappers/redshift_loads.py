"""Loads into a table of Amazon Redshift: from files, a DynamoDB table or another table."""

from datetime import timedelta

from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mappers.redshift_databases import account_data_api, account_role
from updraft.migration.mappers.redshift_files import (
    attached_format,
    command_options,
    folder_uri,
    is_gzip,
    option_names,
)
from updraft.migration.mappers.redshift_tables import (
    definition_arguments,
    key_arguments,
    place_of,
    qualified_name,
    table_arguments,
)
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.mappers.task_settings import fixed_duration
from updraft.migration.tasks import ArgumentValue
from updraft.redshift.insert_modes import InsertMode, insert_mode
from updraft.redshift.single_statements import query

OPERATOR = "updraft.operators.redshift_copy.RedshiftCopyOperator"
DEFAULT_ROLE = "default"

_SUMMARIES = {
    "S3DataNode": "loads files from S3 into a Redshift table",
    "DynamoDBDataNode": "loads a DynamoDB table into a Redshift table",
    "RedshiftDataNode": "loads a Redshift table from another one",
}
_ACCOUNT = (
    "`RedshiftCopyOperator`, one transaction; a retry finds the load of the attempt before and "
    "does not repeat it"
)
_REMEMBERED = timedelta(hours=24)
_LOWEST_RATIO, _HIGHEST_RATIO = 0.1, 1.0
_COMPRESSIONS = {"BZIP2", "GZIP", "LZOP", "ZSTD"}


def add_load(source: ResolvedObject, target: ResolvedObject, fields: TaskFields) -> None:
    """Add the task of a load.

    :param source: the S3DataNode, DynamoDBDataNode or RedshiftDataNode to read.
    :param target: the RedshiftDataNode to write.
    :param fields: the activity.
    :raises NotCompilableError: when a part of it can't be kept.
    """
    place = place_of(target, fields)
    table = table_arguments(target, fields)
    arguments: dict[str, ArgumentValue] = {
        **place,
        **table,
        **_source(source, target, place, fields),
        "insert_mode": _mode(fields),
        **key_arguments(target, fields),
        **_transformation(fields),
        **definition_arguments(target, table, fields),
    }
    queue = fields.text("queue")
    if queue is not None:
        arguments["query_group"] = queue
    if arguments["insert_mode"] == InsertMode.APPEND.value:
        _warn_of_long_delay(fields)
    account_data_api(fields)
    if "iam_role" in arguments:
        account_role(fields)
    summary = _SUMMARIES[source.type or ""]
    fields.finish(OPERATOR, arguments, summary, (Status.CARRIED_OVER, _ACCOUNT))


def _source(
    source: ResolvedObject,
    target: ResolvedObject,
    place: dict[str, ArgumentValue],
    fields: TaskFields,
) -> dict[str, ArgumentValue]:
    if source.type == "RedshiftDataNode":
        if place_of(source, fields) != place:
            raise NotCompilableError(
                f"{source.id} and {target.id} are in two databases, between which rows have to "
                "take the way through S3: unload them first"
            )
        no_files = "COPY's options are for files, and none are read here"
        fields.note(fields.item, "commandOptions", Status.APPROXIMATED, no_files)
        return {"source_table": qualified_name(source, fields)}
    role: dict[str, ArgumentValue] = {"iam_role": DEFAULT_ROLE}
    if source.type == "DynamoDBDataNode":
        formatted = _has_format(source, target)
        options: ArgumentValue = [] if formatted else command_options(fields, from_dynamodb=True)
        if formatted:
            ignored = "the service ignored it, since a data node has a format"
            fields.note(fields.item, "commandOptions", Status.EQUIVALENT, ignored)
        return _dynamodb(source, option_names(options), fields) | role | _copy_options(options)
    text = attached_format([source, target], fields)
    options = [] if text is not None else command_options(fields)
    arguments = _files(source, option_names(options), fields) | role
    if text is not None:
        named_format = {"file_format": "tsv"} if text.delimiter == "\t" else {}
        arguments |= named_format or {"delimiter": text.delimiter}
        options = ["ESCAPE"] if text.escape else []
    return arguments | _copy_options(options)


def _has_format(*nodes: ResolvedObject) -> bool:
    return any(node.field("dataFormat") is not None for node in nodes)


def _copy_options(options: ArgumentValue) -> dict[str, ArgumentValue]:
    return {"copy_options": options} if options else {}


def _files(
    source: ResolvedObject, set_by_options: set[str], fields: TaskFields
) -> dict[str, ArgumentValue]:
    manifest = fields.text("manifestFilePath", source)
    arguments: dict[str, ArgumentValue] = {}
    if manifest is not None:
        arguments["s3_uri"] = manifest
        for name in ("directoryPath", "filePath"):
            fields.note(source, name, Status.EQUIVALENT, "the manifest names the files")
        if "MANIFEST" not in set_by_options:
            arguments["manifest"] = True
    else:
        arguments["s3_uri"] = _location(source, fields, is_manifest="MANIFEST" in set_by_options)
    if is_gzip(source, fields):
        if not set_by_options & _COMPRESSIONS:
            arguments["compression"] = "gzip"
        elif "GZIP" not in set_by_options:
            raise NotCompilableError(
                f"{source.id}.compression and commandOptions name two compressions"
            )
    return arguments


def _location(source: ResolvedObject, fields: TaskFields, *, is_manifest: bool) -> str:
    folder = fields.template("directoryPath", source)
    if folder is not None:
        return folder.text if is_manifest else folder_uri(folder, fields)
    file = fields.text("filePath", source)
    if file is None:
        raise NotCompilableError(f"{source.id} names no path")
    return file


def _dynamodb(
    source: ResolvedObject, set_by_options: set[str], fields: TaskFields
) -> dict[str, ArgumentValue]:
    table = fields.text("tableName", source)
    if table is None:
        raise NotCompilableError(f"{source.id} names no table")
    arguments: dict[str, ArgumentValue] = {"dynamodb_table": table}
    region = fields.text("region", source)
    if region is not None and "REGION" not in set_by_options:
        arguments["source_region"] = region
    ratio = fields.template("readThroughputPercent", source)
    if "READRATIO" in set_by_options:
        note = "READRATIO of `commandOptions` says it"
        fields.note(source, "readThroughputPercent", Status.EQUIVALENT, note)
    elif ratio is not None:
        arguments["read_ratio"] = _percent(ratio, source)
    else:
        note = "`dynamodb_table`; no rate is told: 25 per cent of the table's read capacity"
        fields.note(source, "tableName", Status.APPROXIMATED, note)
    fields.note(source, "dataFormat", Status.DROPPED, "read by Hive only, COPY has its own")
    return arguments


def _percent(ratio: Template, source: ResolvedObject) -> ArgumentValue:
    """Turn a share from 0.1 to 1.0 into a percentage."""
    if ratio.literal is None:
        if not ratio.text.startswith("{{") or ratio.text.count("{{") != 1:
            raise NotCompilableError(f"{source.id}.readThroughputPercent is no single value")
        code = ratio.text[2:-2].strip()
        return f"{{{{ (({code}) | float * 100) | round | int }}}}"
    try:
        share = float(ratio.literal)
    except ValueError:
        share = 0.0
    if not _LOWEST_RATIO <= share <= _HIGHEST_RATIO:
        raise NotCompilableError(
            f"{source.id}.readThroughputPercent is no number from {_LOWEST_RATIO} to "
            f"{_HIGHEST_RATIO}"
        )
    return round(share * 100)


def _mode(fields: TaskFields) -> str:
    mode = fields.template("insertMode")
    if mode is None:
        raise NotCompilableError(f"{fields.item.id} has no insertMode")
    if mode.literal is None:
        return mode.text
    try:
        return str(insert_mode("insertMode", mode.literal.strip()).value)
    except UpdraftError as error:
        raise NotCompilableError(str(error)) from error


def _warn_of_long_delay(fields: TaskFields) -> None:
    item, workflow = fields.item, fields.workflow
    delay = fixed_duration(item, "retryDelay", workflow) or workflow.retry_delay
    if delay >= _REMEMBERED:
        fields.warn(
            item,
            "retryDelay",
            "A load by APPEND takes no retry delay of a day or more: by then AWS has forgotten "
            "whether it has committed, and the rows could be added twice",
            "Make it shorter",
        )


def _transformation(fields: TaskFields) -> dict[str, ArgumentValue]:
    sql = fields.template("transformSql")
    if sql is None or not sql.text.strip():
        return {}
    if sql.literal is not None:
        try:
            query("transformSql", sql.literal)
        except UpdraftError as error:
            raise NotCompilableError(str(error)) from error
    return {"transform_sql": sql.text}
