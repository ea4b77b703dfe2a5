"""Values in the wrong kind of slot: references written as text, and text as references.

Both occur in real definitions, and where the intent is beyond doubt they are read as meant.
"""

from updraft.datapipeline.field_findings import field_finding
from updraft.datapipeline.findings import Finding, Severity, did_you_mean
from updraft.datapipeline.model import Definition, Field, PipelineObject, Reference, Text
from updraft.datapipeline.object_types import FieldType, field_type_of


def repair_slots(definition: Definition) -> tuple[Definition, tuple[Finding, ...]]:
    """Read misplaced values as they were meant.

    :param definition: the definition as written.
    :returns: the definition with values in the right slots; a warning for each change, an error
        for text in a reference's slot that names no object.
    """
    findings: list[Finding] = []
    objects = tuple(
        item.model_copy(
            update={
                "fields": tuple(
                    _repair_field(field, item, definition, findings) for field in item.fields
                )
            }
        )
        for item in definition.objects
    )
    return definition.with_objects(objects), tuple(findings)


def _repair_field(
    field: Field, item: PipelineObject, definition: Definition, findings: list[Finding]
) -> Field:
    field_type = field_type_of(item.type, field.name)
    if field_type is None:
        return field
    values = tuple(
        _repair_value(
            value, field, item, field_type=field_type, definition=definition, findings=findings
        )
        for value in field.values
    )
    return field.model_copy(update={"values": values})


def _repair_value(
    value: Text | Reference,
    field: Field,
    item: PipelineObject,
    *,
    field_type: FieldType,
    definition: Definition,
    findings: list[Finding],
) -> Text | Reference:
    ids = definition.objects_by_id

    def report(severity: Severity, message: str, advice: str) -> None:
        findings.append(
            field_finding(
                definition,
                item,
                field,
                value=value,
                severity=severity,
                message=message,
                advice=advice,
            )
        )

    if field_type.slot == "ref" and isinstance(value, Text):
        if value.text in ids:
            advice = f'Write {{"ref": "{value.text}"}}'
            report(Severity.WARNING, "A reference is written as text; it is read as one", advice)
            return Reference(object_id=value.text, position=value.position)
        report(
            Severity.ERROR,
            "The field takes a reference to an object, here it has text",
            did_you_mean(value.text, ids, 'Write {"ref": "<id of the object>"}'),
        )
    elif (
        field_type.slot != "ref"
        and isinstance(value, Reference)
        and value.object_id not in ids
        and field_type.slot in {"boolean", "integer", "double", "enumeration", "period"}
    ):
        report(
            Severity.WARNING,
            "Text is written as a reference; it is read as text",
            f'Write "{value.object_id}"',
        )
        return Text(text=value.object_id, position=value.position)
    return value
