"""Pipelines whose activities have schedules of their own: one DAG for each schedule.

What one part of the pipeline needs from another, it waits for by a sensor: an activity waited for
the instances of the other whose periods overlap with its own.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import DEFAULT_ID, Resolved, ResolvedObject
from updraft.datapipeline.schedules import ScheduleRule
from updraft.migration.completion import Completed
from updraft.migration.dag_schedules import DagSchedule, dag_schedule
from updraft.migration.jinja_compiler import JinjaCompiler
from updraft.migration.ledger import Ledger
from updraft.migration.mapper import Awaited, Workflow
from updraft.migration.mappers.task_settings import code_for
from updraft.migration.names import snake_case, unique
from updraft.migration.pipeline_schedule import PipelineSchedule, other_clocks
from updraft.migration.tasks import ArgumentValue, Code, TaskSpec
from updraft.migration.timetables import datetime_code

SENSOR = "airflow.providers.standard.sensors.external_task.ExternalTaskSensor"
_TIES = ("dependsOn", "input", "precondition")


@dataclass(frozen=True)
class Part:
    """The activities of one schedule, on their way to a DAG.

    :param dag_id: id of the DAG.
    :param workflow: the part of the definition that it is made of.
    """

    dag_id: str
    workflow: Workflow


def split_by_schedule(
    completed: Completed, schedule: PipelineSchedule, dag_id: str
) -> tuple[Part, ...]:
    """Cut a definition into parts with one schedule each.

    :param completed: the definition.
    :param schedule: the schedules of its activities.
    :param dag_id: id for the DAG of the pipeline; those of the parts begin with it.
    :returns: the parts in the order of the file, none when one DAG says it all, or when nobody
        knows when all of the parts run.
    """
    definition, resolved = completed.definition, completed.resolved
    release = schedule.dag.release
    dags = {
        rule: replace(dag_schedule(rule, schedule.start_date), release=release)
        for rule in schedule.rules
    }
    whole = len(dags) < 2  # noqa: PLR2004 - a part by itself is the whole
    if whole or schedule.problem or any(dag.timetable is None for dag in dags.values()):
        return ()
    taken: set[str] = set()
    names = {rule: unique(f"{dag_id}_{_name(rule, schedule)}", taken) for rule in dags}
    rules = {one.item.id: one.rule for one in schedule.activities if one.rule is not None}
    parts: list[Part] = []
    kept_before: set[str] = set()
    for rule, dag in dags.items():
        members = {one for one, other in rules.items() if other == rule}
        kept = _reachable(members, resolved, set(rules) - members)
        if rule == next(reversed(dags)):
            # What nothing refers to has to be accounted for somewhere.
            kept |= resolved.keys() - kept_before - kept - (set(rules) - members)
        kept_before |= kept
        awaited = {
            other: Awaited(names[rules[other]], dags[rules[other]])
            for other in _awaited(members, resolved)
        }
        own = {one: item for one, item in resolved.items() if one in kept}
        stubs = {one: _stub(resolved[one]) for one in resolved if one in awaited}
        objects = tuple(one for one in definition.objects if one.id in kept)
        part_definition = definition.with_objects(objects)
        activities = tuple(one for one in schedule.activities if one.item.id in members)
        clocks = other_clocks(definition, resolved, dag, schedule.start_date)
        part_schedule = PipelineSchedule(activities, dag, schedule.start_date)
        workflow = Workflow(
            part_definition,
            {**own, **stubs},
            JinjaCompiler(definition, resolved, dag.clock, clocks=clocks),
            Ledger(part_definition, completed.missing, completed.written_ids),
            part_schedule,
            missing=completed.missing,
            broken=completed.broken,
            written_out=completed.written_out,
            awaited=awaited,
        )
        parts.append(Part(names[rule], workflow))
    _report_shared_resources(parts)
    return tuple(parts)


def add_sensor(item: ResolvedObject, workflow: Workflow) -> None:
    """Add a task that waits for an activity of another part.

    :param item: the activity.
    :param workflow: the part that waits.
    """
    awaited = workflow.awaited[item.id]
    name = snake_case(item.item.name)
    arguments: dict[str, ArgumentValue] = {
        "external_dag_id": awaited.dag_id,
        "external_task_id": name,
        "execution_date_fn": _overlapping(awaited.schedule, workflow.schedule.dag.rule),
        "mode": "reschedule",
    }
    if (limit := _longest_wait(awaited.schedule, workflow.schedule.dag)) is not None:
        arguments["timeout"] = code_for(limit)
    if (item.text("failureAndRerunMode") or "").casefold() == "cascade":
        arguments["failed_states"] = ["failed", "upstream_failed"]
    workflow.add_task(
        TaskSpec(
            task_id=workflow.free_task_id(f"wait_for_{name}"),
            object_id=item.id,
            object_type=item.type or "-",
            operator=SENSOR,
            arguments=arguments,
            summary=f"waits for `{name}` of `{awaited.dag_id}`, in the periods that overlap",
        )
    )


def order_of_switching_on(workflow: Workflow) -> str:
    """Say which DAGs to switch on before this one, a sentence for its manual.

    :param workflow: the part that a DAG is made of.
    :returns: the sentence, empty when the order does not matter.
    """
    if not workflow.awaited or workflow.schedule.dag.catchup:
        return ""
    others = dict.fromkeys(f"`{one.dag_id}`" for one in workflow.awaited.values())
    return (
        f"Switch on {' and '.join(others)} first, and this DAG once a period of it has passed: "
        "what it waits for are runs of its own period, and Airflow makes none for the time "
        "before."
    )


def task_ids(parts: tuple[Part, ...]) -> dict[tuple[str, str], str]:
    """List the tasks that others may wait for, once all parts are mapped.

    :param parts: the parts.
    :returns: the task id by DAG id and object id.
    """
    return {
        (part.dag_id, object_id): task.task_id
        for part in parts
        for object_id, task in part.workflow.tasks.items()
        if object_id not in part.workflow.awaited
    }


def _name(rule: ScheduleRule, schedule: PipelineSchedule) -> str:
    own = next(one for one in schedule.activities if one.rule == rule)
    return snake_case(own.schedule.item.name if own.schedule else rule.type.value)


def _reachable(members: set[str], resolved: Resolved, others: set[str]) -> set[str]:
    """Collect what activities refer to, at any remove, but for the activities of other parts."""
    found = {DEFAULT_ID} & resolved.keys()
    pending = [*members, *found]
    while pending:
        one = pending.pop()
        if one in resolved and one not in others:
            found.add(one)
            pending += [other for other in _references(resolved[one]) if other not in found]
    return found


def _references(item: ResolvedObject) -> list[str]:
    return [
        reference for inherited in item.fields.values() for reference in inherited.field.references
    ]


def _awaited(members: set[str], resolved: Resolved) -> set[str]:
    """Find the activities of other parts that those of a part wait for."""
    producers: dict[str, list[str]] = {}
    for item in resolved.values():
        if item.category == "activity":
            for node in item.references("output"):
                producers.setdefault(node, []).append(item.id)
    found: set[str] = set()
    seen: set[str] = set()
    pending = [tie for one in members for name in _TIES for tie in resolved[one].references(name)]
    while pending:
        one = pending.pop()
        if one in seen or one not in resolved:
            continue
        seen.add(one)
        if resolved[one].category == "activity":
            found |= {one} - members
        else:
            pending += [*producers.get(one, ()), *resolved[one].references("dependsOn")]
    return found


def _stub(item: ResolvedObject) -> ResolvedObject:
    """Leave of an activity only what ties others to it."""
    kept = {
        name: inherited
        for name, inherited in item.fields.items()
        if name in {"output", "failureAndRerunMode"}
    }
    return ResolvedObject(item.item, item.type, kept)


def _longest_wait(other: DagSchedule, own: DagSchedule) -> timedelta | None:
    """Tell how long a sensor may wait for a run: where periods were missed, there will be none."""
    if own.catchup or own.rule.period is None or other.rule.period is None:
        return None
    periods = own.rule.period.duration, other.rule.period.duration
    return periods[0] + periods[1] if periods[0] and periods[1] else None


def _overlapping(other: DagSchedule, own: ScheduleRule) -> Code:
    rule = other.rule
    if rule.anchor is None or own.anchor is None:
        raise ValueError("a part without a start has no timetable")
    limits = {
        "own_start": datetime_code(own.anchor),
        "own_period": Code(repr(str(own.period))),
    }
    if other.start_date is not None and other.start_date > rule.anchor:
        limits["first"] = datetime_code(other.start_date)
    if other.end_date is not None:
        limits["last"] = datetime_code(other.end_date)
    start = datetime_code(rule.anchor)
    words = ", ".join(f"{name}={code.text}" for name, code in limits.items())
    text = f"overlapping_runs({start.text}, {str(rule.period)!r}, {words})"
    return Code(text, ("from updraft.timetables import overlapping_runs", *start.imports))


def _report_shared_resources(parts: list[Part]) -> None:
    for part in parts:
        for one in part.workflow.resolved.values():
            if one.category != "resource":
                continue
            others = [
                f"`{other.dag_id}`"
                for other in parts
                if other is not part and one.id in other.workflow.resolved
            ]
            if others:
                part.workflow.report(
                    Severity.WARNING,
                    one,
                    "schedule",
                    f"This DAG and {', '.join(others)} each make one, which the pipeline shared",
                    "Check that twice the resources do no harm",
                )
