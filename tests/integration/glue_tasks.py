"""Tasks of Glue without Airflow around them: what a worker and a triggerer do with an operator."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any, TypeVar

from airflow.exceptions import TaskDeferred

_Found = TypeVar("_Found")


def task_context(
    run_id: str,
    attempt: int = 1,
    *,
    max_tries: int = 2,
    started: datetime | None = None,
    task_id: str = "work",
) -> dict[str, Any]:
    """Make the context of an attempt at a task with two retries.

    After a user has cleared the task, ``max_tries`` is higher.
    """
    return {
        "ti": SimpleNamespace(
            dag_id="d",
            task_id=task_id,
            map_index=-1,
            run_id=run_id,
            try_number=attempt,
            max_tries=max_tries,
            task=SimpleNamespace(retries=2),
            xcom_push=lambda **_: None,
        ),
        "dag_run": SimpleNamespace(start_date=started),
    }


def event_of(trigger: Any) -> dict[str, Any]:
    """Do what the triggerer does: store the trigger, load it elsewhere, run it."""
    _, arguments = json.loads(json.dumps(trigger.serialize()))

    async def events() -> list[dict[str, Any]]:
        return [event.payload async for event in type(trigger)(**arguments).run()]

    (event,) = asyncio.run(asyncio.wait_for(events(), 120))
    return event


def finish(operator: Any, context: Mapping[str, Any]) -> Any:
    """Run a task to its end through all of its deferrals; give its result."""
    return finish_counting(operator, context)[0]


def finish_counting(operator: Any, context: Mapping[str, Any]) -> tuple[Any, int]:
    """Run a task to its end; give its result and the number of its deferrals."""
    try:
        return operator.execute(context), 0
    except TaskDeferred as deferred:
        trigger, kept = deferred.trigger, deferred.kwargs
    return _resumed(operator, context, trigger, kept)


def resume(operator: Any, context: Mapping[str, Any], trigger: Any) -> Any:
    """Run a task that was deferred to its end; give its result."""
    return _resumed(operator, context, trigger)[0]


def _resumed(
    operator: Any, context: Mapping[str, Any], trigger: Any, kept: Any = None
) -> tuple[Any, int]:
    deferrals = 1
    while True:
        more = json.loads(json.dumps(kept)) or {}
        try:
            return operator.execute_complete(context, event_of(trigger), **more), deferrals
        except TaskDeferred as deferred:
            trigger, kept = deferred.trigger, deferred.kwargs
            deferrals += 1


def wait_until(condition: Callable[[], _Found], seconds: float = 60) -> _Found:
    """Wait until something is true; give what it is."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)
    return found
