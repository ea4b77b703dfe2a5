"""Pig relations for the staged data of an activity.

The service never published the statements that it generated, so these are Updraft's own for what
the guide promises: ``${input1}`` names a relation with the columns of the data format, and what
the script assigns to ``${output1}`` is stored
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-pigactivity.html).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from updraft.emr.hive_staging import Delimited, Regex
from updraft.emr.staged_columns import Column
from updraft.errors import UpdraftError

_PIGGYBANK = "/usr/lib/pig/lib/piggybank.jar"
_REGEX_LOADER = "org.apache.pig.piggybank.storage.MyRegExLoader"
_TYPES = {
    "BIGINT": "long",
    "BINARY": "bytearray",
    "BOOLEAN": "boolean",
    "CHAR": "chararray",
    "DATE": "datetime",
    "DECIMAL": "bigdecimal",
    "DOUBLE": "double",
    "FLOAT": "float",
    "INT": "int",
    "INTEGER": "int",
    "LONG": "long",
    "SMALLINT": "int",
    "STRING": "chararray",
    "TIMESTAMP": "datetime",
    "TINYINT": "int",
    "VARCHAR": "chararray",
}
_ESCAPES = {chr(code): f"\\u{code:04x}" for code in (*range(0x20), 0x7F)} | {
    "\\": "\\\\",
    "'": "\\'",
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
}
_SIZE = re.compile(r"\(.*\)$")

Quote = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class PigRelation:
    """A relation that is loaded or stored.

    :param name: its alias.
    :param columns: its columns.
    :param storage: how the files are written.
    :param location: the file or prefix.
    :param schema: in place of columns, a template for them that the run fills in.
    """

    name: str
    columns: tuple[Column, ...]
    storage: Delimited | Regex
    location: str
    schema: str = ""


def pig_string(text: str) -> str:
    """Escape a text for a literal in single quotes.

    :param text: any text.
    :returns: the same without quotes around it.
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


def load_relations(relations: Sequence[PigRelation], quote: Quote = pig_string) -> str:
    """Write the statements that load relations.

    :param relations: the inputs.
    :param quote: escapes a value for a literal in single quotes.
    :returns: statements, each with a semicolon.
    :raises UpdraftError: when Pig can't read such data.
    """
    statements = []
    if any(isinstance(relation.storage, Regex) for relation in relations):
        statements.append(f"REGISTER {_PIGGYBANK};")
    for relation in relations:
        typed = ", ".join(f"{one.name}:{_type(one)}" for one in relation.columns)
        schema = relation.schema or typed
        known = f" AS ({schema})" if schema else ""
        statements.append(
            f"{relation.name} = LOAD '{quote(relation.location)}' "
            f"USING {_loader(relation, quote)}{known};"
        )
    return "\n".join(statements)


def store_relations(relations: Sequence[PigRelation], quote: Quote = pig_string) -> str:
    """Write the statements that store relations.

    :param relations: the outputs.
    :param quote: escapes a value for a literal in single quotes.
    :returns: statements, each with a semicolon.
    :raises UpdraftError: when Pig can't write such data.
    """
    return "\n".join(
        f"STORE {one.name} INTO '{quote(one.location)}' USING {_storer(one, quote)};"
        for one in relations
    )


def _type(column: Column) -> str:
    found = _TYPES.get(_SIZE.sub("", column.type).strip())
    if found is None:
        raise UpdraftError(f"Pig has no type for the column {column.name} {column.type}")
    return found


def _loader(relation: PigRelation, quote: Quote) -> str:
    if isinstance(relation.storage, Regex):
        return f"{_REGEX_LOADER}('{quote(relation.storage.pattern)}')"
    return _pig_storage(relation.storage, quote)


def _storer(relation: PigRelation, quote: Quote) -> str:
    if isinstance(relation.storage, Regex):
        raise UpdraftError("Pig has no storage that writes lines by a format")
    return _pig_storage(relation.storage, quote)


def _pig_storage(storage: Delimited, quote: Quote) -> str:
    if storage.line_end != "\n":
        raise UpdraftError(f"Pig ends records with a line feed only, not {storage.line_end!r}")
    return f"PigStorage('{quote(storage.separator)}')"
