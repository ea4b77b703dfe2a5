"""Tells the attempts of a task that belong together from those after it was cleared.

A retry must find what an earlier attempt has done; a task that a user clears must do it again. Both
raise ``try_number``. What differs is ``max_tries``: Airflow sets it to ``retries`` when the task
instance is made and leaves it alone from one retry to the next, while clearing sets it to
``try_number + retries``, which is more than before as long as ``retries`` stays. Should somebody
lower ``retries`` just so that the sum is the same, the start of the DAG run tells: clearing a run
that has ended starts it anew. A DAG run that was deleted and made again with the same id differs
in its start too.

Clearing a task *while it runs* is a retry for Airflow, which changes neither; it ends the task
first, and what the task had started with it.

.. seealso:: ``clear_task_instances`` in ``airflow.models.taskinstance``
"""

import hashlib
from collections.abc import Mapping
from typing import Any


def try_series(context: Mapping[str, Any]) -> str:
    """Name the series of attempts that this attempt is one of.

    :param context: context of the task instance.
    :returns: a text that is the same in all of them, and no other after the task was cleared.
    """
    run = context.get("dag_run")
    started = getattr(run, "start_date", None)
    return f"{_max_tries(context)}@{started.isoformat() if started else ''}"


def series_digest(context: Mapping[str, Any]) -> str:
    """Name the series where there is no room for its whole name.

    :param context: context of the task instance.
    :returns: six hexadecimal digits.
    """
    return hashlib.sha256(try_series(context).encode()).hexdigest()[:6]


def is_first_attempt(context: Mapping[str, Any]) -> bool:
    """Say whether no attempt of this series came before.

    :param context: context of the task instance.
    :returns: whether it is the first; after ``retries`` was changed in the middle of a series this
        may be wrong.
    """
    instance = context["ti"]
    retries = getattr(getattr(instance, "task", None), "retries", None)
    if retries is None:
        return bool(instance.try_number <= 1)
    return bool(instance.try_number <= _max_tries(context) - retries + 1)


def _max_tries(context: Mapping[str, Any]) -> int:
    return int(getattr(context["ti"], "max_tries", 0) or 0)
