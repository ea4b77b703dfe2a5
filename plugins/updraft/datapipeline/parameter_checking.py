"""Checks of parameters: their declarations, their defaults, and the values given for them."""

import math
from collections.abc import Iterator

from updraft.datapipeline.findings import Finding, Severity, did_you_mean, shown_value
from updraft.datapipeline.model import Definition, Parameter

_TYPES = ("String", "Integer", "Double", "AWS::S3::ObjectKey")
_ATTRIBUTES = {
    "allowedValues",
    "attributes",
    "default",
    "description",
    "helpLink",
    "helpText",
    "isArray",
    "isSecret",
    "max",
    "min",
    "myComment",
    "name",
    "optional",
    "type",
    "watermark",
}
_BOOLEANS = ("isArray", "optional")
NOT_ALLOWED = "The value is none of the allowed ones"


def check_parameters(definition: Definition) -> Iterator[Finding]:
    """Check all parameters.

    :param definition: the definition with the values given beside it.
    :returns: one finding for each problem.
    """
    for parameter in definition.parameters:
        if parameter.origin is None:
            yield from _check_declaration(parameter, definition)
        yield from _check_value(parameter, definition)


def _check_declaration(parameter: Parameter, definition: Definition) -> Iterator[Finding]:
    # A parameter must start so, for expressions to find it (guide, "Parameterized Templates").
    if not parameter.name.startswith("my"):
        yield Finding(
            severity=Severity.WARNING,
            file=definition.source,
            position=parameter.position,
            object_id=parameter.id,
            field="id",
            message="The id of a parameter starts with 'my', this one does not",
            advice="The service would refuse it; the DAG takes it as it is",
        )
    for attribute in parameter.attributes:
        if attribute.name not in _ATTRIBUTES and not attribute.name.startswith("my"):
            yield Finding(
                severity=Severity.WARNING,
                file=definition.source,
                position=attribute.position,
                object_id=parameter.id,
                field=attribute.name,
                message=f"A parameter has no attribute {shown_value(attribute.name)!r}",
                advice=did_you_mean(attribute.name, _ATTRIBUTES, "Remove it"),
            )
        text = attribute.text
        if attribute.name in _BOOLEANS and (text or "").lower() not in {"true", "false"}:
            yield Finding(
                severity=Severity.WARNING,
                file=definition.source,
                position=attribute.position,
                object_id=parameter.id,
                field=attribute.name,
                value=shown_value(text or ""),
                message=f"{attribute.name} takes true or false; it is read as false",
                advice="Write true or false",
            )


def _check_value(parameter: Parameter, definition: Definition) -> Iterator[Finding]:
    value = definition.values_by_name.get(parameter.name)
    given = value.values if value else parameter.default
    default = next((one for one in parameter.attributes if one.name == "default"), None)
    place = value.position if value else (default or parameter).position
    secret = definition.is_secret(parameter.id)

    def finding(severity: Severity, text: str, message: str, advice: str) -> Finding:
        return Finding(
            severity=severity,
            file=value.source if value else definition.source,
            position=place,
            object_id=parameter.id,
            field="value" if value else "default",
            value=shown_value(text, secret=secret),
            message=message,
            advice=advice,
        )

    kind = parameter.type.casefold()
    if kind not in {one.casefold() for one in _TYPES}:
        yield finding(
            Severity.WARNING,
            parameter.type,
            "The parameter has an unknown type and is taken as text",
            did_you_mean(parameter.type, _TYPES, f"Use {', '.join(_TYPES)}"),
        )
    if len(given) > 1 and not parameter.is_array:
        yield finding(
            Severity.ERROR,
            ", ".join(given),
            f"The parameter takes one value, here it has {len(given)}",
            "Keep the one that is meant, or declare the parameter with isArray",
        )
    # Nobody takes the value of a secret over, so that it may be anything.
    for text in given if not secret else ():
        if not _fits(text, kind):
            yield finding(
                Severity.ERROR,
                text,
                f"The value does not fit the parameter's type {parameter.type}",
                "Correct the value or the type",
            )
        elif not _is_allowed(text, parameter, kind):
            yield finding(
                Severity.WARNING,
                text,
                NOT_ALLOWED,
                f"Choose one of {', '.join(parameter.allowed_values)}",
            )


def _is_allowed(text: str, parameter: Parameter, kind: str) -> bool:
    if not parameter.allowed_values or text in parameter.allowed_values:
        return True
    if kind not in {"integer", "double"}:
        return False
    return float(text) in {float(one) for one in parameter.allowed_values if _fits(one, "double")}


def _fits(text: str, kind: str) -> bool:
    try:
        if kind == "integer":
            int(text)
        if kind == "double":
            return math.isfinite(float(text))
    except ValueError:
        return False
    return True
