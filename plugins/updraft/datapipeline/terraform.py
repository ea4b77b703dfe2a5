"""Pipelines in Terraform configurations: ``aws_datapipeline_pipeline_definition``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import Position, did_you_mean, shown_value
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonValue,
    depth_of,
)
from updraft.datapipeline.model import PipelineProperties
from updraft.datapipeline.positioned_values import last_object, pairs_of, renamed, text_under
from updraft.datapipeline.sources import PipelineSource
from updraft.datapipeline.terraform_expressions import Scope
from updraft.datapipeline.terraform_names import ModuleNames, blocks
from updraft.datapipeline.terraform_stacks import pipelines_of_stacks

DEFINITION_TYPE = "aws_datapipeline_pipeline_definition"
PIPELINE_TYPE = "aws_datapipeline_pipeline"
_SECTIONS = {
    "pipeline_object": "objects",
    "parameter_object": "parameters",
    "parameter_value": "parameterValues",
}
_KEYS = {
    "attribute": "attributes",
    "field": "fields",
    "ref_value": "refValue",
    "string_value": "stringValue",
}
_ARGUMENTS = {*_SECTIONS, "pipeline_id", "id", "region"}
_META_ARGUMENTS = {"depends_on", "lifecycle", "provider", "provisioner", "timeouts"}
_TOP_LEVEL = {"resource", "variable", "locals", "module", "terraform", "provider", "data", "output"}


def is_configuration(document: JsonObject) -> bool:
    """Tell a Terraform configuration by its content.

    :param document: a file in the JSON syntax, or in HCL.
    :returns: true when it has blocks of a configuration only.
    """
    keys = {member.key for member in document.members}
    return bool(keys) and bool(keys & _TOP_LEVEL) and keys <= {*_TOP_LEVEL, "//", "moved", "import"}


def pipelines_of_configuration(
    document: JsonObject,
    others: Sequence[JsonObject],
    given: Mapping[str, tuple[str, ...]],
    collector: FindingCollector,
) -> list[PipelineSource]:
    """Read the pipelines of a configuration.

    :param document: the file.
    :param others: the other files of its module, for variables and the like.
    :param given: values for its variables, and for names that it leaves open.
    :param collector: takes the findings.
    :returns: one source for each pipeline, in the order of the file.
    """
    found = [
        member
        for kind in blocks([document], "resource")
        if kind.key == DEFINITION_TYPE
        for value in _blocks_of(kind.value)
        for member in value.members
    ]
    sources = pipelines_of_stacks(document, others, given, collector)
    if not found and not sources:
        types = {kind.key for kind in blocks([document], "resource")}
        collector.error(
            f"The Terraform configuration has no resource {DEFINITION_TYPE}",
            document.position,
            next(
                (
                    f"Did you mean {DEFINITION_TYPE!r} for {one!r}?"
                    for one in sorted(types - {PIPELINE_TYPE})
                    if "pipeline" in one
                ),
                "Give the file that has it",
            ),
        )
    for member in found:
        if not _blocks_of(member.value):
            collector.error(
                f"{DEFINITION_TYPE}.{member.key} is not a block", member.position, "Write { … }"
            )
        names = ModuleNames([document, *others], given, collector)
        sources += [
            _pipeline(member.key, body, names, collector) for body in _blocks_of(member.value)
        ]
    return sources


def _pipeline(
    label: str, body: JsonObject, names: ModuleNames, collector: FindingCollector
) -> PipelineSource:
    for repeated in ("count", "for_each"):
        for value in body.values(repeated):
            collector.warn(
                f"{DEFINITION_TYPE}.{label} is several pipelines by {repeated}; one is read",
                value.position,
                "Give what differs by --set, such as each.key, and read the file once for each",
            )
    found = [*_expanded(body, names, {}, collector)]
    for key, block in found:
        if key not in _ARGUMENTS | _META_ARGUMENTS | {"count", "for_each"}:
            collector.warn(
                f"{DEFINITION_TYPE} has no argument {shown_value(key)!r}; it is ignored",
                block.position,
                did_you_mean(key, _ARGUMENTS, "Remove it"),
                object_id=label,
            )
    document = definition_of_blocks(found, body.position)
    return PipelineSource(document, _properties(label, body, names), frozenset(names.asked))


def definition_of_blocks(found: Iterable[tuple[str, JsonValue]], position: Position) -> JsonObject:
    """Bring blocks of Terraform into the form of the CLI.

    :param found: pairs of a name such as ``pipeline_object`` and a block; others are left out.
    :param position: where the resource stands.
    :returns: the definition.
    """
    sections: dict[str, list[JsonValue]] = {}
    for key, block in found:
        if key in _SECTIONS:
            sections.setdefault(_SECTIONS[key], []).append(renamed(block, _KEYS))
    members = tuple(
        JsonMember(
            key, JsonArray(tuple(items), items[0].position, depth_of(items)), items[0].position
        )
        for key, items in sections.items()
    )
    return JsonObject(members, position, depth_of(one.value for one in members))


def _expanded(
    body: JsonObject, names: ModuleNames, scope: Scope, collector: FindingCollector
) -> Iterator[tuple[str, JsonValue]]:
    """List arguments and blocks with their values, blocks that repeat themselves written out."""
    for member in body.members:
        if member.key == "dynamic":
            for kind in _blocks_of(member.value):
                for one in kind.members:
                    for block in _blocks_of(one.value):
                        yield from _dynamic(one.key, block, names, scope, collector)
        elif member.key in _SECTIONS or member.key in {"field", "attribute"}:
            for block in _blocks_of(member.value):
                yield member.key, _block(block, names, scope, collector)
            if not _blocks_of(member.value):
                yield member.key, names.evaluator.value(member.value, scope)
        elif member.key != "//":
            yield member.key, names.evaluator.value(member.value, scope)


def _block(
    body: JsonObject, names: ModuleNames, scope: Scope, collector: FindingCollector
) -> JsonObject:
    members: list[JsonMember] = []
    repeated: dict[str, list[JsonValue]] = {}
    for key, value in _expanded(body, names, scope, collector):
        if key in {"field", "attribute"}:
            repeated.setdefault(key, []).append(value)
        # An argument that is null counts as left out.
        elif not (isinstance(value, JsonScalar) and value.value is None):
            members.append(JsonMember(key, value, value.position))
    members += [
        JsonMember(key, JsonArray(tuple(items), items[0].position, depth_of(items)), body.position)
        for key, items in repeated.items()
    ]
    return JsonObject(tuple(members), body.position, depth_of(one.value for one in members))


def _dynamic(
    kind: str,
    body: JsonObject,
    names: ModuleNames,
    scope: Scope,
    collector: FindingCollector,
) -> Iterator[tuple[str, JsonValue]]:
    iterated = body.values("for_each")
    pairs = pairs_of(names.evaluator.value(iterated[-1], scope)) if iterated else None
    content = last_object(body, "content")
    if pairs is None or content is None:
        collector.error(
            f"How many blocks {kind!r} there are is not known",
            body.position,
            "Give the variables in 'for_each' by --set, or write the blocks out",
        )
        return
    name = text_under(body, "iterator") or kind
    name = name.removeprefix("${").removesuffix("}")
    for key, value in pairs:
        members = (JsonMember("key", key, key.position), JsonMember("value", value, key.position))
        current = JsonObject(members, key.position, depth_of((key, value)))
        yield kind, _block(content, names, {**scope, name: current}, collector)


def _properties(label: str, body: JsonObject, names: ModuleNames) -> PipelineProperties:
    pipeline = text_under(body, "pipeline_id") or ""
    parts = pipeline.removeprefix("${").removesuffix("}").split(".")
    declared = names.resource(PIPELINE_TYPE, parts[1]) if len(parts) > 1 else None
    if parts[0] != PIPELINE_TYPE or declared is None:
        return PipelineProperties(key=label)
    values = {member.key: names.evaluator.value(member.value, {}) for member in declared.members}
    return properties_of(label, values)


def properties_of(label: str, values: Mapping[str, JsonValue]) -> PipelineProperties:
    """Take over what a resource says of a pipeline.

    :param label: how the file calls the definition.
    :param values: the arguments of the pipeline's resource.
    :returns: name, description and tags.
    """
    texts = {
        key: value.text
        for key, value in values.items()
        if isinstance(value, JsonScalar) and value.value is not None
    }
    tags = values.get("tags")
    return PipelineProperties(
        key=label,
        name=texts.get("name"),
        description=texts.get("description"),
        tags=tuple(
            (one.key, one.value.text)
            for one in (tags.members if isinstance(tags, JsonObject) else ())
            if isinstance(one.value, JsonScalar)
        ),
    )


def _blocks_of(value: JsonValue) -> list[JsonObject]:
    """List the blocks under a name; the JSON syntax allows one of them, or a list."""
    items = value.items if isinstance(value, JsonArray) else (value,)
    return [item for item in items if isinstance(item, JsonObject)]
