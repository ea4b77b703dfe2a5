"""Decides whether a task that failed is tried again."""

from updraft.compat import AirflowException, AirflowFailException
from updraft.errors import PermanentError, UpdraftError


def task_failure(error: UpdraftError) -> AirflowException:
    """Make the exception that a task fails with; its message is complete on its own.

    :param error: what went wrong.
    :returns: ``AirflowFailException`` when no retry can mend it, else ``AirflowException``.
    """
    kind = AirflowFailException if isinstance(error, PermanentError) else AirflowException
    return kind(str(error))
