"""Keeps a task that was told to stop from starting work, which nobody would end.

Airflow calls ``on_kill`` from the handler of SIGTERM, and then lets the task go on for some seconds
before SIGKILL. What the task starts in this time would outlive it, as would what it was just
starting when the signal came: ``on_kill`` could not know of it.

.. seealso:: ``_on_term`` in ``airflow.sdk.execution_time.task_runner``
"""

from collections.abc import Callable

from updraft.errors import UpdraftError


class TaskStoppedError(UpdraftError):
    """A task was told to stop before it had started its work."""


class KillSwitch:
    """Whether a task was told to stop.

    ``on_kill`` throws it before anything else. Every call that starts something has a
    :meth:`check` right before it and another one right after it.
    """

    def __init__(self) -> None:
        self._is_thrown = False

    @property
    def is_thrown(self) -> bool:
        """Whether the task was told to stop."""
        return self._is_thrown

    def throw(self) -> None:
        """Note that the task was told to stop."""
        self._is_thrown = True

    def check(self, end: Callable[[], None] | None = None) -> None:
        """Go on only if the task was not told to stop.

        :param end: ends what was started since the last check. It is called for what ``on_kill``
            has ended already as well, and says itself when it could not.
        :raises TaskStoppedError: when it was told to stop.
        """
        if not self._is_thrown:
            return
        if end is None:
            raise TaskStoppedError("The task was told to stop, and starts nothing any more.")
        end()
        raise TaskStoppedError(
            "The task was told to stop while it started its work; see above how that was ended."
        )
