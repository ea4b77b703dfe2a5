"""Timetables as scheduled actions in UTC."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.local.gateway.services.redshift.schedules import Schedule
from updraft.errors import UpdraftError
from updraft.redshift.scheduled_actions import compare, require_role, wanted_actions, warnings
from updraft.redshift.timetables import DAYS, Timetable

ROLE = "arn:aws:iam::123456789012:role/schedules"
MINUTES = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def actions(lines, zone="UTC", now=NOW):
    return wanted_actions(Timetable.parse(lines, zone), "sales", ROLE, now)


@settings(max_examples=60)
@given(
    st.integers(0, 23),
    st.integers(0, 59),
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.sampled_from(
        ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati")
    ),
    MINUTES,
)
def test_the_next_time_of_the_cron_is_the_next_time_on_the_wall(hour, minute, days, zone, now):
    line = {"at": f"{hour:02}:{minute:02}", "action": "pause", "days": ",".join(sorted(days))}
    (action,) = actions([line], zone, now)
    wall = next(Schedule(action.schedule).after(now)).astimezone(ZoneInfo(zone))
    here = now.astimezone(ZoneInfo(zone))
    if (here + timedelta(days=8)).utcoffset() != here.utcoffset():
        return  # the clocks change before
    assert (wall.hour, wall.minute) == (hour, minute)
    assert DAYS[wall.weekday()] in days


def test_a_warning_says_what_changes_and_when():
    table = Timetable.parse([{"at": "22:00", "action": "pause"}], "Europe/Berlin")
    (warning,) = warnings(table, NOW)
    assert "is at 21:00 UTC now and at 20:00 UTC from 2027-03-28 on" in warning
    assert "which is 23:00 there" in warning
    (warning,) = warnings(table, datetime(2026, 7, 1, tzinfo=UTC))
    assert "is at 20:00 UTC now and at 21:00 UTC from 2026-10-25 on" in warning
    assert "which is 21:00 there" in warning
    assert warnings(Timetable.parse([{"at": "22:00", "action": "pause"}], "UTC"), NOW) == []


def shown(action, **others):
    return {
        "ScheduledActionName": action.name,
        "Schedule": action.schedule,
        "TargetAction": action.target,
        "IamRole": action.role,
        "ScheduledActionDescription": action.description,
        "State": "ACTIVE",
        **others,
    }


def test_only_differences_are_made_up_for():
    pause, resize = actions(
        [
            {"at": "22:00", "action": "pause"},
            {"at": "14:15", "action": "resize", "number_of_nodes": 1, "node_type": "ra3.large"},
        ]
    )
    assert resize.target["ResizeCluster"] == {
        "ClusterIdentifier": "sales",
        "Classic": False,
        "NodeType": "ra3.large",
        "NumberOfNodes": 1,
        "ClusterType": "single-node",
    }
    without_default = {"ResizeCluster": {**resize.target["ResizeCluster"]}}
    del without_default["ResizeCluster"]["Classic"]
    present = [shown(pause), shown(resize, TargetAction=without_default)]
    assert compare([pause, resize], present).lines() == []
    disabled = [shown(pause, State="DISABLED"), shown(resize)]
    assert compare([pause], disabled).lines() == [
        "modify updraft-sales-pause-2200: state from DISABLED to ACTIVE",
        "remove updraft-sales-resize-1415",
    ]


@pytest.mark.parametrize("role", [None, "", "schedules", "arn:aws:iam::1:role/x"])
def test_a_role_is_needed(role):
    with pytest.raises(UpdraftError, match=re.escape(f"iam_role: {role!r}")):
        require_role(role)
