"""Shell commands that run in containers, on Amazon ECS or in AWS Batch.

Where and in which image they run, no definition says: the form asks for it.
"""

from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.staged_commands import staged_command_step
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, flag, reading
from updraft.migration.jinja_text import parameter_code
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.shell_places import ECS
from updraft.migration.mappers.shell_settings import ShellSettings, account_unused_worker_group
from updraft.migration.mappers.task_settings import (
    account_task_settings,
    code_for,
    fixed_duration,
    retry_settings,
)
from updraft.migration.names import unique
from updraft.migration.tasks import ArgumentValue, ParamSpec, TaskSpec

ECS_OPERATOR = "updraft.operators.containers.EcsCommandOperator"
BATCH_OPERATOR = "updraft.operators.containers.BatchCommandOperator"
CONTAINER_OPERATORS = frozenset({ECS_OPERATOR, BATCH_OPERATOR})
"""Operators of commands in containers."""

# What the overrides of a container hold (API reference of ECS, "TaskOverride").
_MOST_CHARACTERS = 8192
_ECS_FIELDS = {
    "ecs_cluster": "cluster of Amazon ECS that commands run on",
    "ecs_task_definition": "task definition whose image has bash, the AWS command line and all "
    "that the commands call",
    "ecs_container": "container of that task definition that runs the commands",
    "ecs_subnet": "subnet of the containers, as Fargate needs one",
}
_BATCH_FIELDS = {
    "batch_job_queue": "queue of AWS Batch that commands go to",
    "batch_job_definition": "job definition whose image has bash, the AWS command line and all "
    "that the commands call",
}


def add_container_task(
    item: ResolvedObject,
    resource: ResolvedObject,
    workflow: Workflow,
    node: ResolvedObject | None = None,
) -> None:
    """Add a task that runs a command in a container.

    :param item: the activity.
    :param resource: the instance that it ran on.
    :param workflow: where the task and the accounts go.
    :param node: what a precondition guards, known to it as ``node``.
    :raises NotCompilableError: when it can't be said exactly.
    """
    settings = ShellSettings(item, workflow, node)
    command = _command(settings)
    if sum(map(len, command)) > _MOST_CHARACTERS:
        raise NotCompilableError(
            f"it has more than {_MOST_CHARACTERS:,} characters, the most that a container is "
            "given: put the script into its image, or into S3 and name it by scriptUri"
        )
    operator = ECS_OPERATOR if workflow.compute == ECS else BATCH_OPERATOR
    task_id = workflow.main_task_id(item)
    arguments = (
        _on_ecs(command, workflow)
        if workflow.compute == ECS
        else _in_batch(command, task_id, workflow)
    )
    region = compile_value("region", resource, workflow)
    if region is not None:
        arguments["region_name"] = settings.take(region)
        workflow.ledger.account(resource, "region", Status.CARRIED_OVER, "`region_name`")
    limit = fixed_duration(item, "attemptTimeout", workflow)
    if limit is not None:
        arguments["execution_timeout"] = code_for(limit)
    _account(settings, operator, fixed_limit=limit is not None)
    workflow.add_task(
        TaskSpec(
            task_id=task_id,
            object_id=item.id,
            object_type=item.type or "-",
            operator=operator,
            arguments={**arguments, **retry_settings(item, workflow), "deferrable": True},
            summary="runs a shell command in a container",
        ),
        settings.templates,
    )


def _command(settings: ShellSettings) -> list[str]:
    what = settings.what()
    values = what.get("arguments", [])
    if not isinstance(values, list):
        raise NotCompilableError("its scriptArgument is a list that only the run knows")
    arguments = [str(one) for one in values]
    command, script = what.get("command"), what.get("script_uri")
    staged = flag("stage", settings.item)
    if staged is not None:
        settings.take(reading("stage", settings.item))
        note = "the command is given copies before, and its output is copied after"
        note = note if staged else "nothing is staged"
        settings.workflow.ledger.account(settings.item, "stage", Status.CARRIED_OVER, note)
    if not staged and script is None:
        return ["bash", "-c", str(command), *(["bash", *arguments] if arguments else [])]
    inputs, outputs = settings.staged_uris() if staged else ([], [])
    step = staged_command_step(
        command=str(command) if script is None else None,
        script_uri=str(script) if script is not None else None,
        arguments=arguments,
        inputs=inputs,
        outputs=outputs,
    )
    return [*step.arguments]


def _on_ecs(command: list[str], workflow: Workflow) -> dict[str, ArgumentValue]:
    asked = {name: _asked(name, words, workflow) for name, words in _ECS_FIELDS.items()}
    return {
        "cluster": asked["ecs_cluster"],
        "task_definition": asked["ecs_task_definition"],
        "launch_type": "FARGATE",
        "overrides": {
            "containerOverrides": [{"name": asked["ecs_container"], "command": [*command]}]
        },
        "network_configuration": {"awsvpcConfiguration": {"subnets": [asked["ecs_subnet"]]}},
    }


def _in_batch(command: list[str], task_id: str, workflow: Workflow) -> dict[str, ArgumentValue]:
    asked = {name: _asked(name, words, workflow) for name, words in _BATCH_FIELDS.items()}
    return {
        "job_name": task_id[:128],
        "job_queue": asked["batch_job_queue"],
        "job_definition": asked["batch_job_definition"],
        "container_overrides": {"command": [*command]},
    }


def _asked(name: str, words: str, workflow: Workflow) -> str:
    """Ask for something in the form, once for all commands."""
    free = unique(name, set(workflow.definition.names))
    description = f"New: {words}"
    arguments: dict[str, object] = {"type": "string", "minLength": 1, "title": description}
    workflow.ask_for(ParamSpec(free, arguments, description, "string", note=f"new: the {words}"))
    return f"{{{{ {parameter_code(free)} }}}}"


def _account(settings: ShellSettings, operator: str, *, fixed_limit: bool) -> None:
    item, account = settings.item, settings.workflow.ledger.account
    note = (
        f"`{operator.rpartition('.')[2]}`: it runs in a container of its own, with the image, user "
        "and permissions that the form names"
    )
    account(item, "type", Status.APPROXIMATED, note)
    account(item, "runsOn", Status.APPROXIMATED, "a container takes its place")
    account_unused_worker_group(item, settings.workflow)
    for name in ("stdout", "stderr"):
        if settings.value(name) is not None:
            note = "what it prints is in the log of the container"
            account(item, name, Status.APPROXIMATED, note)
    if item.field("attemptTimeout") is not None:
        status, note = Status.NEEDS_DECISION, "no fixed length: set `execution_timeout`"
        if fixed_limit:
            settings.take(reading("attemptTimeout", item))
            status, note = Status.APPROXIMATED, "`execution_timeout`, which ends the container, too"
        account(item, "attemptTimeout", status, note)
    account_task_settings(item, settings.workflow, taken=settings.taken)
