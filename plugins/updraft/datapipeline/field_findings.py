"""Findings about a field of an object: all of them name their place alike, and no secrets."""

from updraft.datapipeline.findings import Finding, Severity, shown_value
from updraft.datapipeline.model import Definition, Field, PipelineObject, Reference, Text


def field_finding(
    definition: Definition,
    item: PipelineObject,
    field: Field,
    *,
    severity: Severity,
    message: str,
    advice: str,
    value: Text | Reference | None = None,
) -> Finding:
    """Make a finding about a field, or about one of its values.

    :param definition: the definition, which knows what is secret.
    :param item: the object.
    :param field: the field, own or inherited.
    :param severity: error or warning.
    :param message: what is wrong; it must not quote the value.
    :param advice: what to do.
    :param value: the value in question, the whole field when none.
    :returns: the finding.
    """
    if value is None:
        text, position = definition.shown(field), field.position
    else:
        text = value.text if isinstance(value, Text) else value.object_id
        position = value.position
    return Finding(
        severity=severity,
        file=definition.source,
        position=position,
        object_id=item.id,
        field=field.name,
        value=shown_value(text, secret=definition.is_secret(field.name)),
        message=message,
        advice=advice,
    )
