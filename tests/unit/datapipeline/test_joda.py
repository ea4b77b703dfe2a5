"""Date patterns and shifts, against what Joda-Time itself printed."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.datapipeline.date_functions import call_function
from updraft.datapipeline.expression_values import ValueProblemError
from updraft.datapipeline.joda import (
    DatePatternError,
    PatternLetters,
    PatternText,
    format_instant,
    parse_pattern,
)
from updraft.datapipeline.zone_names import TimeZoneError, find_zone


def _rows(name):
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="\n") as stream:
        yield from csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)


def _different(rows):
    return [(row, got) for row, got in rows if got != row["result"]]


def test_every_pattern_prints_what_joda_prints():
    rows = list(_rows("joda_format.tsv"))
    assert len(rows) >= 450
    moment = datetime.fromisoformat
    assert not _different(
        (row, format_instant(moment(row["instant"]), row["pattern"])) for row in rows
    )


def _in_zone(row):
    instant = datetime.fromisoformat(row["instant"]).astimezone(find_zone(row["zone"]))
    if row["kind"] == "format":
        return format_instant(instant, row["argument"])
    count = (int(row["argument"]),) if row["argument"] else ()
    moved = call_function(row["kind"], instant, *count)
    return format_instant(moved, "yyyy-MM-dd'T'HH:mm:ssZZ")


def test_patterns_and_shifts_in_zones_and_when_clocks_change():
    rows = list(_rows("joda_in_zones.tsv"))
    assert len(rows) >= 100
    assert not _different((row, _in_zone(row)) for row in rows)


@pytest.mark.parametrize("pattern", ["", "'", "qq", "yyyy b"])
def test_refusals(pattern):
    with pytest.raises(DatePatternError):
        parse_pattern(pattern)


def test_a_quote_that_is_never_closed_quotes_the_rest():
    assert parse_pattern("yy'o''clock yy") == (
        PatternLetters("y", 2),
        PatternText("o'clock yy"),
    )


@pytest.mark.parametrize(
    "name", ["", "Mars/Base", "../etc/passwd", "+25:00", "a\0b", "+05:75", "localtime", "right/UTC"]
)
def test_zones_that_there_are_not(name):
    with pytest.raises(TimeZoneError):
        find_zone(name)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("sunday", (), "2011-05-22T17:10"),
        ("yesterday", (), "2011-05-23T17:10"),
        ("midnight", (), "2011-05-24T00:00"),
        ("firstOfMonth", (), "2011-05-01T17:10"),
        ("plusPeriod", ("1 month",), "2011-06-24T17:10"),
        ("makeDate", None, "2011-05-24T00:00"),
        ("makeDateTime", None, "2011-05-24T17:10"),
    ],
)
def test_the_examples_of_the_guide(name, arguments, expected):
    moment = datetime(2011, 5, 24, 17, 10, tzinfo=UTC)
    if arguments is None:
        arguments = (2011, 5, 24, 17, 10)[: 3 if name == "makeDate" else 5]
        value = call_function(name, *arguments)
    else:
        value = call_function(name, moment, *arguments)
    assert value == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("plusYears", ("2024-01-01T00:00:00", 9000)),
        ("plusDays", ("2024-01-01T00:00:00", 10**12)),
        ("plusDays", ("yesterday", 1)),
        ("plusDays", ("2024-01-01T00:00:00", "1.5")),
        ("makeDate", (2023, 2, 29)),
        ("plusDays", (["2024-01-01"], [1])),
        ("now", ()),
    ],
)
def test_what_has_no_value_is_one_clear_error(name, arguments):
    with pytest.raises(ValueProblemError):
        call_function(name, *arguments)


@given(st.text(max_size=20), st.datetimes(timezones=st.just(UTC)))
def test_any_pattern_prints_or_is_refused(pattern, moment):
    try:
        text = format_instant(moment, pattern)
    except DatePatternError:
        return
    assert text
