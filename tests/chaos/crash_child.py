"""The processes in which Airflow runs tasks and triggers, with a watch on their calls of AWS.

Before a call leaves and after its answer is there, the process asks the test what to do. Tasks are
run by Airflow's own task runner, and triggers by its trigger runner: templates, deferral, signals
and ``on_kill`` are not imitated. Only what these two ask Airflow's API server goes to the test.
"""

import asyncio
import importlib
import logging
import os
import signal
import sys
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
from aiobotocore.httpsession import AIOHTTPSession
from airflow.jobs.triggerer_job_runner import _USER_ACTION_CANCEL_MSG, TriggerRunner
from airflow.models.trigger import Trigger
from airflow.sdk.api.datamodels._generated import DagRun, TaskInstance, TIRunContext
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.serialization.decoders import smart_decode_trigger_kwargs
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from tests.chaos.crash_faults import Call, Command
from updraft.aws.kept_connections import KeptConnectionsSession

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_LOOK = 0.02  # seconds between two looks at what a trigger has said


@dataclass(frozen=True)
class Attempt:
    """One process of a task instance.

    :param task_id: id of the task.
    :param run_id: id of its DAG run.
    :param try_number: which try of the task it is, from 1.
    :param max_tries: up to which try Airflow tries again.
    :param clear_number: how often a user has cleared tasks of the run.
    :param next_method: the method that takes the task up after a deferral.
    :param next_kwargs: its arguments, serialised.
    :param xcom_keys: the XComs of an earlier try, which this one removes first.
    :param instance_id: the id that Airflow gives to each try.
    """

    task_id: str
    run_id: str
    try_number: int = 1
    max_tries: int = 0
    clear_number: int = 0
    next_method: str | None = None
    next_kwargs: dict | None = None
    xcom_keys: tuple[str, ...] = ()
    instance_id: uuid.UUID = field(default_factory=uuid.uuid4)


@dataclass(frozen=True)
class TriggerFired:
    """The event of a trigger."""

    payload: object


@dataclass(frozen=True)
class TriggerFailed:
    """A trigger ended without an event."""

    traceback: list[str]


class Line:
    """Asks the test, which plays the rest of Airflow; also in place of Airflow's supervisor.

    :param connection: leads to the test.
    """

    def __init__(self, connection):
        self._connection = connection
        self._lock = threading.RLock()
        self._sending = threading.local()
        self.trigger_task = None

    def ask(self, *message):
        with self._lock:
            self._connection.send(message)
            return self._connection.recv()

    def send(self, msg):
        """Send a message of Airflow's task runner to its supervisor."""
        answer = self.ask("airflow", msg)
        if isinstance(answer, Command):
            self.obey(answer)
            return None
        return answer

    async def asend(self, msg):
        return self.send(msg)

    def obey(self, command):
        if command is Command.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if command is Command.TERMINATE:
            os.kill(os.getpid(), signal.SIGTERM)
        if command is Command.CANCEL:
            self.trigger_task.cancel(_USER_ACTION_CANCEL_MSG)
        if command is Command.CANCEL_QUIETLY:
            self.trigger_task.cancel()

    def before(self, request):
        command, number = self.ask("before", Call.of(request))
        self.obey(command)
        return number

    def after(self, number, request):
        command = self.ask("after", number)
        if command is Command.LOSE_ANSWER:
            raise ConnectionClosedError(endpoint_url=request.url, request=request)
        self.obey(command)

    @contextmanager
    def sending(self):
        """Tell a session that sends through the session that it extends."""
        outer = not getattr(self._sending, "now", False)
        self._sending.now = True
        try:
            yield outer
        finally:
            if outer:
                self._sending.now = False

    def watch(self, session_type):
        """Watch what botocore's HTTP session sends, or one that extends it."""
        send = session_type.send

        def watched(session, request):
            with self.sending() as outer:
                if not outer:
                    return send(session, request)
                number = self.before(request)
                response = send(session, request)
                self.after(number, request)
                return response

        session_type.send = watched

    def watch_async(self, session_type):
        """Watch what aiobotocore's HTTP session sends."""
        send = session_type.send

        async def watched(session, request):
            number = self.before(request)
            await asyncio.sleep(0)  # here the task is cancelled, if it is told to be
            response = await send(session, request)
            self.after(number, request)
            await asyncio.sleep(0)
            return response

        session_type.send = watched


@dataclass(frozen=True)
class Setting:
    """What a process is given to work with.

    :param connection: leads to the test.
    :param environment: variables, those that lead to the local stack among them.
    :param log_file: path of the file that gets the log.
    """

    connection: object
    environment: dict
    log_file: str


def _begin(setting):
    """Turn a fresh process into one of Airflow's."""
    os.environ.update(setting.environment)
    stream = os.open(setting.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    sys.stdout = sys.stderr = os.fdopen(os.dup(stream), "w", buffering=1)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)

    line = Line(setting.connection)
    line.watch(URLLib3Session)
    line.watch(KeptConnectionsSession)
    line.watch_async(AIOHTTPSession)
    task_runner.SUPERVISOR_COMMS = line
    return line


def run_task(setting, make_dag, arguments, attempt):
    """Run a task instance as a worker does.

    :param setting: what it works with.
    :param make_dag: makes the DAG from the arguments, as its file would.
    :param arguments: these arguments.
    :param attempt: which process of which task it is.
    """
    _begin(setting)
    task = make_dag(**arguments).get_task(attempt.task_id)
    dag_run = DagRun(
        dag_id=task.dag_id,
        run_id=attempt.run_id,
        logical_date=_MOMENT,
        data_interval_start=_MOMENT,
        data_interval_end=_MOMENT,
        run_after=_MOMENT,
        start_date=_MOMENT,
        end_date=None,
        clear_number=attempt.clear_number,
        run_type="manual",
        state="running",
        consumed_asset_events=[],
        partition_key=None,
    )
    instance = RuntimeTaskInstance.model_construct(
        id=attempt.instance_id,
        task_id=task.task_id,
        dag_id=task.dag_id,
        run_id=attempt.run_id,
        try_number=attempt.try_number,
        map_index=-1,
        dag_version_id=uuid.uuid4(),
        task=task,
        max_tries=attempt.max_tries,
        start_date=datetime.now(UTC),
        state="running",
        _ti_context_from_server=TIRunContext(
            dag_run=dag_run,
            max_tries=attempt.max_tries,
            should_retry=attempt.try_number <= attempt.max_tries,
            next_method=attempt.next_method,
            next_kwargs=attempt.next_kwargs,
            xcom_keys_to_clear=list(attempt.xcom_keys),
        ),
    )
    context = instance.get_template_context()
    log = structlog.get_logger(logger_name="task")
    state, _, error = task_runner.run(instance, context, log)
    context["exception"] = error
    task_runner.finalize(instance, state, context, log, error)


def run_trigger(setting, classpath, encrypted_kwargs, attempt):
    """Run a trigger as the triggerer does.

    :param setting: what it works with.
    :param classpath: full name of the trigger's class.
    :param encrypted_kwargs: its arguments as Airflow's database has them.
    :param attempt: the process that has deferred.
    """
    line = _begin(setting)
    module, _, name = classpath.rpartition(".")
    trigger_type = getattr(importlib.import_module(module), name)
    kwargs = Trigger._decrypt_kwargs(encrypted_kwargs)
    trigger = trigger_type(
        **{key: smart_decode_trigger_kwargs(value) for key, value in kwargs.items()}
    )
    trigger.task_instance = TaskInstance.model_construct(
        id=attempt.instance_id,
        dag_id="crash",
        task_id=attempt.task_id,
        run_id=attempt.run_id,
        try_number=attempt.try_number,
        map_index=-1,
    )
    line.send(asyncio.run(_outcome(line, trigger)))


async def _outcome(line, trigger):
    runner = TriggerRunner()
    runner.triggers[1] = {"task": None, "is_watcher": False, "name": "crash", "events": 0}
    task = line.trigger_task = asyncio.create_task(runner.run_trigger(1, trigger))
    while not task.done() and not runner.events:
        await asyncio.wait({task}, timeout=_LOOK)
    if runner.events:
        task.cancel()
        return TriggerFired(runner.events[0].event.payload)
    if task.cancelled():
        return TriggerFailed(["cancelled"])
    return TriggerFailed([repr(task.exception() or "the trigger ended without an event")])
