"""What templates of converted DAGs call where Jinja and pendulum can't say what the pipeline said.

The plugin registers these, so that a template reads ``{{ macros.updraft.sunday(…) }}``. The
functions have the names they had in the pipeline, and compute as the evaluator does.
"""

from collections.abc import Callable
from typing import Any

from updraft.datapipeline.date_functions import FUNCTION_NAMES, call_function, period_at
from updraft.datapipeline.expression_values import Value, as_text, flatten, negate, operate
from updraft.datapipeline.query_columns import hive_columns, pig_columns
from updraft.datapipeline.step_texts import step_definitions

OPERATORS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "^"}


def template_macros() -> list[Callable[..., Any]]:
    """List the macros.

    :returns: functions under the names by which templates know them.
    """
    return [
        *(_named(name, _function(name)) for name in FUNCTION_NAMES),
        *(_named(name, _operation(operator)) for name, operator in OPERATORS.items()),
        _named("negate", negate),
        _named("periodAt", period_at),
        _named("flatten", lambda *values: flatten(values)),
        _named("text", as_text),
        _named("emrSteps", step_definitions),
        _named("hiveColumns", hive_columns),
        _named("pigColumns", pig_columns),
    ]


def _function(name: str) -> Callable[..., Value]:
    return lambda *arguments: call_function(name, *arguments)


def _operation(operator: str) -> Callable[[Value, Value], Value]:
    return lambda left, right: operate(operator, left, right)


def _named(name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        return compute(*arguments)

    call.__name__ = call.__qualname__ = name
    return call
