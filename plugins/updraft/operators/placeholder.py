"""The task that stands where a legacy object could not be migrated."""

from typing import Any

from updraft.compat import AirflowFailException, BaseOperator, Context


class NotMigratedOperator(BaseOperator):
    """Fails at once, without retries, and says what has to be done.

    :param reason: why the object is not migrated, a clause without full stop.
    :param object_id: id of the legacy object.
    :param object_type: its type, such as ``HiveActivity``.
    """

    ui_color = "#f9d7d4"

    def __init__(self, *, reason: str, object_id: str, object_type: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reason = reason
        self.object_id = object_id
        self.object_type = object_type

    def execute(self, context: Context) -> None:  # noqa: ARG002 Airflow's signature
        """Fail.

        :param context: the task's context, not used.
        :raises AirflowFailException: always, so that Airflow does not retry.
        """
        raise AirflowFailException(
            f"{self.object_type} {self.object_id!r} is not migrated: {self.reason}. Replace this "
            "task by one that does its work, or remove it."
        )
