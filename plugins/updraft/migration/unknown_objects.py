"""Objects of which nobody knows what they are: their type is unknown, or they have none.

They may have been activities, so they become tasks that fail, unless it is plain that they only
describe other objects. A DAG never does less than its definition without saying so.
"""

from updraft.datapipeline.object_types import (
    working_field_names,
)
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject, parent_ids
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow

# References that make the object they point to do or hold something.
_WORKING_REFERENCES = {"dependsOn", "input", "output", "precondition", "runsOn"}
SCRIPT_REFERENCES = frozenset({"preActivityTaskConfig", "postActivityTaskConfig"})
"""References to scripts that run before or after an activity."""

# These decide the order of tasks for a task of any kind.
_SETTLED_REFERENCES = {"dependsOn", "parent", "precondition"}


def is_unknown(item: ResolvedObject) -> bool:
    """Tell whether it is not known what an object is.

    :param item: the object.
    :returns: true without a type that the guide lists; false for ``Default``.
    """
    return item.id != DEFAULT_ID and item.category is None


def is_abstract(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether an object is there only for others to inherit from.

    :param item: the object.
    :param workflow: the workflow.
    :returns: true without a type, for what others name as their parent.
    """
    return item.type is None and item.id in parent_ids(workflow.definition)


def may_have_worked(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether an unknown object may have done something while the pipeline ran.

    :param item: an unknown object.
    :param workflow: the workflow.
    :returns: false only for what others inherit from, or what is only described by.
    """
    references = {name for _, name in _references(item, workflow)}
    if references & _WORKING_REFERENCES:
        return True
    if is_abstract(item, workflow):
        return False
    own = {name for name, inherited in item.fields.items() if inherited.owner_id != DEFAULT_ID}
    if own & working_field_names():
        return True
    # A type that nobody refers to stood for itself.
    return item.type is not None and not references - {"parent"}


def is_missing_script(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether an object is a script around an activity that the definition does not have.

    :param item: an unknown object.
    :param workflow: the workflow.
    :returns: true for what an activity cannot go without.
    """
    names = {name for _, name in _references(item, workflow)}
    return item.id in workflow.missing and bool(names & SCRIPT_REFERENCES)


def account_unknown_references(workflow: Workflow) -> None:
    """Say at every reference to an unknown object that its user has to decide.

    :param workflow: the workflow with its tasks.
    """
    for item in workflow.resolved.values():
        stands_for = item.id in workflow.tasks or item.category == "database"
        missing = item.id in workflow.missing and stands_for
        if not is_unknown(item) and not missing:
            continue
        what = f"its type {item.type!r} is unknown" if item.type else "it has no type"
        if item.id in workflow.missing:
            what = "the definition has no such object"
        for object_id, name in _references(item, workflow):
            if name not in _SETTLED_REFERENCES:
                note = f"refers to {item.id}, and {what}"
                workflow.ledger.account_own(object_id, name, Status.NEEDS_DECISION, note)


def reason(item: ResolvedObject, workflow: Workflow) -> str:
    """Say why an unknown object is not migrated.

    :param item: an unknown object.
    :param workflow: the workflow.
    :returns: a clause.
    """
    if item.id in workflow.missing:
        return "the definition has no object with this id"
    if item.type is None:
        return "the object has no type"
    return f"{item.type} is no object type of AWS Data Pipeline"


def _references(item: ResolvedObject, workflow: Workflow) -> list[tuple[str, str]]:
    return [
        (other.id, field.name)
        for other in workflow.definition.objects
        for field in other.fields
        if item.id in field.references and other.id not in {item.id, *workflow.missing}
    ]
