"""The task that makes sure that a scheduled DAG has been given all of its parameters."""

from collections.abc import Sequence
from typing import Any

from updraft.compat import AirflowFailException, BaseOperator, Context


class RequiredParamsOperator(BaseOperator):
    """Fails at once, without retries, while a parameter has no value.

    Airflow loads a DAG with a schedule only if each of its parameters has a default. Where nobody
    knows a good one, this task goes before all others, so that nothing runs with an empty value.

    :param names: the parameters that need a value.
    """

    ui_color = "#f4efdc"

    def __init__(self, *, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.names = list(names)

    def execute(self, context: Context) -> None:
        """Look at the parameters of the run.

        :param context: the task's context.
        :raises AirflowFailException: when one is empty; it names all that are.
        """
        params = context["params"]
        empty = [name for name in self.names if params.get(name) in (None, "", [])]
        if empty:
            listed = ", ".join(empty)
            raise AirflowFailException(
                f"No value is given for {listed}. Write it as the default of the Param in the "
                "DAG's file, or trigger a run with it."
            )
