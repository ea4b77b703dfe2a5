"""Tables of a ``CopyActivity``: its query, or the statement for each of its rows.

Sources: guide, "SqlDataNode" and "MySqlDataNode"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-sqldatanode.html and
https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-mysqldatanode.html).
"""

import re

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mappers.database_connections import DATABASES, Connection, connection_of
from updraft.migration.mappers.task_fields import TaskFields
from updraft.migration.staging import staging_param, staging_prefix
from updraft.migration.tasks import ArgumentValue
from updraft.sql_parameters import positional_places

TABLES = {"MySqlDataNode", "SqlDataNode"}
"""Types of data nodes that are tables of a database behind JDBC."""

_PLAIN = re.compile(r"[^\W\d]\w*")
_QUALIFIED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*){1,2}")
_QUOTED = {'""', "``", "[]"}
_BOUND = (
    "`insert_query`; values are bound as texts in the order of the columns, and the database makes "
    "of them what the columns are"
)
_ALL_ROWS = "no selectQuery: all rows and columns, by a query of Updraft's own"
_OWN_INSERT = "`table`, as there is no insertQuery: an INSERT of all columns in their order"
_BY_TEXTS = (
    "rows go through a file in S3 as texts: a column of bytes arrives as hexadecimal digits, cast "
    "it in selectQuery or insertQuery"
)


def query_arguments(node: ResolvedObject, fields: TaskFields) -> dict[str, ArgumentValue]:
    """Say what is read from a database, and from which.

    :param node: the SqlDataNode or MySqlDataNode.
    :param fields: the activity.
    :returns: arguments of a task.
    :raises NotCompilableError: when database or query are not told.
    """
    connection = _connection(node, fields)
    query = fields.text("selectQuery", node)
    if query is None:
        quote = "`" if connection.kind.connection == "mysql" else '"'
        query = f"SELECT * FROM {_table(node, fields, quote)}"  # noqa: S608 - its names are quoted
        fields.note(node, "table", Status.APPROXIMATED, _ALL_ROWS)
    return {"sql_conn_id": connection.conn_id, "query": query}


def statement_arguments(node: ResolvedObject, fields: TaskFields) -> dict[str, ArgumentValue]:
    """Say what is done with each row, and in which database.

    :param node: the SqlDataNode or MySqlDataNode.
    :param fields: the activity.
    :returns: arguments of a task.
    :raises NotCompilableError: when database, table or statement are not told.
    """
    connection = _connection(node, fields)
    if connection.kind.connection == "redshift":
        raise NotCompilableError(
            f"{node.id} is in Redshift, which takes rows one by one too slowly: make a "
            "RedshiftCopyActivity with a RedshiftDataNode of it"
        )
    arguments: dict[str, ArgumentValue] = {"sql_conn_id": connection.conn_id}
    statement = fields.template("insertQuery", node)
    definition = fields.text("createTableSql", node)
    if statement is not None and statement.text.strip():
        if statement.literal is not None and not positional_places(statement.literal):
            raise NotCompilableError(
                f"{node.id}.insertQuery has no question marks for the columns of a row"
            )
        arguments["insert_query"] = statement.text
        fields.note(node, "insertQuery", Status.EQUIVALENT, _BOUND)
    else:
        arguments["table"] = _table(node, fields)
        fields.note(node, "table", Status.APPROXIMATED, _OWN_INSERT)
    if definition is not None:
        arguments["table"] = _table(node, fields)
        arguments["create_table_sql"] = definition
    return arguments


def add_table_to_table(
    source: ResolvedObject,
    target: ResolvedObject,
    fields: TaskFields,
    unload: str,
    load: str,
) -> None:
    """Add the two tasks of a copy from table to table, with a file in S3 between them.

    A retry of the load begins with the file, without asking the first database again, and no
    connection waits for the other one.

    :param source: the table to read.
    :param target: the table to write.
    :param fields: the activity.
    :param unload: import path of the operator for the first task.
    :param load: import path of that for the second.
    :raises NotCompilableError: when a part of it can't be kept.
    """
    staging = staging_param(fields.workflow)
    s3_uri = f"{staging_prefix(staging, fields.item, fields.workflow).text}/rows.csv.gz"
    between: dict[str, ArgumentValue] = {"s3_uri": s3_uri, "compression": "gzip"}
    fields.prepare(
        "export",
        unload,
        query_arguments(source, fields) | between,
        "writes the result of a query to S3",
    )
    statement = statement_arguments(target, fields)
    fields.warn(
        fields.item,
        "type",
        "The pipeline copied straight from table to table; the DAG goes through S3 and asks for a "
        "prefix",
        "Give a prefix of your own; its files stay, so expire them by a lifecycle rule",
    )
    account = (
        "`CopySqlToS3Operator` and `CopyS3ToSqlOperator`, one transaction with a row in the table "
        f"`updraft_load_ledger`; {_BY_TEXTS}"
    )
    fields.finish(
        load,
        between | statement,
        "loads files from S3 into a table",
        (Status.APPROXIMATED, account),
    )
    fields.workflow.ask_for(staging)


def _connection(node: ResolvedObject, fields: TaskFields) -> Connection:
    database = fields.reference("database", node)
    if database is None and node.field("connectionString") is None:
        raise NotCompilableError(f"{node.id} names no database")
    if database is not None and database.type not in DATABASES:
        raise NotCompilableError(f"{database.id} is a {database.type or 'database without type'}")
    found = connection_of(database or node, fields)
    if database is not None:
        for name in ("connectionString", "username", "*password"):
            fields.note(node, name, Status.DROPPED, f"`{database.id}` says how to connect")
    return found


def _table(node: ResolvedObject, fields: TaskFields, quote: str = '"') -> str:
    table, schema = fields.template("table", node), fields.template("schemaName", node)
    if table is None or not table.text.strip():
        raise NotCompilableError(f"{node.id} names no table")
    if schema is None or not schema.text.strip():
        return _name(table, quote, _QUALIFIED)
    return f"{_name(schema, quote)}.{_name(table, quote)}"


def _name(template: Template, quote: str, also: re.Pattern[str] = _PLAIN) -> str:
    """Write a name as SQL, in quotes if it needs them."""
    literal, text = template.literal, template.text
    if literal is None or _PLAIN.fullmatch(literal) or also.fullmatch(literal):
        return text
    if literal[0] + literal[-1] in _QUOTED:
        text = text[1:-1].replace(literal[-1] * 2, literal[-1])
    if not text:
        raise NotCompilableError("the name of a table or schema is empty")
    return f"{quote}{text.replace(quote, quote * 2)}{quote}"
