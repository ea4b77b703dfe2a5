"""External tables of Hive for data nodes."""

from updraft.emr.hive_staging import (
    WHOLE_ITEM,
    DynamoDBTable,
    HiveTable,
    ItemLines,
    create_tables,
    hive_string,
)
from updraft.emr.script_steps import copy_file
from updraft.emr.staged_columns import Column
from updraft.errors import UpdraftError
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value
from updraft.migration.jinja_text import map_literals
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.staged_data import (
    ATTRIBUTE_FORMAT,
    ITEM_FORMAT,
    StagedNode,
    location_of,
    text_storage,
)
from updraft.migration.mappers.staged_tables import STORAGE, TableFiles
from updraft.migration.names import snake_case

TABLES_NOTE = (
    "the statements that make Hive's tables are Updraft's own, as the service never published its"
)
_PROPERTIES = {
    "region": "dynamodb.region",
    "readThroughputPercent": "dynamodb.throughput.read.percent",
    "writeThroughputPercent": "dynamodb.throughput.write.percent",
}


def hive_table(node: StagedNode, steps: ActivitySteps) -> HiveTable:
    """Make the table of a data node; what has to be copied first becomes a step.

    :param node: the data node.
    :param steps: the activity.
    :returns: the table.
    :raises NotCompilableError: when Hive can't read or write it.
    """
    name = f"{snake_case(steps.item.item.name)}_{node.variable}"
    is_item, is_table = node.format.type == ITEM_FORMAT, node.item.type == "DynamoDBDataNode"
    if is_table:
        if node.format.type not in {ITEM_FORMAT, ATTRIBUTE_FORMAT}:
            raise NotCompilableError(
                f"{node.item.id} is a DynamoDB table, and {node.format.type} is a format of files"
            )
        columns = (WHOLE_ITEM, *node.columns) if is_item and node.is_input else node.columns
        return HiveTable(
            name,
            (WHOLE_ITEM,) if is_item and not node.is_input else columns,
            _dynamodb_table(node, steps),
        )
    location, is_file = location_of(node.item, steps)
    if is_file and not node.is_input:
        raise NotCompilableError(
            f"{node.item.id} names a file, and Hive writes directories; give it a directoryPath"
        )
    if is_file:
        directory = f"hdfs:///updraft/{name}/"
        steps.add(copy_file(location, directory))
        location = directory
    if is_item:
        return HiveTable(name, (WHOLE_ITEM,), ItemLines(), location)
    return HiveTable(name, node.columns, text_storage(node, steps), location)


def database_table(files: TableFiles, steps: ActivitySteps) -> HiveTable:
    """Make the table of the files that stand for one of a database.

    :param files: the files.
    :param steps: the activity.
    :returns: the table.
    :raises NotCompilableError: when nothing tells how many columns it has.
    """
    columns = files.columns
    if not columns and not files.schema:
        if files.width is None:
            raise NotCompilableError(
                f"{files.item.id} has neither an insertQuery nor a data format that tells how many "
                "columns its rows have"
            )
        # Hive fills columns in their order, whatever they are called.
        columns = tuple(Column(f"column{place + 1}", "STRING") for place in range(files.width))
    name = f"{snake_case(steps.item.item.name)}_{files.variable}"
    return HiveTable(name, columns, STORAGE, f"{files.directory}/", schema=files.schema)


def create_statements(tables: list[HiveTable]) -> str:
    """Write the statements that make tables.

    :param tables: the tables; values in them may be templates.
    :returns: statements, a template.
    :raises NotCompilableError: when Hive can't read such data.
    """
    try:
        return create_tables(tables, lambda value: map_literals(value, hive_string))
    except UpdraftError as error:
        raise NotCompilableError(str(error)) from error


def _dynamodb_table(node: StagedNode, steps: ActivitySteps) -> DynamoDBTable:
    table = compile_value("tableName", node.item, steps.workflow)
    if table is None:
        raise NotCompilableError(f"{node.item.id} names no table")
    properties: dict[str, str] = {}
    unused = "writeThroughputPercent" if node.is_input else "readThroughputPercent"
    for name, hive_name in _PROPERTIES.items():
        template = compile_value(name, node.item, steps.workflow)
        if template is not None and name != unused:
            properties[hive_name] = steps.take(template)
    return DynamoDBTable(steps.take(table), properties)
