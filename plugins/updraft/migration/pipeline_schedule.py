"""The schedules of a pipeline's activities, and the one that their DAG gets."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.model import Definition
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.datapipeline.schedules import (
    ScheduledRun,
    ScheduleProblemError,
    ScheduleRule,
    ScheduleType,
    read_rule,
    schedule_of,
    schedule_type,
)
from updraft.migration.compiled_texts import RunClock
from updraft.migration.dag_schedules import DagSchedule, dag_schedule

_RUNS_SHOWN = 3


@dataclass(frozen=True)
class ActivitySchedule:
    """When one activity ran.

    :param item: the activity.
    :param schedule: its ``Schedule``, none when it has none.
    :param rule: when it ran, none when the definition does not tell.
    :param problem: why it does not tell.
    """

    item: ResolvedObject
    schedule: ResolvedObject | None
    rule: ScheduleRule | None
    problem: ScheduleProblemError | None = None


@dataclass(frozen=True)
class PipelineSchedule:
    """When the activities ran, and when their DAG runs.

    :param activities: all activities, in the order of the file.
    :param dag: the schedule of the DAG; it runs only when triggered where its activities do not
        agree, or nobody knows when they ran.
    :param start_date: from when on the DAG takes the place of the pipeline, none when nobody said.
    """

    activities: tuple[ActivitySchedule, ...]
    dag: DagSchedule
    start_date: datetime | None = None

    @property
    def rules(self) -> tuple[ScheduleRule, ...]:
        """The different rules of the activities."""
        return tuple(dict.fromkeys(one.rule for one in self.activities if one.rule is not None))

    @property
    def problem(self) -> ScheduleProblemError | None:
        """The first reason why nobody knows when an activity ran."""
        return next((one.problem for one in self.activities if one.problem), None)

    @property
    def lacks_type(self) -> bool:
        """Whether an activity on the schedule does not say at which end of a period it ran."""
        return any(
            schedule_type(one.item) is None
            for one in self.activities
            if one.rule is not None and one.rule.type is not ScheduleType.ONDEMAND
        )


class RunTimes(BaseModel):
    """A run, on either side.

    :param due: when it may begin.
    :param start: its ``@scheduledStartTime``.
    :param end: its ``@scheduledEndTime``, none on demand.
    """

    model_config = ConfigDict(frozen=True)

    due: str
    start: str
    end: str | None


class ScheduleRow(BaseModel):
    """The first runs of activities that run together.

    :param activities: their ids.
    :param schedule: id of their ``Schedule``, none when they have none.
    :param legacy: their first runs by the rule of the service.
    :param airflow: the first runs of the DAG; empty when it runs only when triggered, none when
        nobody has asked Airflow.
    """

    model_config = ConfigDict(frozen=True)

    activities: tuple[str, ...]
    schedule: str | None
    legacy: tuple[RunTimes, ...]
    airflow: tuple[RunTimes, ...] | None


def pipeline_schedule(
    definition: Definition, resolved: Resolved, start_date: datetime | None = None
) -> PipelineSchedule:
    """Read when the activities ran, and decide when the DAG runs.

    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param start_date: from when on the DAG takes the place of the pipeline; for a pipeline that
        starts when it is activated, that instant.
    :returns: the schedule.
    """
    activities: list[ActivitySchedule] = []
    for item in resolved.values():
        if item.category != "activity":
            continue
        schedule = schedule_of(item, resolved)
        try:
            rule = read_rule(item, definition, resolved, start_date)
        except ScheduleProblemError as problem:
            activities.append(ActivitySchedule(item, schedule, None, problem))
        else:
            activities.append(ActivitySchedule(item, schedule, rule))
    # Somebody wanted a schedule, and whoever decides on one wants its times.
    is_open = any(
        one.problem is not None and one.schedule is not None and one.schedule.type is None
        for one in activities
    )
    triggered = DagSchedule(ScheduleRule(ScheduleType.ONDEMAND), is_open=is_open)
    found = PipelineSchedule(tuple(activities), triggered)
    if len(found.rules) != 1 or found.problem is not None:
        return PipelineSchedule(found.activities, found.dag, start_date)
    return PipelineSchedule(found.activities, dag_schedule(found.rules[0], start_date), start_date)


def other_clocks(
    definition: Definition, resolved: Resolved, dag: DagSchedule, start_date: datetime | None
) -> dict[str, RunClock]:
    """Say the scheduled times of data nodes that have another schedule than the DAG.

    Of such a node, a run sees the instance whose period the run begins in.

    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param dag: when the DAG runs.
    :param start_date: from when on the DAG takes the place of the pipeline.
    :returns: clocks by object id.
    """
    clocks: dict[str, RunClock] = {}
    for item in resolved.values():
        if dag.timetable is None or item.category != "data node":
            continue
        try:
            rule = read_rule(item, definition, resolved, start_date)
        except ScheduleProblemError:
            continue
        same = (rule.anchor, rule.period) == (dag.rule.anchor, dag.rule.period)
        if same or rule.anchor is None or rule.period is None:
            continue
        start = f"'{rule.anchor.replace(tzinfo=None).isoformat()}', '{rule.period}'"
        call = f"macros.updraft.periodAt({dag.clock.start}, {start}"
        clocks[item.id] = RunClock(f"{call})", f"{call}, 1)")
    return clocks


def schedule_rows(schedule: PipelineSchedule) -> tuple[ScheduleRow, ...]:
    """List the first runs, for the report.

    :param schedule: the schedule.
    :returns: a row for each rule, without Airflow's side, for which Airflow has to be asked.
    """
    rows: list[ScheduleRow] = []
    for rule in schedule.rules:
        same = [one for one in schedule.activities if one.rule == rule]
        own = schedule.dag if len(schedule.rules) == 1 else DagSchedule(rule)
        rows.append(
            ScheduleRow(
                activities=tuple(one.item.id for one in same),
                schedule=same[0].schedule.id if same[0].schedule else None,
                # Whoever triggers the DAG decides when an on-demand pipeline runs.
                legacy=()
                if rule.type is ScheduleType.ONDEMAND
                else run_times(own.legacy_runs(_RUNS_SHOWN)),
                airflow=() if schedule.dag.timetable is None else None,
            )
        )
    return tuple(rows)


def run_times(runs: list[ScheduledRun]) -> tuple[RunTimes, ...]:
    """Write runs for people and programs.

    :param runs: the runs.
    :returns: their times in UTC, as ``2024-02-29T23:59:59Z``.
    """
    return tuple(
        RunTimes(
            due=_written(run.due),
            start=_written(run.start),
            end=None if run.end is None else _written(run.end),
        )
        for run in runs
    )


def _written(instant: datetime) -> str:
    return f"{instant.replace(tzinfo=None, microsecond=0).isoformat()}Z"
