"""Fields that no object of their type has: the service filled them in, or nobody ever read them."""

from updraft.datapipeline.findings import nearest
from updraft.datapipeline.object_types import (
    all_field_names,
    is_runtime_field,
    is_user_field,
    object_types,
)
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow


def account_unread_fields(workflow: Workflow) -> None:
    """Account for the fields that mean nothing where they are written.

    :param workflow: the workflow with all its tasks; fields that somebody has accounted for stay.
    """
    types = {one.id: one.type for one in workflow.definition.objects}
    for object_id, name in list(workflow.ledger.unaccounted()):
        if is_runtime_field(name):
            note = "the service filled it in: it says how runs went, not what they are to do"
            workflow.ledger.account_own(object_id, name, Status.DROPPED, note)
            continue
        known = object_types().get(types[object_id] or "")
        if is_user_field(name) or (known.knows(name) if known else name in all_field_names()):
            continue
        near = nearest(name, known.fields if known else all_field_names())
        if near:
            note = f"there is no such field, and nothing reads it: was {near!r} meant?"
            workflow.ledger.account_own(object_id, name, Status.NEEDS_DECISION, note)
        else:
            note = "there is no such field, and nothing reads it: it has no effect"
            workflow.ledger.account_own(object_id, name, Status.DROPPED, note)
