"""Shell commands that run on the Airflow worker, for pipelines that need no machine for them."""

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.command_secrets import compile_command, read_from_connections
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_values, flag, reading
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.shell_settings import ShellSettings, account_unused_worker_group
from updraft.migration.mappers.task_settings import (
    account_task_settings,
    code_for,
    fixed_duration,
    retry_settings,
)
from updraft.migration.tasks import ArgumentValue, TaskSpec

OPERATOR = "airflow.providers.standard.operators.bash.BashOperator"


def add_worker_task(
    item: ResolvedObject,
    resource: ResolvedObject | None,
    workflow: Workflow,
    node: ResolvedObject | None = None,
) -> None:
    """Add a task that runs a command on the worker.

    :param item: the activity.
    :param resource: the instance that it ran on, none for a worker group.
    :param workflow: where the task and the accounts go.
    :param node: what a precondition guards, known to it as ``node``.
    :raises NotCompilableError: when it needs more than a worker has.
    """
    settings = ShellSettings(item, workflow, node)
    account = workflow.ledger.account
    if item.field("scriptUri") is not None:
        raise NotCompilableError(
            "its script is in S3, and a worker need not have the AWS command line that fetches it; "
            "convert it with --compute ec2 or ssm, or put the script beside the DAG"
        )
    if flag("stage", item):
        raise NotCompilableError(
            "it stages data, and a worker need not have the AWS command line that copies them; "
            "convert it with --compute ec2 or ssm"
        )
    if item.field("stage") is not None:
        settings.take(reading("stage", item))
        account(item, "stage", Status.CARRIED_OVER, "nothing is staged")
    arguments = _command(settings)
    for name in ("stdout", "stderr"):
        if settings.value(name) is not None:
            note = "the output is in the log of the task instead"
            account(item, name, Status.APPROXIMATED, note)
    limit = fixed_duration(item, "attemptTimeout", workflow)
    if limit is not None:
        settings.take(reading("attemptTimeout", item))
        arguments["execution_timeout"] = code_for(limit)
        note = "`execution_timeout`, for each try as before"
        account(item, "attemptTimeout", Status.CARRIED_OVER, note)
    elif item.field("attemptTimeout") is not None:
        note = "no fixed length: set `execution_timeout`"
        account(item, "attemptTimeout", Status.NEEDS_DECISION, note)
    note = (
        "`BashOperator`: the command runs on the Airflow worker, with its programs, permissions "
        "and disk, which other tasks do not share; there is no `sudo`"
    )
    account(item, "type", Status.APPROXIMATED, note)
    note = "the Airflow worker takes its place"
    account(item, "runsOn", Status.APPROXIMATED, note)
    if resource is None:
        account(item, "workerGroup", Status.APPROXIMATED, note)
    else:
        account_unused_worker_group(item, workflow)
    settings_of_retries = retry_settings(item, workflow)
    account_task_settings(item, workflow)
    workflow.add_task(
        TaskSpec(
            task_id=workflow.main_task_id(item),
            object_id=item.id,
            object_type=item.type or "-",
            operator=OPERATOR,
            arguments={**arguments, **settings_of_retries},
            summary="runs a shell command on the worker",
        ),
        settings.templates,
    )


def _command(settings: ShellSettings) -> dict[str, ArgumentValue]:
    """Write the command; its arguments come by variables, which need no quoting."""
    item, account = settings.item, settings.workflow.ledger.account
    found = compile_command("command", item, settings.workflow, settings.node)
    if found is None:
        raise NotCompilableError("it has no command")
    command = settings.take(found.template)
    secrets = read_from_connections(found, "command", item, settings.workflow)
    values = compile_values("scriptArgument", item, settings.workflow)
    names = [f"ARGUMENT_{number}" for number in range(1, len(values) + 1)]
    arguments: dict[str, ArgumentValue] = {}
    if values:
        words = " ".join(f'"${name}"' for name in names)
        command = f"set -- {words}\n{command}"
    if values or secrets:
        given = {name: settings.take(one) for name, one in zip(names, values, strict=True)}
        arguments |= {"env": {**secrets, **given}, "append_env": True}
    if command.endswith((".sh", ".bash")):
        command += "\n"  # Airflow takes a text with such an end for the name of a file
    account(item, "command", Status.CARRIED_OVER, "`bash_command`")
    account(item, "scriptArgument", Status.CARRIED_OVER, "`env`: `$1` and so on")
    return {"bash_command": command, **arguments}
