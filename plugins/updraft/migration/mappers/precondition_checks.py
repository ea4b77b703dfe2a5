"""What each type of precondition looks at, as the sensor that does.

Sources: guide, "Preconditions"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-preconditions.html) and
the pages of its types.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.compiled_fields import compile_value
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.existence_checks import (
    FOLDER_SENSOR,
    KEY_SENSOR,
    Check,
    check_of_node,
    key_arguments,
    region_arguments,
)

# What a task itself knows of its own run, which says nothing of the object that it guards.
_OF_THE_TASK = re.compile(r"\{[{%][^{}]*\b(ti|exception)\b")
_DYNAMODB = "updraft.sensors.dynamodb"
_Look: TypeAlias = Callable[[ResolvedObject, ResolvedObject, Workflow], Check]


def check_of(item: ResolvedObject, node: ResolvedObject, workflow: Workflow) -> Check:
    """Say how a precondition is checked for what it guards.

    :param item: the precondition.
    :param node: the activity or data node that it guards.
    :param workflow: the workflow.
    :returns: the sensor.
    :raises NotCompilableError: when it can't be said exactly.
    """
    return _CHECKS[item.type or ""](item, node, workflow)


def speaks_of_its_run(template: str) -> bool:
    """Tell whether a template asks how a task ran.

    :param template: the template.
    :returns: true for what says nothing of the object that a precondition guards.
    """
    return _OF_THE_TASK.search(template) is not None


def _compile(name: str, item: ResolvedObject, node: ResolvedObject, workflow: Workflow) -> Template:
    template = compile_value(name, item, workflow, node)
    if template is None:
        raise MissingFieldError(
            f"A {item.type} needs a {name}", f"Add the field {name!r}", (item.id, name)
        )
    if speaks_of_its_run(template.text):
        raise NotCompilableError(
            f"{item.id}.{name} asks how {node.id} ran, which is not known before it runs"
        )
    return template


def _key(item: ResolvedObject, node: ResolvedObject, workflow: Workflow) -> Check:
    key = _compile("s3Key", item, node, workflow)
    return Check(KEY_SENSOR, key_arguments(key), "waits for an object in S3", (key,))


def _prefix(item: ResolvedObject, node: ResolvedObject, workflow: Workflow) -> Check:
    prefix = _compile("s3Prefix", item, node, workflow)
    summary = "waits for objects below a prefix in S3"
    return Check(FOLDER_SENSOR, {"s3_uri": prefix.text}, summary, (prefix,))


def _table(
    sensor: str, summary: str
) -> Callable[[ResolvedObject, ResolvedObject, Workflow], Check]:
    def check(item: ResolvedObject, node: ResolvedObject, workflow: Workflow) -> Check:
        table = _compile("tableName", item, node, workflow)
        region, templates = region_arguments(node, workflow)
        arguments = {"table_name": table.text, **region}
        return Check(f"{_DYNAMODB}.{sensor}", arguments, summary, (table, *templates))

    return check


def _exists(item: ResolvedObject, node: ResolvedObject, workflow: Workflow) -> Check:
    if node.category != "data node":
        raise NotCompilableError(f"{item.id} looks for a data node, and {node.id} is none")
    return check_of_node(node, workflow)


_CHECKS: dict[str, _Look] = {
    "S3KeyExists": _key,
    "S3PrefixNotEmpty": _prefix,
    "DynamoDBTableExists": _table(
        "DynamoDBTableExistsSensor", "waits until a DynamoDB table is there"
    ),
    "DynamoDBDataExists": _table(
        "DynamoDBDataExistsSensor", "waits until a DynamoDB table has an item"
    ),
    "Exists": _exists,
}
CHECKED_TYPES = tuple(_CHECKS)
"""Object types with a sensor."""

ROLE_NOTES: dict[str, tuple[Status, str]] = {
    name: (
        Status.DROPPED,
        f"the sensor looks with its Airflow connection, which needs {permission}",
    )
    for name, permission in {
        "S3KeyExists": "`s3:GetObject` on the key and `s3:ListBucket` on the bucket",
        "S3PrefixNotEmpty": "`s3:ListBucket` on the bucket",
        "DynamoDBTableExists": "`dynamodb:DescribeTable`",
        "DynamoDBDataExists": "`dynamodb:Scan`",
        "Exists": "access to the data node",
    }.items()
}
