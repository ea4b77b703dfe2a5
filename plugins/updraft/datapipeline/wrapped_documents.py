"""Definitions and templates that stand inside of something else."""

from collections.abc import Iterator

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonObject,
    JsonScalar,
    JsonSyntaxError,
    JsonValue,
    parse_json,
)
from updraft.datapipeline.yaml_text import parse_yaml

_OBJECTS = {"objects", "pipelineObjects", "PipelineObjects"}


def template_body(document: JsonObject) -> JsonObject | None:
    """Take out the template that ``aws cloudformation get-template`` prints, as text or as object.

    :param document: any document.
    :returns: the template, none when there is none.
    """
    found = document.values("TemplateBody")
    return _parsed(found[-1]) if found else None


def unwrapped(document: JsonValue, collector: FindingCollector) -> tuple[JsonObject, ...]:
    """Take out definitions that stand in something else, such as a playbook or a program of Pulumi.

    :param document: a document that is neither a template nor a configuration.
    :param collector: takes a warning for each.
    :returns: the definitions at any depth; none when there is none, or the document is one.
    """
    if isinstance(document, JsonObject) and _OBJECTS & {one.key for one in document.members}:
        return ()
    found = tuple(_definitions(document))
    for one in found:
        collector.warn(
            "The definition stands inside of something else, which is ignored",
            one.position,
            "Give the definition alone",
        )
    return found


def _definitions(value: JsonValue) -> Iterator[JsonObject]:
    if isinstance(value, JsonArray):
        for item in value.items:
            yield from _definitions(item)
    elif isinstance(value, JsonObject):
        if _is_definition(value):
            yield value
            return
        for member in value.members:
            yield from _definitions(member.value)


def _parsed(body: JsonValue) -> JsonObject | None:
    if isinstance(body, JsonScalar) and isinstance(body.value, str):
        text = body.value
        try:
            parsed = (parse_json(text),) if text.lstrip()[:1] == "{" else parse_yaml(text)
        except JsonSyntaxError:
            return None
        body = parsed[0] if parsed else body
    return body if isinstance(body, JsonObject) else None


def _is_definition(value: JsonObject) -> bool:
    """Tell a definition by objects that have an id."""
    return any(
        isinstance(item, JsonObject) and (item.values("id") or item.values("Id"))
        for member in value.members
        if member.key in _OBJECTS and isinstance(member.value, JsonArray)
        for item in member.value.items
    )
