"""Definitions with errors, made whole enough to be converted.

What a definition refers to and lacks becomes an object of which nothing is known, and a name that
nothing gives a value becomes a parameter to be asked for. Whatever is wrong beyond that is noted
at the objects that it hits, which become tasks that fail.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from updraft.datapipeline.checking import check
from updraft.datapipeline.expression_checking import unknown_names
from updraft.datapipeline.file_checking import Checked
from updraft.datapipeline.findings import Finding, Severity, as_clause, has_errors
from updraft.datapipeline.model import (
    Definition,
    Field,
    Parameter,
    PipelineObject,
    Reference,
    Text,
    undeclared_parameter,
)
from updraft.datapipeline.object_types import WORKING_CATEGORIES, is_user_field, object_types
from updraft.datapipeline.order_checking import CIRCLE
from updraft.datapipeline.resolution import DEFAULT_ID, Resolved, ResolvedObject, parent_ids
from updraft.datapipeline.slots import repair_slots
from updraft.migration.missing_objects import missing_objects
from updraft.migration.names import unique

UNDECLARED = "neither a field nor a parameter with a declaration or a value"
"""What is said of a name that the form asks for."""

# The place of what these refer to can be kept: by a task that fails, or by a note.
_REPLACEABLE = {
    "dataFormat",
    "database",
    "dependsOn",
    "input",
    "onFail",
    "onLateAction",
    "onSuccess",
    "output",
    "postActivityTaskConfig",
    "preActivityTaskConfig",
    "precondition",
    "runsOn",
    "schedule",
}
SETTLED_BY_NOTES = frozenset(
    {
        "id",
        "lateAfterTimeout",
        "maxActiveInstances",
        "maximumRetries",
        "name",
        "preconditionTimeout",
        "reportProgressTimeout",
        "retryDelay",
        "schedule",
        "scheduleType",
    }
)
"""Fields that an object does without when their values are not sound; see their notes."""


@dataclass(frozen=True)
class Completed:
    """A definition that can be converted whatever is wrong with it.

    :param definition: the definition, with objects and parameters for what it lacks.
    :param resolved: its objects with inheritance applied.
    :param missing: ids of the objects that the definition refers to and does not have.
    :param broken: by object id, what is wrong with objects that can't be converted, a clause.
    :param written_ids: by object id, the ids that the definition gives to several objects.
    :param written_out: by parameter, the fields in which its value stands in its place.
    """

    definition: Definition
    resolved: Resolved
    missing: frozenset[str] = frozenset()
    broken: Mapping[str, str] = field(default_factory=dict)
    written_ids: Mapping[str, str] = field(default_factory=dict)
    written_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def complete(checked: Checked, read_findings: Iterable[Finding] = ()) -> Completed:
    """Make a definition whole.

    :param checked: the definition after its check.
    :param read_findings: what was found when it was read.
    :returns: the definition as it is where there is no error.
    """
    read_errors = [one for one in read_findings if one.severity is Severity.ERROR]
    if not read_errors and not has_errors(checked.findings):
        return Completed(checked.definition, checked.resolved)
    definition, written_ids = _with_unique_ids(_with_references(checked.definition))
    missing, asked = missing_objects(definition, _REPLACEABLE)
    definition = definition.with_objects((*definition.objects, *missing)).with_parameters(
        tuple(asked)
    )
    definition = definition.with_parameters(tuple(_undeclared(definition)))
    resolved, findings = check(definition)
    missing_ids = frozenset(one.id for one in missing)
    parents = parent_ids(definition)
    broken: dict[str, str] = {}
    for new, old in written_ids.items():
        reason = f"the definition has another object with the id {old}"
        # Who refers to an object of which there are two may have meant either.
        referring = _working(resolved[old], resolved, parents) - {old}
        broken |= dict.fromkeys({new} | referring, reason)
    _, slots = repair_slots(definition)
    errors = [one for one in (*read_errors, *slots, *findings) if one.severity is Severity.ERROR]
    for finding in errors:
        if finding.field is not None and definition.is_secret(finding.field):
            continue  # Nobody takes its value over, so that it may be anything.
        for object_id in _hit(finding, resolved, missing_ids, parents):
            broken.setdefault(object_id, clause(finding, object_id))
    return Completed(definition, resolved, missing_ids, broken, written_ids)


def clause(finding: Finding, object_id: str | None = None) -> str:
    """Say what was found as a part of a sentence.

    :param finding: the finding.
    :param object_id: the object that the sentence is about; another one is named.
    :returns: a clause without full stop.
    """
    words = as_clause(finding.message)
    if finding.object_id in {None, object_id}:
        where = finding.field if finding.field and finding.field not in words else ""
    else:
        where = ".".join(filter(None, (finding.object_id, finding.field)))
    return f"{where}: {words}" if where else words


def _with_unique_ids(definition: Definition) -> tuple[Definition, dict[str, str]]:
    """Give objects whose id is taken an id of their own, so that none of them is lost."""
    taken = {one.id for one in definition.objects}
    seen: set[str] = set()
    written: dict[str, str] = {}
    objects: list[PipelineObject] = []
    for item in definition.objects:
        if item.id in seen:
            new = unique(item.id, taken)
            written[new] = item.id
            objects.append(item.model_copy(update={"id": new}))
        else:
            seen.add(item.id)
            objects.append(item)
    return (definition.with_objects(tuple(objects)) if written else definition), written


def _with_references(definition: Definition) -> Definition:
    """Read texts as references where only references have a meaning, though nothing has the id."""

    def repaired(one: Field) -> Field:
        if one.name not in _REPLACEABLE:
            return one
        values = tuple(
            Reference(object_id=value.text, position=value.position)
            if isinstance(value, Text) and "#{" not in value.text
            else value
            for value in one.values
        )
        return one.model_copy(update={"values": values})

    return definition.with_objects(
        tuple(
            item.model_copy(update={"fields": tuple(map(repaired, item.fields))})
            for item in definition.objects
        )
    )


def _undeclared(definition: Definition) -> Iterator[Parameter]:
    """Declare the names that expressions use and nothing declares."""
    seen: set[str] = set()
    for item in definition.objects:
        for one in item.fields:
            # A secret may hold a #{ by chance, and what is between braces then is a part of it.
            texts = () if definition.is_secret(one.name) else one.texts
            for text in texts:
                for name in unknown_names(text, definition):
                    if name in seen or definition.is_secret(name):
                        continue
                    seen.add(name)
                    yield undeclared_parameter(name, one.position, origin=UNDECLARED)


def _hit(
    finding: Finding, resolved: Resolved, missing: frozenset[str], parents: frozenset[str]
) -> set[str]:
    """Find the objects that can't be converted because of an error."""
    object_id, name = finding.object_id, finding.field
    if object_id not in resolved or object_id in missing or finding.message.startswith(CIRCLE):
        return set()
    # Where an expression reads a user's field that is not sound, it can't be compiled.
    if name is not None and (name in SETTLED_BY_NOTES or is_user_field(name)):
        return set()
    heirs = [
        item
        for item in resolved.values()
        if item.id == object_id or _inherits(item, name, object_id)
    ]
    return {one for heir in heirs for one in _working(heir, resolved, parents)}


def _inherits(item: ResolvedObject, name: str | None, owner_id: str | None) -> bool:
    """Tell whether an object has a field from another one, and its type reads it."""
    inherited = item.fields.get(name or "")
    known = object_types().get(item.type or "")
    reads = known is None or known.knows(name or "")
    return inherited is not None and inherited.owner_id == owner_id and reads


def _working(item: ResolvedObject, resolved: Resolved, parents: frozenset[str]) -> set[str]:
    """Follow an object to those that do something with it."""
    found: set[str] = set()
    seen: set[str] = set()
    pending = [item]
    while pending:
        one = pending.pop()
        abstract = one.type is None and one.id in parents
        if one.id in seen or one.id == DEFAULT_ID or abstract:
            continue
        seen.add(one.id)
        # A schedule or an action that is not sound is a matter of the fields that refer to it.
        if one.category in {"schedule", "action"}:
            continue
        # A proxy is listed among the resources, but nothing runs on it.
        works = one.category in WORKING_CATEGORIES - {"data node"} and one.type != "HttpProxy"
        if one.category is None or works:
            found.add(one.id)
            continue
        pending += [
            user
            for user in resolved.values()
            if any(one.id in inherited.field.references for inherited in user.fields.values())
        ]
    return found
