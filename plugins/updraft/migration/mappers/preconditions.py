"""Preconditions: sensors that go before what they guard.

A precondition looked again and again, ``retryDelay`` apart, until ``preconditionTimeout`` had
passed. That is what a sensor does with ``poke_interval`` and ``timeout``.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.compiled_fields import reading
from updraft.migration.dependencies import waits_for
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.existence_checks import Check, connection_id
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.precondition_checks import CHECKED_TYPES, ROLE_NOTES, check_of
from updraft.migration.mappers.shell_preconditions import add_shell_checks
from updraft.migration.mappers.task_settings import (
    account_task_settings,
    code_for,
    fixed_duration,
    retry_settings,
)
from updraft.migration.names import snake_case
from updraft.migration.tasks import ArgumentValue, TaskSpec

# Airflow's own default, so that a sensor ends some day; the pipeline had no such limit.
_LONGEST_WAIT = timedelta(days=7)
_OF_A_CONNECTION = (
    "clusterId",
    "connectionString",
    "databaseName",
    "jdbcProperties",
    "rdsInstanceId",
    "username",
)
_ONE_REQUEST = "one look is one request, which takes seconds"
_NO_RESOURCE = "the sensor waits in Airflow's triggerer and needs no resource"


class PreconditionMapper(ObjectMapper):
    """Maps preconditions to sensors, one for all that they guard where they look at the same."""

    object_types: ClassVar[tuple[str, ...]] = CHECKED_TYPES

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a precondition.

        :param item: the precondition.
        :param workflow: where the tasks and the accounts go.
        """
        guarded = guarded_by(item, workflow)
        if not guarded:
            account_unused(item, workflow)
            return
        with placeholder_unless_mapped(item, "type", workflow):
            _add_sensors(item, guarded, workflow)
        _place(item, guarded, workflow)


class ShellCommandPreconditionMapper(ObjectMapper):
    """Maps commands that tell by their exit code whether something is there."""

    object_types: ClassVar[tuple[str, ...]] = ("ShellCommandPrecondition",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map a ShellCommandPrecondition.

        :param item: the precondition.
        :param workflow: where the task and the accounts go.
        """
        guarded = guarded_by(item, workflow)
        if not guarded:
            account_unused(item, workflow)
            return
        field = "command" if item.field("command") is not None else "scriptUri"
        with placeholder_unless_mapped(item, field, workflow):
            add_shell_checks(item, guarded, workflow)
        _place(item, guarded, workflow)


def guarded_by(item: ResolvedObject, workflow: Workflow) -> list[ResolvedObject]:
    """List what a precondition guards.

    :param item: the precondition.
    :param workflow: the workflow with the tasks of its activities.
    :returns: activities and data nodes, without those that only others inherit from.
    """
    return [
        one
        for one in workflow.users(item.id, "precondition")
        if one.id != DEFAULT_ID
        and (one.id in workflow.tasks or one.category in {"activity", "data node", "resource"})
    ]


def account_unused(item: ResolvedObject, workflow: Workflow) -> None:
    """Account for a precondition that guards nothing.

    :param item: the precondition.
    :param workflow: where the accounts go.
    """
    for name, inherited in item.fields.items():
        if not is_user_field(name) and inherited.owner_id != DEFAULT_ID:
            workflow.ledger.account(item, name, Status.DROPPED, "nothing waits for it")
    for name in ("type", "name"):
        workflow.ledger.account(item, name, Status.DROPPED, "nothing waits for it")


def _place(item: ResolvedObject, guarded: list[ResolvedObject], workflow: Workflow) -> None:
    """Let a placeholder stand where the sensor would, unless it stands for several."""
    if any((item.id, node.id) in workflow.checks for node in guarded):
        return
    if len({frozenset(waits_for(node, workflow)) for node in guarded}) == 1:
        workflow.checks |= {(item.id, node.id): item.id for node in guarded}


def _add_sensors(item: ResolvedObject, guarded: list[ResolvedObject], workflow: Workflow) -> None:
    # Those that look at the same and wait for the same are one.
    checks: list[tuple[Check, set[str], list[ResolvedObject]]] = []
    for node in guarded:
        check, before = check_of(item, node, workflow), set(waits_for(node, workflow))
        for known, known_before, nodes in checks:
            if (known.operator, known.arguments, known_before) == (
                check.operator,
                check.arguments,
                before,
            ):
                nodes.append(node)
                break
        else:
            checks.append((check, before, [node]))
    settings = _wait_settings(item, workflow)
    for check, _, nodes in checks:
        only = len(checks) == 1
        key = item.id if only else f"{item.id} of {nodes[0].id}"
        part = snake_case(nodes[0].item.name)
        task_id = workflow.main_task_id(item) if only else workflow.task_id(item, part)
        workflow.checks |= {(item.id, node.id): key for node in nodes}
        workflow.add_task(
            TaskSpec(
                task_id=task_id,
                object_id=item.id,
                object_type=item.type or "-",
                operator=check.operator,
                arguments=check.arguments | settings,
                summary=check.summary,
            ),
            check.templates,
            key,
        )
    _account(item, [check for check, _, _ in checks], workflow)


def _wait_settings(item: ResolvedObject, workflow: Workflow) -> dict[str, ArgumentValue]:
    """Map how often and how long a precondition looked."""
    account = workflow.ledger.account
    delay = fixed_duration(item, "retryDelay", workflow) or workflow.retry_delay
    own = item.fields.get("retryDelay")
    if own is not None and own.owner_id != DEFAULT_ID:
        account(item, "retryDelay", Status.CARRIED_OVER, "`poke_interval`")
    limit = fixed_duration(item, "preconditionTimeout", workflow)
    if limit is not None:
        account(item, "preconditionTimeout", Status.CARRIED_OVER, "`timeout`")
    else:
        note = f"no fixed length: `timeout` is {_LONGEST_WAIT.days} days until you decide"
        account(item, "preconditionTimeout", Status.NEEDS_DECISION, note)
    settings: dict[str, ArgumentValue] = {
        "poke_interval": code_for(delay),
        "timeout": code_for(limit or _LONGEST_WAIT),
        **retry_settings(item, workflow),
    }
    # A look that says no is no failure, so that only errors would wait that long.
    settings.pop("retry_delay", None)
    return settings


def _account(item: ResolvedObject, checks: Sequence[Check], workflow: Workflow) -> None:
    account = workflow.ledger.account
    differs = [check.differs for check in checks if check.differs]
    if item.field("preconditionTimeout") is None:
        differs.append(
            f"without a `preconditionTimeout` the pipeline waited for ever, the sensor waits "
            f"{_LONGEST_WAIT.days} days"
        )
    for check in checks:
        if check.database is not None:
            _account_database(check.database, workflow)
    status = Status.APPROXIMATED if differs else Status.CARRIED_OVER
    sensors = dict.fromkeys(f"`{check.operator.rpartition('.')[2]}`" for check in checks)
    account(item, "type", status, "; ".join([", ".join(sensors), *dict.fromkeys(differs)]))
    own = item.fields.get("maximumRetries")
    if own is not None and own.owner_id != DEFAULT_ID:
        note = "`retries`, after errors: a sensor whose time has run out is not tried again"
        account(item, "maximumRetries", Status.APPROXIMATED, note)
    account(item, "role", *ROLE_NOTES[item.type or ""])
    for name in ("attemptTimeout", "reportProgressTimeout"):
        account(item, name, Status.DROPPED, _ONE_REQUEST)
    for name in ("runsOn", "workerGroup"):
        account(item, name, Status.DROPPED, _NO_RESOURCE)
    account_task_settings(item, workflow, {"role", "reportProgressTimeout"})


def _account_database(database: ResolvedObject, workflow: Workflow) -> None:
    conn_id = connection_id(database)
    known = [name for name in _OF_A_CONNECTION if name in database.fields]
    templates = tuple(reading(name, database) for name in known)
    workflow.note_reads(f"goes into the connection `{conn_id}`", templates)
    note = f"make the Airflow connection `{conn_id}` with it, best in AWS Secrets Manager"
    for name in ("*password", "password"):
        workflow.ledger.account(database, name, Status.NEEDS_DECISION, note)
    if database.category != "data node":
        workflow.described.add(database.id)
