"""``lateAfterTimeout`` and ``onLateAction``: deadlines of the run, and tasks that don't start late.

An object was late when it had not started so long after its scheduled start. Airflow watches a run
as a whole: its deadline passes when the run has not ended by then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.jinja_compiler import Template
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.alarms import NOTIFIER, fit_subject, topic_region
from updraft.migration.mappers.callbacks import check_keys
from updraft.migration.mappers.deadline_texts import deadline_text
from updraft.migration.mappers.task_settings import code_for, fixed_duration
from updraft.migration.source_values import python
from updraft.migration.tasks import ArgumentValue, Code, TaskSpec, VariableSpec

# Airflow's type stubs do not list these in airflow.sdk itself.
_DEADLINES = "airflow.sdk.definitions.deadline.DeadlineAlert"
_DEADLINE_IMPORTS = (
    "from airflow.sdk.definitions.callback import AsyncCallback",
    "from airflow.sdk.definitions.deadline import DeadlineReference",
    f"from {NOTIFIER.rpartition('.')[0]} import {NOTIFIER.rpartition('.')[2]}",
)
_GUARD_IMPORT = "from updraft.operators.lateness import fail_when_late"
_FIELDS = ("lateAfterTimeout", "onLateAction")
_NO_DEADLINES = "Airflow has deadlines since 3.2: watch the run from outside, or decide on that"
_NOBODY = "nobody can be told: the definition gives no topic or message, or only the form does"
_NOT_LATE = "a pipeline on demand is never late"


@dataclass(frozen=True, slots=True)
class _LateObject:
    """An object that may be late.

    :param item: the object.
    :param limit: how long after its scheduled start it is late.
    :param actions: what its ``onLateAction`` refers to.
    """

    item: ResolvedObject
    limit: timedelta
    actions: tuple[ResolvedObject, ...]


def add_lateness(workflow: Workflow) -> None:
    """Give the DAG deadlines, and tasks a guard, where objects may be late.

    :param workflow: the workflow with all its tasks.
    """
    late = _late_objects(workflow)
    deadline_notes = _add_deadlines(late, workflow)
    unsettled = _NOBODY if workflow.release.has_deadlines else _NO_DEADLINES
    for one in late:
        notes: list[str] = []
        for action in one.actions:
            if action.type == "Terminate":
                notes.append(_guard(one.item, one.limit, workflow))
            elif note := deadline_notes.get((one.item.id, action.id)):
                notes.append(note)
        status = Status.APPROXIMATED if notes else Status.NEEDS_DECISION
        note = "; ".join(dict.fromkeys(notes)) or unsettled
        for name in _FIELDS:
            workflow.ledger.account(one.item, name, status, note)


def _late_objects(workflow: Workflow) -> list[_LateObject]:
    """List the objects about which something is to be done, and account for the others."""
    late: list[_LateObject] = []
    for item in workflow.resolved.values():
        if not any(name in item.fields for name in _FIELDS) or not _is_watched(item, workflow):
            continue
        limit = fixed_duration(item, "lateAfterTimeout", workflow)
        actions = [workflow.resolved.get(one) for one in item.references("onLateAction")]
        fate = _without_effect(item, actions, workflow)
        if fate is None and limit is not None:
            late.append(_LateObject(item, limit, tuple(filter(None, actions))))
            continue
        undecided = (Status.NEEDS_DECISION, "no fixed length: decide on a deadline")
        for name in _FIELDS:
            workflow.ledger.account(item, name, *(fate or undecided))
    return late


def _without_effect(
    item: ResolvedObject, actions: list[ResolvedObject | None], workflow: Workflow
) -> tuple[Status, str] | None:
    default = workflow.resolved.get(DEFAULT_ID)
    on_demand = default is not None and (default.text("scheduleType") or "").casefold()
    if on_demand == "ondemand":
        return Status.DROPPED, _NOT_LATE
    if item.field("lateAfterTimeout") is None:
        return Status.DROPPED, "nothing is late without a lateAfterTimeout"
    if not actions:
        return Status.DROPPED, "nothing was done about lateness: there is no onLateAction"
    return None


def _is_watched(item: ResolvedObject, workflow: Workflow) -> bool:
    """Tell whether an object can be late: those without a task that wait for what has one can."""
    if workflow.tasks_of(item.id) or check_keys(item, workflow):
        return True
    inherited = item.fields.get("onLateAction")
    return (
        item.category == "data node" and inherited is not None and inherited.owner_id != DEFAULT_ID
    )


def _guard(item: ResolvedObject, limit: timedelta, workflow: Workflow) -> str:
    """Keep what takes an object's place from starting late, and say how that differs."""
    duration = code_for(limit)
    guard = Code(f"fail_when_late({duration.text})", (*duration.imports, _GUARD_IMPORT))

    def guarded(task: TaskSpec) -> TaskSpec:
        return replace(task, arguments={**task.arguments, "pre_execute": guard})

    # Only what begins the object's work may be too late.
    if preparations := workflow.preparations.get(item.id, ()):
        workflow.preparations[item.id] = (guarded(preparations[0]), *preparations[1:])
    else:
        keys = [item.id] if item.id in workflow.tasks else check_keys(item, workflow)
        if not keys:
            return "nothing is cancelled: the data node is no task of its own"
        workflow.tasks |= {key: guarded(workflow.tasks[key]) for key in keys}
    return (
        f"`fail_when_late` fails the task when it would start more than {limit} after its run is "
        "due; the pipeline cancelled the object already while it waited"
    )


def _add_deadlines(late: Sequence[_LateObject], workflow: Workflow) -> dict[tuple[str, str], str]:
    """Give the DAG one deadline for each alarm, time limit and topic.

    A deadline watches the whole run: one for each object would tell the same several times.

    :returns: how the deadline differs, by the ids of an object and of its alarm; nothing where
        nobody can be told.
    """
    if not workflow.release.has_deadlines:
        return {}
    groups: dict[tuple[str, timedelta, Template], dict[str, ResolvedObject]] = {}
    for one in late:
        for alarm in one.actions:
            if alarm.type != "SnsAlarm":
                continue
            topic = deadline_text("topicArn", alarm, (one.item,), workflow)
            if topic is not None and "#{" not in topic.text:
                key = (alarm.id, one.limit, topic)
                groups.setdefault(key, {})[one.item.id] = one.item
    notes: dict[tuple[str, str], str] = {}
    deadlines: list[Code] = []
    for (alarm_id, limit, topic), items in groups.items():
        alarm = workflow.resolved[alarm_id]
        subject, message = (
            deadline_text(name, alarm, tuple(items.values()), workflow)
            for name in ("subject", "message")
        )
        if message is None:
            continue
        variable = _deadline(alarm, limit, (topic, subject, message), workflow)
        workflow.variables.append(variable)
        deadlines.append(Code(variable.name))
        texts = [one.text for one in (subject, message) if one is not None]
        note = _difference(alarm, limit, len(items), texts)
        notes |= {(item_id, alarm_id): note for item_id in items}
    if deadlines:
        workflow.dag_settings["deadline"] = deadlines
    return notes


def _deadline(
    alarm: ResolvedObject,
    limit: timedelta,
    texts: tuple[Template, Template | None, Template],
    workflow: Workflow,
) -> VariableSpec:
    """Write a deadline that tells a topic, of its topic, subject and message."""
    topic, subject, message = texts
    arguments: dict[str, ArgumentValue] = {"target_arn": topic.text}
    region = topic_region(topic)
    if region is not None:
        arguments["region_name"] = region
    if subject is not None and subject.text:
        arguments["subject"] = fit_subject(subject)
    arguments["message"] = message.text
    interval = code_for(limit)
    return VariableSpec(
        workflow.variable(f"{alarm.item.name}_late"),
        _DEADLINES,
        {
            "reference": Code("DeadlineReference.DAGRUN_QUEUED_AT"),
            "interval": interval,
            "callback": Code(f"AsyncCallback(SnsNotifier, kwargs={python(arguments)})"),
        },
        (*interval.imports, *_DEADLINE_IMPORTS),
    )


def _difference(
    alarm: ResolvedObject, limit: timedelta, objects: int, texts: Collection[str]
) -> str:
    """Say how a deadline differs from an alarm for each of so many objects."""
    watched = "this object alone"
    if objects > 1:
        watched = f"each of {objects} objects, which share this one message"
    raw = ", so that parts stay as they are written" if any("#{" in one for one in texts) else ""
    formats = [alarm.text(name) or "" for name in ("subject", "message")]
    if any("format(" in one for one in formats):
        raw += ", and prints times as 2024-02-29T23:59:59Z, or their day"
    return (
        f"`deadline` of the DAG: the message is sent when the run has not ended {limit} after it "
        f"was queued, where the pipeline watched for the start of {watched}; it knows the "
        f"times of the run and nothing of the task or the form{raw}; needs Airflow 3.2"
    )
