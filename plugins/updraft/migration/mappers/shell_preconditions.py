"""``ShellCommandPrecondition``: a command that is tried until it succeeds.

Source: guide, "ShellCommandPrecondition"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-shellcommandprecondition.html).
It ran where the activity ran that waited for it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.dependencies import waits_for
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.precondition_checks import speaks_of_its_run
from updraft.migration.mappers.shell_command import add_shell_task
from updraft.migration.mappers.task_settings import code_for, fixed_duration
from updraft.migration.names import snake_case
from updraft.migration.tasks import ArgumentValue

_PLACE = ("runsOn", "workerGroup", "pipelineLogUri")
# As long as a sensor looks, where nothing says how long.
_LONGEST_WAIT = timedelta(days=7)


@dataclass
class _Checked:
    """Objects that one try of the command speaks for."""

    user: ResolvedObject
    before: set[str]
    nodes: list[ResolvedObject]


def add_shell_checks(
    item: ResolvedObject, guarded: list[ResolvedObject], workflow: Workflow
) -> None:
    """Add a task that tries the command again and again, for each place that it ran in.

    :param item: the precondition.
    :param guarded: the activities and data nodes that wait for it.
    :param workflow: where the tasks and the accounts go.
    :raises NotCompilableError: when the command can't be said exactly.
    """
    groups = _groups(item, guarded, workflow)
    for group in groups:
        first = group.nodes[0]
        borrowed = {
            name: group.user.fields[name]
            for name in _PLACE
            if name in group.user.fields and name not in item.fields
        }
        placed = ResolvedObject(item.item, item.type, {**item.fields, **borrowed})
        add_shell_task(placed, workflow, first)
        task = workflow.tasks.pop(item.id)
        if speaks_of_its_run(str(task.arguments)):
            raise NotCompilableError(
                f"{item.id} asks how {first.id} ran, which is not known before it runs"
            )
        key = item.id
        if len(groups) > 1:
            key = f"{item.id} of {first.id}"
            part = snake_case(first.item.name)
            task = replace(task, task_id=workflow.task_id(item, part))
        settings = _tries(item, workflow)
        workflow.tasks[key] = replace(
            task,
            arguments={**task.arguments, **settings},
            summary="tries a shell command until it succeeds",
        )
        workflow.checks |= {(item.id, node.id): key for node in group.nodes}


def _groups(
    item: ResolvedObject, guarded: list[ResolvedObject], workflow: Workflow
) -> list[_Checked]:
    texts = [text for inherited in item.fields.values() for text in inherited.field.texts]
    speaks_of_node = any("node." in text for text in texts)
    groups: list[_Checked] = []
    for node in guarded:
        user, before = _runner(node, workflow), set(waits_for(node, workflow))
        known = next(
            (
                one
                for one in groups
                if not speaks_of_node and one.before == before and _place(one.user) == _place(user)
            ),
            None,
        )
        if known is not None:
            known.nodes.append(node)
        else:
            groups.append(_Checked(user, before, [node]))
    return groups


def _place(user: ResolvedObject) -> tuple[tuple[str, ...], str | None]:
    resources = user.references("runsOn")
    return resources, None if resources else user.text("workerGroup")


def _runner(node: ResolvedObject, workflow: Workflow) -> ResolvedObject:
    """Find what tells where the command ran: what it guards, else the activities around a node."""
    around = [user for name in ("input", "output") for user in workflow.users(node.id, name)]
    for one in (node, *around):
        if any(one.field(name) is not None for name in ("runsOn", "workerGroup")):
            return one
    return node


def _tries(item: ResolvedObject, workflow: Workflow) -> dict[str, ArgumentValue]:
    """Map how often and how long the command was tried."""
    account = workflow.ledger.account
    delay = fixed_duration(item, "retryDelay", workflow) or workflow.retry_delay
    limit = fixed_duration(item, "preconditionTimeout", workflow)
    if item.field("preconditionTimeout") is None:
        note = f"the pipeline tried for ever, the task tries for {_LONGEST_WAIT.days} days"
        account(item, "type", Status.APPROXIMATED, f"a task with many `retries`; {note}")
    elif limit is None:
        note = f"no fixed length: it is tried for {_LONGEST_WAIT.days} days until you decide"
        account(item, "preconditionTimeout", Status.NEEDS_DECISION, note)
    else:
        note = "`retries` times `retry_delay`; the time that the tries themselves take comes on top"
        account(item, "preconditionTimeout", Status.EQUIVALENT, note)
    own = item.fields.get("maximumRetries")
    if own is not None and own.owner_id != DEFAULT_ID:
        note = "a try that ends with an error and one that says no are the same to `retries`"
        account(item, "maximumRetries", Status.APPROXIMATED, note)
    tries = max(1, (limit or _LONGEST_WAIT) // delay) if delay else 1
    return {"retries": tries, "retry_delay": code_for(delay)}
