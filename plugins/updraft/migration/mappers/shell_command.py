"""``ShellCommandActivity``: a command on an instance, a cluster, or a machine of one's own.

Source: guide, "ShellCommandActivity"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-shellcommandactivity.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, references_to
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.shell_in_container import add_container_task
from updraft.migration.mappers.shell_on_cluster import add_cluster_step
from updraft.migration.mappers.shell_on_worker import add_worker_task
from updraft.migration.mappers.shell_places import (
    BASH,
    BATCH,
    EC2,
    ECS,
    RESOURCE_TAG,
    WORKER_GROUP_TAG,
)
from updraft.migration.mappers.shell_settings import (
    LEGACY_USER,
    OPERATOR,
    ShellSettings,
    account_unused_worker_group,
)
from updraft.migration.mappers.task_settings import account_task_settings, retry_settings
from updraft.migration.tasks import PLACEHOLDER, ArgumentValue, TaskOutput, TaskSpec


class ShellCommandActivityMapper(ObjectMapper):
    """Maps shell commands."""

    object_types: ClassVar[tuple[str, ...]] = ("ShellCommandActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a ShellCommandActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        field = "command" if item.field("command") is not None else "scriptUri"
        with placeholder_unless_mapped(item, field, workflow):
            add_shell_task(item, workflow)


def add_shell_task(
    item: ResolvedObject, workflow: Workflow, node: ResolvedObject | None = None
) -> None:
    """Add the task that runs a command where the activity ran.

    :param item: an activity; or a precondition with the place of what it guards.
    :param workflow: where the task and the accounts go.
    :param node: what a precondition guards, known to it as ``node``.
    :raises NotCompilableError: when the command can't be said exactly.
    """
    found = references_to("runsOn", item, workflow)
    if len(found) > 1:
        raise NotCompilableError("it runs on several resources, and a command takes one")
    resource = found[0] if found else None
    if resource is not None and resource.type == "EmrCluster":
        account_unused_worker_group(item, workflow)
        add_cluster_step(item, workflow, node)
    elif resource is not None and resource.type != "Ec2Resource":
        raise NotCompilableError(
            f"it runs on {resource.id}, a {resource.type or 'resource without type'}, and commands "
            "need an Ec2Resource or an EmrCluster"
        )
    elif workflow.compute == BASH:
        add_worker_task(item, resource, workflow, node)
    elif resource is not None and workflow.compute in {ECS, BATCH}:
        add_container_task(item, resource, workflow, node)
    else:
        _add_machine_task(item, resource, workflow, node)


def _add_machine_task(
    item: ResolvedObject,
    resource: ResolvedObject | None,
    workflow: Workflow,
    node: ResolvedObject | None,
) -> None:
    settings = ShellSettings(item, workflow, node)
    place = _place(item, resource, settings)
    arguments = {
        **place,
        **settings.what(),
        **settings.data(),
        **settings.output(on_own_machine=resource is None),
        **settings.time_limit(),
        **_surroundings(item, resource, settings),
        **retry_settings(item, workflow),
    }
    _account_type(item, resource, settings)
    account_task_settings(item, workflow, taken=settings.taken)
    workflow.add_task(
        TaskSpec(
            task_id=workflow.main_task_id(item),
            object_id=item.id,
            object_type=item.type or "-",
            operator=OPERATOR,
            arguments=arguments,
            summary="runs a shell command",
        ),
        settings.templates,
    )


def _place(
    item: ResolvedObject, resource: ResolvedObject | None, settings: ShellSettings
) -> dict[str, ArgumentValue]:
    """Name the machine."""
    workflow = settings.workflow
    account = workflow.ledger.account
    if resource is None and item.field("workerGroup") is None:
        return {"instance_id": TaskOutput(_missing_machine(item, workflow))}
    if resource is None:
        group = settings.value("workerGroup")
        note = (
            f"`instance_tags`: give the machines of the group the tag `{WORKER_GROUP_TAG}` with "
            "this value, and the agent of Systems Manager in place of Task Runner; commands run as "
            "`root`, and not as who ran Task Runner: set `user`"
        )
        account(item, "workerGroup", Status.APPROXIMATED, note)
        return {"instance_tags": {WORKER_GROUP_TAG: group}}
    account_unused_worker_group(item, workflow)
    if workflow.compute == EC2:
        instance_task = workflow.main_task_id(resource)
        note = f"`instance_id`: the instance that `{instance_task}` launches for the run"
        account(item, "runsOn", Status.CARRIED_OVER, note)
        return {"instance_id": TaskOutput(instance_task)}
    note = (
        f"`instance_tags`: a machine of yours that has the tag `{RESOURCE_TAG}` with the name of "
        "the resource"
    )
    account(item, "runsOn", Status.APPROXIMATED, note)
    return {"instance_tags": {RESOURCE_TAG: resource.item.name}}


def _missing_machine(item: ResolvedObject, workflow: Workflow) -> str:
    """Add a task that fails in place of the machine that nobody names."""
    task_id = workflow.task_id(item, "machine")
    reason = "neither runsOn nor workerGroup says where it runs"
    workflow.others.append(
        TaskSpec(
            task_id=task_id,
            object_id="",
            object_type="",
            operator=PLACEHOLDER,
            arguments={"reason": reason, "object_id": item.id, "object_type": item.type or "-"},
            summary=f"fails, because {reason}",
            migrated=False,
        )
    )
    return task_id


def _surroundings(
    item: ResolvedObject, resource: ResolvedObject | None, settings: ShellSettings
) -> dict[str, ArgumentValue]:
    """Say as whom it runs, where its output is kept, and in which region."""
    arguments: dict[str, ArgumentValue] = {}
    workflow = settings.workflow
    if resource is not None:
        user = compile_value("runAsUser", resource, workflow)
        arguments["user"] = settings.take(user) if user is not None else LEGACY_USER
        note = "`user` of the commands"
        workflow.ledger.account(resource, "runAsUser", Status.CARRIED_OVER, note)
        region = compile_value("region", resource, workflow)
        if region is not None:
            arguments["region_name"] = settings.take(region)
            workflow.ledger.account(resource, "region", Status.CARRIED_OVER, "`region_name`")
    logs = compile_value("pipelineLogUri", item, workflow)
    if logs is not None and (logs.literal is None or logs.literal.startswith("s3")):
        arguments["output_uri"] = settings.take(logs)
        note = "`output_uri`: all that commands print; Airflow keeps the logs of its tasks itself"
        workflow.ledger.account(item, "pipelineLogUri", Status.CARRIED_OVER, note)
        settings.taken.add("pipelineLogUri")
    return arguments


def _account_type(
    item: ResolvedObject, resource: ResolvedObject | None, settings: ShellSettings
) -> None:
    notes = ["`ShellCommandOperator`"]
    if resource is None and item.field("workerGroup") is None:
        note = "nothing says where it runs: a task that fails stands for its machine"
        settings.workflow.ledger.account(item, "type", Status.NEEDS_DECISION, note)
    notes += settings.notes
    status = Status.APPROXIMATED if len(notes) > 1 else Status.CARRIED_OVER
    settings.workflow.ledger.account(item, "type", status, "; ".join(notes))
