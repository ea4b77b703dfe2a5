"""``Ec2Resource``: a task that launches the instance of a run, and one that ends it.

Source: guide, "Ec2Resource"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-ec2resource.html).
"""

from typing import ClassVar

from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.ec2_instance_fields import InstanceFields
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.shell_in_container import CONTAINER_OPERATORS
from updraft.migration.mappers.shell_on_worker import OPERATOR as BASH_OPERATOR
from updraft.migration.mappers.shell_places import BATCH, EC2, ECS, RESOURCE_TAG, SSM
from updraft.migration.mappers.shell_settings import OPERATOR as SHELL_OPERATOR
from updraft.migration.mappers.task_settings import PIPELINE_WIDE, retry_settings
from updraft.migration.tasks import TaskOutput, TaskSpec

_OPERATORS = "updraft.operators.ec2"
_SHELL = {BASH_OPERATOR, SHELL_OPERATOR, *CONTAINER_OPERATORS}
_GONE = "the activities on it need no computer of their own any more"
_LIMIT = (
    "`execution_timeout` of the tasks that ran on it, for each try, where it is the shorter one"
)


class Ec2ResourceMapper(ObjectMapper):
    """Maps instances: those that no task needs any more are left out."""

    object_types: ClassVar[tuple[str, ...]] = ("Ec2Resource",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an Ec2Resource.

        :param item: the instance.
        :param workflow: where the tasks and the accounts go.
        """
        # Default and abstract parents only lend the reference to those that inherit it.
        users = [
            user
            for user in workflow.users(item.id, "runsOn")
            if user.category in {"activity", "precondition"} or user.id in workflow.tasks
        ]
        launch_id = workflow.main_task_id(item)
        users += workflow.takers(launch_id, users)
        needing = [
            user
            for user in users
            if (task := workflow.tasks.get(user.id)) is None
            or not task.migrated
            or launch_id in workflow.outputs_taken(user.id)
        ]
        # Where there is nothing else, somebody wants to see what becomes of it.
        if needing or not workflow.tasks:
            if workflow.compute == EC2:
                with placeholder_unless_mapped(item, "type", workflow):
                    _add_tasks(item, needing, workflow)
                return
            drop = Status.NEEDS_DECISION, "some of its activities are not migrated yet"
        elif not users:
            drop = Status.DROPPED, "no activity runs on it"
        elif all(workflow.tasks[user.id].operator not in _SHELL for user in users):
            drop = Status.DROPPED, _GONE
        elif workflow.compute == SSM:
            note = f"a machine of yours with the tag `{RESOURCE_TAG}` takes its place"
            drop = Status.APPROXIMATED, note
        elif workflow.compute in {ECS, BATCH}:
            drop = Status.APPROXIMATED, "containers take its place, one for each command"
        else:
            drop = Status.APPROXIMATED, "the Airflow worker takes its place"
        _drop(item, workflow, *drop)


def _drop(item: ResolvedObject, workflow: Workflow, status: Status, note: str) -> None:
    account = workflow.ledger.account
    for name, inherited in item.fields.items():
        if is_user_field(name) or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
            continue
        if (inherited.owner_id, name) in workflow.fields_read:
            continue  # the task that reads it accounts for it
        if name == "parent":
            account(item, name, Status.EQUIVALENT, "inherited fields are resolved")
        elif name in {"dependsOn", "precondition"}:
            account(item, name, Status.APPROXIMATED, "nothing waits for it any more")
        elif name == "onSuccess":
            note = "no instance ends any more: put it on the activities"
            account(item, name, Status.NEEDS_DECISION, note)
        elif name == "terminateAfter" and note == _GONE:
            account(item, name, Status.APPROXIMATED, _LIMIT)
        else:
            account(item, name, status, note)
    account(item, "type", status, note)
    account(item, "name", status, note)


def _add_tasks(item: ResolvedObject, users: list[ResolvedObject], workflow: Workflow) -> None:
    fields = InstanceFields(item, workflow)
    arguments, place = fields.launch_arguments(), fields.place()
    settings = retry_settings(item, workflow)
    fields.account_others(users)
    workflow.described |= fields.described
    launch_id, end_id = workflow.main_task_id(item), workflow.task_id(item, "terminate")
    workflow.add_task(
        TaskSpec(
            task_id=launch_id,
            object_id=item.id,
            object_type=item.type or "-",
            operator=f"{_OPERATORS}.Ec2InstanceOperator",
            arguments={**arguments, **settings, **place},
            summary="launches the instance of the run",
            is_setup=True,
        ),
        fields.templates,
    )
    workflow.add_teardown(
        TaskSpec(
            task_id=end_id,
            object_id=item.id,
            object_type=item.type or "-",
            operator=f"{_OPERATORS}.Ec2TerminateInstanceOperator",
            arguments={"instance_id": TaskOutput(launch_id), **place},
            summary="ends the instance, also when a task before it failed",
            ends=launch_id,
        )
    )
