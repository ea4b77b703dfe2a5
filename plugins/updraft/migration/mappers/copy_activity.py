"""``CopyActivity``: copies within S3, and between S3 and databases.

Source: guide, "CopyActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-copyactivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import references_to
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.copy_files import (
    DEFAULT_FORMAT,
    compression,
    default_format_note,
    file_format,
    is_directory,
    location,
)
from updraft.migration.mappers.copy_tables import (
    TABLES,
    add_table_to_table,
    query_arguments,
    statement_arguments,
)
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.tasks import ArgumentValue

S3_TO_S3 = "updraft.operators.s3_to_s3.CopyS3ToS3Operator"
S3_TO_SQL = "updraft.operators.s3_to_sql.CopyS3ToSqlOperator"
SQL_TO_S3 = "updraft.operators.sql_to_s3.CopySqlToS3Operator"

_FILES = "S3DataNode"
_WORKER = "rows and files go through the Airflow worker, a part at a time"
_NO_COMPUTER = "S3 copies by itself"
_ONE_OBJECT = (
    "one object below it, `part-00000.csv` or so: the guide does not say what the service called it"
)
_LEDGER = (
    "`CopyS3ToSqlOperator`, one transaction; it leaves a row in the table `updraft_load_ledger` of "
    "the same database, which it makes where it is missing, so that a retry does not load twice"
)


class CopyActivityMapper(ObjectMapper):
    """Maps copies to the operator for their ends."""

    object_types: ClassVar[tuple[str, ...]] = ("CopyActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a CopyActivity.

        :param item: the activity.
        :param workflow: where the tasks, accounts and findings go.
        """
        with placeholder_unless_mapped(item, "input", workflow):
            _map_activity(item, workflow)


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    source, target = (_node(item, role, workflow) for role in ("input", "output"))
    fields = TaskFields(item, workflow)
    match source.type, target.type:
        case "S3DataNode", "S3DataNode":
            _add_files_to_files(source, target, fields)
        case "S3DataNode", kind if kind in TABLES:
            _add_files_to_table(source, target, fields)
        case kind, "S3DataNode" if kind in TABLES:
            _add_table_to_files(source, target, fields)
        case kind, other if kind in TABLES and other in TABLES:
            _account_worker(fields)
            add_table_to_table(source, target, fields, SQL_TO_S3, S3_TO_SQL)
        case _:
            _refuse(source, target)


def _node(item: ResolvedObject, role: str, workflow: Workflow) -> ResolvedObject:
    found = references_to(role, item, workflow)
    if len(found) != 1:
        raise NotCompilableError(f"a copy takes one {role}, here there are {len(found)}")
    return found[0]


def _refuse(source: ResolvedObject, target: ResolvedObject) -> None:
    names = [one.type or "an object without type" for one in (source, target)]
    advice = ""
    if "RedshiftDataNode" in names:
        advice = ": make a RedshiftCopyActivity of it"
    elif "DynamoDBDataNode" in names:
        advice = ": export or import the table"
    raise NotCompilableError(f"a CopyActivity does not copy from {' to '.join(names)}{advice}")


def _add_files_to_files(source: ResolvedObject, target: ResolvedObject, fields: TaskFields) -> None:
    if is_directory(source) and not is_directory(target):
        raise NotCompilableError(
            f"{source.id} is a directory and {target.id} one file, and a directory is copied to a "
            "directory only"
        )
    arguments: dict[str, ArgumentValue] = {
        "source_s3_uri": location(source, fields),
        "dest_s3_uri": location(target, fields),
    }
    formats = [
        file_format(source, fields, reads=True),
        file_format(target, fields, reads=False),
    ]
    packed = [compression(one, fields) for one in (source, target)]
    same = formats[0] == formats[1]
    if not same:
        for side, found in zip(("source", "dest"), formats, strict=True):
            arguments |= (found or DEFAULT_FORMAT).arguments(f"{side}_format")
    for side, one in zip(("source", "dest"), packed, strict=True):
        if one is not None:
            arguments[f"{side}_compression"] = one
    as_it_is = same and packed[0] == packed[1]
    _account_worker(fields, _NO_COMPUTER if as_it_is else _WORKER)
    if as_it_is:
        account = "`CopyS3ToS3Operator`; S3 copies by itself, objects of any size"
    else:
        account = "`CopyS3ToS3Operator`, by way of the Airflow worker"
    status = Status.CARRIED_OVER
    if not same and None in formats:
        status = Status.APPROXIMATED
        account = f"{account}; {default_format_note([source, target])}"
    fields.finish(S3_TO_S3, arguments, "copies files within S3", (status, account))


def _add_files_to_table(source: ResolvedObject, target: ResolvedObject, fields: TaskFields) -> None:
    found = file_format(source, fields, reads=True)
    _drop_format(target, fields)
    arguments: dict[str, ArgumentValue] = {"s3_uri": location(source, fields)}
    arguments |= statement_arguments(target, fields)
    arguments |= (found or DEFAULT_FORMAT).arguments("file_format", DEFAULT_FORMAT)
    packed = compression(source, fields)
    if packed is not None:
        arguments["compression"] = packed
    account = _LEDGER if found else f"{_LEDGER}; {default_format_note([source])}"
    _account_worker(fields)
    fields.finish(
        S3_TO_SQL,
        arguments,
        "loads files from S3 into a table",
        (Status.APPROXIMATED, account),
    )


def _add_table_to_files(source: ResolvedObject, target: ResolvedObject, fields: TaskFields) -> None:
    found = file_format(target, fields, reads=False)
    _drop_format(source, fields)
    arguments = query_arguments(source, fields)
    arguments["s3_uri"] = location(target, fields)
    arguments |= (found or DEFAULT_FORMAT).arguments("file_format", DEFAULT_FORMAT)
    packed = compression(target, fields)
    if packed is not None:
        arguments["compression"] = packed
    notes = ["`CopySqlToS3Operator`, one object, which a retry replaces"]
    if found is None:
        notes.append(f"{target.id} has no format, so that it is CSV, as in AWS's tutorial")
    fields.note(target, "directoryPath", Status.APPROXIMATED, _ONE_OBJECT)
    _account_worker(fields)
    status = Status.CARRIED_OVER if found else Status.EQUIVALENT
    fields.finish(
        SQL_TO_S3,
        arguments,
        "writes the result of a query to S3",
        (status, "; ".join(notes)),
    )


def _drop_format(table: ResolvedObject, fields: TaskFields) -> None:
    fields.note(table, "dataFormat", Status.DROPPED, "a table has no format of text")


def _account_worker(fields: TaskFields, note: str = _WORKER) -> None:
    for name in ("runsOn", "workerGroup"):
        fields.note(fields.item, name, Status.EQUIVALENT, note)
