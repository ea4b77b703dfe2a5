"""Checks of a whole definition: every problem is found in one go."""

from collections.abc import Iterator

from updraft.datapipeline.choice_checking import check_choices
from updraft.datapipeline.expression_checking import expression_problems
from updraft.datapipeline.field_findings import field_finding
from updraft.datapipeline.findings import (
    Finding,
    Position,
    Severity,
    did_you_mean,
    shown_value,
)
from updraft.datapipeline.limit_checking import check_limits
from updraft.datapipeline.model import Definition, Field, PipelineObject, Reference
from updraft.datapipeline.object_types import (
    all_field_names,
    is_runtime_field,
    is_user_field,
    object_types,
)
from updraft.datapipeline.order_checking import check_order
from updraft.datapipeline.parameter_checking import check_parameters
from updraft.datapipeline.resolution import (
    DEFAULT_ID,
    Resolved,
    ResolvedObject,
    dangling_references,
    parent_ids,
    resolve,
)
from updraft.datapipeline.value_checking import check_reference_targets, check_values

# The console fills these in, so that their absence proves nothing.
_REQUIRED_BUT_FILLED_IN = {"role", "resourceRole"}
# Definitions that run leave these out: a script may read and write what it likes.
_SOMETIMES_LEFT_OUT = {"input", "runsOn"}


def check(definition: Definition) -> tuple[Resolved, tuple[Finding, ...]]:
    """Resolve a definition and check it.

    :param definition: the definition, as :func:`~updraft.datapipeline.slots.repair_slots`
        leaves it.
    :returns: resolved objects by id, and all findings in the order of the file.
    """
    resolved, findings = resolve(definition)
    parents = parent_ids(definition)
    found = [
        *findings,
        *_duplicate_ids(definition),
        *_runtime_fields(definition),
        *dangling_references(definition),
        *(finding for item in definition.objects for finding in _check_object(item, definition)),
        *check_reference_targets(resolved, definition),
        *check_order(resolved, definition),
        *check_choices(resolved, definition),
        *check_limits(definition),
        *check_parameters(definition),
        *(
            finding
            for item in resolved.values()
            for finding in _missing_fields(item, definition, item.id in parents)
        ),
    ]
    found.sort(key=lambda finding: _sort_key(finding.position))
    return resolved, tuple(found)


def _sort_key(position: Position | None) -> tuple[int, int]:
    return (position.line, position.column) if position else (0, 0)


def _duplicate_ids(definition: Definition) -> Iterator[Finding]:
    for kind, items in (
        ("object", definition.objects),
        ("parameter", definition.parameters),
    ):
        seen: set[str] = set()
        for item in items:
            if item.id in seen:
                yield Finding(
                    severity=Severity.ERROR,
                    file=definition.source,
                    position=item.position,
                    object_id=item.id,
                    field="id",
                    value=shown_value(item.id),
                    message=f"There is more than one {kind} with this id",
                    advice="Rename one of them and the references to it, or remove it",
                )
            seen.add(item.id)


def _runtime_fields(definition: Definition) -> Iterator[Finding]:
    """Say once that the definition is one of a pipeline that ran."""
    found = [
        (item, field)
        for item in definition.objects
        for field in item.fields
        if is_runtime_field(field.name)
    ]
    if found:
        item, field = found[0]
        yield field_finding(
            definition,
            item,
            field,
            severity=Severity.WARNING,
            message=f"The service filled in {len(found)} fields such as {field.name!r}, which say "
            "how runs went; they are left out",
            advice="Nothing needs to be done",
        )


def _check_object(item: PipelineObject, definition: Definition) -> Iterator[Finding]:
    types = object_types()
    known = types.get(item.type) if item.type else None
    if item.type is not None and known is None:
        yield Finding(
            severity=Severity.WARNING,
            file=definition.source,
            position=item.position,
            object_id=item.id,
            field="type",
            value=shown_value(item.type),
            message="AWS Data Pipeline has no object type of this name",
            advice=did_you_mean(item.type, types, "Look it up in the guide's object reference"),
        )
    for field in item.fields:
        if is_runtime_field(field.name):
            continue
        if known is not None:
            unknown, names = not known.knows(field.name), frozenset(known.fields)
        else:
            names = all_field_names() if item.type is None else frozenset()
            bare = field.name.removeprefix("*")
            unknown = bool(names) and not (
                is_user_field(field.name) or bare in names or f"*{bare}" in names
            )
        if unknown:
            yield field_finding(
                definition,
                item,
                field,
                severity=Severity.WARNING,
                message=f"{item.type or 'No object type'} has no field {field.name!r}",
                advice=did_you_mean(
                    field.name, names, "Remove it; a field of your own starts with 'my'"
                ),
            )
        yield from _check_expressions(item, field, definition)
        yield from check_values(item, field, definition)


def _check_expressions(
    item: PipelineObject, field: Field, definition: Definition
) -> Iterator[Finding]:
    for value in field.values:
        if isinstance(value, Reference):
            continue
        secret = definition.is_secret(field.name)
        for message, advice in expression_problems(value.text, definition, secret=secret):
            yield field_finding(
                definition,
                item,
                field,
                value=value,
                severity=Severity.ERROR,
                message=message,
                advice=advice,
            )


def _missing_fields(
    item: ResolvedObject, definition: Definition, is_parent: bool
) -> Iterator[Finding]:
    if item.id == DEFAULT_ID:
        return
    if item.type is None:
        if not is_parent:
            yield Finding(
                severity=Severity.WARNING,
                file=definition.source,
                position=item.item.position,
                object_id=item.id,
                field="type",
                message="The object has no type and no object inherits from it",
                advice="Give it a type, or remove it",
            )
        return
    known = object_types().get(item.type)
    if known is None or is_parent:
        return
    present = {name.removeprefix("*") for name in item.fields}
    groups: dict[int, list[str]] = {}
    for name, field_type in known.fields.items():
        if field_type.one_of is not None:
            groups.setdefault(field_type.one_of, []).append(name)
        if (
            field_type.required
            and name.removeprefix("*") not in present
            and name not in _REQUIRED_BUT_FILLED_IN
        ):
            yield _missing(item, definition, Severity.ERROR, name, f"the field {name!r}")
    for names in groups.values():
        if not present & set(names):
            wanted = " or ".join(repr(name) for name in names)
            severity = Severity.WARNING if _SOMETIMES_LEFT_OUT & set(names) else Severity.ERROR
            yield _missing(item, definition, severity, names[0], f"a field {wanted}")


def _missing(
    item: ResolvedObject, definition: Definition, severity: Severity, field: str, what: str
) -> Finding:
    return Finding(
        severity=severity,
        file=definition.source,
        position=item.item.position,
        object_id=item.id,
        field=field,
        message=f"{item.type} needs {what}",
        advice="Add it to the object, its parent or Default",
    )
