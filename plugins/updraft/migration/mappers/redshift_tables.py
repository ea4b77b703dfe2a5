"""``RedshiftDataNode``: the arguments that name a table of Amazon Redshift.

Source: guide, "RedshiftDataNode"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-redshiftdatanode.html).
"""

from collections.abc import Callable
from dataclasses import replace

from updraft.datapipeline.resolution import ResolvedObject
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mappers.redshift_databases import TYPE as DATABASE
from updraft.migration.mappers.redshift_databases import redshift_place
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.tasks import ArgumentValue
from updraft.redshift.identifiers import parse_columns, parse_schema, parse_table
from updraft.redshift.single_statements import table_definition

TYPE = "RedshiftDataNode"


def place_of(node: ResolvedObject, fields: TaskFields) -> dict[str, ArgumentValue]:
    """Say where the table is, and who connects.

    :param node: the data node.
    :param fields: the activity.
    :returns: arguments of a task.
    :raises NotCompilableError: when its database is not told.
    """
    database = fields.reference("database", node)
    if database is None or database.type != DATABASE:
        raise NotCompilableError(f"{node.id} is in no {DATABASE}")
    return redshift_place(database, fields)


def table_arguments(node: ResolvedObject, fields: TaskFields) -> dict[str, ArgumentValue]:
    """Name the table.

    :param node: the data node.
    :param fields: the activity.
    :returns: ``table``, and ``schema`` if there is one.
    :raises NotCompilableError: when it has no name.
    """
    table = fields.template("tableName", node)
    if table is None:
        raise NotCompilableError(f"{node.id} names no table")
    arguments: dict[str, ArgumentValue] = {"table": identifier(table)}
    schema = fields.template("schemaName", node)
    if schema is not None and schema.text:
        arguments["schema"] = identifier(schema, parse_schema)
    return arguments


def qualified_name(node: ResolvedObject, fields: TaskFields) -> str:
    """Name the table together with its schema.

    :param node: the data node.
    :param fields: the activity.
    :returns: the name, a template.
    :raises NotCompilableError: when it has no name.
    """
    arguments = table_arguments(node, fields)
    schema, table = arguments.get("schema", "public"), arguments["table"]
    return f"{table}" if "." in str(table) and "schema" not in arguments else f"{schema}.{table}"


def key_arguments(node: ResolvedObject, fields: TaskFields) -> dict[str, ArgumentValue]:
    """Name the columns by which rows are compared.

    :param node: the data node.
    :param fields: the activity.
    :returns: ``primary_keys``, if there are any.
    :raises NotCompilableError: when they can't be said exactly.
    """
    listed = fields.texts("primaryKeys", node)
    if isinstance(listed, str):
        return {"primary_keys": listed}
    keys = [
        identifier(part, _single_column)
        for one in fields.templates("primaryKeys", node)
        for part in _parts(one)
    ]
    return {"primary_keys": keys} if keys else {}


def definition_arguments(
    node: ResolvedObject, arguments: dict[str, ArgumentValue], fields: TaskFields
) -> dict[str, ArgumentValue]:
    """Give the statement that makes the table.

    :param node: the data node.
    :param arguments: those that name the table.
    :param fields: the activity.
    :returns: ``create_table_sql``; nothing when there is none, or none that makes this table.
    :raises NotCompilableError: when it can't be said exactly.
    """
    sql = fields.template("createTableSql", node)
    if sql is None or not sql.text.strip():
        return {}
    name, schema = (str(arguments.get(one, "")) for one in ("table", "schema"))
    if sql.literal is not None and "{{" not in name + schema:
        try:
            table = parse_table("table", name, parse_schema("schema", schema))
            table_definition("createTableSql", sql.literal, table)
        except UpdraftError as error:
            reason = str(error).partition(": ")[2] or str(error)
            fields.note(node, "createTableSql", Status.NEEDS_DECISION, f"left out, since {reason}")
            fields.warn(
                node,
                "createTableSql",
                f"The statement is left out, so that the table has to be there: {reason}",
                "Make the table before the first run, or give one CREATE TABLE for it",
            )
            return {}
    return {"create_table_sql": sql.text}


def identifier(template: Template, parse: Callable[[str, str], object] = parse_table) -> str:
    """Write a name as SQL, in quotes if it needs them.

    :param template: the name.
    :param parse: reads such a name; by default that of a table.
    :returns: the name.
    """
    name = template.literal
    if name is None:
        return template.text
    try:
        parse("name", name)
    except UpdraftError:
        doubled = template.text.replace('"', '""')
        return f'"{doubled}"'
    return template.text


def _single_column(argument: str, text: str) -> object:
    return parse_columns(argument, [text])


def _parts(template: Template) -> list[Template]:
    """Take a list apart that stands in one text, with commas between the names."""
    if template.literal is None or "," not in template.literal or '"' in template.literal:
        return [template]
    parts = [one.strip() for one in template.literal.split(",") if one.strip()]
    return [replace(template, text=one, literal=one) for one in parts]
