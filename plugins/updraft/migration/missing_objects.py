"""Objects that a definition refers to and does not have, as far as anything is known of them.

What runs on a resource tells its kind, and a copy tells that of its data by the names that people
give: ``MyS3DataNode``, ``RedshiftDataNodeId1``, ``S3ToRedshiftCopy``. What a task has to know of
such data is then asked for in the form, so that all else of the copy is kept. A task that fails
stands for the object, but for a database: its task needs a connection that somebody has to make.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from updraft.datapipeline.findings import Position
from updraft.datapipeline.model import (
    Definition,
    Field,
    Parameter,
    PipelineObject,
    Reference,
    Text,
    undeclared_parameter,
)
from updraft.datapipeline.resolution import DEFAULT_ID
from updraft.migration.names import unique

# What runs on a resource that nobody describes tells what kind of resource that was.
_COMPUTER_OF = {
    "CopyActivity": "Ec2Resource",
    "EmrActivity": "EmrCluster",
    "HadoopActivity": "EmrCluster",
    "HiveActivity": "EmrCluster",
    "HiveCopyActivity": "EmrCluster",
    "PigActivity": "EmrCluster",
    "RedshiftCopyActivity": "Ec2Resource",
    "ShellCommandActivity": "Ec2Resource",
    "SqlActivity": "Ec2Resource",
}
_FILES, _TABLE, _DYNAMODB = "S3DataNode", "RedshiftDataNode", "DynamoDBDataNode"
_FORMATS = {"CSV", "TSV"}
_DATABASE, _OTHER_DATABASE = "RedshiftDatabase", "JdbcDatabase"
# What copies read and write, of what the form can ask for (guide, "CopyActivity" and
# "RedshiftCopyActivity").
_DATA_OF = {
    ("CopyActivity", "input"): {_FILES},
    ("CopyActivity", "output"): {_FILES},
    ("RedshiftCopyActivity", "input"): {_FILES, _TABLE, _DYNAMODB},
    ("RedshiftCopyActivity", "output"): {_FILES, _TABLE},
}
_NAMED_AFTER = {
    _FILES: r"s3",
    _TABLE: r"redshift",
    _DYNAMODB: r"dynamo_?db|ddb",
    "CSV": r"csv",
    "TSV": r"tsv",
}
_DIRECTION = re.compile(r"(?P<input>.*?[a-z0-9])_?[Tt]o_?(?=[A-Z])(?P<output>.*)")
# What a task has to know of an object of each type.
_ASKED = {
    _FILES: ("filePath",),
    _TABLE: ("tableName",),
    _DYNAMODB: ("tableName", "readThroughputPercent"),
    _DATABASE: ("clusterId", "databaseName", "username"),
}


@dataclass
class _Clues:
    user: PipelineObject
    types: set[str] = field(default_factory=set)


def missing_objects(
    definition: Definition, replaceable: Iterable[str]
) -> tuple[list[PipelineObject], list[Parameter]]:
    """Make objects of the ids that nothing has.

    :param definition: the definition.
    :param replaceable: the fields whose references can be kept.
    :returns: the objects, and the parameters that their fields ask for.
    """
    objects: list[PipelineObject] = []
    parameters: list[Parameter] = []
    for object_id, clues in _clues(definition, set(replaceable)).items():
        object_type = clues.types.pop() if len(clues.types) == 1 else None
        for one in _objects(object_id, object_type, definition, clues.user.position):
            objects.append(one)
            parameters += _parameters(one, object_id, definition)
    return objects, parameters


def _clues(definition: Definition, replaceable: set[str]) -> dict[str, _Clues]:
    known = definition.objects_by_id
    found: dict[str, _Clues] = {}
    for item in definition.objects:
        for one in item.fields:
            for object_id in one.references:
                if object_id in known or one.name not in replaceable:
                    continue
                clues = found.setdefault(object_id, _Clues(item))
                if one.name == "runsOn":
                    clues.types |= _computers(item, definition)
                elif one.name == "database":
                    clues.types.add(_database(object_id, item))
                elif one.name == "dataFormat" and _is_copied(item, definition):
                    clues.types |= _named(object_id, _FORMATS)
                else:
                    clues.types |= _data(object_id, item, one.name)
    return found


def _database(object_id: str, user: PipelineObject) -> str:
    """Tell which database it was: tables and queues of Redshift were in no other."""
    of_redshift = user.type == _TABLE or user.field("queue") is not None
    named = re.search(_NAMED_AFTER[_TABLE], object_id, re.IGNORECASE)
    return _DATABASE if of_redshift or named else _OTHER_DATABASE


def _is_copied(node: PipelineObject, definition: Definition) -> bool:
    """Tell whether a copy reads or writes files, for which their format counts."""
    return node.type == _FILES and any(
        node.id in one.references
        for item in definition.objects
        for one in item.fields
        if (item.type, one.name) in _DATA_OF
    )


def _computers(item: PipelineObject, definition: Definition) -> set[str]:
    """Tell what kinds of computers an object needs, or those that inherit from it."""
    if item.type is not None:
        users = [item]
    elif item.id == DEFAULT_ID:
        users = [one for one in definition.objects if one.field("runsOn") is None]
    else:
        users = [
            one
            for one in definition.objects
            if (parent := one.field("parent")) is not None and item.id in parent.references
        ]
    return {_COMPUTER_OF[one.type] for one in users if one.type in _COMPUTER_OF}


def _data(object_id: str, user: PipelineObject, role: str) -> set[str]:
    """Tell what kind of data a copy takes, by the name of the data, else by its own name."""
    types = _DATA_OF.get((user.type or "", role))
    if types is None:
        return set()
    direction = _DIRECTION.fullmatch(user.id)
    return _named(object_id, types) or (_named(direction[role], types) if direction else set())


def _named(name: str, types: set[str]) -> set[str]:
    return {one for one in types if re.search(_NAMED_AFTER[one], name, re.IGNORECASE)}


def _objects(
    object_id: str, object_type: str | None, definition: Definition, position: Position
) -> Iterator[PipelineObject]:
    """Make an object, and the database of a table."""
    asked = [
        _text_field(name, f"#{{{_parameter_id(object_id, name, definition)}}}", position)
        for name in _ASKED.get(object_type or "", ())
    ]
    if object_type == _TABLE:
        database_id = f"{object_id}_database"
        if database_id not in definition.objects_by_id:
            yield from _objects(database_id, _DATABASE, definition, position)
        reference = Reference(object_id=database_id, position=position)
        asked.append(Field(name="database", values=(reference,), position=position))
    yield PipelineObject(
        id=object_id, name=object_id, type=object_type, fields=tuple(asked), position=position
    )


def _text_field(name: str, text: str, position: Position) -> Field:
    return Field(name=name, values=(Text(text=text, position=position),), position=position)


def _parameter_id(object_id: str, name: str, definition: Definition) -> str:
    return unique(re.sub(r"\W", "_", f"my_{object_id}_{name}"), set(definition.names))


def _parameters(
    item: PipelineObject, missing_id: str, definition: Definition
) -> Iterator[Parameter]:
    for one in item.fields:
        if one.references:
            continue
        yield undeclared_parameter(
            _parameter_id(item.id, one.name, definition),
            item.position,
            origin=f"the definition has no {missing_id}",
            kind="Double" if one.name == "readThroughputPercent" else "String",
            description=f"{one.name} of {item.id}",
        )
