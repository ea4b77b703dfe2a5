"""``Schedule``: when the DAG runs."""

from datetime import datetime
from typing import ClassVar

from updraft.datapipeline.findings import Severity, as_clause
from updraft.datapipeline.resolution import ResolvedObject
from updraft.datapipeline.schedules import ScheduleRule, ScheduleType, schedule_type
from updraft.migration.dag_schedules import DagSchedule
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.pipeline_schedule import PipelineSchedule

_FIELDS = ("period", "startAt", "startDateTime", "endDateTime", "occurrences")
_TAKES_A_TRIGGER = "It runs when it is triggered"
_LAST_PERIOD = "`end_date`, which is when the last period begins"
_NOT_REPEATED = (
    "`start_date`; `catchup=False`, as the pipeline has run what is past: convert with "
    "--start-date to say from when on every period runs"
)
# Not from `calendar`, whose names depend on the locale of whoever converts.
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_SHORTEST_MONTH = 28  # days
_SHORT_UNITS = {"minutes", "hours"}


class ScheduleMapper(ObjectMapper):
    """Accounts for the schedule; what it says to the DAG is settled before anything is mapped."""

    object_types: ClassVar[tuple[str, ...]] = ("Schedule",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Account for the fields of a schedule.

        :param item: the schedule.
        :param workflow: where the words for the manual and the accounts go.
        """
        account = workflow.ledger.account
        account(item, "name", Status.DROPPED, "schedules have no name in Airflow")
        account(item, "parent", Status.EQUIVALENT, "inherited fields are resolved")
        schedule = workflow.schedule
        rules = {
            one.rule
            for one in schedule.activities
            if one.rule is not None and one.schedule is not None and one.schedule.id == item.id
        }
        if not rules and schedule.problem is None:
            _account_unused(item, workflow)
            return
        workflow.schedule_words, status, note = _settled(schedule)
        account(item, "type", status, note)
        for name in _FIELDS:
            account(item, name, status, note)
        if schedule.dag.timetable is not None:
            _account_limits(item, schedule, workflow)
        _report_problems(item, schedule, workflow)


def _account_unused(item: ResolvedObject, workflow: Workflow) -> None:
    """Account for a schedule that no activity of the DAG runs by."""
    status, note = Status.DROPPED, "no activity runs by it"
    users = workflow.users(item.id, "schedule")
    if any(user.category == "data node" for user in users):
        status, note = Status.EQUIVALENT, "decides the scheduled times of data nodes"
    if shared := [user.id for user in users if user.category == "resource"]:
        status = Status.APPROXIMATED
        note = f"each run makes its own {', '.join(shared)}, where the runs of a period shared one"
    for name in ("type", *_FIELDS):
        workflow.ledger.account(item, name, status, note)


def describe(rule: ScheduleRule) -> str:
    """Say in words when the pipeline ran.

    :param rule: the rule.
    :returns: a clause such as ``every day from 2012-11-22 00:00:00 UTC, at its start``.
    """
    if rule.type is ScheduleType.ONDEMAND:
        return "once for each activation"
    start = f"{rule.anchor:%Y-%m-%d %H:%M:%S} UTC" if rule.anchor else "its first activation"
    words = [f"every {str(rule.period).removeprefix('1 ')} from {start}"]
    if rule.end:
        words.append(f"until {rule.end:%Y-%m-%d %H:%M:%S} UTC")
    if rule.occurrences:
        words.append(f"{rule.occurrences} time{'s' if rule.occurrences > 1 else ''}")
    at_end = rule.type is ScheduleType.TIMESERIES
    words.append("at the end of each period" if at_end else "at its start")
    return ", ".join(words)


def _settled(schedule: PipelineSchedule) -> tuple[str, Status, str]:
    """Give the words for the manual, and the account of the fields."""
    rules, dag = schedule.rules, schedule.dag
    if schedule.problem is not None:
        problem = as_clause(schedule.problem.message)
        return _undecided(f"{problem}, so that nobody knows when the pipeline ran")
    if len(rules) > 1:
        ran = "; ".join(f"{_names(schedule, rule)} ran {describe(rule)}" for rule in rules)
        return _undecided(
            f"its activities have schedules of their own, and not all have a first period: {ran}. "
            "Convert with --start-date to get a DAG for each"
        )
    (rule,) = rules
    if dag.timetable is not None:
        written = dag.timetable.code(dag.release)
        return _scheduled_words(dag), Status.CARRIED_OVER, f"`{written.text}`"
    if rule.runs_once:
        return _triggered(rule)
    if dag.end_date is not None:
        return _undecided(f"the pipeline ran {describe(rule)}, of which no period is left")
    return _undecided(
        f"the pipeline ran {describe(rule)}: convert with --start-date, which says when its first "
        "period begins"
    )


def _triggered(rule: ScheduleRule) -> tuple[str, Status, str]:
    if rule.type is ScheduleType.ONDEMAND:
        words = f"{_TAKES_A_TRIGGER}, as the pipeline ran for each activation."
        note = "ran once for each activation; a trigger takes its place"
    else:
        words = (
            f"{_TAKES_A_TRIGGER}. The pipeline ran once, when it was activated, so a trigger takes "
            "the place of an activation."
        )
        note = "ran once, on activation; a trigger takes its place"
    return words, Status.EQUIVALENT, note


def _undecided(reason: str) -> tuple[str, Status, str]:
    words = (
        f"{_TAKES_A_TRIGGER}; {reason}. Decide on a `schedule` and a `start_date` before you rely "
        "on it."
    )
    return words, Status.NEEDS_DECISION, f"the DAG runs when triggered; {reason}"


def _scheduled_words(dag: DagSchedule) -> str:
    ended = dag.rule.type is ScheduleType.TIMESERIES
    words = f"It runs {rhythm(dag.rule)}, when its period {'has ended' if ended else 'begins'}"
    if dag.start_date is not None:
        which = "only" if dag.start_date == dag.end_date else "first"
        words += f"; the {which} one begins on {_begin(dag.start_date, dag.rule)}"
    if dag.end_date is not None and dag.end_date != dag.start_date:
        words += f", the last one on {_begin(dag.end_date, dag.rule)}"
    words += (
        ". Periods that pass while it is paused run later."
        if dag.catchup
        else ". Of the periods that pass while it is paused, the last one runs."
    )
    return f"{words} A run that you trigger needs a logical date, which tells its period."


def rhythm(rule: ScheduleRule) -> str:
    """Say how often and at what time a pipeline runs, as one says it to a colleague.

    :param rule: a rule with a period.
    :returns: such as ``every day at 02:30 UTC`` or ``every 2 weeks on Wednesday at 22:00 UTC``.
    """
    period, anchor = rule.period, rule.anchor
    if period is None or anchor is None:
        return f"every {period}"
    words = f"every {str(period).removeprefix('1 ')}"
    if period.unit in _SHORT_UNITS:
        on_the_hour = (period.count, period.unit) == (1, "hours")
        return f"{words} at minute {anchor.minute}" if on_the_hour else words
    shorter = ", or the last one of a shorter month," if anchor.day > _SHORTEST_MONTH else ""
    day = {
        "weeks": f" on {_DAYS[anchor.weekday()]}",
        "months": f" on day {anchor.day}{shorter}",
        "years": f" on {_MONTHS[anchor.month - 1]} {anchor.day}",
    }
    return f"{words}{day.get(period.unit, '')} at {anchor:%H:%M} UTC"


def _begin(period: datetime, rule: ScheduleRule) -> str:
    """Write the begin of a period, without the time of day where the rhythm has told it."""
    hours = rule.period is None or rule.period.unit in _SHORT_UNITS
    return f"{period:%Y-%m-%d at %H:%M} UTC" if hours else f"{period:%Y-%m-%d}"


def _names(schedule: PipelineSchedule, rule: ScheduleRule) -> str:
    return ", ".join(f"`{one.item.id}`" for one in schedule.activities if one.rule == rule)


def _account_limits(item: ResolvedObject, schedule: PipelineSchedule, workflow: Workflow) -> None:
    account = workflow.ledger.account
    for name in ("endDateTime", "occurrences"):
        account(item, name, Status.EQUIVALENT, _LAST_PERIOD)
    if schedule.dag.catchup:
        account(item, "startDateTime", Status.CARRIED_OVER, "the phase of all periods")
        account(item, "startAt", Status.EQUIVALENT, "`start_date`, given by --start-date")
    else:
        account(item, "startDateTime", Status.EQUIVALENT, _NOT_REPEATED)


def _report_problems(item: ResolvedObject, schedule: PipelineSchedule, workflow: Workflow) -> None:
    for one in schedule.activities:
        if one.problem is not None and one.schedule is not None and one.schedule.id == item.id:
            problem = one.problem
            workflow.report(Severity.WARNING, item, problem.field, problem.message, problem.advice)
    if schedule.dag.timetable is not None and schedule.lacks_type:
        workflow.report(
            Severity.WARNING,
            next(one.item for one in schedule.activities if schedule_type(one.item) is None),
            "scheduleType",
            "Without a scheduleType it is taken for timeseries, which runs at the end of a period",
            "Write the scheduleType: cron runs at the beginning of a period",
        )
