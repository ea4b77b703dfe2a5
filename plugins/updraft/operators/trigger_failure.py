"""Lets the last attempt of a task end its work when its trigger has failed."""

from abc import abstractmethod
from typing import Any

from updraft.compat import BaseOperator, Context

TRIGGER_FAILED = "__fail__"
"""The method that Airflow goes on with after a trigger has failed; Airflow 2 has it elsewhere than
Airflow 3, as ``TRIGGER_FAIL_REPR``."""


class StopsAfterTrigger(BaseOperator):
    """A task whose last attempt stops its work when its trigger fails or takes too long.

    Airflow then calls neither the method that the task named nor ``on_kill``. After any other
    attempt the work goes on, and the retry adopts it.
    """

    @abstractmethod
    def stop_after_trigger(self, context: Context) -> None:
        """Stop the work of the task; errors of AWS go to its log.

        :param context: context of the task instance.
        """

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context
    ) -> Any:
        """Go on after a trigger, or stop the work when the trigger has failed and no retry comes.

        :param next_method: method to go on with.
        :param next_kwargs: its arguments.
        :param context: context of the task instance.
        :returns: what the method returns.
        """
        instance = context["ti"]
        if next_method == TRIGGER_FAILED and instance.try_number > instance.max_tries:
            self.stop_after_trigger(context)
        return super().resume_execution(next_method, next_kwargs, context)
