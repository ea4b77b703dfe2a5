"""What becomes of objects that have no mapper yet: a task that fails and says so."""

from collections.abc import Iterator
from contextlib import contextmanager

from updraft.datapipeline.expressions import ExpressionError
from updraft.datapipeline.findings import Severity, as_clause
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.task_settings import (
    ACTION_FIELDS,
    FAITHFUL_NOTES,
    ORDER_FIELDS,
    PIPELINE_WIDE,
    account_failure_mode,
)
from updraft.migration.tasks import PLACEHOLDER, TaskSpec

_TASK_CATEGORIES = {"activity", "resource", "precondition"}
# A proxy is listed among the resources, but nothing runs on it.
_NO_TASKS = {"HttpProxy"}


def needs_task(item: ResolvedObject) -> bool:
    """Tell whether an object without mapper needs a task in its place.

    :param item: the object.
    :returns: true for what did or awaited something while the pipeline ran.
    """
    return item.category in _TASK_CATEGORIES and item.type not in _NO_TASKS


@contextmanager
def placeholder_unless_mapped(
    item: ResolvedObject, field: str, workflow: Workflow
) -> Iterator[None]:
    """Turn what can't be compiled inside of the block into a placeholder, and a finding at need.

    :param item: the object that is mapped in the block.
    :param field: the field to blame for what is missing, unless the error knows better.
    :param workflow: where the finding and the placeholder with its accounts go.
    """
    try:
        yield
    except MissingFieldError as error:
        blamed = item.fields.get(field)
        owner_id, name = error.place or (blamed.owner_id if blamed else item.id, field)
        owner = workflow.resolved[owner_id]
        workflow.report(Severity.ERROR, owner, name, error.message, error.advice)
        add_placeholder(item, workflow, f"{name}: {as_clause(error.message)}")
    except NotCompilableError as error:
        add_placeholder(item, workflow, str(error))
    except ExpressionError as error:
        # The check of the definition has reported it, with its place.
        add_placeholder(item, workflow, f"an expression can't be read: {error.message}")


def add_placeholder(item: ResolvedObject, workflow: Workflow, reason: str) -> None:
    """Add a task that fails with the reason why the object is not migrated.

    :param item: the object.
    :param workflow: where the task and the accounts go.
    :param reason: why, a clause that ends without a full stop.
    """
    lacking = [
        one
        for name in ("input", "output")
        for one in item.references(name)
        if one in workflow.missing
    ]
    if lacking:
        reason += f"; the definition has no {' and no '.join(dict.fromkeys(lacking))}"
    workflow.discard_tasks(item.id)
    task_id = workflow.main_task_id(item)
    object_type = "-" if item.id in workflow.missing else item.type or "-"
    workflow.add_task(
        TaskSpec(
            task_id=task_id,
            object_id=item.id,
            object_type=object_type,
            operator=PLACEHOLDER,
            arguments={"reason": reason, "object_id": item.id, "object_type": object_type},
            summary=f"fails, because {reason}",
            migrated=False,
        )
    )
    _account(item, workflow, task_id, reason)


def _account(item: ResolvedObject, workflow: Workflow, task_id: str, reason: str) -> None:
    if item.id in workflow.missing:
        return  # What it would inherit says nothing.
    whole = f"the task `{task_id}` fails: {reason}"
    # Said once, where there is a row for it.
    note = f"the task `{task_id}` fails, see its type" if item.type else whole
    for name, inherited in item.fields.items():
        if inherited.owner_id == "Default" and name in PIPELINE_WIDE:
            continue
        if name in ACTION_FIELDS and item.id in workflow.tasks:
            continue  # A task that fails for good sends its alarms as any other.
        if name in ORDER_FIELDS and item.id in workflow.tasks:
            workflow.ledger.account(item, name, Status.CARRIED_OVER, "decides the order of tasks")
        elif name in FAITHFUL_NOTES and item.category == "activity":
            workflow.ledger.account(item, name, *FAITHFUL_NOTES[name])
        elif name == "parent":
            workflow.ledger.account(item, name, Status.EQUIVALENT, "inherited fields are resolved")
        elif name == "failureAndRerunMode":
            account_failure_mode(item, workflow)
        else:
            workflow.ledger.account(item, name, Status.NEEDS_DECISION, note)
    workflow.ledger.account(item, "type", Status.NEEDS_DECISION, whole)
    workflow.ledger.account(item, "name", Status.CARRIED_OVER, "names the task")
