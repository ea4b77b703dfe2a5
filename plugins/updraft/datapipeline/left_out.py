"""What stands in files of definitions and is no part of the definition."""

from collections.abc import Iterable

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.json_text import JsonArray, JsonObject, JsonValue
from updraft.datapipeline.model import Field, Text
from updraft.datapipeline.object_types import field_type_of
from updraft.datapipeline.positioned_values import text_under

# The third sphere, of the components, is that of the definition (guide, "Task Runner").
_SPHERES_OF_RUNS = {"INSTANCE", "ATTEMPT"}


def is_instance(item: JsonValue, collector: FindingCollector) -> bool:
    """Tell an object that says how a run went, as DescribeObjects gives it.

    :param item: an entry of the objects.
    :param collector: takes a warning that it is left out.
    :returns: whether it is an instance or an attempt.
    """
    if not isinstance(item, JsonObject):
        return False
    spheres = [
        text_under(field, "stringValue")
        for container in item.values("fields")
        if isinstance(container, JsonArray)
        for field in container.items
        if isinstance(field, JsonObject) and text_under(field, "key") == "@sphere"
    ]
    sphere = text_under(item, "@sphere") or next(iter(spheres), None)
    if sphere not in _SPHERES_OF_RUNS:
        return False
    collector.warn(
        f"The object is an {sphere.lower()} of another one, which says how a run went; it is "
        "left out",
        item.position,
        "Nothing needs to be done",
        object_id=text_under(item, "id"),
    )
    return True


def unused_fields(
    fields: Iterable[Field], type_name: str | None, object_id: str, collector: FindingCollector
) -> list[Field]:
    """List fields that say nothing, as generators and templates write them for what they don't use.

    An empty text is one where a text is meant, and no reference, date, period or number elsewhere.

    :param fields: the fields of an object.
    :param type_name: its type.
    :param object_id: its id.
    :param collector: takes a warning for each.
    :returns: the fields.
    """
    found: list[Field] = []
    for field in fields:
        known = field_type_of(type_name, field.name)
        blank = all(isinstance(one, Text) and not one.text.strip() for one in field.values)
        if known is None or known.slot == "string" or not field.values or not blank:
            continue
        found.append(field)
        what = "reference" if known.slot == "ref" else "value"
        collector.warn(
            f"An empty text stands for a {what}; it is left out",
            field.position,
            "Remove it",
            object_id=object_id,
            field=field.name,
        )
    return found
