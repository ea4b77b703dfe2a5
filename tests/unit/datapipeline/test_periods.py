"""Reading periods."""

from datetime import timedelta

import pytest

from updraft.datapipeline.periods import Period, PeriodError, parse_period


@pytest.mark.parametrize(
    ("text", "count", "unit", "duration"),
    [
        ("1 Day", 1, "days", timedelta(days=1)),
        ("15 minutes", 15, "minutes", timedelta(minutes=15)),
        ("24 Hours", 24, "hours", timedelta(hours=24)),
        (" 2 weeks ", 2, "weeks", timedelta(weeks=2)),
        ("1 YEAR", 1, "years", None),
        ("3 months", 3, "months", None),
    ],
)
def test_periods(text, count, unit, duration):
    period = parse_period(text)
    assert (period.count, period.unit, period.duration) == (count, unit, duration)


@pytest.mark.parametrize("text", ["", "day", "0 days", "-1 day", "1.5 days", "1 fortnight", "1"])
def test_no_periods(text):
    with pytest.raises(PeriodError, match="15 minutes"):
        parse_period(text)


def test_words():
    assert str(Period(1, "days")) == "1 day"
    assert str(Period(2, "days")) == "2 days"
