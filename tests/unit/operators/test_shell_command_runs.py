"""Which of its commands a task takes over, and which it sends again."""

from datetime import UTC, datetime, timedelta

import pytest

from updraft.operators.kill_switch import KillSwitch
from updraft.operators.shell_command_runs import SentCommand, ShellCommandRuns
from updraft.resource_owner import ResourceOwner

START = datetime(2026, 11, 23, tzinfo=UTC)
SERIES = "a" * 6


class Calls:
    """Notes what is cancelled."""

    def __init__(self):
        self.cancelled = []

    def call(self, operation, resource, **request):
        assert operation == "cancel_command", resource
        self.cancelled.append(request["CommandId"])


def command(name, status, number=1, series=SERIES, seconds=0):
    requested = START + timedelta(seconds=seconds)
    return SentCommand(name, "i-1", status, series, number, requested)


@pytest.mark.parametrize(
    ("found", "adopted", "cancelled"),
    [
        ([], None, []),
        ([command("a", "Success")], "a", []),
        ([command("a", "Success", series="b" * 6)], None, []),  # the task was cleared
        ([command("a", "InProgress", series="b" * 6)], "a", []),
        ([command("a", "Failed")], None, []),
        ([command("b", "Failed", 2), command("a", "Success")], None, []),
        # Two attempts at the same time: both keep the earlier one.
        ([command("b", "Pending", seconds=1), command("a", "InProgress")], "a", ["b"]),
        ([command("b", "Cancelled", seconds=1), command("a", "Success")], "a", []),
        # One that is being cancelled ends first, unless its successor is there.
        ([command("a", "Cancelling")], "a", []),
        ([command("b", "Pending", 2), command("a", "Cancelling")], "b", []),
    ],
)
def test_what_is_taken_over(found, adopted, cancelled):
    calls = Calls()
    owner = ResourceOwner("e", "d", "r", "t")
    runs = ShellCommandRuns(calls, owner, SERIES, "i-1", kill_switch=KillSwitch())
    taken = runs.adopt(found)
    assert (taken and taken.command_id) == adopted
    assert calls.cancelled == cancelled
