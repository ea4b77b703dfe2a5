"""``EmrActivity`` and ``EmrCluster``.

An EmrActivity that only copied a DynamoDB table by AWS's own means needs no cluster any more; every
other one waits for its migration.
"""

from typing import ClassVar

from updraft.datapipeline.expressions import ExpressionError
from updraft.datapipeline.resolution import ResolvedObject
from updraft.datapipeline.steps import split_step
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.dynamodb_copies import (
    EXPORT,
    HIVE_FORMAT_NOTE,
    IMPORT,
    TableCopy,
    account_cluster_use,
    copy_task,
    templates_of,
    time_limit,
)
from updraft.migration.mappers.dynamodb_hive_scripts import is_hive_step
from updraft.migration.mappers.dynamodb_steps import step_copy, step_kind
from updraft.migration.mappers.emr_cluster_notes import cluster_note
from updraft.migration.mappers.placeholders import add_placeholder, placeholder_unless_mapped
from updraft.migration.mappers.task_settings import account_task_settings, retry_settings


class EmrActivityMapper(ObjectMapper):
    """Maps exports and imports of DynamoDB tables; other steps become placeholders."""

    object_types: ClassVar[tuple[str, ...]] = ("EmrActivity",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an EmrActivity.

        :param item: the activity.
        :param workflow: where the task, accounts and findings go.
        """
        with placeholder_unless_mapped(item, "step", workflow):
            _map_activity(item, workflow)


def _map_activity(item: ResolvedObject, workflow: Workflow) -> None:
    reason = _obstacle(item)
    if reason is not None:
        add_placeholder(item, workflow, reason)
        return
    workflow.compiler.require_public("step")
    copy = step_copy(item.text("step") or "", item, workflow)
    if copy is not None:
        _add_copy(item, copy, workflow)


def _obstacle(item: ResolvedObject) -> str | None:
    """Say why an activity is not just one copy of a table, if it is not."""
    field = item.field("step")
    steps = field.texts if field is not None else ()
    kinds = [kind for step in steps if (kind := step_kind(step)) is not None]
    if not kinds:
        if any(_runs_hive(step) for step in steps):
            return "the Hive script in its step is none of those that AWS published"
        return "steps other than DynamoDB exports and imports are not migrated yet"
    if len(steps) > 1:
        nouns = " and ".join(dict.fromkeys(kind.noun for kind in kinds))
        return (
            f"it runs {len(steps)} steps in a row, the DynamoDB {nouns} among them; give each "
            "step an activity of its own"
        )
    for name in ("preStepCommand", "postStepCommand"):
        if item.field(name) is not None:
            return f"{name} around a DynamoDB {kinds[0].noun} is not migrated yet"
    return None


def _runs_hive(step: str) -> bool:
    try:
        return is_hive_step(split_step(step))
    except ExpressionError:
        return False


def _add_copy(item: ResolvedObject, copy: TableCopy, workflow: Workflow) -> None:
    settings = time_limit(item, workflow) | retry_settings(item, workflow)
    workflow.add_task(copy_task(item, copy, workflow.task_id(item), settings), templates_of(copy))
    account_task_settings(item, workflow)
    workflow.ledger.account(item, "type", *copy.kind.account)
    note = f"{copy.kind.s3_role}, table and ratio are its arguments"
    status = Status.CARRIED_OVER
    if copy.by_hive and copy.kind is EXPORT:
        status, note = Status.APPROXIMATED, f"{note}; {HIVE_FORMAT_NOTE}"
    workflow.ledger.account(item, "step", status, note)
    account_cluster_use(item, copy.kind.noun, (copy.region,), workflow)


class EmrClusterMapper(ObjectMapper):
    """Maps clusters: those that only served exports and imports are not needed any more."""

    object_types: ClassVar[tuple[str, ...]] = ("EmrCluster",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an EmrCluster.

        :param item: the cluster.
        :param workflow: where the accounts, and if need be the placeholder, go.
        """
        # Default and abstract parents only lend the reference to those that inherit it.
        users = [
            user
            for user in workflow.users(item.id, "runsOn")
            if user.type is not None or user.id in workflow.tasks
        ]
        copies = [user for user in users if (task := workflow.tasks.get(user.id)) and task.migrated]
        if len(copies) < len(users):
            add_placeholder(item, workflow, "clusters are not migrated yet")
            return
        account = workflow.ledger.account
        noun = _noun(copies, workflow)
        for name in item.fields:
            status, note = cluster_note(name, item, workflow, noun=noun)
            if status is not None:
                account(item, name, status, note)
        note = f"the {noun} needs no cluster" if noun else "no activity runs on it"
        account(item, "type", Status.DROPPED, note)
        account(item, "name", Status.DROPPED, note)


def _noun(users: list[ResolvedObject], workflow: Workflow) -> str:
    """Name what the tasks of some activities do, empty when there are none."""
    operators = {task.operator for user in users for task in workflow.tasks_of(user.id)}
    nouns = [kind.noun for kind in (EXPORT, IMPORT) if kind.operator in operators]
    return "copy" if len(nouns) > 1 else "".join(nouns)
