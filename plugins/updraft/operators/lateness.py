"""What keeps a task from starting late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from updraft.compat import AirflowFailException, Context

_SCHEDULED = "scheduled"


def fail_when_late(after: timedelta) -> Callable[[Context], None]:
    """Make a task of a scheduled run fail when it would start too late.

    This is what the action ``Terminate`` of AWS Data Pipeline did to an object that had not started
    by its ``lateAfterTimeout``. Only a first try is late: its retries, and a task that somebody has
    cleared, run. So do all tasks of runs that were triggered or backfilled.

    :param after: how long after its run is due the task may start.
    :returns: a function for the operator's argument ``pre_execute``.
    :raises ValueError: when the time is not positive.
    """
    if after <= timedelta(0):
        raise ValueError(f"after: {after!r} is not positive")

    def check(context: Context) -> None:
        run, task_instance = context["dag_run"], context["ti"]
        due = _due(run)
        run_type = getattr(run.run_type, "value", run.run_type)
        if run_type != _SCHEDULED or task_instance.try_number > 1 or due is None:
            return
        # A task that was deferred began when it was first started.
        began = task_instance.start_date or datetime.now(tz=UTC)
        if began > due + after:
            raise AirflowFailException(
                f"The task starts at {began:%Y-%m-%dT%H:%M:%S%z}, more than {after} after its run "
                f"was due at {due:%Y-%m-%dT%H:%M:%S%z}. Clear it to run it nevertheless."
            )

    return check


def _due(run: object) -> datetime | None:
    """Tell when a run was due; Airflow 2 knows it as the end of the data interval."""
    due = getattr(run, "run_after", None) or getattr(run, "data_interval_end", None)
    return due if isinstance(due, datetime) else None
