"""The only module that knows that Airflow versions differ.

Everything in Updraft that touches Airflow's authoring interface imports it from here, so that
one code base runs on MWAA's Airflow 2.11 and 3.x.
"""

import contextlib
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.utils.state import DagRunState

if TYPE_CHECKING:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
    from airflow.sdk import (
        DAG,
        BaseHook,
        BaseOperator,
        Context,
        CronDataIntervalTimetable,
        Param,
        TaskGroup,
        Variable,
        task,
    )
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowSensorTimeout,
        AirflowSkipException,
    )
else:
    try:  # Airflow 3
        from airflow.sdk import DAG, BaseOperator, Context, Param, TaskGroup, Variable
    except ImportError:  # Airflow 2.11
        from airflow import DAG
        from airflow.models import BaseOperator, Variable
        from airflow.models.param import Param
        from airflow.utils.context import Context
        from airflow.utils.task_group import TaskGroup
    try:  # Airflow 3
        from airflow.sdk import BaseHook
    except ImportError:
        from airflow.hooks.base import BaseHook
    try:  # Airflow 3.2
        from airflow.sdk.exceptions import (
            AirflowException,
            AirflowFailException,
            AirflowSensorTimeout,
            AirflowSkipException,
        )
    except ImportError:
        from airflow.exceptions import (
            AirflowException,
            AirflowFailException,
            AirflowSensorTimeout,
            AirflowSkipException,
        )

__all__ = [
    "DAG",
    "AirflowException",
    "AirflowFailException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "BaseHook",
    "BaseOperator",
    "Context",
    "CronDataIntervalTimetable",
    "EmptyOperator",
    "Param",
    "TaskGroup",
    "TimeDeltaSensor",
    "count_metric",
    "dag_run_state",
    "json_variable",
    "task",
    "task_instance_state",
]

# What few modules use and what brings many others along, with its place in Airflow 3 and in 2.11.
# Whoever asks for it imports it: DAG files with operators of Updraft parse faster without it.
_WHEN_ASKED_FOR = {
    "CronDataIntervalTimetable": ("airflow.sdk", "airflow.timetables.interval"),
    "EmptyOperator": ("airflow.providers.standard.operators.empty", "airflow.operators.empty"),
    "TimeDeltaSensor": (
        "airflow.providers.standard.sensors.time_delta",
        "airflow.sensors.time_delta",
    ),
    "task": ("airflow.sdk", "airflow.decorators"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new, old = _WHEN_ASKED_FOR[name]
    try:
        return getattr(import_module(new), name)
    except (ImportError, AttributeError):  # Airflow 2.11; timetables before 3.2
        return getattr(import_module(old), name)


def dag_run_state(dag_id: str, run_id: str) -> str | None:
    """Look a DAG run up, from within a task.

    Tasks of Airflow 3 have no access to the metadata database and ask the API server.

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
    """Look a task instance up, from within a task.

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
        return _task_instance_state_from_database(dag_id, run_id, task_id, map_index)
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


def _task_instance_state_from_database(
    dag_id: str, run_id: str, task_id: str, map_index: int
) -> str | None:
    from airflow.models import TaskInstance  # noqa: PLC0415 - only Airflow 2 needs it
    from airflow.utils.session import create_session  # noqa: PLC0415 - likewise

    old: Any = TaskInstance
    with create_session() as session:
        found = (
            session.query(old.state)
            .filter_by(dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index)
            .one_or_none()
        )
    return None if found is None else str(found[0] or "none")


def count_metric(name: str, count: int = 1) -> None:
    """Add to a counter of Airflow's metrics, StatsD or OpenTelemetry; never fails.

    :param name: its name without Airflow's prefix, with dots.
    :param count: what to add; nothing is sent for 0.
    """
    if not count:
        return
    # Whoever counts goes on without metrics, whatever is wrong with them.
    with contextlib.suppress(Exception):
        try:
            stats: Any = import_module("airflow.sdk.observability.stats")
        except ImportError:  # before Airflow 3.2
            stats = import_module("airflow.stats").Stats
        stats.incr(name, count)


def json_variable(name: str, default: Any) -> Any:
    """Read an Airflow Variable that holds JSON.

    Airflow 2 and 3 call the argument for the default by different names, and Airflow 3.3 takes a
    Variable whose text is no JSON for one that does not exist.

    :param name: name of the Variable.
    :param default: what to return when there is none of that name.
    :returns: its value.
    :raises AirflowFailException: when its text is no JSON, which no retry can mend.
    """
    try:
        text = Variable.get(name, default=None)
    except TypeError:  # Airflow 2
        old: Any = Variable
        text = old.get(name, default_var=None)
    if text is None:
        return default
    try:
        return json.loads(text)
    except ValueError as error:
        raise AirflowFailException(f"Variable {name} is no JSON: {error}") from None
