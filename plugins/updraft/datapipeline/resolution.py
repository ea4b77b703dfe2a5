"""Inheritance: which fields an object has once its parents and ``Default`` are taken in."""

from collections.abc import Iterator
from dataclasses import dataclass

from updraft.datapipeline.field_findings import field_finding
from updraft.datapipeline.findings import Finding, Severity, did_you_mean
from updraft.datapipeline.model import Definition, Field, PipelineObject, Reference
from updraft.datapipeline.object_types import Category, category_of, is_runtime_field

DEFAULT_ID = "Default"
# "Maximum number of roll-ups into a single object" (guide, "Web Service Limits").
LONGEST_PARENT_CHAIN = 32
_TOO_LONG = f"The chain of parents has more than {LONGEST_PARENT_CHAIN} objects"


@dataclass(frozen=True, slots=True)
class InheritedField:
    """A field as an object has it, and the id of the object that it is written on."""

    field: Field
    owner_id: str


@dataclass(frozen=True)
class ResolvedObject:
    """An object with all its fields, own and inherited.

    :param item: the object as written.
    :param type: its type, own or inherited from a parent other than ``Default``.
    :param fields: its fields by name; the nearest one wins.
    """

    item: PipelineObject
    type: str | None
    fields: dict[str, InheritedField]

    @property
    def id(self) -> str:
        """The object's id."""
        return self.item.id

    @property
    def category(self) -> Category | None:
        """The category of its type, none when the type is unknown."""
        return category_of(self.type)

    def field(self, name: str) -> Field | None:
        """Find a field, own or inherited.

        :param name: field name.
        :returns: the field, none when the object has none of this name.
        """
        inherited = self.fields.get(name)
        return inherited.field if inherited else None

    def text(self, name: str) -> str | None:
        """Give the text of a field that has one value.

        :param name: field name.
        :returns: the text; none when the field is absent, multiple or a reference.
        """
        field = self.field(name)
        return field.text if field else None

    def references(self, name: str) -> tuple[str, ...]:
        """Give the ids that a field points to.

        :param name: field name.
        :returns: object ids, empty when the field is absent.
        """
        field = self.field(name)
        return field.references if field else ()


Resolved = dict[str, ResolvedObject]


def resolve(definition: Definition) -> tuple[Resolved, tuple[Finding, ...]]:
    """Apply inheritance to all objects.

    :param definition: the definition.
    :returns: resolved objects by id, and errors for circles and chains that are too long.
    """
    findings: list[Finding] = []
    resolved: Resolved = {}
    too_long = False
    for item in definition.objects_by_id.values():
        chain, finding = _chain(item, definition)
        # What stands below a chain that is too long has the same problem, once is enough.
        if finding and (finding.message != _TOO_LONG or not too_long):
            findings.append(finding)
            too_long = finding.message == _TOO_LONG
        fields: dict[str, InheritedField] = {}
        for ancestor in chain:
            for field in ancestor.fields:
                # What the service filled in says how a run went, not what runs are to do.
                if is_runtime_field(field.name):
                    continue
                fields.setdefault(field.name, InheritedField(field, ancestor.id))
        own_type = next((a.type for a in chain if a.type and a.id != DEFAULT_ID), None)
        resolved[item.id] = ResolvedObject(item, own_type, fields)
    return resolved, tuple(findings)


def _chain(
    item: PipelineObject, definition: Definition
) -> tuple[list[PipelineObject], Finding | None]:
    chain = [item]
    while (parent := _parent(chain[-1], definition)) is not None:
        if parent in chain:
            names = " → ".join(one.id for one in [*chain, parent])
            return chain, _chain_finding(
                definition, item, f"The object is its own ancestor: {names}", "Break the circle"
            )
        chain.append(parent)
        if len(chain) > LONGEST_PARENT_CHAIN:
            return chain, _chain_finding(
                definition,
                item,
                _TOO_LONG,
                "Merge some of the parents",
            )
    return chain, None


def _chain_finding(
    definition: Definition, item: PipelineObject, message: str, advice: str
) -> Finding:
    field = item.field("parent")
    return Finding(
        severity=Severity.ERROR,
        file=definition.source,
        position=field.position if field else item.position,
        object_id=item.id,
        field="parent",
        value=", ".join(field.references) if field else None,
        message=message,
        advice=advice,
    )


def _parent(item: PipelineObject, definition: Definition) -> PipelineObject | None:
    field = item.field("parent")
    if field is not None and field.references:
        return definition.objects_by_id.get(field.references[0])
    if item.id == DEFAULT_ID:
        return None
    return definition.objects_by_id.get(DEFAULT_ID)


def parent_ids(definition: Definition) -> frozenset[str]:
    """Collect the objects that others name as their parent.

    :param definition: the definition.
    :returns: object ids.
    """
    return frozenset(
        object_id
        for item in definition.objects
        if (field := item.field("parent")) is not None
        for object_id in field.references
    )


def dangling_references(definition: Definition) -> Iterator[Finding]:
    """Find references to objects that don't exist.

    :param definition: the definition.
    :returns: one error for each.
    """
    ids = definition.objects_by_id
    for item in definition.objects:
        for field in item.fields:
            # Instances that the service refers to are seldom a part of the file.
            for value in () if is_runtime_field(field.name) else field.values:
                if isinstance(value, Reference) and value.object_id not in ids:
                    yield field_finding(
                        definition,
                        item,
                        field,
                        value=value,
                        severity=Severity.ERROR,
                        message="The reference points to an object that does not exist",
                        advice=did_you_mean(
                            value.object_id, ids, "Add that object, or remove the reference"
                        ),
                    )
