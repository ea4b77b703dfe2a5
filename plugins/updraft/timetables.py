"""A timetable for what cron can't say: periods counted from an instant.

``*/5`` in a cron expression begins anew each midnight, and no cron expression knows the last day of
each month or every third week. A timedelta loses its phase when a DAG does not catch up. Schedules
of AWS Data Pipeline have both, which is what this timetable is for.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from updraft.datapipeline.periods import parse_period
from updraft.errors import UpdraftError


class PeriodTimetable(Timetable):
    """Runs once for each period, counted from its start; a data interval is a period.

    Months and years are those of the calendar: from the 31st on, each month runs on its last day.
    Without catchup, the last period that is due runs, and then each one as it becomes due.

    :param start: when the first period begins, with a time zone; a DAG's ``start_date`` only leaves
        periods out and does not shift them.
    :param period: how long each is, such as ``5 hours`` or ``1 month``.
    :param run_at: ``start`` to run when a period begins, ``end`` to run when it has ended.
    :raises UpdraftError: when the start has no time zone or the period is none.
    """

    def __init__(
        self, start: datetime, period: str, *, run_at: Literal["start", "end"] = "end"
    ) -> None:
        if start.tzinfo is None:
            raise UpdraftError(f"The start of a timetable needs a time zone, and {start} has none")
        if run_at not in {"start", "end"}:
            raise UpdraftError(f"run_at is 'start' or 'end', not {run_at!r}")
        self._start = start.astimezone(UTC)
        self._period = parse_period(period)
        self._run_at = run_at
        self.description = f"Every {self._period} from {self._start:%Y-%m-%d %H:%M:%S} UTC" + (
            "" if run_at == "start" else ", at the end of each period"
        )

    @property
    def summary(self) -> str:
        """The period, for the list of DAGs."""
        return f"every {self._period}"

    def serialize(self) -> dict[str, Any]:
        """Give what makes an equal timetable, as JSON.

        :returns: the arguments.
        """
        return {
            "start": self._start.isoformat(),
            "period": str(self._period),
            "run_at": self._run_at,
        }

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> "PeriodTimetable":
        """Make a timetable from what :meth:`serialize` gave.

        :param data: the arguments.
        :returns: an equal timetable.
        """
        return cls(datetime.fromisoformat(data["start"]), data["period"], run_at=data["run_at"])

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """Give the data interval of a run that somebody triggers.

        :param run_after: the logical date that was asked for.
        :returns: for runs at the end of a period the last one that has ended by then; for others
            the period that begins then, one of the row or one of its own.
        """
        number = self._number_at(run_after)
        if self._run_at == "end":
            return self._interval(number - 1)
        interval = self._interval(number)
        if interval.start == run_after:
            return interval
        return DataInterval(run_after, _instant(self._period.after(_plain(run_after), 1)))

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Give the next run.

        :param last_automated_data_interval: the interval of the last scheduled run.
        :param restriction: start and end of the DAG, and whether it catches up.
        :returns: the run; none after the DAG's end.
        """
        numbers = [0]
        if last_automated_data_interval is not None:
            numbers.append(self._number_at(last_automated_data_interval.start) + 1)
        if restriction.earliest is not None:
            number = self._number_at(restriction.earliest)
            begins_then = self._begin(number) == _plain(restriction.earliest)
            numbers.append(number if begins_then else number + 1)
        if not restriction.catchup:
            number = self._number_at(pendulum.now("UTC"))
            numbers.append(number if self._run_at == "start" else number - 1)
        try:
            interval = self._interval(max(numbers))
        except OverflowError:  # the calendar ends
            return None
        if restriction.latest is not None and interval.start > restriction.latest:
            return None
        # Airflow 3.2 wants more of whoever makes it of its parts: what concerns partitions.
        at_end = DagRunInfo.interval(interval.start, interval.end)
        return at_end if self._run_at == "end" else at_end._replace(run_after=interval.start)

    def _number_at(self, instant: datetime) -> int:
        return self._period.number_at(self._start, _plain(instant))

    def _begin(self, number: int) -> datetime:
        return self._period.after(self._start, number)

    def _interval(self, number: int) -> DataInterval:
        return DataInterval(_instant(self._begin(number)), _instant(self._begin(number + 1)))


def overlapping_runs(
    start: datetime,
    period: str,
    *,
    own_start: datetime,
    own_period: str,
    first: datetime | None = None,
    last: datetime | None = None,
) -> Callable[[datetime], list[datetime]]:
    """Tell which runs of another DAG have periods that overlap with that of a run of one's own.

    It is made for ``execution_date_fn`` of an ``ExternalTaskSensor``. Where the other DAG has no
    such run any more, or not yet, it is the last or the first one.

    :param start: when the first period of the other DAG begins, with a time zone.
    :param period: how long its periods are, such as ``1 hour``.
    :param own_start: when the first period of this DAG begins.
    :param own_period: how long its periods are.
    :param first: when the first period begins that runs in the other DAG; the start, unless given.
    :param last: when the last one begins, if there is a last one.
    :returns: a function from a run's logical date to the other logical dates.
    """
    others, own = parse_period(period), parse_period(own_period)

    def logical_dates(logical_date: datetime) -> list[datetime]:
        instant = _plain(logical_date)
        number = own.number_at(own_start, instant)
        begin, end = own.after(own_start, number), own.after(own_start, number + 1)
        lowest = 0 if first is None else others.number_at(start, first)
        from_number = max(others.number_at(start, begin), lowest)
        to_number = max(others.number_at(start, end - timedelta(microseconds=1)), lowest)
        if last is not None:
            highest = others.number_at(start, last)
            from_number, to_number = min(from_number, highest), min(to_number, highest)
        return [
            _instant(others.after(start, number)) for number in range(from_number, to_number + 1)
        ]

    return logical_dates


def _plain(instant: datetime) -> datetime:
    """Take an instant of pendulum, which subtracts otherwise, for one of the standard library."""
    return datetime.fromtimestamp(instant.timestamp(), UTC)


def _instant(moment: datetime) -> pendulum.DateTime:
    return pendulum.instance(moment, tz="UTC")
