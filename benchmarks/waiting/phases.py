"""What a worker does: the part of a task before it waits, the part after it, or all of it."""

import json
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk.exceptions import TaskDeferred
from botocore.httpsession import URLLib3Session

from benchmarks.waiting.contenders import context, task
from benchmarks.waiting.work import Work

# Seconds between two tasks of a worker that begin and stay: Airflow's scheduler begins a few at a
# time too, and all processes of the local Glue at once would keep the stack from answering.
_BEGIN_APART = 0.5
_LOCK = threading.Lock()
_CALLS = {"sync": 0, "async": 0}


@dataclass(frozen=True)
class Occupation:
    """What a phase took.

    :param seconds: how long it held its worker, in seconds.
    :param calls: calls of AWS that it made.
    :param deferral: class and arguments of the trigger, and the method to go on with, as JSON;
        empty when the task has ended.
    """

    seconds: float
    calls: int
    deferral: str = ""


def prepare_worker(name: str, work: Work) -> None:
    """Import and warm up, which Airflow's workers have done before they fork a task.

    :param name: name of the contender.
    :param work: what it does.
    """
    logging.disable(logging.WARNING)
    count_calls()
    task(name, work)
    AwsBaseHook(aws_conn_id=None, client_type="glue", region_name="us-east-1").get_conn()


def count_calls() -> None:
    """Count the requests that leave this process for AWS."""
    if _CALLS.get("counting"):
        return
    _CALLS["counting"] = 1
    send, send_async = URLLib3Session.send, AIOHTTPSession.send

    def counted(session: Any, request: Any) -> Any:
        with _LOCK:
            _CALLS["sync"] += 1
        return send(session, request)

    async def counted_async(session: Any, request: Any) -> Any:
        _CALLS["async"] += 1
        return await send_async(session, request)

    URLLib3Session.send = counted
    AIOHTTPSession.send = counted_async


def calls_of_triggers() -> int:
    """Return how many calls the triggers of this process have made."""
    return _CALLS["async"]


def execute(name: str, work: Work, indices: Sequence[int]) -> list[Occupation]:
    """Run tasks until they wait or end, all of them at the same time.

    :param name: name of the contender.
    :param work: what it does.
    :param indices: which of the runs.
    :returns: what each of them took.
    """
    before = _CALLS["sync"]
    with ThreadPoolExecutor(len(indices)) as slots:
        seconds = list(
            slots.map(
                lambda place: _begin(name, work, indices[place], place * _BEGIN_APART),
                range(len(indices)),
            )
        )
    calls = (_CALLS["sync"] - before) / len(indices)
    return [Occupation(taken, round(calls), deferral) for taken, deferral in seconds]


def _begin(name: str, work: Work, index: int, pause: float = 0) -> tuple[float, str]:
    operator = task(name, work)
    time.sleep(pause)
    begin, deferral = time.perf_counter(), ""
    try:
        operator.execute(context(operator, index))
    except TaskDeferred as deferred:
        deferral = json.dumps([deferred.trigger.serialize(), deferred.method_name])
    return time.perf_counter() - begin, deferral


def resume(name: str, work: Work, index: int, method: str, event: Any) -> Occupation:
    """Take a task up when its trigger has fired.

    :param name: name of the contender.
    :param work: what it does.
    :param index: which of the runs.
    :param method: the method to go on with.
    :param event: the event of the trigger.
    :returns: what it took; with a deferral if the task waits again.
    """
    operator, before = task(name, work), _CALLS["sync"]
    begin, deferral = time.perf_counter(), ""
    try:
        getattr(operator, method)(context(operator, index), event=event)
    except TaskDeferred as deferred:
        deferral = json.dumps([deferred.trigger.serialize(), deferred.method_name])
    return Occupation(time.perf_counter() - begin, _CALLS["sync"] - before, deferral)
