"""Lets a task end its work when Airflow fails it because its trigger has failed."""

from abc import abstractmethod
from typing import Any

from updraft.compat import BaseOperator, Context

_FAIL = "__fail__"  # airflow.triggers.base.TRIGGER_FAIL_REPR, which Airflow 2 has elsewhere


class StopsAfterTrigger(BaseOperator):
    """A task that stops what its trigger has watched when that trigger fails or takes too long.

    Airflow then calls neither the method that the task named nor ``on_kill``.
    """

    @abstractmethod
    def stop_after_trigger(self, context: Context) -> None:
        """Stop the work of the task; errors of AWS go to its log.

        :param context: context of the task instance.
        """

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Go on after a trigger, or stop the work when the trigger has failed.

        :param next_method: method to go on with.
        :param next_kwargs: its arguments.
        :param context: context of the task instance.
        :returns: what the method returns.
        """
        if next_method == _FAIL:
            self.stop_after_trigger(context)
        return super().resume_execution(next_method, next_kwargs, context)
