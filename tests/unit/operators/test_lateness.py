"""When a task is too late to start."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from updraft.compat import AirflowFailException
from updraft.operators.lateness import fail_when_late

_DUE = datetime(2024, 1, 1, tzinfo=UTC)


def _context(minutes, *, attempt=1, run_type="scheduled", **run):
    return {
        "dag_run": SimpleNamespace(run_type=run_type, **(run or {"run_after": _DUE})),
        "ti": SimpleNamespace(start_date=_DUE + timedelta(minutes=minutes), try_number=attempt),
    }


@pytest.mark.parametrize(
    "context",
    [
        _context(61),
        _context(61, run_type=SimpleNamespace(value="scheduled")),
        _context(61, data_interval_end=_DUE),
    ],
)
def test_a_late_task_fails(context):
    with pytest.raises(AirflowFailException, match=r"more than 1:00:00 after its run was due"):
        fail_when_late(timedelta(hours=1))(context)


@pytest.mark.parametrize(
    "context",
    [
        _context(60),
        _context(61, attempt=2),
        _context(61, run_type="manual"),
        _context(61, run_type="backfill"),
        _context(61, run_after=None),
    ],
)
def test_all_others_run(context):
    fail_when_late(timedelta(hours=1))(context)


def test_a_time_is_positive():
    with pytest.raises(ValueError, match="not positive"):
        fail_when_late(timedelta(0))
