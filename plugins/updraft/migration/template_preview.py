"""Rendering of compiled texts without Airflow: what a task of a run would be given."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from updraft.datapipeline.expression_values import Value, as_instant
from updraft.datapipeline.macros import template_macros
from updraft.errors import UpdraftError

_LONGEST_SHOWN = 500


def render_template(
    template: str, *, runtime: Mapping[str, Value], params: Mapping[str, Any]
) -> str:
    """Render a template as Airflow would for a scheduled run.

    :param template: the template.
    :param runtime: the runtime fields of the run, such as ``@scheduledStartTime``.
    :param params: the values of the trigger form.
    :returns: the text.
    :raises UpdraftError: when it can't be rendered.
    """
    import pendulum  # noqa: PLC0415 - comes with Airflow, as those who render templates have

    start = as_instant(runtime["@scheduledStartTime"])
    times = {"data_interval_start": pendulum.instance(start)}
    if "@scheduledEndTime" in runtime:
        times["data_interval_end"] = pendulum.instance(as_instant(runtime["@scheduledEndTime"]))
    task = SimpleNamespace(
        start_date=runtime.get("@actualStartTime"),
        end_date=runtime.get("@actualEndTime"),
        state=runtime.get("@status"),
    )
    macros = {macro.__name__: macro for macro in template_macros()}
    try:
        return (
            SandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=False)
            .from_string(template)
            .render(
                **times,
                dag_run=SimpleNamespace(run_after=start),
                dag=SimpleNamespace(dag_id=runtime["@pipelineId"]),
                ti=task,
                macros=SimpleNamespace(timedelta=timedelta, updraft=SimpleNamespace(**macros)),
                params=dict(params),
            )
        )
    except (
        *(jinja2.TemplateError, ArithmeticError, AttributeError, ValueError, TypeError),
        *(RecursionError, SyntaxError),  # which Python has for too many parentheses
    ) as error:
        shown = template if len(template) <= _LONGEST_SHOWN else f"{template[:_LONGEST_SHOWN]}…"
        raise UpdraftError(f"The template {shown} can't be rendered: {error}") from error
