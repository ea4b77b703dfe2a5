"""When a pipeline ran: the service's rule, and a plain simulation of it.

A schedule is a row of periods, counted from its start; ``cron`` runs an activity when a period
begins, ``timeseries`` when it ends. Source: guide, "Schedule" and "Scheduling Pipelines". Where
several activities have schedules of their own, each runs by its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import count

from updraft.datapipeline.evaluation import Evaluator
from updraft.datapipeline.expression_values import as_text, as_utc, as_whole_number
from updraft.datapipeline.expressions import ExpressionError, parse_expression
from updraft.datapipeline.model import Definition
from updraft.datapipeline.periods import Period, PeriodError, parse_period
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.errors import UpdraftError

_FIRST_ACTIVATION = "first_activation_date_time"
_ON_DEMAND_ACTIVATION = "ondemand_activation_time"
# Later on, the calendar of Python ends before a schedule does.
_LAST_YEAR = 9000
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_ON_DEMAND_PERIOD = "ondemand_period"
# The guide shows `makeDate(2011,5,24)` once without the signs of an expression.
_BARE_CALL = re.compile(r"\s*make\w+\s*\(.*\)\s*", re.DOTALL)


class ScheduleType(StrEnum):
    """When an activity runs within its period."""

    CRON = "cron"
    TIMESERIES = "timeseries"
    ONDEMAND = "ondemand"


class ScheduleProblemError(UpdraftError):
    """A schedule does not say when to run.

    :param field: the field that is wrong or missing.
    :param message: what is wrong.
    :param advice: what to do.
    """

    def __init__(self, field: str, message: str, advice: str) -> None:
        super().__init__(f"{message}. {advice}")
        self.field = field
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class ScheduleRule:
    """When the runs of an activity are due.

    :param type: whether they are due when a period begins, when it ends, or on demand.
    :param period: the length of a period, none on demand.
    :param anchor: when the first period begins, in UTC; none when nobody knows before the pipeline
        is activated.
    :param end: periods that begin at this instant or later do not run.
    :param occurrences: how many periods run.
    """

    type: ScheduleType
    period: Period | None = None
    anchor: datetime | None = None
    end: datetime | None = None
    occurrences: int | None = None

    @property
    def runs_once(self) -> bool:
        """Whether it runs once for each activation, or for the first one."""
        return self.type is ScheduleType.ONDEMAND or (self.occurrences == 1 and self.anchor is None)


@dataclass(frozen=True, slots=True)
class ScheduledRun:
    """A run of an activity.

    :param due: when it may begin.
    :param start: its ``@scheduledStartTime``.
    :param end: its ``@scheduledEndTime``, none on demand.
    """

    due: datetime
    start: datetime
    end: datetime | None


def simulate(rule: ScheduleRule, since: datetime | None = None) -> Iterator[ScheduledRun]:
    """Play the service's rule, period after period.

    :param rule: the rule.
    :param since: leave out the periods that begin before this instant.
    :returns: the runs in order, without an end unless the rule has one; none when the rule has no
        anchor.
    """
    period, anchor = rule.period, rule.anchor
    if anchor is None:
        return
    if period is None:
        yield ScheduledRun(anchor, anchor, None)
        return
    # Periods of minutes since long ago are too many to play them all.
    first = 0 if since is None or since <= anchor else period.number_at(anchor, since)
    numbers = count(first) if rule.occurrences is None else range(first, rule.occurrences)
    try:
        for number in numbers:
            start, end = period.after(anchor, number), period.after(anchor, number + 1)
            if rule.end is not None and start >= rule.end:
                return
            if since is None or start >= since:
                due = end if rule.type is ScheduleType.TIMESERIES else start
                yield ScheduledRun(due, start, end)
    except OverflowError:
        return  # the calendar ends


def last_start(rule: ScheduleRule) -> datetime | None:
    """Tell when the last period begins.

    :param rule: a rule with a period and an anchor.
    :returns: the instant, also one before the anchor when there is no period at all; none when the
        rule has no end.
    """
    if rule.period is None or rule.anchor is None:
        return None
    numbers: list[int] = []
    if rule.occurrences is not None:
        numbers.append(rule.occurrences - 1)
    if rule.end is not None and rule.end <= rule.anchor:
        numbers.append(-1)
    elif rule.end is not None:
        number = rule.period.number_at(rule.anchor, rule.end)
        at_the_end = rule.period.after(rule.anchor, number) == rule.end
        numbers.append(number - 1 if at_the_end else number)
    if not numbers:
        return None
    number = max(min(numbers), -1)
    try:
        return rule.period.after(rule.anchor, number)
    except OverflowError:  # the calendar ends before
        return _BEGINNING if number < 0 else None


def schedule_of(item: ResolvedObject, resolved: Resolved) -> ResolvedObject | None:
    """Find the schedule of an object.

    :param item: the object.
    :param resolved: the objects of the definition.
    :returns: the one it refers to, else the only one that there is.
    """
    for reference in item.references("schedule"):
        if reference in resolved:
            return resolved[reference]
    schedules = [one for one in resolved.values() if one.type == "Schedule"]
    return schedules[0] if len(schedules) == 1 else None


def schedule_type(item: ResolvedObject) -> ScheduleType | None:
    """Read an object's ``scheduleType``, own or inherited.

    :param item: the object.
    :returns: the type; none when there is none or it is not known.
    """
    text = (item.text("scheduleType") or "").strip().casefold()
    return ScheduleType(text) if text in set(ScheduleType) else None


def read_rule(
    item: ResolvedObject,
    definition: Definition,
    resolved: Resolved,
    activation: datetime | None = None,
) -> ScheduleRule:
    """Read when an activity runs.

    Without a ``scheduleType`` it is taken for ``timeseries``, as the service's API does.

    :param item: the activity.
    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param activation: when the pipeline is activated first.
    :returns: the rule.
    :raises ScheduleProblemError: when the definition does not tell.
    """
    kind = schedule_type(item)
    schedule = schedule_of(item, resolved)
    if kind is ScheduleType.ONDEMAND or (schedule is not None and _is_on_demand(schedule)):
        return ScheduleRule(ScheduleType.ONDEMAND, anchor=activation)
    if schedule is None:
        raise ScheduleProblemError(
            "schedule",
            f"{item.id} has no schedule",
            "Refer to a Schedule, or set scheduleType to ondemand",
        )
    reader = _Reader(schedule, Evaluator(definition, resolved, {}))
    anchor = reader.anchor(activation)
    if anchor is not None and anchor.year > _LAST_YEAR:
        raise ScheduleProblemError(
            "startDateTime", f"{schedule.id} begins too late", f"Begin before {_LAST_YEAR}"
        )
    return ScheduleRule(
        type=kind or ScheduleType.TIMESERIES,
        period=reader.period(),
        anchor=anchor,
        end=reader.instant("endDateTime"),
        occurrences=reader.occurrences(),
    )


def _is_on_demand(schedule: ResolvedObject) -> bool:
    start = (schedule.text("startAt") or "").strip().casefold()
    period = (schedule.text("period") or "").strip().casefold()
    return start == _ON_DEMAND_ACTIVATION or period == _ON_DEMAND_PERIOD


class _Reader:
    """Reads the fields of a schedule."""

    def __init__(self, schedule: ResolvedObject, evaluator: Evaluator) -> None:
        self._schedule = schedule
        self._evaluator = evaluator

    def period(self) -> Period:
        text = self._text("period")
        if text is None:
            raise ScheduleProblemError(
                "period", f"{self._schedule.id} has no period", "Add one, such as '1 day'"
            )
        try:
            return parse_period(text)
        except PeriodError:
            advice = "Write a number and minutes, hours, days, weeks, months or years"
            message = f"The period of {self._schedule.id} is not a period"
            raise ScheduleProblemError("period", message, advice) from None

    def anchor(self, activation: datetime | None) -> datetime | None:
        start = self.instant("startDateTime")
        if start is not None:
            return start
        start_at = self._text("startAt")
        if start_at is not None and start_at.strip().casefold() == _FIRST_ACTIVATION:
            return activation
        field = "startDateTime" if start_at is None else "startAt"
        raise ScheduleProblemError(
            field,
            f"{self._schedule.id} does not say when its first period begins",
            "Add startDateTime, or startAt with FIRST_ACTIVATION_DATE_TIME",
        )

    def instant(self, name: str) -> datetime | None:
        text = self._text(name)
        if text is None:
            return None
        try:
            return as_utc(text)
        except UpdraftError:
            advice = "Write it as 2024-02-29T23:59:59, in UTC"
            message = f"The {name} of {self._schedule.id} is not a date"
            raise ScheduleProblemError(name, message, advice) from None

    def occurrences(self) -> int | None:
        text = self._text("occurrences")
        if text is None:
            return None
        try:
            number = as_whole_number(text)
        except UpdraftError:
            number = 0
        if number < 1:
            advice = "Write how many times the pipeline runs"
            message = f"The occurrences of {self._schedule.id} are no positive number"
            raise ScheduleProblemError("occurrences", message, advice)
        return number

    def _text(self, name: str) -> str | None:
        if self._schedule.field(name) is None:
            return None
        written = self._schedule.text(name) or ""
        try:
            if _BARE_CALL.fullmatch(written):
                parse_expression(written)
                written = f"#{{{written}}}"
            value = self._evaluator.evaluate_text(written, self._schedule)
        except ExpressionError as error:
            raise ScheduleProblemError(name, error.message, "Correct the expression") from None
        except UpdraftError as error:
            advice = "Give the value by --set or --values"
            raise ScheduleProblemError(name, str(error).rstrip("."), advice) from None
        # The service is believed to leave a field out whose optional parameter has no value.
        return as_text(value).strip() or None
