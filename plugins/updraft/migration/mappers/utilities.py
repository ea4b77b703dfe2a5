"""Objects that only describe others: configurations, formats, databases, alarms."""

from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.task_settings import PIPELINE_WIDE
from updraft.migration.unknown_objects import is_abstract

_SETTLED = {Status.DROPPED}


def account_descriptions(items: list[ResolvedObject], workflow: Workflow) -> None:
    """Account for objects that only describe others: they share the fate of what they describe.

    :param items: the objects; they may describe one another.
    :param workflow: where the accounts go.
    """
    pending = list(items)
    while pending:
        # Those whose referring fields are all accounted for; circles are taken as they come.
        ready = [item for item in pending if _all_known(item, workflow)] or pending[:1]
        for item in ready:
            _account(item, workflow)
            pending.remove(item)


def _referring(item: ResolvedObject, workflow: Workflow) -> list[tuple[str, str]]:
    return [
        (other.id, field.name)
        for other in workflow.definition.objects
        for field in other.fields
        if item.id in field.references and other.id != item.id
    ]


def _all_known(item: ResolvedObject, workflow: Workflow) -> bool:
    return all(
        workflow.ledger.status(object_id, field) is not None
        for object_id, field in _referring(item, workflow)
    )


def _account(item: ResolvedObject, workflow: Workflow) -> None:
    if is_abstract(item, workflow):
        # Those that inherit its fields account for them.
        workflow.ledger.account(item, "name", Status.DROPPED, "only others inherit from it")
        workflow.ledger.account(item, "parent", Status.EQUIVALENT, "inherited fields are resolved")
        return
    referring = _referring(item, workflow)
    places = ", ".join(f"{object_id}.{field}" for object_id, field in referring)
    statuses = {workflow.ledger.status(object_id, field) for object_id, field in referring}
    if item.id in workflow.described:
        status, note = Status.EQUIVALENT, f"part of {places}"
    elif not referring:
        status, note = Status.DROPPED, "no object refers to it"
    elif statuses <= _SETTLED:
        status, note = Status.DROPPED, f"only described {places}, which is dropped"
    else:
        status, note = (
            Status.NEEDS_DECISION,
            f"{item.type or 'it'} is not migrated yet; see {places}",
        )
    for name, inherited in item.fields.items():
        if is_user_field(name) or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
            continue
        if name == "parent":
            workflow.ledger.account(item, name, Status.EQUIVALENT, "inherited fields are resolved")
        elif item.id in workflow.described:
            own = (inherited.owner_id, name)
            if own not in workflow.fields_read and workflow.ledger.status(*own) is None:
                unread = "no task reads it: it has no effect there"
                workflow.ledger.account(item, name, Status.DROPPED, unread)
        else:
            workflow.ledger.account(item, name, status, note)
    workflow.ledger.account(item, "type", status, note)
    workflow.ledger.account(item, "name", status, note)
