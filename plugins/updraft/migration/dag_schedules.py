"""The schedule of a DAG: when it runs, from which run on, and until which."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from updraft.datapipeline.schedules import (
    ScheduledRun,
    ScheduleRule,
    ScheduleType,
    last_start,
    simulate,
)
from updraft.migration.airflow_releases import AIRFLOW_3_2, AirflowRelease
from updraft.migration.compiled_texts import RunClock
from updraft.migration.tasks import Code
from updraft.migration.timetables import TimetableSpec, datetime_code, timetable_for

_TRIGGER = ".CronTriggerTimetable"


@dataclass(frozen=True)
class DagSchedule:
    """When a DAG runs.

    :param rule: the legacy rule.
    :param timetable: the timetable, none when the DAG runs only when triggered.
    :param start_date: when the first period begins that runs in Airflow.
    :param end_date: when the last one begins, none when there is no last one.
    :param catchup: whether periods that passed while the DAG was paused run too.
    :param release: the Airflow that it is for.
    :param is_open: whether it is to be decided; texts have the times of whatever is decided then.
    """

    rule: ScheduleRule
    timetable: TimetableSpec | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    catchup: bool = False
    release: AirflowRelease = AIRFLOW_3_2
    is_open: bool = False

    @property
    def arguments(self) -> dict[str, Code]:
        """The arguments of the DAG that say so."""
        if self.timetable is None or self.start_date is None:
            return {"schedule": Code("None"), "catchup": Code("False")}
        end = {"end_date": datetime_code(self.end_date)} if self.end_date else {}
        return {
            "schedule": self.timetable.code(self.release),
            "start_date": datetime_code(self.start_date),
            **end,
            "catchup": Code(str(self.catchup)),
        }

    @property
    def clock(self) -> RunClock:
        """How the scheduled times of a run are said in Jinja."""
        if self.is_open:
            return RunClock("data_interval_start", "data_interval_end", pendulum=True)
        period = self.rule.period
        if self.timetable is not None and period is not None:
            end = "data_interval_end"
            if self.timetable.path.endswith(_TRIGGER):
                # Its data intervals have no length.
                end = f"data_interval_start.add({period.unit}={period.count})"
            return RunClock("data_interval_start", end, pendulum=True)
        run_start = self.release.run_start
        if period is None or self.rule.type is not ScheduleType.CRON:
            return RunClock(run_start, None)
        if period.months:
            function = f"plus{period.unit.capitalize()}"
            return RunClock(run_start, f"macros.updraft.{function}({run_start}, {period.count})")
        shift = f"macros.timedelta({period.unit}={period.count})"
        return RunClock(run_start, f"({run_start} + {shift})")

    def legacy_runs(self, count: int) -> list[ScheduledRun]:
        """List the first runs by the legacy rule.

        :param count: how many at most.
        :returns: the runs that are left for Airflow.
        """
        return list(islice(simulate(self.rule, self.start_date), count))

    def airflow_runs(self, count: int) -> list[ScheduledRun]:
        """Ask the timetable for the first runs, as a scheduler does that has missed none.

        :param count: how many at most.
        :returns: the runs, with the times that templates read.
        :raises UpdraftError: when Airflow is not installed.
        """
        return list(islice(self._ask(), count)) if self.timetable is not None else []

    def _ask(self) -> Iterator[ScheduledRun]:
        if self.timetable is None or self.rule.period is None:
            return
        import pendulum  # noqa: PLC0415 - comes with Airflow, which only this needs
        from airflow.timetables.base import TimeRestriction  # noqa: PLC0415 likewise

        timetable = self.timetable.build()
        earliest, latest = (_pendulum(one, pendulum) for one in (self.start_date, self.end_date))
        restriction = TimeRestriction(earliest, latest, catchup=True)
        last = None
        # Near the year 9999 the calendar of Python ends.
        with suppress(OverflowError, ValueError):
            while info := timetable.next_dagrun_info(
                last_automated_data_interval=last, restriction=restriction
            ):
                last = info.data_interval
                yield self.scheduled_run(info.run_after, last.start, last.end)

    def scheduled_run(self, due: datetime, start: datetime, end: datetime) -> ScheduledRun:
        """Tell which scheduled times templates read in a run of the DAG.

        :param due: when it is due.
        :param start: when its data interval begins.
        :param end: when its data interval ends.
        :returns: the run.
        """
        without_length = self.timetable is not None and self.timetable.path.endswith(_TRIGGER)
        if without_length and self.rule.period is not None:
            end = self.rule.period.after(start, 1)
        return ScheduledRun(due, start, end)


def _pendulum(instant: datetime | None, pendulum: Any) -> Any:
    return None if instant is None else pendulum.instance(instant, tz="UTC")


def dag_schedule(rule: ScheduleRule, start_date: datetime | None) -> DagSchedule:
    """Decide when a DAG runs.

    :param rule: the legacy rule.
    :param start_date: from when on the DAG takes the place of the pipeline, and every run counts.
        Without one, the DAG does not repeat what the pipeline has run.
    :returns: the schedule; without a timetable when nobody knows when the first period begins, or
        when none is left.
    """
    if rule.anchor is None or rule.period is None or rule.type is ScheduleType.ONDEMAND:
        return DagSchedule(rule)
    first = rule.anchor
    if start_date is not None and start_date > first:
        number = rule.period.number_at(rule.anchor, start_date)
        begins_then = rule.period.after(rule.anchor, number) == start_date
        try:
            first = rule.period.after(rule.anchor, number if begins_then else number + 1)
        except OverflowError:  # the calendar ends before
            return DagSchedule(rule, start_date=start_date, end_date=rule.anchor)
    last = last_start(rule)
    if last is not None and last < first:
        return DagSchedule(rule, start_date=first, end_date=last)
    catchup = start_date is not None
    timetable = timetable_for(rule, catchup=catchup)
    return DagSchedule(rule, timetable, first, last, catchup)
