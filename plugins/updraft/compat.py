"""Where Airflow versions differ, for those who write DAGs and operators.

Everything in Updraft that touches Airflow's authoring interface imports it from here, so that
one code base runs on MWAA's Airflow 2.11 and 3.x.
"""

import contextlib
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "json_variable",
    "task",
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
