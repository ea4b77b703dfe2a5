"""Pipelines in CloudFormation templates: resources of type ``AWS::DataPipeline::Pipeline``."""

from collections.abc import Mapping

from updraft.datapipeline.cloudformation_functions import FunctionResolver
from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import did_you_mean, has_errors, nearest, shown_value
from updraft.datapipeline.json_text import JsonArray, JsonMember, JsonObject, JsonValue
from updraft.datapipeline.model import PipelineProperties
from updraft.datapipeline.positioned_values import last_object, renamed, text_of, text_under
from updraft.datapipeline.sources import PipelineSource

RESOURCE_TYPE = "AWS::DataPipeline::Pipeline"
_PROPERTIES = {
    "Activate",
    "Description",
    "Name",
    "ParameterObjects",
    "ParameterValues",
    "PipelineObjects",
    "PipelineTags",
}
KEYS_OF_TEMPLATES = {
    "Attributes": "attributes",
    "Fields": "fields",
    "Id": "id",
    "Key": "key",
    "Name": "name",
    "RefValue": "refValue",
    "StringValue": "stringValue",
}
_SECTIONS = {
    "ParameterObjects": "parameters",
    "ParameterValues": "parameterValues",
    "PipelineObjects": "objects",
}


def is_template(document: JsonObject) -> bool:
    """Tell a CloudFormation template by its content.

    :param document: a JSON object.
    :returns: true when it has the sections of a template.
    """
    keys = {member.key for member in document.members}
    return bool(keys & {"Resources", "AWSTemplateFormatVersion"})


def pipelines_of_template(
    template: JsonObject, given: Mapping[str, tuple[str, ...]], collector: FindingCollector
) -> list[PipelineSource]:
    """Read the pipelines of a template.

    :param template: the template.
    :param given: values for its parameters, and for names that it leaves open.
    :param collector: takes the findings.
    :returns: one source for each pipeline, in the order of the file.
    """
    resources = [
        member
        for section in template.values("Resources")
        if isinstance(section, JsonObject)
        for member in section.members
    ]
    found = [
        member
        for member in resources
        if isinstance(member.value, JsonObject)
        and text_under(member.value, "Type") == RESOURCE_TYPE
    ]
    if not found:
        types = {
            text_under(one.value, "Type") or "": one.position
            for one in resources
            if isinstance(one.value, JsonObject)
        }
        # CodePipeline is a service of its own, however much its type looks like this one.
        near = nearest(RESOURCE_TYPE, [one for one in types if "CodePipeline" not in one])
        collector.error(
            f"The CloudFormation template has no resource of type {RESOURCE_TYPE}",
            types[near] if near else template.position,
            f"Did you mean {RESOURCE_TYPE!r} for {near!r}?"
            if near
            else "Give the template that makes the pipeline",
        )
    sources: list[PipelineSource] = []
    for member in found:
        # Each pipeline asks for its own values: a resolver remembers what was asked.
        source = _pipeline(member, FunctionResolver(template, given, collector), collector)
        sources += [source] if source is not None else []
    left_out = [one for one in found if isinstance(one.value, JsonObject)]
    if left_out and not sources and not has_errors(collector.findings):
        collector.error(
            "Conditions leave out every pipeline of the template, so that there is none to read",
            left_out[0].position,
            "Give the parameters that they depend on by --set",
        )
    return sources


def _pipeline(
    resource: JsonMember, resolver: FunctionResolver, collector: FindingCollector
) -> PipelineSource | None:
    body = resource.value
    if not isinstance(body, JsonObject):
        return None
    condition = text_under(body, "Condition")
    if condition is not None:
        holds = resolver.conditions.value(condition)
        if holds is False:
            collector.warn(
                f"The pipeline {resource.key!r} is left out, as {condition!r} does not hold",
                resource.position,
                "Give the parameters that it depends on by --set, if it should hold",
                object_id=resource.key,
            )
            return None
        if holds is None:
            collector.warn(
                f"Whether the pipeline {resource.key!r} exists depends on {condition!r}",
                resource.position,
                "It is read as if it did; leave the file out otherwise",
                object_id=resource.key,
            )
    properties = last_object(body, "Properties")
    resolved = resolver.resolve(properties) if properties is not None else None
    if not isinstance(resolved, JsonObject):
        collector.error(
            f"The resource {resource.key!r} has no properties",
            resource.position,
            "Add 'Properties'",
        )
        return None
    members: list[JsonMember] = []
    for member in resolved.members:
        if member.key in _SECTIONS:
            value = renamed(member.value, KEYS_OF_TEMPLATES)
            members.append(JsonMember(_SECTIONS[member.key], value, member.position))
        elif member.key not in _PROPERTIES:
            collector.warn(
                f"{RESOURCE_TYPE} has no property {shown_value(member.key)!r}; it is ignored",
                member.position,
                did_you_mean(member.key, _PROPERTIES, "Remove it"),
                object_id=resource.key,
            )
    activate = (text_under(resolved, "Activate") or "true").lower()
    return PipelineSource(
        JsonObject(tuple(members), resource.position, resolved.depth),
        PipelineProperties(
            key=resource.key,
            name=text_under(resolved, "Name"),
            description=text_under(resolved, "Description"),
            tags=_tags(resolved),
            activate=activate != "false",
        ),
        frozenset(resolver.names.asked),
    )


def _tags(properties: JsonObject) -> tuple[tuple[str, str], ...]:
    items: list[JsonValue] = []
    for value in properties.values("PipelineTags"):
        items.extend(value.items if isinstance(value, JsonArray) else (value,))
    return tuple(
        (text_under(item, "Key") or "", "".join(map(text_of, item.values("Value"))))
        for item in items
        if isinstance(item, JsonObject)
    )
