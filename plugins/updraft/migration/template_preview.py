"""Rendering of compiled texts without Airflow: what a task of a run would be given."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from updraft.datapipeline.macros import template_macros
from updraft.errors import UpdraftError


def render_template(
    template: str, *, start: datetime, end: datetime, params: Mapping[str, Any], dag_id: str
) -> str:
    """Render a template as Airflow would for a scheduled run.

    :param template: the template.
    :param start: start of the run's data interval.
    :param end: its end.
    :param params: the values of the trigger form.
    :param dag_id: id of the DAG.
    :returns: the text.
    :raises UpdraftError: when it can't be rendered.
    """
    import pendulum  # noqa: PLC0415 - comes with Airflow, as those who render templates have

    macros = {macro.__name__: macro for macro in template_macros()}
    try:
        return (
            SandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=False)
            .from_string(template)
            .render(
                data_interval_start=pendulum.instance(start),
                data_interval_end=pendulum.instance(end),
                dag_run=SimpleNamespace(run_after=start),
                dag=SimpleNamespace(dag_id=dag_id),
                macros=SimpleNamespace(timedelta=timedelta, updraft=SimpleNamespace(**macros)),
                params=dict(params),
            )
        )
    except (jinja2.TemplateError, ArithmeticError, ValueError, TypeError) as error:
        raise UpdraftError(f"The template {template} can't be rendered: {error}") from error
