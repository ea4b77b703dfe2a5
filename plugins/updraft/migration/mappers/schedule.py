"""``Schedule``: when the DAG runs."""

from typing import ClassVar

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.periods import Period, PeriodError, parse_period
from updraft.datapipeline.resolution import DEFAULT_ID, Resolved, ResolvedObject
from updraft.migration.jinja_compiler import RunClock
from updraft.migration.ledger import Status
from updraft.migration.mapper import ObjectMapper, Workflow

# A run's own instant: set for every run, also where a manual run has no logical date, and the
# same for all tries of its tasks.
_RUN_START = "dag_run.run_after"
_FIELDS = ("period", "startAt", "startDateTime", "endDateTime", "occurrences")


def run_clock(resolved: Resolved) -> RunClock:
    """Say a run's scheduled times in Jinja, for a DAG that runs when triggered.

    :param resolved: the objects of the definition.
    :returns: the start; the end only when the pipeline has one schedule of fixed period.
    """
    schedules = [item for item in resolved.values() if item.type == "Schedule"]
    if len(schedules) != 1 or _is_on_demand(resolved):
        return RunClock(_RUN_START, None)
    period = _period(schedules[0])
    if period is None or period.duration is None or _is_timeseries(resolved):
        return RunClock(_RUN_START, None)
    shift = f"macros.timedelta({period.unit}={period.count})"
    return RunClock(_RUN_START, f"({_RUN_START} + {shift})")


class ScheduleMapper(ObjectMapper):
    """Maps schedules that run once on activation; all others wait for a decision."""

    object_types: ClassVar[tuple[str, ...]] = ("Schedule",)

    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Settle the schedule of the DAG.

        :param item: the schedule.
        :param workflow: where the words for the manual and the accounts go.
        """
        account = workflow.ledger.account
        account(item, "name", Status.DROPPED, "schedules have no name in Airflow")
        account(item, "parent", Status.EQUIVALENT, "inherited fields are resolved")
        if _is_on_demand(workflow.resolved) or _starts_on_demand(item):
            note = "ran once for each activation; a trigger takes its place"
            words = "It runs when it is triggered, as the pipeline ran for each activation."
            status = Status.EQUIVALENT
        elif _runs_once(item):
            note = "ran once, on activation; a trigger takes its place"
            words = (
                "It runs when it is triggered. The pipeline ran once, when it was activated, "
                "so a trigger takes the place of an activation."
            )
            status = Status.EQUIVALENT
        else:
            legacy = describe(item, workflow.resolved)
            note = f"the DAG runs when triggered; the pipeline ran {legacy}"
            words = (
                f"It runs when it is triggered. The pipeline ran {legacy}: decide on a "
                "`schedule` and a `start_date` before you rely on it."
            )
            status = Status.NEEDS_DECISION
        workflow.schedule_words = words
        account(item, "type", status, note)
        for name in _FIELDS:
            account(item, name, status, note)
        text = item.text("period")
        if text and _period(item) is None and "#{" not in text and not _starts_on_demand(item):
            workflow.report(
                Severity.WARNING,
                item,
                "period",
                f"{text!r} is not a period",
                "Write a number and minutes, hours, days, weeks, months or years",
            )


def describe(item: ResolvedObject, resolved: Resolved) -> str:
    """Say in words when the pipeline ran.

    :param item: the schedule.
    :param resolved: the objects of the definition, which know whether runs start or end periods.
    :returns: a clause such as ``every 1 day from 2012-11-22T00:00:00 UTC``.
    """
    period = _period(item)
    words = [f"every {period or item.text('period') or 'unknown period'}"]
    start = item.text("startDateTime")
    words.append(f"from {start} UTC" if start else "from its first activation")
    if end := item.text("endDateTime"):
        words.append(f"until {end} UTC")
    if occurrences := item.text("occurrences"):
        words.append(f"{occurrences} times")
    words.append("at the end of each period" if _is_timeseries(resolved) else "at its start")
    return " ".join(words)


def _period(item: ResolvedObject) -> Period | None:
    try:
        return parse_period(item.text("period") or "")
    except PeriodError:
        return None


def _runs_once(item: ResolvedObject) -> bool:
    return (
        (item.text("occurrences") or "").strip() == "1"
        and (item.text("startAt") or "").casefold() == "first_activation_date_time"
        and item.field("startDateTime") is None
    )


def _starts_on_demand(item: ResolvedObject) -> bool:
    return (item.text("startAt") or "").casefold() == "ondemand_activation_time" or (
        item.text("period") or ""
    ).casefold() == "ondemand_period"


def _schedule_type(resolved: Resolved) -> str:
    default = resolved.get(DEFAULT_ID)
    return (default.text("scheduleType") or "").casefold() if default else ""


def _is_on_demand(resolved: Resolved) -> bool:
    return _schedule_type(resolved) == "ondemand"


def _is_timeseries(resolved: Resolved) -> bool:
    return _schedule_type(resolved) == "timeseries"
