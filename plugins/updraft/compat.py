"""The only module that knows that Airflow versions differ.

Everything in Updraft that touches Airflow's authoring interface imports it from here, so that
one code base runs on MWAA's Airflow 2.11 and 3.x.
"""

import json
from typing import TYPE_CHECKING, Any

from airflow.utils.state import DagRunState

if TYPE_CHECKING:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
    from airflow.sdk import (
        DAG,
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
        from airflow.sdk import DAG, BaseOperator, Context, Param, TaskGroup, Variable, task
    except ImportError:  # Airflow 2.11
        from airflow import DAG
        from airflow.decorators import task
        from airflow.models import BaseOperator, Variable
        from airflow.models.param import Param
        from airflow.utils.context import Context
        from airflow.utils.task_group import TaskGroup
    try:  # Airflow 3
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.providers.standard.sensors.time_delta import TimeDeltaSensor
    except ImportError:  # Airflow 2.11
        from airflow.operators.empty import EmptyOperator
        from airflow.sensors.time_delta import TimeDeltaSensor
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
    try:  # Airflow 3.3
        from airflow.sdk import CronDataIntervalTimetable
    except ImportError:
        from airflow.timetables.interval import CronDataIntervalTimetable

__all__ = [
    "DAG",
    "AirflowException",
    "AirflowFailException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "BaseOperator",
    "Context",
    "CronDataIntervalTimetable",
    "EmptyOperator",
    "Param",
    "TaskGroup",
    "TimeDeltaSensor",
    "dag_run_state",
    "json_variable",
    "task",
]


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
