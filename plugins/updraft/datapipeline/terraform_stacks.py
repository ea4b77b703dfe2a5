"""CloudFormation templates inside of Terraform configurations: ``aws_cloudformation_stack``.

Terraform's provider knew definitions of pipelines only from its version 4 on, so that older
configurations wrap a template.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from updraft.datapipeline.cloudformation import RESOURCE_TYPE, is_template, pipelines_of_template
from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import Position
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonSyntaxError,
    JsonValue,
    joined,
    parse_json,
)
from updraft.datapipeline.open_values import Part
from updraft.datapipeline.positioned_values import last_object
from updraft.datapipeline.sources import PipelineSource
from updraft.datapipeline.terraform_names import ModuleNames, blocks
from updraft.datapipeline.yaml_text import parse_yaml

STACK_TYPE = "aws_cloudformation_stack"
_FILE = re.compile(r'\$\{\s*(?:file|templatefile)\(\s*"([^"]*)"')
# Stands for an open value while the text around it is read as a template.
_MARK = re.compile("\ue000([0-9]+)\ue001")


def pipelines_of_stacks(
    document: JsonObject,
    others: Sequence[JsonObject],
    given: Mapping[str, tuple[str, ...]],
    collector: FindingCollector,
) -> list[PipelineSource]:
    """Read the pipelines of templates that stand in a configuration.

    :param document: the configuration.
    :param others: the other files of its module.
    :param given: values for variables, and for names that are open.
    :param collector: takes the findings.
    :returns: one source for each pipeline.
    """
    sources: list[PipelineSource] = []
    stacks = [
        member
        for kind in blocks([document], "resource")
        if kind.key == STACK_TYPE and isinstance(kind.value, JsonObject)
        for member in kind.value.members
        if isinstance(member.value, JsonObject)
    ]
    for member in stacks:
        names = ModuleNames([document, *others], given, collector)
        for template in _templates(member, names, collector):
            parameters = _parameters(member, names)
            found = pipelines_of_template(template, {**parameters, **given}, collector)
            asked = frozenset(names.asked)
            sources += [replace(one, template_names=one.template_names | asked) for one in found]
    return sources


def _templates(
    stack: JsonMember, names: ModuleNames, collector: FindingCollector
) -> list[JsonObject]:
    bodies = stack.value.values("template_body") if isinstance(stack.value, JsonObject) else ()
    found: list[JsonObject] = []
    for body in bodies:
        file = _FILE.search(body.text) if isinstance(body, JsonScalar) else None
        if file is not None:
            collector.warn(
                f"The template of {STACK_TYPE}.{stack.key} is not read: it is a file of its own",
                body.position,
                f"Give {file[1].rpartition('}/')[2]}, and the parameters of the stack by --set",
            )
            continue
        value = names.evaluator.value(body, {})
        if not isinstance(value, JsonScalar) or RESOURCE_TYPE not in value.text:
            continue
        try:
            text = "".join(
                part if isinstance(part, str) else f"\ue000{index}\ue001"
                for index, part in enumerate(value.all_parts)
            )
            parsed = (parse_json(text),) if text.lstrip()[:1] == "{" else parse_yaml(text)
        except JsonSyntaxError as error:
            place = Position(line=error.position.line + value.position.line - 1, column=1)
            collector.error(error.message, place, error.advice)
            continue
        lines = value.position.line - 1
        for one in parsed:
            shifted = _shifted(one, lines, value.all_parts)
            if isinstance(shifted, JsonObject) and is_template(shifted):
                found.append(shifted)
    return found


def _parameters(stack: JsonMember, names: ModuleNames) -> dict[str, tuple[str, ...]]:
    given = last_object(stack.value, "parameters") if isinstance(stack.value, JsonObject) else None
    if given is None:
        return {}
    values = {one.key: names.evaluator.value(one.value, {}) for one in given.members}
    return {
        key: (value.text,)
        for key, value in values.items()
        if isinstance(value, JsonScalar) and not value.parts
    }


def _shifted(value: JsonValue, lines: int, parts: Sequence[Part]) -> JsonValue:
    """Count lines from the beginning of the file, and put open values where their marks stand.

    :param value: a part of the template.
    :param lines: lines of the file above the template.
    :param parts: what the text of the template is made of; a mark is an index.
    """
    place = value.position.model_copy(update={"line": value.position.line + lines})
    if isinstance(value, JsonScalar):
        if not _MARK.search(value.text):
            return JsonScalar(value.value, value.source, place, value.parts)
        # Text and indices by turns.
        pieces = enumerate(_MARK.split(value.text))
        made = [parts[int(one)] if index % 2 else one for index, one in pieces]
        return joined([one for one in made if one], place)
    if isinstance(value, JsonArray):
        items = tuple(_shifted(item, lines, parts) for item in value.items)
        return JsonArray(items, place, value.depth)
    members = tuple(
        JsonMember(
            one.key,
            _shifted(one.value, lines, parts),
            one.position.model_copy(update={"line": one.position.line + lines}),
        )
        for one in value.members
    )
    return JsonObject(members, place, value.depth)
