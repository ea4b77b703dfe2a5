"""``Ec2Resource``: a computer that is not needed once nothing is left that runs on it."""

from typing import ClassVar

from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.placeholders import add_placeholder
from updraft.migration.mappers.task_settings import PIPELINE_WIDE

_GONE = "the activities on it need no computer of their own any more"
_UNUSED = "no activity runs on it"
_LIMIT = (
    "`execution_timeout` of the tasks that ran on it, for each try, where it is the shorter one"
)


class Ec2ResourceMapper(ObjectMapper):
    """Drops computers whose activities need none, and keeps a placeholder of all others."""

    object_types: ClassVar[tuple[str, ...]] = ("Ec2Resource",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an Ec2Resource.

        :param item: the resource.
        :param workflow: where the task and the accounts go.
        """
        # Default and abstract parents only lend the reference to those that inherit it.
        users = [
            user
            for user in workflow.users(item.id, "runsOn")
            if user.category in {"activity", "precondition"} or user.id in workflow.tasks
        ]
        tasks = [workflow.tasks.get(user.id) for user in users]
        is_needed = not all(task is not None and task.migrated for task in tasks)
        # Where there is nothing else, somebody wants to see what becomes of it.
        if is_needed or not workflow.tasks:
            add_placeholder(item, workflow, f"{item.type} is not migrated yet")
            return
        _drop(item, workflow, _GONE if users else _UNUSED)


def _drop(item: ResolvedObject, workflow: Workflow, note: str) -> None:
    account = workflow.ledger.account
    for name, inherited in item.fields.items():
        if is_user_field(name) or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
            continue
        if name == "parent":
            account(item, name, Status.EQUIVALENT, "inherited fields are resolved")
        elif name in {"dependsOn", "precondition"}:
            account(item, name, Status.APPROXIMATED, "nothing waits for it any more")
        elif name in {"onFail", "onSuccess", "onLateAction"}:
            account(item, name, Status.NEEDS_DECISION, "alarms are not migrated yet")
        elif name == "terminateAfter" and note == _GONE:
            account(item, name, Status.APPROXIMATED, _LIMIT)
        else:
            account(item, name, Status.DROPPED, note)
    account(item, "type", Status.DROPPED, note)
    account(item, "name", Status.DROPPED, note)
