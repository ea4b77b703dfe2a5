"""How to look whether a data node is there, by its type."""

import re
from dataclasses import dataclass, replace

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, reading
from updraft.migration.jinja_compiler import Template
from updraft.migration.mapper import Workflow
from updraft.migration.names import snake_case
from updraft.migration.tasks import ArgumentValue

KEY_SENSOR = "airflow.providers.amazon.aws.sensors.s3.S3KeySensor"
FOLDER_SENSOR = "updraft.sensors.s3.S3PrefixNotEmptySensor"
_SQL_SENSOR = "airflow.providers.common.sql.sensors.sql.SqlSensor"
_BUCKET_AND_KEY = re.compile(r"s3[an]?://(?P<bucket>[\w.-]+)/(?P<key>.+)", re.DOTALL)
# An expression that stands at the end of a template and may end with a slash itself.
_LAST_NAME = re.compile(r"\{\{ ([\w.]+) \}\}\Z")


@dataclass(frozen=True, slots=True)
class Check:
    """A look at what has to be there.

    :param operator: import path of the sensor class.
    :param arguments: what it looks at.
    :param summary: what it does, a sentence without subject.
    :param templates: templates among the arguments.
    :param differs: how it differs from what the pipeline did, empty for not at all.
    :param database: the object whose place an Airflow connection takes.
    """

    operator: str
    arguments: dict[str, ArgumentValue]
    summary: str
    templates: tuple[Template, ...]
    differs: str = ""
    database: ResolvedObject | None = None


def key_arguments(key: Template) -> dict[str, ArgumentValue]:
    """Name an object in S3 to the provider's sensor.

    :param key: its URI.
    :returns: arguments of ``S3KeySensor``.
    """
    found = _BUCKET_AND_KEY.fullmatch(key.text)
    if found and "?" in found["key"]:
        # The provider takes what follows for the query of a URL, unless the key stands alone.
        return {"bucket_name": found["bucket"], "bucket_key": found["key"], "deferrable": True}
    return {"bucket_key": key.text, "deferrable": True}


def region_arguments(
    node: ResolvedObject, workflow: Workflow
) -> tuple[dict[str, ArgumentValue], tuple[Template, ...]]:
    """Say in which region a table is, where its data node does.

    :param node: what a precondition guards.
    :param workflow: the workflow.
    :returns: arguments of the sensor, and the templates among them.
    """
    region = compile_value("region", node, workflow) if node.type == "DynamoDBDataNode" else None
    return ({}, ()) if region is None else ({"region_name": region.text}, (region,))


def check_of_node(node: ResolvedObject, workflow: Workflow) -> Check:
    """Say how to look whether a data node is there.

    :param node: the data node.
    :param workflow: the workflow.
    :returns: the sensor.
    :raises NotCompilableError: when its type can't be looked for, as with tables of DynamoDB.
    """
    if node.type == "S3DataNode":
        return _s3(node, workflow)
    if node.type == "DynamoDBDataNode":
        raise NotCompilableError(
            "Exists did not support a DynamoDBDataNode: use DynamoDBTableExists or "
            "DynamoDBDataExists"
        )
    return _table(node, workflow)


def _s3(node: ResolvedObject, workflow: Workflow) -> Check:
    for name in ("filePath", "manifestFilePath"):
        key = compile_value(name, node, workflow)
        if key is not None:
            return Check(KEY_SENSOR, key_arguments(key), "waits for an object in S3", (key,))
    folder = compile_value("directoryPath", node, workflow)
    if folder is None:
        raise NotCompilableError(f"{node.id} has neither filePath nor directoryPath")
    arguments: dict[str, ArgumentValue] = {"s3_uri": _with_slash(folder)}
    return Check(FOLDER_SENSOR, arguments, "waits for objects in a folder of S3", (folder,))


def _with_slash(folder: Template) -> str:
    """Let a folder end with one slash, so that others of the same beginning don't count."""
    text, renamed = _LAST_NAME.subn(r"{{ \1.rstrip('/') }}", folder.text)
    return f"{text}/" if renamed or not text.endswith("/") else text


def _table(node: ResolvedObject, workflow: Workflow) -> Check:
    table = compile_value("table", node, workflow) or compile_value("tableName", node, workflow)
    if table is None:
        raise NotCompilableError(f"{node.id} names no table to look for")
    schema = compile_value("schemaName", node, workflow)
    if schema is None and table.literal is not None and table.literal.count(".") == 1:
        in_schema, name = table.literal.split(".")
        schema = replace(table, text=in_schema, literal=in_schema)
        table = replace(table, text=name, literal=name)
    database = _database(node, workflow)
    conn_id = connection_id(database)
    sql = "SELECT 1 FROM information_schema.tables WHERE lower(table_name) = lower(%s)"
    # In the order of their places, as the drivers of Redshift and SQL Server know no names.
    parameters = [table.text]
    if schema is not None:
        sql += " AND lower(table_schema) = lower(%s)"
        parameters.append(schema.text)
    return Check(
        operator=_SQL_SENSOR,
        arguments={
            "conn_id": conn_id,
            "sql": sql,
            "parameters": parameters,
            "mode": "reschedule",
        },
        summary="waits until a table is in its database",
        templates=(
            table,
            *([schema] if schema is not None else []),
            *([reading("database", node)] if node.field("database") is not None else []),
        ),
        differs=f"it asks `information_schema.tables` by the Airflow connection `{conn_id}`, which "
        "you have to make; Oracle has no such view",
        database=database,
    )


def connection_id(database: ResolvedObject) -> str:
    """Name the connection of Airflow that takes the place of a database object.

    :param database: the database, or a data node that says itself where its database is.
    :returns: the id, the same as for tasks of SQL.
    """
    return snake_case(database.item.name)


def _database(node: ResolvedObject, workflow: Workflow) -> ResolvedObject:
    found = [one for one in node.references("database") if one in workflow.resolved]
    return workflow.resolved[found[0]] if found else node
