"""Pipelines in what Terraform knows: its state, and what ``terraform show -json`` prints of it.

Sources: https://developer.hashicorp.com/terraform/internals/json-format for the printed forms; the
state itself, version 4, is of no documented format, but of one that has not changed since 2019.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.json_text import JsonArray, JsonObject
from updraft.datapipeline.model import PipelineProperties
from updraft.datapipeline.positioned_values import last_object, text_under
from updraft.datapipeline.sources import PipelineSource
from updraft.datapipeline.terraform import (
    DEFINITION_TYPE,
    PIPELINE_TYPE,
    definition_of_blocks,
    properties_of,
)

_PRINTED = ("values", "planned_values")


@dataclass(frozen=True)
class _Resource:
    type: str
    name: str
    attributes: JsonObject


def is_state(document: JsonObject) -> bool:
    """Tell a state, or what is printed of one or of a plan, by its content.

    :param document: a JSON object.
    :returns: true when it lists resources as Terraform does.
    """
    keys = {member.key for member in document.members}
    return bool(keys & {"terraform_version", "format_version"}) and bool(
        keys & {"resources", *_PRINTED}
    )


def pipelines_of_state(document: JsonObject, collector: FindingCollector) -> list[PipelineSource]:
    """Read the pipelines of a state.

    :param document: the state, or what is printed of one or of a plan.
    :param collector: takes an error when there is none.
    :returns: one source for each definition, in the order of the file.
    """
    resources = [*_of_state(document)]
    for key in _PRINTED:
        printed = last_object(document, key)
        root = last_object(printed, "root_module") if printed is not None else None
        resources += _of_module(root) if root is not None else ()
    pipelines = {
        text_under(one.attributes, "id"): one.attributes
        for one in resources
        if one.type == PIPELINE_TYPE
    }
    sources: list[PipelineSource] = []
    for one in resources:
        if one.type != DEFINITION_TYPE:
            continue
        blocks = [
            (member.key, item)
            for member in one.attributes.members
            for item in (member.value.items if isinstance(member.value, JsonArray) else ())
        ]
        declared = pipelines.get(text_under(one.attributes, "pipeline_id"))
        values = {member.key: member.value for member in declared.members} if declared else {}
        properties = (
            properties_of(one.name, values) if declared else PipelineProperties(key=one.name)
        )
        sources.append(
            PipelineSource(definition_of_blocks(blocks, one.attributes.position), properties)
        )
    if not sources:
        collector.error(
            f"What Terraform knows has no resource {DEFINITION_TYPE}",
            document.position,
            "Give the state that has it",
        )
    return sources


def _of_state(document: JsonObject) -> Iterator[_Resource]:
    for one in _objects(document, "resources"):
        for instance in _objects(one, "instances"):
            attributes = last_object(instance, "attributes")
            if attributes is not None:
                yield _resource(one, text_under(instance, "index_key"), attributes)


def _of_module(module: JsonObject) -> Iterator[_Resource]:
    for one in _objects(module, "resources"):
        values = last_object(one, "values")
        if values is not None:
            yield _resource(one, text_under(one, "index"), values)
    for child in _objects(module, "child_modules"):
        yield from _of_module(child)


def _resource(one: JsonObject, index: str | None, attributes: JsonObject) -> _Resource:
    name = text_under(one, "name") or ""
    kind = text_under(one, "type") or ""
    return _Resource(kind, f"{name}_{index}" if index else name, attributes)


def _objects(value: JsonObject, key: str) -> Iterator[JsonObject]:
    for found in value.values(key):
        items = found.items if isinstance(found, JsonArray) else ()
        yield from (one for one in items if isinstance(one, JsonObject))
