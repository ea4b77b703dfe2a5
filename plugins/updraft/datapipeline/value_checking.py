"""Checks of the values of fields: their number, their kind, and what references point to."""

from collections.abc import Iterator

from updraft.datapipeline.field_findings import field_finding
from updraft.datapipeline.findings import Finding, Severity, did_you_mean
from updraft.datapipeline.model import Definition, Field, PipelineObject, Reference, Text
from updraft.datapipeline.object_types import (
    WORKING_CATEGORIES,
    Category,
    field_type_of,
    object_types,
)
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.datapipeline.typed_values import TypedValueError, typed_value

# What a reference may point to, for fields that mean the same on all objects. "dependsOn" takes
# whatever runs (guide, "ShellCommandActivity"); definitions let it point to data nodes as well.
_TARGETS: dict[str, frozenset[Category]] = {
    "runsOn": frozenset({"resource"}),
    "dependsOn": WORKING_CATEGORIES,
    "precondition": frozenset({"precondition"}),
    "input": frozenset({"data node"}),
    "output": frozenset({"data node"}),
    "schedule": frozenset({"schedule"}),
    "onFail": frozenset({"action"}),
    "onSuccess": frozenset({"action"}),
    "onLateAction": frozenset({"action"}),
    "dataFormat": frozenset({"data format"}),
    "database": frozenset({"database"}),
}


def check_values(item: PipelineObject, field: Field, definition: Definition) -> Iterator[Finding]:
    """Check how many values a field has, and each of them.

    :param item: the object that the field is written on.
    :param field: the field.
    :param definition: the definition.
    :returns: one finding for each problem.
    """
    yield from _check_slots(item, field, definition)
    field_type = field_type_of(item.type, field.name)
    if field_type is None or item.type not in object_types():
        return
    if not field_type.multi and len(field.values) > 1:
        message = f"The field takes one value, here it has {len(field.values)}"
        yield field_finding(
            definition,
            item,
            field,
            value=field.values[1],
            severity=Severity.WARNING,
            message=message,
            advice="Keep the one that is meant",
        )
    if not field_type.allowed:
        return
    allowed = {one.casefold() for one in field_type.allowed}
    for value in field.values:
        text = value.text if isinstance(value, Text) else ""
        if text and "#{" not in text and text.casefold() not in allowed:
            yield field_finding(
                definition,
                item,
                field,
                value=value,
                severity=Severity.WARNING,
                message=f"{field.name} takes only {', '.join(field_type.allowed)}",
                advice=did_you_mean(text, field_type.allowed, "Choose one of these"),
            )


def _check_slots(item: PipelineObject, field: Field, definition: Definition) -> Iterator[Finding]:
    # Where types disagree, as on terminateAfter, the pages of the guide contradict one another.
    field_type = field_type_of(None, field.name) or field_type_of(item.type, field.name)
    if field_type is None:
        return
    for value in field.values:
        message, advice = "", ""
        if isinstance(value, Reference):
            if field_type.slot != "ref":
                message = "The field takes text, here it has a reference"
                advice = "Write the text itself"
        else:
            try:
                typed_value(field.name, field_type, value.text)
            except TypedValueError as error:
                message, advice = error.message, error.advice
        if message:
            yield field_finding(
                definition,
                item,
                field,
                value=value,
                severity=Severity.ERROR,
                message=message,
                advice=advice,
            )


def check_reference_targets(resolved: Resolved, definition: Definition) -> Iterator[Finding]:
    """Find references to objects of a wrong category, and objects that wait for themselves.

    :param resolved: the objects with inheritance applied.
    :param definition: the definition.
    :returns: one error for each; what has no known type is left to others.
    """
    for item in resolved.values():
        for name in _TARGETS:
            field = item.field(name)
            for value in field.values if field is not None else ():
                target = resolved.get(value.object_id) if isinstance(value, Reference) else None
                problem = _target_problem(name, item, target) if target is not None else None
                if field is not None and problem is not None:
                    message, advice = problem
                    yield field_finding(
                        definition,
                        item.item,
                        field,
                        value=value,
                        severity=Severity.ERROR,
                        message=message,
                        advice=advice,
                    )


def _target_problem(
    name: str, item: ResolvedObject, target: ResolvedObject
) -> tuple[str, str] | None:
    if name == "dependsOn" and target.id == item.id:
        return "The object waits for itself", "Remove the reference"
    inherited = item.fields[name].owner_id != item.id
    if inherited or target.category is None or target.category in _TARGETS[name]:
        return None
    wanted = " or ".join(sorted(_TARGETS[name]))
    return (
        f"{name} refers to a {wanted}, and {target.id} is a {target.type}",
        f"Refer to a {wanted}",
    )
