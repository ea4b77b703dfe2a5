"""``EmrCluster``: a task that makes the cluster of a run, and one that ends it.

Source: guide, "EmrCluster"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-emrcluster.html).
"""

from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.dynamodb_copies import EXPORT, IMPORT
from updraft.migration.mappers.emr_cluster_fields import ClusterFields
from updraft.migration.mappers.emr_cluster_notes import cluster_note
from updraft.migration.mappers.emr_cluster_request import cluster_request
from updraft.migration.mappers.placeholders import placeholder_unless_mapped
from updraft.migration.mappers.task_settings import code_for, fixed_duration, retry_settings
from updraft.migration.tasks import ArgumentValue, TaskOutput, TaskSpec

_OPERATORS = "updraft.operators.emr"


class EmrClusterMapper(ObjectMapper):
    """Maps clusters: those that only served exports and imports are not needed any more."""

    object_types: ClassVar[tuple[str, ...]] = ("EmrCluster",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Map an EmrCluster.

        :param item: the cluster.
        :param workflow: where the tasks and the accounts go.
        """
        # Default and abstract parents only lend the reference to those that inherit it.
        users = [
            user
            for user in workflow.users(item.id, "runsOn")
            if user.type is not None or user.id in workflow.tasks
        ]
        cluster_task = workflow.main_task_id(item)
        users += workflow.takers(cluster_task, users)
        needing = [
            user
            for user in users
            if (task := workflow.tasks.get(user.id)) is None
            or not task.migrated
            or cluster_task in workflow.outputs_taken(user.id)
        ]
        # Where there is nothing else, somebody wants to see what becomes of it.
        if not needing and (users or workflow.tasks):
            _drop(item, users, workflow)
            return
        with placeholder_unless_mapped(item, "type", workflow):
            _add_tasks(item, needing, workflow)


def _drop(item: ResolvedObject, users: list[ResolvedObject], workflow: Workflow) -> None:
    account = workflow.ledger.account
    noun = _noun(users, workflow)
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
    if operators and not nouns:
        return "work"
    return "copy" if len(nouns) > 1 else "".join(nouns)


def _add_tasks(item: ResolvedObject, users: list[ResolvedObject], workflow: Workflow) -> None:
    fields = ClusterFields(item, workflow)
    request = cluster_request(fields, _concurrency(users, workflow))
    place: dict[str, ArgumentValue] = {}
    region = fields.value("region", "`region_name`")
    if region is not None:
        place["region_name"] = region
    create_id, terminate_id = workflow.main_task_id(item), workflow.task_id(item, "terminate")
    settings = _start_settings(item, fields)
    fields.account_others(users)
    workflow.described |= fields.described
    templates = fields.templates
    workflow.add_task(
        TaskSpec(
            task_id=create_id,
            object_id=item.id,
            object_type=item.type or "-",
            operator=f"{_OPERATORS}.EmrClusterOperator",
            arguments={"cluster": request, **settings, **place},
            summary="makes the cluster of the run",
            is_setup=True,
        ),
        templates,
    )
    workflow.add_teardown(
        TaskSpec(
            task_id=terminate_id,
            object_id=item.id,
            object_type=item.type or "-",
            operator=f"{_OPERATORS}.EmrTerminateClusterOperator",
            arguments={"cluster_id": TaskOutput(create_id), **place},
            summary="ends the cluster, also when a task before it failed",
            ends=create_id,
        )
    )


def _concurrency(users: list[ResolvedObject], workflow: Workflow) -> int:
    """Count the steps that may run at once.

    The service queued the steps of EmrActivities, and started all else as soon as it was ready.
    Steps of one activity must stay in a row, so that one activity with several keeps all in a row.
    """
    tasks = [workflow.tasks.get(user.id) for user in users]
    if any(user.type == "EmrActivity" for user in users):
        return 1
    for task in tasks:
        steps = task.arguments.get("steps") if task is not None else None
        if not isinstance(steps, list) or len(steps) > 1:
            return 1
    return max(1, len(tasks))


def _start_settings(item: ResolvedObject, fields: ClusterFields) -> dict[str, ArgumentValue]:
    workflow = fields.workflow
    settings: dict[str, ArgumentValue] = {}
    fallback = fields.switch(
        "useOnDemandOnLastAttempt",
        "`on_demand_fallback`: instances on demand take the place of Spot ones that are not to be "
        "had, within one attempt",
    )
    if fallback:
        settings["on_demand_fallback"] = True
    limit = fixed_duration(item, "initTimeout", workflow)
    if limit is not None:
        settings["start_timeout"] = code_for(limit)
        note = "`start_timeout` of the task that makes the cluster"
        fields.settle("initTimeout", Status.CARRIED_OVER, note)
    else:
        note = "no fixed length: set `start_timeout` of the task that makes the cluster"
        fields.settle("initTimeout", Status.NEEDS_DECISION, note)
    return settings | retry_settings(item, workflow)
