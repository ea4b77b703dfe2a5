"""Shell commands that ran on the master node of a cluster: they are steps of it now."""

from updraft.datapipeline.order_checking import are_ordered
from updraft.datapipeline.resolution import ResolvedObject
from updraft.emr.legacy_steps import JarStep, command_step, script_step
from updraft.emr.staged_commands import staged_command_step
from updraft.migration.command_secrets import compile_command, read_on_machine
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import flag, reading
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.emr_steps import ActivitySteps
from updraft.migration.mappers.shell_settings import ShellSettings

_IN_A_ROW = "steps run one after the other unless `StepConcurrencyLevel` says otherwise"
_AS_ARGUMENTS = "bash"  # what $0 is


def add_cluster_step(
    item: ResolvedObject, workflow: Workflow, node: ResolvedObject | None = None
) -> None:
    """Add a task that runs a command as a step.

    :param item: the activity.
    :param workflow: where the task and the accounts go.
    :param node: what a precondition guards, known to it as ``node``.
    :raises NotCompilableError: when it can't be said exactly.
    """
    steps = ActivitySteps(item, workflow, node)
    account = workflow.ledger.account
    staged = flag("stage", item)
    if staged is not None:
        steps.take(reading("stage", item))
        note = "the step copies data before and after" if staged else "nothing is staged"
        account(item, "stage", Status.CARRIED_OVER, note)
    found = compile_command("command", item, workflow, node)
    command = (
        steps.take(read_on_machine(found, "command", item, workflow, steps.region))
        if found is not None
        else None
    )
    script = steps.value("scriptUri")
    if (command is None) == (script is None):
        raise NotCompilableError("it needs one of command and scriptUri, and not both")
    arguments = steps.values("scriptArgument")
    if staged:
        settings = ShellSettings(item, workflow, node)
        inputs, outputs = settings.staged_uris()
        for template in settings.templates:
            steps.take(template)
        steps.add(
            staged_command_step(
                command=command,
                script_uri=script.strip() if script is not None else None,
                arguments=arguments,
                inputs=inputs,
                outputs=outputs,
            )
        )
    else:
        steps.add(_step(command, script, arguments, steps.region))
    account(item, "command", Status.CARRIED_OVER, "a step `bash -c` on the master node, as before")
    account(item, "scriptUri", Status.CARRIED_OVER, "a step that runs a script from S3")
    account(item, "scriptArgument", Status.CARRIED_OVER, "arguments of the step")
    for name in ("stdout", "stderr"):
        if steps.value(name) is not None:
            note = f"the step's `{name}` is below the cluster's `LogUri`, and in the task's log"
            account(item, name, Status.APPROXIMATED, note)
    notes = [_IN_A_ROW] if _had_company(item, workflow) else []
    steps.finish("runs a shell command on the cluster", notes)


def _had_company(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether something else may have run on the cluster at the same time."""
    clusters = item.references("runsOn")
    others = [
        one
        for one in workflow.resolved.values()
        if one.id != item.id
        and one.category == "activity"
        and set(one.references("runsOn")) & set(clusters)
    ]
    return any(not are_ordered(item, one, workflow.resolved) for one in others)


def _step(
    command: str | None, script: str | None, arguments: list[str], region: str | None
) -> JarStep:
    if script is not None:
        return script_step(script.strip(), arguments, region)
    step = command_step(command or "")
    if not arguments:
        return step
    return JarStep(step.jar, (*step.arguments, _AS_ARGUMENTS, *arguments))
