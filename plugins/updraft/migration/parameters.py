"""Parameters become the fields of the DAG's trigger form."""

import math
import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.findings import MASK, Finding, Severity, mask_passwords, shown_value
from updraft.datapipeline.mentions import Mentions
from updraft.datapipeline.model import Definition, Parameter, ParameterValue
from updraft.datapipeline.parameter_checking import NOT_ALLOWED
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.tasks import ParamSpec

_TYPES = {
    "string": "string",
    "integer": "integer",
    "double": "number",
    "aws::s3::objectkey": "string",
}
_S3_TYPE = "aws::s3::objectkey"
_S3_PATTERN = r"^s3://[^/]+"


class ParameterAccount(BaseModel):
    """What became of a parameter.

    :param id: its id, with the asterisk of a secret.
    :param type: its type as declared.
    :param value: the value or default it has now, secrets masked, ``-`` for none.
    :param status: what became of it.
    :param note: why, or where it is used.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    type: str
    value: str
    status: Status
    note: str


def map_parameters(
    workflow: Workflow, used: Mentions
) -> tuple[tuple[ParamSpec, ...], tuple[ParameterAccount, ...]]:
    """Decide on the trigger form.

    :param workflow: the workflow with all its tasks and accounts.
    :param used: which fields use which names.
    :returns: the fields of the form, and an account of every parameter.
    """
    specs: list[ParamSpec] = []
    accounts: list[ParameterAccount] = []
    declared = list(workflow.definition.parameters_by_name.values())
    names = {parameter.name for parameter in declared}
    undeclared = sorted(workflow.parameters_read - names)
    declared += [_undeclared(name, workflow.definition) for name in undeclared]
    for parameter in declared:
        status, note = _fate(parameter, workflow, used.get(parameter.name, []))
        value = workflow.definition.values_by_name.get(parameter.name)
        given = value.values if value else parameter.default
        secret = workflow.definition.is_secret(parameter.id)
        accounts.append(
            ParameterAccount(
                id=parameter.id,
                type=parameter.type,
                value=MASK if secret else mask_passwords(", ".join(given)) or "-",
                status=status,
                note=note,
            )
        )
        # What settles the schedule is settled, and no field of the form.
        if not secret and status not in {Status.DROPPED, Status.EQUIVALENT}:
            specs.append(_spec(parameter, value, workflow))
    return tuple(specs), tuple(accounts)


def _undeclared(name: str, definition: Definition) -> Parameter:
    return Parameter(
        id=name,
        type="String",
        description=None,
        watermark=None,
        help_text=None,
        default=(),
        optional=False,
        allowed_values=(),
        is_array=False,
        attributes=(),
        position=definition.objects[0].position,
    )


def _fate(
    parameter: Parameter, workflow: Workflow, uses: list[tuple[str, str]]
) -> tuple[Status, str]:
    places = ", ".join(f"{object_id}.{field}" for object_id, field in uses)
    waiting = ", ".join(
        f"{object_id}.{field}"
        for object_id, field in uses
        if workflow.ledger.status(object_id, field) is Status.NEEDS_DECISION
    )
    if workflow.definition.is_secret(parameter.id):
        return _fate_of_secret(places, workflow, uses)
    if parameter.name in workflow.parameters_read:
        return _fate_in_form(parameter, places)
    if waiting:
        return Status.NEEDS_DECISION, f"in the form, for what is not migrated yet: {waiting}"
    return _fate_of_unread(places, workflow, uses)


def _fate_of_unread(
    places: str, workflow: Workflow, uses: list[tuple[str, str]]
) -> tuple[Status, str]:
    if workflow.schedule.dag.timetable is not None and any(
        object_id in workflow.resolved and workflow.resolved[object_id].type == "Schedule"
        for object_id, _ in uses
    ):
        note = "its value settles the schedule of the DAG, which no run can change"
        return Status.EQUIVALENT, f"{note} (used by {places})"
    if uses:
        return Status.DROPPED, f"only used by {places}, of which nothing is left"
    return Status.DROPPED, "no object uses it"


def _fate_in_form(parameter: Parameter, places: str) -> tuple[Status, str]:
    if parameter.origin is not None:
        note = f"{parameter.origin}: in the form until its value is fixed, used by {places}"
        return Status.NEEDS_DECISION, note
    if parameter.optional:
        return (
            Status.APPROXIMATED,
            f"in the form; left empty it is an empty text in {places}, where the service is "
            "believed to have left the field out",
        )
    return Status.CARRIED_OVER, f"in the form under the same name, used by {places}"


def _fate_of_secret(
    places: str, workflow: Workflow, uses: list[tuple[str, str]]
) -> tuple[Status, str]:
    settled = {workflow.ledger.status(object_id, field) for object_id, field in uses}
    if uses and settled <= {Status.EQUIVALENT, Status.APPROXIMATED}:
        return Status.APPROXIMATED, f"secrets don't go through the form: see {places}"
    note = "secrets don't go through the form: create an Airflow connection"
    return Status.NEEDS_DECISION, f"{note} (used by {places or 'nothing'})"


def _spec(parameter: Parameter, value: ParameterValue | None, workflow: Workflow) -> ParamSpec:
    json_type = _TYPES.get(parameter.type.casefold(), "string")
    given = _without_passwords(value.values if value else parameter.default, parameter, workflow)
    schema = _schema(parameter, json_type, workflow, given)
    arguments: dict[str, object] = {}
    if parameter.is_array:
        arguments["default"] = [_convert(one, json_type, parameter, workflow) for one in given]
        arguments |= {"type": "array", "items": {"type": json_type} | schema}
    else:
        optional = parameter.optional and not given
        if given:
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
    notes = [
        text.strip()
        for text in (parameter.watermark, parameter.help_text)
        if text and text.strip() != (parameter.description or "")
    ]
    if notes:
        arguments["description_md"] = "\n\n".join(notes)
    words = parameter.description or "no description given"
    kind = "S3 URI" if parameter.type.casefold() == _S3_TYPE else json_type
    return ParamSpec(
        parameter.name, arguments, words, f"list of {kind}" * parameter.is_array or kind
    )


def _without_passwords(
    given: tuple[str, ...], parameter: Parameter, workflow: Workflow
) -> tuple[str, ...]:
    if all(mask_passwords(text) == text for text in given):
        return given
    _report(
        workflow,
        parameter,
        severity=Severity.WARNING,
        value=", ".join(given),
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

    if parameter.allowed_values:
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
