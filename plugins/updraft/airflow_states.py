"""What Airflow knows of runs and tasks, asked from within a task.

Tasks of Airflow 2 read the metadata database; those of Airflow 3 have no access to it and ask the
API server.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from airflow.utils.state import DagRunState


class TaskInstanceEnd(NamedTuple):
    """A task instance of a DAG run that has ended.

    :param task_id: its id.
    :param map_index: its index if it is mapped, else -1.
    :param state: such as ``success`` or ``upstream_failed``.
    """

    task_id: str
    map_index: int
    state: str


class TaskInstanceTry(NamedTuple):
    """The last try of a task instance.

    :param try_number: its number, from 1; 0 when the task was never begun.
    :param start_date: when it began.
    :param end_date: when it ended.
    """

    try_number: int
    start_date: datetime | None
    end_date: datetime | None


def dag_run_state(dag_id: str, run_id: str) -> str | None:
    """Look a DAG run up.

    :param dag_id: id of its DAG.
    :param run_id: its id.
    :returns: such as ``running`` or ``success``; None when Airflow has no such run.
    """
    try:
        from airflow.sdk.execution_time.task_runner import (  # noqa: PLC0415 - in a task it is there
            RuntimeTaskInstance,
        )
    except ImportError:  # Airflow 2
        return _dag_run_state_from_database(dag_id, run_id)
    if not RuntimeTaskInstance.get_dr_count(dag_id=dag_id, run_ids=[run_id]):
        return None
    # It comes as a member of an enumeration, though its annotation says otherwise.
    return DagRunState(RuntimeTaskInstance.get_dagrun_state(dag_id, run_id)).value


def _dag_run_state_from_database(dag_id: str, run_id: str) -> str | None:
    from airflow.models import DagRun  # noqa: PLC0415 - takes long, and only Airflow 2 needs it

    old: Any = DagRun
    runs = old.find(dag_id=dag_id, run_id=run_id)
    return DagRunState(runs[0].state).value if runs else None


def task_instance_state(dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str | None:
    """Look a task instance up.

    :param dag_id: id of its DAG.
    :param run_id: id of its DAG run.
    :param task_id: its id.
    :param map_index: its index if it is mapped, else -1.
    :returns: such as ``running`` or ``success``, ``none`` before it has a state; None when Airflow
        has no such task instance.
    """
    try:
        from airflow.sdk.execution_time.task_runner import (  # noqa: PLC0415 - in a task it is there
            RuntimeTaskInstance,
        )
    except ImportError:  # Airflow 2
        old = _task_instances_from_database(dag_id, run_id)
        states = {(one.task_id, one.map_index): str(one.state or "none") for one in old}
        return states.get((task_id, map_index))
    found = RuntimeTaskInstance.get_task_states(
        dag_id=dag_id,
        map_index=map_index if map_index >= 0 else None,
        task_ids=[task_id],
        run_ids=[run_id],
    ).get(run_id, {})
    name = f"{task_id}_{map_index}" if map_index >= 0 else task_id
    if name not in found:
        return None
    return str(getattr(found[name], "value", found[name]) or "none")


def ended_task_instances(dag_id: str, run_id: str) -> list[TaskInstanceEnd]:
    """List the task instances of a DAG run that have ended.

    :param dag_id: id of its DAG.
    :param run_id: its id.
    :returns: one entry each; none in Airflow 3.0 and 3.1, where a task cannot ask for them.
    """
    try:
        from airflow.sdk.execution_time.task_runner import (  # noqa: PLC0415 - in a task it is there
            RuntimeTaskInstance,
        )
    except ImportError:  # Airflow 2
        old = _task_instances_from_database(dag_id, run_id)
        return [TaskInstanceEnd(one.task_id, one.map_index, one.state or "none") for one in old]
    if not hasattr(RuntimeTaskInstance, "get_task_breadcrumbs"):
        return []
    return [
        TaskInstanceEnd(
            one["task_id"], one["map_index"], str(getattr(one["state"], "value", one["state"]))
        )
        for one in RuntimeTaskInstance.get_task_breadcrumbs(dag_id, run_id)
    ]


def last_try(
    dag_id: str, run_id: str, task_id: str, map_index: int, logical_date: datetime | None
) -> TaskInstanceTry | None:
    """Look up the last try of a task instance.

    :param dag_id: id of its DAG.
    :param run_id: id of its DAG run.
    :param task_id: its id.
    :param map_index: its index if it is mapped, else -1.
    :param logical_date: that of the DAG run, if it has one.
    :returns: the try; None when Airflow does not say. Airflow 3 finds task instances by the
        logical date alone, from 3.2 on.
    """
    try:
        from airflow.sdk.execution_time import task_runner  # noqa: PLC0415 - in a task it is there
    except ImportError:  # Airflow 2
        for one in _task_instances_from_database(dag_id, run_id):
            if (one.task_id, one.map_index) == (task_id, map_index):
                return TaskInstanceTry(one.try_number, one.start_date, one.end_date)
        return None
    if logical_date is None:
        return None
    from airflow.sdk.execution_time.comms import GetPreviousTI  # noqa: PLC0415 - only there

    # The latest one before a moment after it is itself.
    question = GetPreviousTI(
        dag_id=dag_id,
        task_id=task_id,
        map_index=map_index,
        logical_date=logical_date + timedelta(microseconds=1),
    )
    answer = task_runner.SUPERVISOR_COMMS.send(question)
    found = getattr(answer, "task_instance", None)
    if found is None or found.run_id != run_id:
        return None
    return TaskInstanceTry(found.try_number, found.start_date, found.end_date)


def _task_instances_from_database(dag_id: str, run_id: str) -> list[Any]:
    from airflow.models import TaskInstance  # noqa: PLC0415 - only Airflow 2 needs it
    from airflow.utils.session import create_session  # noqa: PLC0415 - likewise

    old: Any = TaskInstance
    with create_session() as session:
        found: list[Any] = session.query(old).filter_by(dag_id=dag_id, run_id=run_id).all()
        session.expunge_all()
    return found
