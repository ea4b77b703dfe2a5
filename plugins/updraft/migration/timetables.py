"""The timetable that says exactly what a legacy schedule said.

Airflow's own where one does: a cron expression when the periods fall on the same times of each
hour, day, week, month or year, a timedelta when nothing but the first period could shift them.
"""

import calendar
import importlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.datapipeline.periods import Period
from updraft.datapipeline.schedules import ScheduleRule, ScheduleType
from updraft.errors import UpdraftError
from updraft.migration.airflow_releases import AirflowRelease
from updraft.migration.tasks import Code

_MINUTES_OF_HOUR = 60
_MINUTES_OF_DAY = 24 * _MINUTES_OF_HOUR
_MONTHS_OF_YEAR = 12
_A_COMMON_YEAR = 2023
_DATETIME_IMPORT = "from datetime import UTC, datetime"
_TIMEDELTA_IMPORT = "from datetime import timedelta"


@dataclass(frozen=True)
class TimetableSpec:
    """A timetable, to be written down or to be asked.

    :param path: import path of its class, the one that computes runs.
    :param arguments: its positional arguments.
    :param keywords: its other arguments.
    """

    path: str
    arguments: tuple[object, ...]
    keywords: dict[str, object] = field(default_factory=dict)

    def code(self, release: AirflowRelease) -> Code:
        """Write it down.

        :param release: the Airflow that it is for, which tells where authors import it from.
        :returns: an expression with its imports.
        """
        module, _, name = self.path.rpartition(".")
        module = release.dag_modules.get(name, module)
        written = [_code(one) for one in self.arguments]
        written += [Code(f"{key}={_code(one).text}") for key, one in self.keywords.items()]
        imports = [
            f"from {module} import {name}",
            *(one for part in written for one in part.imports),
        ]
        return Code(f"{name}({', '.join(one.text for one in written)})", tuple(imports))

    def build(self) -> Any:
        """Make it, which needs Airflow.

        :returns: the timetable.
        :raises UpdraftError: when Airflow is not installed.
        """
        module, _, name = self.path.rpartition(".")
        try:
            timetable = getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise UpdraftError(f"Timetables need Airflow: {error}") from None
        return timetable(*self.arguments, **self.keywords)


def timetable_for(rule: ScheduleRule, *, catchup: bool) -> TimetableSpec:
    """Choose the timetable for a rule.

    :param rule: a rule with an anchor and a period.
    :param catchup: whether the DAG catches up, without which a timedelta counts from elsewhere.
    :returns: the timetable; its data intervals are the rule's periods, but for a
        ``CronTriggerTimetable``, whose data intervals are the instants at which they begin.
    :raises UpdraftError: when the rule has neither.
    """
    if rule.anchor is None or rule.period is None:
        raise UpdraftError("A schedule without a start and a period has no timetable")
    at_end = rule.type is ScheduleType.TIMESERIES
    cron = cron_expression(rule.anchor, rule.period)
    if cron is not None:
        path = (
            "airflow.timetables.interval.CronDataIntervalTimetable"
            if at_end
            else "airflow.timetables.trigger.CronTriggerTimetable"
        )
        return TimetableSpec(path, (cron,), {"timezone": "UTC"})
    duration = rule.period.duration
    if at_end and duration is not None and catchup:
        path = "airflow.timetables.interval.DeltaDataIntervalTimetable"
        return TimetableSpec(path, (duration,))
    return TimetableSpec(
        "updraft.timetables.PeriodTimetable",
        (rule.anchor, str(rule.period)),
        {"run_at": "end" if at_end else "start"},
    )


def cron_expression(anchor: datetime, period: Period) -> str | None:
    """Say in cron when periods begin.

    :param anchor: when the first one begins, in UTC.
    :param period: how long each is.
    :returns: five fields; none when no cron expression says exactly this.
    """
    if anchor.second or anchor.microsecond:
        return None
    if period.duration is None:
        return _months_in_cron(anchor, period.months or 0)
    minutes = period.duration // timedelta(minutes=1)
    if _MINUTES_OF_HOUR % minutes == 0:
        return f"{_row(anchor.minute, minutes, _MINUTES_OF_HOUR)} * * * *"
    hours, rest = divmod(minutes, _MINUTES_OF_HOUR)
    if not rest and _MINUTES_OF_DAY % minutes == 0:
        hour = _row(anchor.hour, hours, 24) if hours < 24 else str(anchor.hour)  # noqa: PLR2004
        return f"{anchor.minute} {hour} * * *"
    if minutes == 7 * _MINUTES_OF_DAY:
        return f"{anchor.minute} {anchor.hour} * * {anchor.isoweekday() % 7}"
    return None


def datetime_code(instant: datetime) -> Code:
    """Write an instant as code.

    :param instant: the instant.
    :returns: an expression without needless zeros, with its import.
    """
    moment = instant.astimezone(UTC)
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    while len(parts) > 3 and not parts[-1]:  # noqa: PLR2004 - year, month and day stay
        parts.pop()
    return Code(f"datetime({', '.join(map(str, parts))}, tzinfo=UTC)", (_DATETIME_IMPORT,))


def _months_in_cron(anchor: datetime, months: int) -> str | None:
    if _MONTHS_OF_YEAR % months:
        return None
    listed = sorted({(anchor.month - 1 + step) % 12 + 1 for step in range(0, 12, months)})
    # February has 28 days as a rule, and cron knows no last day of a month.
    if anchor.day > min(calendar.monthrange(_A_COMMON_YEAR, month)[1] for month in listed):
        return None
    written = "*" if months == 1 else ",".join(map(str, listed))
    return f"{anchor.minute} {anchor.hour} {anchor.day} {written} *"


def _row(first: int, step: int, size: int) -> str:
    """List the numbers below a size that stand a step apart."""
    if step == 1:
        return "*"
    numbers = range(first % step, size, step)
    if numbers[0] == 0 and len(numbers) > 1:
        return f"*/{step}"
    return ",".join(map(str, numbers))


def _code(value: object) -> Code:
    if isinstance(value, datetime):
        return datetime_code(value)
    if isinstance(value, timedelta):
        minutes = value // timedelta(minutes=1)
        for unit, size in (("days", _MINUTES_OF_DAY), ("hours", _MINUTES_OF_HOUR)):
            if minutes % size == 0:
                return Code(f"timedelta({unit}={minutes // size})", (_TIMEDELTA_IMPORT,))
        return Code(f"timedelta(minutes={minutes})", (_TIMEDELTA_IMPORT,))
    return Code(repr(value))
