"""Plays scheduler, API server and triggerer for one DAG run, and does harm to its processes.

Nothing is remembered but what Airflow's database would have: states, XComs, and for a deferred task
its trigger. The store for the state of tasks stays empty, as on versions that have none. The
deadlines of deferrals and delays between tries are left out: what is deferred waits for its event,
and a task is tried again at once.
"""

import multiprocessing
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from airflow.models.trigger import TRIGGER_FAIL_REPR, Trigger, TriggerFailureReason
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import comms
from airflow.sdk.serde import deserialize, serialize

from tests.chaos.crash_child import (
    Attempt,
    Setting,
    TriggerFailed,
    TriggerFired,
    run_task,
    run_trigger,
)
from tests.chaos.crash_faults import Call, Command, Fault, Injection, Moment

GRACE = 5.0  # seconds between SIGTERM and SIGKILL, those of Airflow's supervisor
_PATIENCE = 120.0  # seconds without a call after which a process hangs
_LAST_WORDS = (
    "DeferTask",
    "RetryTask",
    "SucceedTask",
    "TaskState",
    "TriggerFailed",
    "TriggerFired",
)

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.chaos.crash_preload"])


@dataclass(frozen=True)
class Subject:
    """What is run.

    :param make_dag: a function at the top of a module, which makes a DAG in each process anew.
    :param tasks: ids of the tasks whose calls count, in the order in which they run.
    :param cleanup: ids of the tasks that run then whatever has happened, such as the teardown.
    :param only: whether a call counts, by its name; by default all do.
    :param retries: how often Airflow tries a task again.
    """

    make_dag: Callable
    tasks: tuple[str, ...]
    cleanup: tuple[str, ...] = ()
    only: Callable[[str], bool] = lambda _: True
    retries: int = 2


@dataclass
class Outcome:
    """How a run went.

    :param injection: what was done to it, None for nothing.
    :param log_file: the log of all its processes.
    :param states: the last state of each task that ran.
    :param tries: how often each was tried.
    :param xcoms: what the tasks pushed, by task and key.
    :param counted: the names of the calls that count, in their order.
    :param journal: all calls and processes, one line each.
    :param happened: whether the call was reached at which the fault was to happen.
    """

    injection: Injection | None
    log_file: Path
    states: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    xcoms: dict[tuple[str, str], object] = field(default_factory=dict)
    counted: list[str] = field(default_factory=list)
    journal: list[str] = field(default_factory=list)
    happened: bool = False

    def returned(self, task_id):
        return self.xcoms.get((task_id, "return_value"))


class DagRun:
    """One run of a subject.

    :param subject: what is run.
    :param arguments: the arguments of its DAG.
    :param environment: variables that lead its processes to the local stack.
    :param log_file: where these processes log to.
    :param injection: what is done to one of them.
    """

    def __init__(self, subject, arguments, environment, log_file, injection=None):
        self._subject = subject
        self._arguments = arguments
        self._environment = {
            **environment,
            "AIRFLOW__OPENLINEAGE__DISABLED": "True",
            "AIRFLOW__UPDRAFT__ENVIRONMENT": "crash",
        }
        self._injection = injection
        self._run_id = f"crash__{uuid.uuid4()}"
        self._counts = True
        self._in_trigger = False
        self._user_action = None
        self._last_word = None
        self._same = (None, 0)
        self.outcome = Outcome(injection, log_file)
        self._answers = {
            "DeleteXCom": self._delete_xcom,
            "GetConnection": lambda _: _no(ErrorType.CONNECTION_NOT_FOUND),
            "GetDRCount": lambda _: comms.DRCount(count=1),
            "GetDagRunState": self._state_of_run,
            "GetTaskStateStore": lambda _: _no(ErrorType.TASK_STORE_NOT_FOUND),
            "GetVariable": lambda _: _no(ErrorType.VARIABLE_NOT_FOUND),
            "GetXCom": lambda message: comms.XComResult(
                key=message.key, value=self.outcome.xcoms.get((message.task_id, message.key))
            ),
            "GetXComSequenceSlice": self._get_xcoms,
            "SetXCom": self._set_xcom,
            "ValidateInletsAndOutlets": lambda _: comms.InactiveAssetsResult(inactive_assets=[]),
        }

    def run(self):
        """Run all tasks.

        :returns: how it went.
        """
        for task_id in self._subject.tasks:
            if self._run(task_id) != "success":
                break
        self._counts = False
        for task_id in self._subject.cleanup:
            self._run(task_id)
        return self.outcome

    def _run(self, task_id):
        attempt = Attempt(task_id, self._run_id, max_tries=self._subject.retries)
        while True:
            self.outcome.tries[task_id] = attempt.try_number
            state, was_deferred = self._try(attempt)
            self._journal(f"-- {task_id}: try {attempt.try_number} ended as {state}")
            self.outcome.states[task_id] = state
            if state not in {"up_for_retry", "cleared"}:
                return state
            keys = [key for task, key in self.outcome.xcoms if task == task_id]
            following = replace(
                attempt,
                try_number=attempt.try_number + 1,
                instance_id=uuid.uuid4(),
                xcom_keys=tuple(keys),
            )
            if state == "cleared":
                # See clear_task_instances in airflow.models.taskinstance.
                following = replace(following, clear_number=attempt.clear_number + 1)
                if was_deferred:
                    following = replace(
                        following, max_tries=attempt.try_number + self._subject.retries
                    )
            attempt = following

    def _try(self, attempt):
        """Run one try to its end, through all deferrals."""
        said = self._task(attempt)
        while type(said).__name__ == "DeferTask":
            event = self._trigger(said, attempt)
            if self._user_action is not None:
                return self._state_after(None, attempt), True
            method, kwargs = _resumption(said, event)
            said = self._task(replace(attempt, next_method=method, next_kwargs=kwargs))
        return self._state_after(said, attempt), False

    def _state_after(self, said, attempt):
        action, self._user_action = self._user_action, None
        if action is not None:
            return "cleared" if action is Fault.CLEAR else "failed"
        name = type(said).__name__
        if name == "SucceedTask":
            return "success"
        if name == "TaskState":
            return said.state.value
        # A process that dies without a word is tried again as one that asks for it.
        return "up_for_retry" if attempt.try_number <= attempt.max_tries else "failed"

    def _task(self, attempt):
        phase = attempt.next_method or "execute"
        self._journal(f"-- {attempt.task_id}: {phase}, try {attempt.try_number}")
        self._in_trigger = False
        return self._process(run_task, self._subject.make_dag, self._arguments, attempt)

    def _trigger(self, deferral, attempt):
        """Run a trigger until it has said something; if its triggerer dies, another runs it."""
        self._in_trigger = True
        encrypted = Trigger.encrypt_kwargs(deferral.trigger_kwargs)
        while True:
            self._journal(f"-- {attempt.task_id}: trigger {deferral.classpath}")
            said = self._process(run_trigger, deferral.classpath, encrypted, attempt)
            if said is not None or self._user_action is not None:
                return said

    def _process(self, target, *arguments):
        """Run a process to its end.

        :returns: its last word; None when it had none that counts.
        """
        self._last_word, self._same = None, (None, 0)
        connection, other_end = _PROCESSES.Pipe()
        setting = Setting(other_end, self._environment, str(self.outcome.log_file))
        process = _PROCESSES.Process(target=target, args=(setting, *arguments))
        process.start()
        other_end.close()
        give_up_at, killed = None, False
        while True:
            if self._user_action is not None and give_up_at is None:
                give_up_at = time.monotonic() + GRACE
            patience = _PATIENCE if give_up_at is None else give_up_at - time.monotonic()
            if patience <= 0 or not connection.poll(patience):
                process.kill()
                killed = True
                if give_up_at is None:
                    raise AssertionError(f"A process hangs\n{self.report()}")
                self._journal(f"   SIGKILL {GRACE:g} s after SIGTERM")
                break
            try:
                message = connection.recv()
            except (EOFError, ConnectionResetError):
                break
            try:
                connection.send(self._answer(*message))
            except BrokenPipeError:
                break
        process.join()
        if process.exitcode and not killed:
            self._journal(f"   the process ended with {process.exitcode}")
        process.close()
        connection.close()
        return self._last_word

    def _answer(self, kind, content):
        if kind == "before":
            return self._before(content)
        if kind == "after":
            return self._command(Moment.AFTER, content)
        name = type(content).__name__
        if name not in _LAST_WORDS:
            return self._api_server(name, content)
        command, _ = self._before(Call(f"airflow:{name}", reads=False))
        # What a task says after a user has ended it is refused, as is the event of its trigger.
        if self._user_action is None and command is not Command.KILL:
            self._last_word = content
        return None if self._in_trigger and command is not Command.KILL else command

    def _before(self, call):
        """Count a call.

        :returns: what the process is to do, and the number of the call; 0 for one that does not
            count.
        """
        key, seen = self._same
        seen = seen + 1 if call == key else 1
        self._same = (call, seen)
        number = 0
        # All but the first two looks of a loop that waits are as good as the second one.
        polls = call.reads and seen > 2
        if self._counts and not polls and self._subject.only(call.name):
            self.outcome.counted.append(call.name)
            number = len(self.outcome.counted)
        if not polls:
            self._journal(f"{number or '':>3} {call.name}")
        return self._command(Moment.BEFORE, number), number

    def _command(self, moment, number):
        injection = self._injection
        if (
            injection is None
            or self.outcome.happened
            or number != injection.number
            or moment is not injection.moment
        ):
            return Command.GO_ON
        self.outcome.happened = True
        self._journal(f"    >>> {injection}")
        if injection.fault is Fault.KILL:
            return Command.KILL
        if injection.fault is Fault.LOSE_ANSWER:
            return Command.LOSE_ANSWER
        self._user_action = injection.fault
        if not self._in_trigger:
            return Command.TERMINATE
        return Command.CANCEL if injection.tells_triggers else Command.CANCEL_QUIETLY

    def _api_server(self, name, message):
        """Answer what a task asks while it runs; all that changes something is acknowledged."""
        if name in self._answers:
            return self._answers[name](message)
        if name.startswith("Get"):
            self._journal(f"    Airflow was asked for {name}, which the test does not answer")
            return comms.ErrorResponse(error=ErrorType.GENERIC_ERROR, detail={"asked": name})
        return comms.OKResponse(ok=True)

    def _get_xcoms(self, message):
        key = (message.task_id, message.key)
        found = self.outcome.xcoms
        return comms.XComSequenceSliceResult(root=[found[key]] if key in found else [])

    def _set_xcom(self, message):
        self.outcome.xcoms[message.task_id, message.key] = message.value
        return comms.OKResponse(ok=True)

    def _delete_xcom(self, message):
        self.outcome.xcoms.pop((message.task_id, message.key), None)
        return comms.OKResponse(ok=True)

    def _state_of_run(self, _):
        """Say whether the run goes on; the cleanup comes when it has ended."""
        return comms.DagRunStateResult(state="running" if self._counts else "failed")

    def _journal(self, line):
        self.outcome.journal.append(line)

    def report(self):
        """Tell what happened, for the message of a test that fails."""
        log = self.outcome.log_file
        tail = log.read_text(errors="replace").splitlines()[-40:] if log.exists() else []
        return "\n".join([*self.outcome.journal, f"-- the end of {log}:", *tail])


def _no(error):
    return comms.ErrorResponse(error=error)


def _resumption(deferral, event):
    """Say how Airflow takes a task up, see submit_event and submit_failure of its Trigger."""
    if isinstance(event, TriggerFired):
        kwargs = deserialize(deferral.next_kwargs or {})
        return deferral.next_method, serialize({**kwargs, "event": event.payload})
    assert isinstance(event, TriggerFailed)
    reason = {"error": TriggerFailureReason.TRIGGER_FAILURE.value, "traceback": event.traceback}
    return TRIGGER_FAIL_REPR, serialize(reason)
