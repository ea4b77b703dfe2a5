"""Fields of the DAG's trigger form, with the types, choices and defaults of parameters."""

import math
import re
from typing import Any

from updraft.datapipeline.findings import MASK, Finding, Severity, mask_passwords, shown_value
from updraft.datapipeline.model import Parameter, ParameterValue
from updraft.datapipeline.parameter_checking import NOT_ALLOWED
from updraft.migration.mapper import Workflow
from updraft.migration.tasks import ParamSpec

_TYPES = {
    "string": "string",
    "integer": "integer",
    "double": "number",
    "aws::s3::objectkey": "string",
}
_NUMBER = re.compile(r"[+-]?[0-9]*\.?[0-9]+")
_PASSWORD_NAME = re.compile(r"(?:password|passwd|passphrase|pwd)$", re.IGNORECASE)
# What looks like a value and not like a word or a sentence about one.
_EXAMPLE = re.compile(r"(?!.*\.\.\.)(?=.*[\d:/._-])[\w:/.@+=*,;?&%$#~-]+", re.ASCII)
_S3_TYPE = "aws::s3::objectkey"
_S3_PATTERN = r"^s3://[^/]+"


def form_field(parameter: Parameter, value: ParameterValue | None, workflow: Workflow) -> ParamSpec:
    """Make a field of the form.

    :param parameter: the parameter.
    :param value: the value that is given for it, none when its default holds.
    :param workflow: takes what is wrong with default and value.
    :returns: the field; without a default where nobody knows a sound one.
    """
    json_type = _TYPES.get(parameter.type.casefold(), "string")
    given = _without_passwords(value.values if value else parameter.default, parameter, workflow)
    schema = _schema(parameter, json_type, workflow, given)
    arguments: dict[str, object] = {}
    if parameter.is_array:
        converted_items = [_convert(one, json_type, parameter, workflow) for one in given]
        arguments["default"] = [one for one in converted_items if one is not None]
        arguments |= {"type": "array", "items": {"type": json_type} | schema}
    else:
        optional = parameter.optional and not given
        if len(given) == 1:
            converted = _convert(given[0], json_type, parameter, workflow)
            if converted is not None and _is_allowed(converted, schema, parameter, workflow):
                arguments["default"] = converted
        elif optional:
            arguments["default"] = None
        arguments["type"] = ["null", json_type] if optional else json_type
        if optional and "enum" in schema:
            schema["enum"] = [None, *schema["enum"]]
        if json_type == "string" and not parameter.optional and "" not in given:
            # A form sends an empty text for a field that nobody fills in.
            arguments |= {} if schema.keys() & {"enum", "pattern"} else {"minLength": 1}
        arguments |= schema
    arguments["title"] = parameter.description or parameter.name
    arguments |= _example(parameter, json_type, schema)
    notes = [
        text.strip()
        for text in (
            _hint(parameter, json_type, given) if "examples" not in arguments else None,
            parameter.help_text,
        )
        if text and text.strip() != (parameter.description or "")
    ]
    if notes:
        arguments["description_md"] = "\n\n".join(notes)
    words = parameter.description or "no description given"
    kind = "S3 URI" if parameter.type.casefold() == _S3_TYPE else json_type
    return ParamSpec(
        parameter.name, arguments, words, f"list of {kind}" * parameter.is_array or kind
    )


def _example(parameter: Parameter, json_type: str, schema: dict[str, Any]) -> dict[str, object]:
    """Let the form propose a watermark that is a value, and no advice such as ``Enter a name``."""
    text = (parameter.watermark or "").strip()
    fits = re.match(schema.get("pattern", ""), text) and "enum" not in schema
    plain = _EXAMPLE.fullmatch(text) and mask_passwords(text) == text
    listed = json_type != "string" or parameter.is_array
    return {"examples": [text]} if fits and plain and not listed else {}


def _hint(parameter: Parameter, json_type: str, given: tuple[str, ...]) -> str | None:
    """Say of a watermark what the form does not show by itself: the default stands there."""
    text = (parameter.watermark or "").strip()
    if not text or text in given:
        return None
    return f"For example {text}" if json_type != "string" and _NUMBER.fullmatch(text) else text


def names_password(name: str) -> bool:
    """Tell whether a parameter is named after a password.

    :param name: the parameter.
    :returns: true also without the asterisk by which the service knows secrets.
    """
    return _PASSWORD_NAME.search(name) is not None


def _without_passwords(
    given: tuple[str, ...], parameter: Parameter, workflow: Workflow
) -> tuple[str, ...]:
    if any("#{" in text for text in given):
        _report(
            workflow,
            parameter,
            severity=Severity.WARNING,
            value=", ".join(given),
            message="The value holds an expression, which a form does not evaluate",
            advice="Give what it stands for by --set or --values",
        )
        return ()
    named_so = any(given) and names_password(parameter.name)
    if not named_so and all(mask_passwords(text) == text for text in given):
        return given
    _report(
        workflow,
        parameter,
        severity=Severity.WARNING,
        value=MASK if named_so else ", ".join(given),
        message="The value holds a password, so the DAG does not take it over",
        advice="Create an Airflow connection for it",
    )
    return ()


def _schema(
    parameter: Parameter, json_type: str, workflow: Workflow, given: tuple[str, ...]
) -> dict[str, Any]:
    schema: dict[str, Any] = {}

    def warn(message: str, advice: str) -> None:
        _report(
            workflow,
            parameter,
            severity=Severity.WARNING,
            value=", ".join(given),
            message=message,
            advice=advice,
        )

    if any("#{" in text for text in parameter.allowed_values):
        _report(
            workflow,
            parameter,
            severity=Severity.WARNING,
            value=", ".join(parameter.allowed_values),
            message="A choice holds an expression, which no form evaluates: it takes any text",
            advice="Give what decides it by --set, or the form what the expression stands for",
        )
    elif parameter.allowed_values:
        schema["enum"] = [
            converted
            for text in parameter.allowed_values
            if (converted := _convert(text, json_type, parameter, workflow)) is not None
        ]
    if parameter.type.casefold() == _S3_TYPE:
        if all(re.match(_S3_PATTERN, text) for text in given):
            schema["pattern"] = _S3_PATTERN
        else:
            warn(
                "The value is no S3 URI, so the form does not insist on one",
                "Write it as s3://bucket/prefix",
            )
    bounds = workflow.bounds.get(parameter.name)
    if bounds is not None and json_type == "number":
        try:
            inside = all(
                (bounds.minimum or 0) <= float(text) <= (bounds.maximum or 0) for text in given
            )
        except ValueError:
            inside = False
        if inside:
            schema |= {"minimum": bounds.minimum, "maximum": bounds.maximum}
        else:
            warn(
                f"The value lies outside of {bounds.minimum} to {bounds.maximum}",
                "The task will refuse it: change the default",
            )
    return schema


def _convert(
    text: str, json_type: str, parameter: Parameter, workflow: Workflow
) -> str | int | float | None:
    if json_type == "string":
        return text
    converted: int | float | None
    try:
        converted = int(text) if json_type == "integer" else float(text)
    except ValueError:
        converted = None
    # JSON, and so the form, has neither infinity nor NaN.
    if converted is None or not math.isfinite(converted):
        _report(
            workflow,
            parameter,
            severity=Severity.ERROR,
            value=text,
            message=f"The value does not fit the parameter's type {parameter.type}",
            advice="Correct the value or the type",
        )
        return None
    return converted


def _is_allowed(
    value: str | float, schema: dict[str, Any], parameter: Parameter, workflow: Workflow
) -> bool:
    if "enum" not in schema or value in schema["enum"]:
        return True
    _report(
        workflow,
        parameter,
        severity=Severity.WARNING,
        value=str(value),
        message=NOT_ALLOWED,
        advice=f"Choose one of {', '.join(parameter.allowed_values)}",
    )
    return False


def _report(
    workflow: Workflow,
    parameter: Parameter,
    *,
    severity: Severity,
    value: str,
    message: str,
    advice: str,
) -> None:
    given = workflow.definition.values_by_name.get(parameter.name)
    finding = Finding(
        severity=severity,
        file=given.source if given else workflow.definition.source,
        position=given.position if given else parameter.position,
        object_id=parameter.id,
        field="value" if given else "default",
        value=shown_value(value, secret=workflow.definition.is_secret(parameter.id)),
        message=message,
        advice=advice,
    )
    if finding not in workflow.findings:
        workflow.findings.append(finding)
