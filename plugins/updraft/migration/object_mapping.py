"""Every object of a definition goes to its mapper, or becomes a task that fails."""

from dataclasses import replace

import updraft.migration.mappers  # noqa: F401 registers the mappers
from updraft.datapipeline.findings import Finding, Severity, did_you_mean, mask_passwords
from updraft.datapipeline.mentions import Mentions
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.completion import SETTLED_BY_NOTES, clause
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.actions import add_actions
from updraft.migration.mappers.pipeline import (
    account_unread_defaults,
    map_default,
    report_activities_without_schedule,
)
from updraft.migration.mappers.placeholders import add_placeholder, needs_task
from updraft.migration.mappers.utilities import account_descriptions
from updraft.migration.schedule_parts import add_sensor
from updraft.migration.unknown_objects import (
    account_unknown_references,
    is_missing_script,
    is_unknown,
    may_have_worked,
    reason,
)

# Activities decide what becomes of the objects that serve them.
_ORDER = ("schedule", "activity", "precondition", "data node", "resource")
_COMMENT = "myComment"
_FORMAT = "data format"
_WORKING = {"activity", "precondition", "resource"}


def map_objects(workflow: Workflow) -> None:
    """Map all objects.

    :param workflow: where tasks, accounts and findings go.
    """
    default = workflow.resolved.get(DEFAULT_ID)
    if default is not None:
        map_default(default, workflow)
    descriptions = [one for one in _map_each(workflow) if one.category != "action"]
    _keep_comments(workflow)
    add_actions(workflow)
    report_activities_without_schedule(workflow)
    if default is not None:
        account_unread_defaults(default, workflow)
    account_unknown_references(workflow)
    account_descriptions(descriptions, workflow)
    if not workflow.tasks:
        workflow.findings.append(
            Finding(
                severity=Severity.WARNING,
                file=workflow.definition.source,
                message="Nothing in the definition runs, so that no DAG is made of it",
                advice="Convert it together with the activities that use its objects",
            )
        )


def report_undeclared(workflow: Workflow, used: Mentions) -> None:
    """Report parameters that have a value and no declaration.

    :param workflow: the workflow with all its tasks.
    :param used: which fields use which names.
    """
    declared = workflow.definition.parameters_by_name
    for name in sorted(workflow.parameters_read - set(declared)):
        for object_id, field in used.get(name, [])[:1]:
            workflow.report(
                Severity.WARNING,
                workflow.resolved[object_id],
                field,
                f"{name!r} has a value but is not declared; the form takes it as text",
                did_you_mean(name, declared, "Declare the parameter, to give it a type"),
            )


def _map_each(workflow: Workflow) -> list[ResolvedObject]:
    """Map the objects but for ``Default``, and give those that only describe others."""
    descriptions: list[ResolvedObject] = []
    by_category: dict[str, list[ResolvedObject]] = {category: [] for category in _ORDER}
    for item in workflow.resolved.values():
        if item.id == DEFAULT_ID:
            continue
        worked = is_unknown(item) and (
            may_have_worked(item, workflow)
            or _is_unread(item, workflow)
            or is_missing_script(item, workflow)
        )
        worked |= item.id in workflow.missing and item.category == _FORMAT
        place = "activity" if worked else item.category or ""
        by_category.get(place, descriptions).append(item)
    for category in _ORDER:
        descriptions += [one for one in by_category[category] if not _map_object(one, workflow)]
    return descriptions


def _map_object(item: ResolvedObject, workflow: Workflow) -> bool:
    """Map an object; one that only describes others is left."""
    mapper = ObjectMapper.registered().get(item.type or "")
    if item.id in workflow.awaited:
        add_sensor(item, workflow)
    elif item.id in workflow.missing:
        if item.category in {None, "data node", _FORMAT} or _is_needed(item, workflow):
            add_placeholder(item, workflow, reason(item, workflow))
    elif item.id in workflow.broken and (is_unknown(item) or item.category in _WORKING):
        add_placeholder(item, workflow, workflow.broken[item.id])
    elif mapper is not None:
        _map_by(mapper(), item, workflow)
    elif is_unknown(item):
        add_placeholder(item, workflow, reason(item, workflow))
    elif needs_task(item):
        add_placeholder(item, workflow, f"{item.type} is not migrated yet")
    else:
        return False
    return True


def _map_by(mapper: ObjectMapper, item: ResolvedObject, workflow: Workflow) -> None:
    """Map an object; where its mapper finds an error, its task fails with it."""
    before = len(workflow.findings)
    mapper.map(item, workflow)
    errors = [
        one
        for one in workflow.findings[before:]
        if one.severity is Severity.ERROR and one.field not in SETTLED_BY_NOTES
    ]
    if not errors or item.category not in _WORKING:
        return
    if any(not task.migrated for task in workflow.tasks_of(item.id)):
        return  # it says so already
    add_placeholder(item, workflow, clause(errors[0], item.id))


def _keep_comments(workflow: Workflow) -> None:
    """Show the comments of objects where Airflow shows what a task is about."""
    for item in workflow.resolved.values():
        comment = item.fields.get(_COMMENT)
        tasks = [key for key, task in workflow.tasks.items() if task.object_id == item.id]
        if comment is None or comment.owner_id == DEFAULT_ID or not tasks:
            continue
        text = "\n".join(comment.field.texts)
        if workflow.definition.is_secret(_COMMENT) or mask_passwords(text) != text:
            continue
        for key in tasks:
            task = workflow.tasks[key]
            workflow.tasks[key] = replace(task, arguments={**task.arguments, "doc_md": text})
        workflow.ledger.account(item, _COMMENT, Status.CARRIED_OVER, "`doc_md` of the task")


def _is_unread(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether an object stands for something in the file that could not be read as one."""
    return item.id in workflow.broken and item.type is None and not item.item.fields


def _is_needed(resource: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether a task runs on a resource that the definition does not have."""
    task_id = workflow.main_task_id(resource)
    return any(
        user.id in workflow.tasks
        and (not workflow.tasks[user.id].migrated or task_id in workflow.outputs_taken(user.id))
        for user in workflow.users(resource.id, "runsOn")
    )
