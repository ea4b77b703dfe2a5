"""Timetables in zones whose clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.redshift.clusters import ClusterSize
from updraft.redshift.timetables import DAYS, Timetable

MINUTES = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
ARTICLE = [
    {"at": "07:15", "action": "resume"},
    {"at": "14:15", "action": "resize", "number_of_nodes": 4},
    {"at": "22:00", "action": "pause"},
]


def due(lines, zone, *moment):
    found = Timetable.parse(lines, zone).due(datetime(*moment, tzinfo=UTC))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("hour", "minute", "state", "nodes"),
    [
        (7, 14, "paused", None),
        (7, 15, "available", 4),
        (21, 59, "available", 4),
        (22, 0, "paused", None),
    ],
)
def test_the_times_of_the_article(hour, minute, state, nodes):
    goal = due(ARTICLE, "UTC", 2026, 11, 23, hour, minute).goal
    assert goal.state == state
    assert (goal.size.nodes if goal.size else None) == nodes


def test_times_follow_the_clocks_of_the_zone():
    """In Berlin 22:00 is 20:00 UTC in summer and 21:00 UTC in winter."""
    lines = [ARTICLE[0], ARTICLE[2]]
    assert due(lines, "Europe/Berlin", 2026, 10, 24, 20, 0).goal.state == "paused"
    assert due(lines, "Europe/Berlin", 2026, 10, 25, 20, 59).goal.state == "available"
    assert due(lines, "Europe/Berlin", 2026, 10, 25, 21, 0).goal.state == "paused"


def test_a_time_that_is_left_out_or_there_twice():
    lines = [{"at": "02:30", "action": "pause"}, {"at": "20:00", "action": "resume"}]
    since = due(lines, "Europe/Berlin", 2026, 3, 29, 12).since
    assert since == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # half past three in Berlin
    since = due(lines, "Europe/Berlin", 2026, 10, 25, 12).since
    assert since == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first half past two


def test_days_of_the_week():
    lines = [
        {"at": "07:00", "action": "resume", "days": "mon-fri"},
        {"at": "20:00", "action": "pause", "days": "fri"},
        {"at": "21:00", "action": "pause", "days": "sat-mon,wed"},
    ]
    assert due(lines, "UTC", 2026, 11, 22, 12).goal.state == "paused"  # a Sunday
    assert due(lines, "UTC", 2026, 11, 23, 7).goal.state == "available"
    assert due(lines, "UTC", 2026, 11, 24, 23).goal.state == "available"
    assert due(lines, "UTC", 2026, 11, 25, 23).goal.state == "paused"


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 23), st.integers(0, 59), st.sampled_from(("pause", "resume"))),
        min_size=1,
        max_size=5,
        unique_by=lambda line: line[:2],
    ),
    st.sampled_from(("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Apia")),
    MINUTES,
)
def test_what_counts_is_what_came_last_by_the_clock_on_the_wall(lines, zone, now):
    """A model that walks back minute by minute; days on which clocks change are left out."""
    local = now.astimezone(ZoneInfo(zone))
    before = local - timedelta(days=1)
    table = Timetable.parse(
        [{"at": f"{h:02}:{m:02}", "action": action} for h, m, action in lines], zone
    )
    if before.astimezone(UTC) != now - timedelta(days=1):
        return
    clock = {(h, m): action for h, m, action in lines}
    walked = now
    while (wall := walked.astimezone(ZoneInfo(zone))) and (wall.hour, wall.minute) not in clock:
        walked -= timedelta(minutes=1)
    found = table.due(now)
    assert found is not None
    assert found.since == walked
    assert (
        found.goal.state
        == {"pause": "paused", "resume": "available"}[clock[wall.hour, wall.minute]]
    )


def test_no_line_has_come_due():
    lines = [{"at": "12:00", "action": "pause"}]
    assert Timetable.parse(lines, "UTC").due(datetime(2026, 1, 1, tzinfo=UTC)) is not None
    resize = [{"at": "12:00", "action": "resize", "number_of_nodes": 3}]
    goal = due(resize, "UTC", 2026, 1, 2).goal
    assert goal.next_action("paused", ClusterSize("ra3.large", 2)) is None
    assert goal.next_action("available", ClusterSize("ra3.large", 2)) == "resize"


@pytest.mark.parametrize(
    ("lines", "zone", "message"),
    [
        ([], "UTC", "no lines"),
        ("22:00", "UTC", "no lines"),
        ([{"at": "22", "action": "pause"}], "UTC", "'22', not a time"),
        ([{"at": "24:00", "action": "pause"}], "UTC", "'24:00', not a time"),
        ([{"at": "22:00", "action": "stop"}], "UTC", "'stop' is unknown"),
        ([{"at": "22:00", "action": "pause", "day": "mon"}], "UTC", "did you mean 'days'"),
        ([{"at": "22:00", "action": "pause", "days": "mo"}], "UTC", "did you mean 'mon'"),
        ([{"at": "22:00", "action": "resize"}], "UTC", "no number_of_nodes"),
        ([{"at": "22:00", "action": "pause", "number_of_nodes": 2}], "UTC", "resize is meant"),
        (
            [{"at": "22:00", "action": "resize", "number_of_nodes": 2, "classic": "no"}],
            "UTC",
            "neither",
        ),
        ([ARTICLE[2], {"at": "22:00", "action": "resume"}], "UTC", "at the same time"),
        (ARTICLE, "Europe/Berln", "no time zone"),
        (ARTICLE, "../etc/passwd", "no time zone"),
        (["pause"], "UTC", "no line such as"),
    ],
)
def test_wrong_lines_are_named(lines, zone, message):
    with pytest.raises(UpdraftError, match=message):
        Timetable.parse(lines, zone)


def test_days_may_pass_the_end_of_the_week():
    line = {"at": "22:00", "action": "pause", "days": "sat-mon"}
    (entry,) = Timetable.parse([line], "UTC").entries
    assert [DAYS[day] for day in sorted(entry.days)] == ["mon", "sat", "sun"]
