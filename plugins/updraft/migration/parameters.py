"""What becomes of parameters: fields of the DAG's trigger form, connections, or nothing."""

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.findings import MASK, mask_passwords
from updraft.datapipeline.mentions import Mentions
from updraft.datapipeline.model import Parameter, undeclared_parameter
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.parameter_fields import form_field, names_password
from updraft.migration.tasks import ParamSpec


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
    place = workflow.definition.objects[0].position
    declared += [undeclared_parameter(name, place) for name in undeclared]
    for parameter in declared:
        status, note = _fate(parameter, workflow, used.get(parameter.name, []))
        value = workflow.definition.values_by_name.get(parameter.name)
        given = value.values if value else parameter.default
        secret = workflow.definition.is_secret(parameter.id)
        # What settles the schedule is settled, and no field of the form.
        if not secret and status not in {Status.DROPPED, Status.EQUIVALENT}:
            spec = form_field(parameter, value, workflow)
            specs.append(spec)
            if given and "default" not in spec.arguments:
                status, note = Status.NEEDS_DECISION, f"{note}; its value is not taken over"
        accounts.append(
            ParameterAccount(
                id=parameter.id,
                type=parameter.type,
                value=MASK
                if secret or (any(given) and names_password(parameter.name))
                else mask_passwords(", ".join(given)) or "-",
                status=status,
                note=note,
            )
        )
    return tuple(specs), tuple(accounts)


def account_added(param: ParamSpec) -> ParameterAccount:
    """Account for a field of the form that is no parameter of the pipeline.

    :param param: the field.
    :returns: a row for the report.
    """
    kind = "AWS::S3::ObjectKey" if param.kind == "S3 URI" else "String"
    return ParameterAccount(
        id=param.name, type=kind, value="-", status=Status.NEEDS_DECISION, note=param.note
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
    written_out = ", ".join(workflow.written_out.get(parameter.name, ()))
    note = f"its value is written out in {written_out}: change it there"
    if parameter.name in workflow.parameters_read:
        status, in_form = _fate_in_form(parameter, places)
        return (Status.APPROXIMATED, f"{in_form}; {note}") if written_out else (status, in_form)
    if written_out:
        return Status.EQUIVALENT, note
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
