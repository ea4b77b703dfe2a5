"""The object types of AWS Data Pipeline with their fields, as data.

``object_types.json`` lists what the developer guide's object reference lists
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-pipeline-objects.html), and a
few fields that only its examples and real definitions show (marked ``undocumented``).
"""

import json
import re
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict

Slot = Literal["string", "ref", "period", "integer", "double", "boolean", "datetime", "enumeration"]
Category = Literal[
    "activity",
    "data node",
    "resource",
    "precondition",
    "database",
    "data format",
    "action",
    "schedule",
    "utility",
]

# Objects of these do, await or hold something while a pipeline runs; all others describe them.
WORKING_CATEGORIES: frozenset[Category] = frozenset(
    {"activity", "resource", "precondition", "data node"}
)

_USER_FIELD = re.compile(r"\*?my[A-Z_]\w*")
# Every object may have a parent, whether its page in the guide says so or not.
_ALWAYS_ALLOWED = {"parent"}
# What DescribePipelines says of a pipeline, beside the fields that have a sign.
_PIPELINE_FIELDS = frozenset({"pipelineCreator", "uniqueId"})


class FieldType(BaseModel):
    """What the reference says about a field of an object type.

    :param slot: what kind of value it takes.
    :param required: whether it must be present, own or inherited.
    :param one_of: number of the group of fields of which one must be present.
    :param multi: whether it may have several values.
    :param allowed: the only values it takes, compared without regard to case.
    :param default: the value that the service assumes.
    :param undocumented: whether only examples show it.
    :param invocation: whether it says when the object runs, which on demand nothing needs to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: Slot
    required: bool = False
    one_of: int | None = None
    multi: bool = False
    allowed: tuple[str, ...] = ()
    default: str | None = None
    undocumented: bool = False
    invocation: bool = False


class ObjectType(BaseModel):
    """An object type: its category, the fields to write, the fields it has while running."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: Category
    fields: dict[str, FieldType]
    runtime_fields: dict[str, Slot]

    def knows(self, field: str) -> bool:
        """Tell whether a definition may write this field.

        :param field: field name; the asterisk of a secret makes no difference.
        :returns: true for the type's own and for user-defined fields.
        """
        name = field.removeprefix("*")
        return (
            name in self.fields
            or f"*{name}" in self.fields
            or name in _ALWAYS_ALLOWED
            or is_user_field(field)
        )


@cache
def object_types() -> dict[str, ObjectType]:
    """Load the table of object types.

    :returns: object types by name.
    """
    text = resources.files("updraft.datapipeline").joinpath("object_types.json").read_text("utf-8")
    return {name: ObjectType.model_validate(entry) for name, entry in json.loads(text).items()}


def field_type_of(type_name: str | None, field: str) -> FieldType | None:
    """Look up what the reference says about a field.

    :param type_name: object type, none or unknown for ``Default`` and abstract parents.
    :param field: field name.
    :returns: what is known for the type; without a type, what all types agree on in their slot.
    """
    types = object_types()
    if type_name in types:
        found = types[type_name or ""].fields.get(field)
        if found is not None or field != "parent":
            return found
    found_everywhere = [entry.fields[field] for entry in types.values() if field in entry.fields]
    agree = len({found.slot for found in found_everywhere}) == 1
    return found_everywhere[0] if agree else None


@cache
def runtime_field_names() -> frozenset[str]:
    """Collect the fields that the service fills in while an object runs, such as ``@status``.

    :returns: field names; those with a sign keep it.
    """
    return frozenset(name for entry in object_types().values() for name in entry.runtime_fields)


def is_runtime_field(name: str) -> bool:
    """Tell whether the service filled a field in, which exports of running pipelines show.

    :param name: field name.
    :returns: true for names with a sign, and for those that no object type lets anybody write.
    """
    if name.startswith("@") or name in _PIPELINE_FIELDS:
        return True
    return name in runtime_field_names() and name not in all_field_names()


@cache
def working_field_names() -> frozenset[str]:
    """Collect the fields that only objects have that do, run or hold something.

    :returns: field names of activities, resources, preconditions and data nodes, without those
        that objects of other categories have too.
    """
    working: set[str] = set()
    others: set[str] = set(_ALWAYS_ALLOWED)
    for entry in object_types().values():
        (working if entry.category in WORKING_CATEGORIES else others).update(entry.fields)
    return frozenset(working - others | {"scriptUri", "scriptArgument"})


@cache
def all_field_names() -> frozenset[str]:
    """Collect the field names of all types; what ``Default`` may carry.

    :returns: field names.
    """
    return frozenset(name for entry in object_types().values() for name in entry.fields)


def category_of(type_name: str | None) -> Category | None:
    """Look up the category of an object type.

    :param type_name: object type as written.
    :returns: its category, none when the type is unknown or absent.
    """
    entry = object_types().get(type_name or "")
    return entry.category if entry else None


def is_user_field(name: str) -> bool:
    """Tell whether a field is one that users define (guide, "Creating User-Defined Fields").

    :param name: field name.
    :returns: true for ``my`` followed by a capital letter or an underscore.
    """
    return _USER_FIELD.fullmatch(name) is not None
