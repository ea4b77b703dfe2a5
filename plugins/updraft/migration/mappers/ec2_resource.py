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
from updraft.migration.mappers.shell_places import EC2, RESOURCE_TAG, SSM
from updraft.migration.mappers.task_settings import PIPELINE_WIDE, retry_settings
from updraft.migration.tasks import TaskOutput, TaskSpec

_OPERATORS = "updraft.operators.ec2"


class Ec2ResourceMapper(ObjectMapper):
    """Maps instances: those that no task needs any more are left out."""

    object_types: ClassVar[tuple[str, ...]] = ("Ec2Resource",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an Ec2Resource.

        :param item: the instance.
        :param workflow: where the tasks and the accounts go.
        """
        launch_id = workflow.main_task_id(item)
        users = [
            user
            for user in workflow.users(item.id, "runsOn")
            if user.type is not None or user.id in workflow.tasks
        ]
        tasks = [task for user in users if (task := workflow.tasks.get(user.id)) is not None]
        if any(launch_id in task.implied_upstream for task in tasks):
            with placeholder_unless_mapped(item, "type", workflow):
                _add_tasks(item, users, workflow)
            return
        waiting = [task.task_id for task in tasks if not task.migrated]
        if waiting:
            names = ", ".join(f"`{one}`" for one in waiting)
            _account_all(
                item, workflow, Status.NEEDS_DECISION, f"waits for the migration of {names}"
            )
        elif not tasks:
            _account_all(item, workflow, Status.DROPPED, "no activity runs on it")
        elif workflow.compute == EC2:
            note = "its activities need no instance any more"
            _account_all(item, workflow, Status.DROPPED, note)
        elif workflow.compute == SSM:
            note = f"a machine of yours with the tag `{RESOURCE_TAG}` takes its place"
            _account_all(item, workflow, Status.APPROXIMATED, note)
        else:
            note = "the Airflow worker takes its place"
            _account_all(item, workflow, Status.APPROXIMATED, note)


def _account_all(item: ResolvedObject, workflow: Workflow, status: Status, note: str) -> None:
    account = workflow.ledger.account
    for name, inherited in item.fields.items():
        if is_user_field(name) or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
            continue
        if (inherited.owner_id, name) in workflow.fields_read:
            continue
        if name == "parent":
            account(item, name, Status.EQUIVALENT, "inherited fields are resolved")
        else:
            account(item, name, status, note)
    account(item, "type", status, note)
    account(item, "name", status, note)


def _add_tasks(item: ResolvedObject, users: list[ResolvedObject], workflow: Workflow) -> None:
    fields = InstanceFields(item, workflow)
    arguments, place = fields.launch_arguments(), fields.place()
    settings = retry_settings(item, workflow)
    fields.account_others(users)
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
