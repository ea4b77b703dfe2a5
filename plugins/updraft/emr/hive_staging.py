"""Hive tables for the staged data of an activity.

The service never published the statements that it generated, so these are Updraft's own for what
the guide promises: ``${input1}``, ``${output1}`` and so on name external tables with the columns
of the data format
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-concepts-staging.html).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from updraft.emr.staged_columns import Column
from updraft.errors import UpdraftError

WHOLE_ITEM = Column("item", "MAP<STRING,STRING>")
"""Column that holds all attributes of an item of DynamoDB, whatever they are."""

_DYNAMODB = "org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler"
_READ_REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"
_WRITE_REGEX = "org.apache.hadoop.hive.contrib.serde2.RegexSerDe"
_CONTRIB_JAR = "/usr/lib/hive/lib/hive-contrib.jar"
_LINE_END = "\n"
_ESCAPES = {chr(code): f"\\{code:03o}" for code in (*range(0x20), 0x7F)} | {
    "\\": "\\\\",
    "'": "\\'",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    ";": "\\;",
}

Quote = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Delimited:
    """Lines of fields.

    :param separator: between fields.
    :param escape: makes the next character an ordinary one; None for no such character.
    :param line_end: between lines; Hive knows no other than a line feed.
    """

    separator: str
    escape: str | None = None
    line_end: str = _LINE_END


@dataclass(frozen=True, slots=True)
class Regex:
    """Lines that a regular expression takes apart.

    :param pattern: the expression, one group for each column.
    :param output: how a line is written, in the syntax of Java's formatter; None for tables that
        are only read.
    """

    pattern: str
    output: str | None = None


@dataclass(frozen=True, slots=True)
class ItemLines:
    """Whole items of DynamoDB, a line each, as Hive writes a map: this keeps each type."""


@dataclass(frozen=True)
class DynamoDBTable:
    """A table of DynamoDB in place of files.

    :param properties: further properties of the Hive table by name.
    """

    table_name: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HiveTable:
    """An external table.

    :param name: its name.
    :param columns: its columns.
    :param storage: where and how the data lie.
    :param location: prefix of the files, None for a table of DynamoDB.
    :param schema: in place of columns, a template for them that the run fills in.
    """

    name: str
    columns: tuple[Column, ...]
    storage: Delimited | Regex | ItemLines | DynamoDBTable
    location: str | None = None
    schema: str = ""


def hive_string(text: str) -> str:
    """Escape a text for a literal in single quotes.

    :param text: any text.
    :returns: the same without quotes around it; a semicolon is escaped too, since the command
        line of Hive cuts statements there before it looks for quotes.
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


def create_tables(tables: Sequence[HiveTable], quote: Quote = hive_string) -> str:
    """Write the statements that make tables.

    :param tables: the tables; those of the same names are replaced.
    :param quote: escapes a value for a literal in single quotes.
    :returns: statements, each with a semicolon.
    :raises UpdraftError: when Hive can't read such data.
    """
    statements = []
    if any(isinstance(table.storage, Regex) and table.storage.output for table in tables):
        statements.append(f"ADD JAR {_CONTRIB_JAR};")
    for table in tables:
        statements += [f"DROP TABLE IF EXISTS {table.name};", _create(table, quote)]
    return "\n".join(statements)


def drop_tables(tables: Sequence[HiveTable]) -> str:
    """Write the statements that remove tables, whose data stay.

    :param tables: the tables.
    :returns: statements, each with a semicolon.
    """
    return "\n".join(f"DROP TABLE IF EXISTS {table.name};" for table in tables)


def copy_statement(source: str, target: str, columns: Sequence[str], condition: str | None) -> str:
    """Write the statement that copies rows.

    :param source: table to read.
    :param target: table to write; Hive replaces files, and puts items into tables of DynamoDB.
    :param columns: columns to copy, by the names they have in the source.
    :param condition: which rows, without ``WHERE``; None for all.
    :returns: a statement with a semicolon.
    """
    where = f"\nWHERE {condition}" if condition is not None else ""
    names = ", ".join(f"`{name}`" for name in columns)
    return f"INSERT OVERWRITE TABLE {target}\nSELECT {names} FROM {source}{where};"


def _create(table: HiveTable, quote: Quote) -> str:
    typed = ", ".join(f"`{column.name}` {column.type}" for column in table.columns)
    schema = table.schema or typed
    parts = [f"CREATE EXTERNAL TABLE {table.name} ({schema})", *_storage(table, quote)]
    if table.location is not None:
        parts.append(f"LOCATION '{quote(table.location)}'")
    if isinstance(table.storage, DynamoDBTable):
        parts.append(_properties(table, table.storage, quote))
    return "\n".join(parts) + ";"


def _storage(table: HiveTable, quote: Quote) -> list[str]:
    match table.storage:
        case Delimited(line_end=line_end) if line_end != _LINE_END:
            raise UpdraftError(f"Hive ends records with a line feed only, not with {line_end!r}")
        case Delimited(separator=separator, escape=escape):
            escaped = f" ESCAPED BY '{quote(escape)}'" if escape is not None else ""
            return [
                "ROW FORMAT DELIMITED",
                f"FIELDS TERMINATED BY '{quote(separator)}'{escaped}",
                "LINES TERMINATED BY '\\n'",
                "STORED AS TEXTFILE",
            ]
        case Regex(pattern=pattern, output=output):
            settings = f"'input.regex' = '{quote(pattern)}'"
            if output is not None:
                settings += f", 'output.format.string' = '{quote(output)}'"
            serde = _READ_REGEX if output is None else _WRITE_REGEX
            return [
                f"ROW FORMAT SERDE '{serde}'",
                f"WITH SERDEPROPERTIES ({settings})",
                "STORED AS TEXTFILE",
            ]
        case ItemLines():
            return [
                "ROW FORMAT DELIMITED",
                "FIELDS TERMINATED BY '\\t' LINES TERMINATED BY '\\n'",
                "STORED AS TEXTFILE",
            ]
        case DynamoDBTable():
            return [f"STORED BY '{_DYNAMODB}'"]


def _properties(table: HiveTable, storage: DynamoDBTable, quote: Quote) -> str:
    mapped = [column.name for column in table.columns if column != WHOLE_ITEM]
    properties = {"dynamodb.table.name": quote(storage.table_name)}
    if mapped:
        properties["dynamodb.column.mapping"] = ",".join(f"{name}:{name}" for name in mapped)
    properties |= {name: quote(value) for name, value in storage.properties.items()}
    inside = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
    return f"TBLPROPERTIES ({inside})"
