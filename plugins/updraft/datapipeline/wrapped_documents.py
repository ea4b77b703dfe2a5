"""Definitions and templates that stand inside of something else."""

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


def unwrapped(document: JsonObject, collector: FindingCollector) -> JsonObject:
    """Take out a definition that stands in another object.

    :param document: a document that is neither a template nor a configuration.
    :param collector: takes a warning.
    :returns: the definition that stands under one of the keys; the document itself when there is
        none, or more than one.
    """
    if _OBJECTS & {member.key for member in document.members}:
        return document
    found = [member for member in document.members if _is_definition(member.value)]
    if len(found) != 1:
        return document
    collector.warn(
        f"The definition stands under the key {found[0].key!r}; what stands beside it is ignored",
        found[0].position,
        "Give the definition alone",
    )
    return found[0].value if isinstance(found[0].value, JsonObject) else document


def _parsed(body: JsonValue) -> JsonObject | None:
    if isinstance(body, JsonScalar) and isinstance(body.value, str):
        text = body.value
        try:
            parsed = (parse_json(text),) if text.lstrip()[:1] == "{" else parse_yaml(text)
        except JsonSyntaxError:
            return None
        body = parsed[0] if parsed else body
    return body if isinstance(body, JsonObject) else None


def _is_definition(value: JsonValue) -> bool:
    return isinstance(value, JsonObject) and any(
        member.key in _OBJECTS and isinstance(member.value, JsonArray) for member in value.members
    )
