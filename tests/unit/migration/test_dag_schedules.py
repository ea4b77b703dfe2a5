"""Timetables of DAGs, asked as the scheduler asks them, against the simulated legacy rule."""

import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from unittest import mock

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.datapipeline.periods import Period
from updraft.datapipeline.schedules import ScheduleRule, ScheduleType, simulate
from updraft.migration.dag_schedules import dag_schedule
from updraft.migration.timetables import cron_expression
from updraft.timetables import PeriodTimetable

_UNITS = ("minutes", "hours", "days", "weeks", "months", "years")
_PERIODS = st.one_of(
    st.builds(Period, st.integers(15, 2000), st.just("minutes")),
    st.builds(Period, st.integers(1, 80), st.sampled_from(_UNITS[1:])),
    st.sampled_from(
        [
            *(Period(count, "minutes") for count in (15, 20, 30, 60, 90, 720)),
            *(Period(count, "hours") for count in (1, 2, 3, 5, 6, 12, 24, 36)),
            *(Period(1, unit) for unit in _UNITS[2:]),
            *(Period(count, "months") for count in (2, 3, 4, 5, 6, 12)),
        ]
    ),
)
_ANCHORS = st.one_of(
    st.integers(1_200_000_000, 2_000_000_000),
    st.integers(20_000_000, 33_000_000).map(lambda minute: minute * 60),
    # The ends of months, where calendars go wrong.
    st.sampled_from([1_706_659_200, 1_709_164_800, 1_582_934_400, 1_598_831_100]),
).map(lambda second: datetime.fromtimestamp(second, UTC))


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from([ScheduleType.CRON, ScheduleType.TIMESERIES]),
    period=_PERIODS,
    anchor=_ANCHORS,
    limit=st.just(("none", 0))
    | st.tuples(st.just("occurrences"), st.integers(1, 12))
    | st.tuples(st.just("end"), st.integers(0, 40 * 24 * 60)),
    takes_over_after=st.none() | st.integers(-1000, 60 * 24 * 60),
)
def test_the_timetable_fires_when_the_pipeline_did(kind, period, anchor, limit, takes_over_after):
    name, number = limit
    end = anchor + timedelta(minutes=number) if name == "end" else None
    rule = ScheduleRule(kind, period, anchor, end, number if name == "occurrences" else None)
    start = None if takes_over_after is None else anchor + timedelta(minutes=takes_over_after)
    schedule = dag_schedule(rule, start)
    expected = [run for run, _ in zip(simulate(rule, start), range(8), strict=False)]
    assert schedule.airflow_runs(8) == expected
    assert schedule.legacy_runs(8) == expected


def test_a_century_of_minutes_is_not_played_through():
    rule = ScheduleRule(ScheduleType.CRON, Period(1, "minutes"), datetime(1900, 1, 1, tzinfo=UTC))
    before = time.process_time()
    (run,) = dag_schedule(rule, datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)).legacy_runs(1)
    assert run.due == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert time.process_time() - before < 5


def test_nothing_runs_after_an_end_before_the_start_however_long_the_periods_are():
    rule = ScheduleRule(
        ScheduleType.CRON,
        Period(999_999, "years"),
        datetime(2024, 1, 1, tzinfo=UTC),
        end=datetime(2023, 1, 1, tzinfo=UTC),
    )
    schedule = dag_schedule(rule, None)
    assert schedule.legacy_runs(3) == schedule.airflow_runs(3) == []


@settings(max_examples=60, deadline=None)
@given(
    period=_PERIODS,
    anchor=_ANCHORS,
    run_at=st.sampled_from(["start", "end"]),
    minutes=st.integers(-10_000, 150_000),
)
def test_without_catchup_only_the_last_due_period_runs(period, anchor, run_at, minutes):
    timetable = PeriodTimetable(anchor, str(period), run_at=run_at)
    now = pendulum.instance(anchor + timedelta(minutes=minutes))
    kind = ScheduleType.CRON if run_at == "start" else ScheduleType.TIMESERIES
    due = first = next(simulate(ScheduleRule(kind, period, anchor)))
    for run in simulate(ScheduleRule(kind, period, anchor)):
        if run.due > now:
            break
        due = run
    restriction = TimeRestriction(pendulum.instance(anchor), None, catchup=False)
    with mock.patch("updraft.timetables.pendulum.now", return_value=now):
        info = timetable.next_dagrun_info(
            last_automated_data_interval=None, restriction=restriction
        )
    assert (info.run_after, info.logical_date) == (due.due, due.start)
    assert first.start <= due.start


class _RunOfAirflow32(NamedTuple):
    """``DagRunInfo`` as Airflow 3.2 has it, where no part has a default."""

    run_after: datetime
    data_interval: DataInterval
    partition_date: datetime | None
    partition_key: str | None

    @classmethod
    def interval(cls, start, end):
        return cls(end, DataInterval(start, end), None, None)


@pytest.mark.parametrize(("run_at", "hour"), [("start", 3), ("end", 8)])
def test_a_run_is_made_in_airflow_32_too(monkeypatch, run_at, hour):
    monkeypatch.setattr("updraft.timetables.DagRunInfo", _RunOfAirflow32)
    timetable = PeriodTimetable(datetime(2024, 1, 1, 3, tzinfo=UTC), "5 hours", run_at=run_at)
    run = timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(None, None, catchup=True)
    )
    assert run.run_after == datetime(2024, 1, 1, hour, tzinfo=UTC)


def test_a_timetable_survives_the_database():
    timetable = PeriodTimetable(
        datetime(2024, 1, 31, 7, 48, 9, tzinfo=UTC), "1 month", run_at="end"
    )
    other = PeriodTimetable.deserialize(timetable.serialize())
    assert other.serialize() == timetable.serialize()
    assert other.summary == "every 1 month"


def test_manual_runs_have_the_interval_of_the_pipeline():
    start = datetime(2024, 1, 31, tzinfo=UTC)
    asked = pendulum.datetime(2024, 3, 31)
    at_start = PeriodTimetable(start, "1 month", run_at="start")
    assert at_start.infer_manual_data_interval(run_after=asked) == (
        asked,
        pendulum.datetime(2024, 4, 30),
    )
    between = pendulum.datetime(2024, 3, 1, 5)
    assert at_start.infer_manual_data_interval(run_after=between).start == between
    at_end = PeriodTimetable(start, "1 month", run_at="end")
    assert at_end.infer_manual_data_interval(run_after=between) == (
        pendulum.datetime(2024, 1, 31),
        pendulum.datetime(2024, 2, 29),
    )


@pytest.mark.parametrize(
    ("anchor", "period", "cron"),
    [
        ("2024-01-01T03:00:00", "1 days", "0 3 * * *"),
        ("2024-01-01T07:48:00", "1 hours", "48 * * * *"),
        ("2024-01-01T07:48:00", "15 minutes", "3,18,33,48 * * * *"),
        ("2024-01-01T07:00:00", "20 minutes", "*/20 * * * *"),
        ("2024-01-01T07:30:00", "6 hours", "30 1,7,13,19 * * *"),
        ("2024-01-01T06:30:00", "6 hours", "30 */6 * * *"),
        ("2024-01-03T00:00:00", "1 weeks", "0 0 * * 3"),
        ("2024-01-28T00:00:00", "1 months", "0 0 28 * *"),
        ("2024-02-15T00:00:00", "3 months", "0 0 15 2,5,8,11 *"),
        ("2024-12-31T00:00:00", "1 years", "0 0 31 12 *"),
        ("2024-01-31T00:00:00", "1 months", None),
        ("2024-02-29T00:00:00", "1 years", None),
        ("2024-01-01T00:00:00", "5 hours", None),
        ("2024-01-01T00:00:00", "2 days", None),
        ("2024-01-01T00:00:00", "90 minutes", "0,90"),
        ("2024-01-01T00:00:30", "1 days", None),
        ("2024-01-01T00:00:00", "5 months", None),
        ("2024-01-01T00:00:00", "7 minutes", None),
    ],
)
def test_cron_only_where_it_says_exactly_this(anchor, period, cron):
    count, unit = period.split()
    found = cron_expression(
        datetime.fromisoformat(anchor).replace(tzinfo=UTC), Period(int(count), unit)
    )
    assert found == (None if cron == "0,90" else cron)
