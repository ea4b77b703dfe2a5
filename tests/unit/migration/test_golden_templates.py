"""What golden DAGs give their tasks renders in a run, to texts without anything left to render."""

import re
from datetime import datetime, timedelta
from types import SimpleNamespace

import pendulum
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.bases.notifier import BaseNotifier
from airflow.sdk.definitions.xcom_arg import XComArg

from tests.unit.migration.golden_files import FOLDER
from updraft.datapipeline.macros import template_macros

_START = pendulum.datetime(2024, 2, 29, 23, 59)
_UNRENDERED = re.compile(r"\{\{|\{%|#\{")
_MACROS = SimpleNamespace(
    datetime=datetime,
    timedelta=timedelta,
    updraft=SimpleNamespace(**{one.__name__: one for one in template_macros()}),
)


def _context(dag):
    run = SimpleNamespace(run_after=_START, start_date=_START, data_interval_start=_START)
    task = SimpleNamespace(
        task_id="t",
        start_date=_START,
        end_date=_START,
        state="failed",
        hostname="h",
        log_url="https://airflow.example/log",
        xcom_pull=lambda task_ids: {"columns": ["id", task_ids]},
    )
    return {
        "dag": dag,
        "dag_run": run,
        "data_interval_start": _START,
        "data_interval_end": _START.add(days=1),
        "macros": _MACROS,
        "params": {name: _given(name, dag) for name in dag.params},
        "ti": task,
    }


def _given(name, dag):
    """Fill a field of the form that has no default."""
    value = dag.params.get_param(name).value
    given = isinstance(value, str | list | int | float) and value != ""
    return value if given else "s3://bucket/a.b/c"


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _rendered(owner, context, environment):
    for name in owner.template_fields:
        value = getattr(owner, name, None)
        if not isinstance(value, XComArg):  # which only the database of a real run has
            yield from _texts(owner.render_template(value, context, environment))


def test_every_template_renders():
    bag = DagBag(dag_folder=str(FOLDER))
    assert bag.import_errors == {}
    rendered = []
    for dag in bag.dags.values():
        context, environment = _context(dag), dag.get_template_env()
        for task in dag.tasks:
            callbacks = [*(task.on_failure_callback or ()), *(task.on_success_callback or ())]
            notifiers = [one for one in callbacks if isinstance(one, BaseNotifier)]
            for owner in (task, *notifiers):
                texts = list(_rendered(owner, context, environment))
                assert [one for one in texts if _UNRENDERED.search(one)] == [], task.task_id
                rendered += texts
            left = {
                name
                for name, value in vars(task).items()
                if name not in task.template_fields and "{{" in "".join(_texts(value))
            }
            assert left <= {"_BaseOperator__init_kwargs", "default_args"}, task.task_id
    # All of them, and not the few that an empty folder has.
    assert len(bag.dags) > 40
    assert len(rendered) > 800
