"""Runs a Glue job once, however often a task is tried, and waits for it."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from updraft.dynamodb.service_errors import THROTTLED, ServiceError, is_uncertain
from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.operators.glue_job_calls import (
    ConcurrentRunsError,
    GlueJobCalls,
    GlueJobRunError,
    JobRun,
)
from updraft.operators.glue_job_log import GlueJobLog
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.waiting import GRACE, Deferral, may_defer
from updraft.triggers.glue import GlueJobCapacityTrigger, GlueJobRunTrigger
from updraft.triggers.glue_polling import MOST_ERRORS

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(hours=48)
"""How long a task waits: the longest that Glue lets a job run by default. A retry waits again."""

SUCCEEDED = "SUCCEEDED"
_ACTIVE = frozenset({"STARTING", "RUNNING", "WAITING"})
_STOPPING = "STOPPING"
_MOST_STARTS = 6


class GlueJobRuns:
    """The runs of a job that belong to one task instance.

    StartJobRun takes no token, so a run is recognised by its arguments. An attempt of a task adopts
    a run of an earlier one that is still going on.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param job_name: name of the job, which exists.
    :param identity: the argument that has the same value in each attempt and no other task's
        value, such as ``--export_id``.
    :param deferrable: whether to wait in Airflow's triggerer.
    :param poll_interval: seconds between two looks at a run.
    :param overrides: further parameters of StartJobRun, such as ``NumberOfWorkers``.
    :param varying: names of arguments whose values differ between attempts.
    :param is_result: decides whether a run that has succeeded is what this task was to do; by
        default none is, since the caller knows the result from elsewhere. With it, the first
        attempt looks for a run as well.
    :param run_log: shows what the runs print.
    :param kill_switch: whether the task was told to stop; by default only :meth:`stop` tells it.
    :param hook: a hook made of these parameters, if there is one.
    """

    def __init__(
        self,
        hook_parameters: Mapping[str, Any],
        job_name: str,
        *,
        identity: str,
        deferrable: bool,
        poll_interval: int,
        overrides: Mapping[str, Any],
        varying: frozenset[str] = frozenset({"--attempt", "--series"}),
        is_result: Callable[[JobRun], bool] | None = None,
        run_log: GlueJobLog | None = None,
        kill_switch: KillSwitch | None = None,
        hook: GlueClientHook | None = None,
    ) -> None:
        self._calls = GlueJobCalls(hook_parameters, job_name, hook)
        self._job_name = job_name
        self._identity = identity
        self._deferrable = deferrable
        self._poll_interval = poll_interval
        self._overrides = overrides
        self._varying = varying
        self._is_result = is_result
        self._run_log = run_log
        self._waiting_for: str | None = None
        self._starting: Mapping[str, str] | None = None
        self._kill_switch = kill_switch or KillSwitch()
        self._trigger_errors = 0

    def adopt_or_start(self, arguments: Mapping[str, str], attempt: int) -> JobRun:
        """Find the run of an earlier attempt, or start one.

        :param arguments: the arguments of the script.
        :param attempt: number of the attempt.
        :returns: the run.
        :raises ConcurrentRunsError: when the job has as many runs as it may have.
        :raises TaskStoppedError: when the task was told to stop; a run that it started is stopped.
        :raises UpdraftError: when an earlier run is going on with other arguments, or AWS refuses.
        """
        looks = attempt > 1 or self._is_result is not None
        adopted = self._found(arguments) if looks else None
        if adopted is not None:
            log.info(
                "Adopted run %s of an earlier attempt, which is %s",
                adopted["Id"],
                adopted["JobRunState"],
            )
            if adopted["JobRunState"] in _ACTIVE:
                self._waiting_for = adopted["Id"]
                self._kill_switch.check(self._end)
                return self._oldest(adopted, arguments)
            return adopted
        run = {
            **self._overrides,
            "Id": self._start(arguments),
            "JobRunState": "STARTING",
            "Arguments": dict(arguments),
        }
        return self._oldest(run, arguments)

    def take_up(self, identity: str) -> None:
        """Look for a run that goes on when :meth:`stop` is called.

        :param identity: value of the argument that tells whose it is.
        """
        self._starting = {self._identity: identity}

    def wait(self, run: JobRun) -> JobRun | Deferral:
        """Wait for the end of a run.

        :param run: the run.
        :returns: the run after it has succeeded, or what to wait for.
        :raises UpdraftError: when it ended otherwise, or has not after :data:`LONGEST_WAIT`.
        """
        return self._wait_until(run, time.time() + LONGEST_WAIT.total_seconds())

    def look_again(self, event: Mapping[str, Any]) -> JobRun | Deferral:
        """Go on when a trigger has ended, whatever it says.

        :param event: its event.
        :returns: the run after it has succeeded, or what to wait for again.
        :raises UpdraftError: as :meth:`wait`.
        """
        self.hear(event)
        self._waiting_for = event["run_id"]
        self._kill_switch.check(self._end)  # until here, there was nothing known to stop
        return self._wait_until(self._calls.describe(event["run_id"]), event["give_up_at"])

    def hear(self, event: Mapping[str, Any]) -> None:
        """Note how a trigger has ended.

        :param event: its event.
        """
        if event["status"] != "success":
            log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)

    def wait_for_room(self, error: ConcurrentRunsError, give_up_at: float) -> Deferral | None:
        """Wait until the job may have another run.

        :param error: says that it may not.
        :param give_up_at: when the waiting ends, in seconds since 1970.
        :returns: what to wait for, None after a pause in the task's own slot.
        :raises ConcurrentRunsError: when it has taken too long.
        """
        seconds = give_up_at - time.time()
        if seconds <= 0:
            raise error
        log.info("%s Waiting for room.", error)
        if self._trigger_errors < MOST_ERRORS and may_defer(deferrable=self._deferrable):
            trigger = GlueJobCapacityTrigger(job_name=self._job_name, **self.waiting(give_up_at))
            return Deferral(trigger, timedelta(seconds=seconds) + GRACE)
        time.sleep(self._poll_interval)
        return None

    def stop(self) -> None:
        """Stop the run that is waited for; called from a signal handler."""
        self._kill_switch.throw()
        self._end()

    def _end(self) -> None:
        run_id = self._waiting_for
        try:
            if run_id is None and self._starting is not None:  # its answer has not come yet
                found = self._found(self._starting)
                run_id = found["Id"] if found and found["JobRunState"] in _ACTIVE else None
            if run_id is None:
                return
            self._calls.stop([run_id])
            log.info("Told Glue to stop run %s", run_id)
        except UpdraftError as error:
            log.warning("Run %s goes on; the next attempt adopts it. %s", run_id, error)

    @property
    def was_stopped(self) -> bool:
        """Whether :meth:`stop` was called."""
        return self._kill_switch.is_thrown

    def _found(self, arguments: Mapping[str, str]) -> JobRun | None:
        """Find the run of an earlier attempt that goes on or is the result."""
        for run in self._own_runs(arguments):
            while run["JobRunState"] == _STOPPING:
                log.info("Run %s is being stopped; waiting for its end", run["Id"])
                time.sleep(self._poll_interval)
                run = self._calls.describe(run["Id"])  # noqa: PLW2901 - its next state
            if run["JobRunState"] in _ACTIVE:
                self._check_same(run, arguments)
                return run
            if run["JobRunState"] == SUCCEEDED and self._is_result and self._is_result(run):
                differences = self._differences(run, arguments)
                if not differences:
                    return run
                log.info(
                    "Run %s has other values of %s; it is no result",
                    run["Id"],
                    ", ".join(differences),
                )
            log.info("Run %s of an earlier attempt ended as %s", run["Id"], run["JobRunState"])
        return None

    def _oldest(self, run: JobRun, arguments: Mapping[str, str]) -> JobRun:
        """Keep one run of those that go on, and stop the others.

        An attempt that Airflow has lost may still be alive, and start a run at the same moment as
        its successor. Each of them looks after its start, and both keep the same run.
        """
        try:
            active = [one for one in self._own_runs(arguments) if one["JobRunState"] in _ACTIVE]
        except ServiceError as error:
            log.warning("Whether run %s is the only one is not known. %s", run["Id"], error)
            return run
        active.sort(key=lambda one: (one["StartedOn"], one["Id"]))
        ids = [str(one["Id"]) for one in active]
        kept = active[0] if active else run
        surplus = sorted({*ids, str(run["Id"])} - {kept["Id"]})  # the last may not be listed yet
        if surplus:
            log.warning(
                "%s belongs to this task as well and is older; stopping %s",
                self._calls.named(kept["Id"]),
                ", ".join(surplus),
            )
            self._stop_runs(surplus)
        self._waiting_for = kept["Id"]
        self._kill_switch.check(self._end)
        if kept["Id"] != run["Id"]:
            self._check_same(kept, arguments)
        return kept

    def _stop_runs(self, run_ids: list[str]) -> None:
        try:
            self._calls.stop(run_ids)
        except ServiceError as error:
            log.warning("Runs %s may go on. %s", ", ".join(run_ids), error)

    def _own_runs(self, arguments: Mapping[str, str]) -> Iterator[JobRun]:
        """Give the runs of this task instance, the latest first as Glue lists them."""
        for run in self._calls.recent():
            if run.get("Arguments", {}).get(self._identity) == arguments[self._identity]:
                yield run

    def _differences(self, run: JobRun, arguments: Mapping[str, str]) -> list[str]:
        """Name the arguments that differ; their values may be secrets."""
        has = run.get("Arguments", {})
        return [
            name
            for name, value in arguments.items()
            if name not in self._varying and has.get(name) != value
        ]

    def _check_same(self, run: JobRun, arguments: Mapping[str, str]) -> None:
        differences = self._differences(run, arguments)
        if differences:
            raise UpdraftError(
                f"{self._calls.named(run['Id'])}, which an earlier attempt of this task started, "
                f"is still going on with other values of {', '.join(differences)}. Stop it or "
                "wait for its end, and let templates give the same values in each attempt."
            )

    def _start(self, arguments: Mapping[str, str]) -> str:
        for number in range(_MOST_STARTS):
            try:
                return self._start_once(arguments)
            except ServiceError as error:
                if is_uncertain(error):  # it may have begun nevertheless
                    found = self._found(arguments)
                    if found is not None:
                        self._waiting_for = str(found["Id"])
                        self._kill_switch.check(self._end)
                        return self._waiting_for
                if error.code not in THROTTLED or number + 1 == _MOST_STARTS:
                    raise
                time.sleep(2**number)
        raise AssertionError("unreachable")

    def _start_once(self, arguments: Mapping[str, str]) -> str:
        self._starting = arguments
        self._kill_switch.check()
        # From here on there is something to stop.
        self._waiting_for = self._calls.start(arguments, self._overrides)
        log.info("Glue has begun run %s of %s", self._waiting_for, self._job_name)
        self._kill_switch.check(self._end)
        return self._waiting_for

    def _wait_until(self, run: JobRun, give_up_at: float) -> JobRun | Deferral:
        run_id = self._waiting_for = run["Id"]
        state = ""
        while run["JobRunState"] in _ACTIVE or run["JobRunState"] == _STOPPING:
            if run["JobRunState"] != state:
                state = run["JobRunState"]
                log.info("Run %s is %s: %s", run_id, state, self._calls.log_link(run))
            seconds = give_up_at - time.time()
            if seconds <= 0:
                raise UpdraftError(
                    f"{self._calls.named(run_id)} is still {state} after {LONGEST_WAIT}. It goes "
                    "on; a retry of this task adopts it and waits again."
                )
            can_look = self._trigger_errors < MOST_ERRORS
            if can_look and may_defer(deferrable=self._deferrable):
                # Its log is shown when it has ended: a run prints nothing in its first moments.
                return self._deferral(run_id, give_up_at, seconds)
            self._follow(run)
            time.sleep(self._poll_interval)
            run = self._calls.describe(run_id)
        self._waiting_for = None
        self._follow(run)
        if run["JobRunState"] != SUCCEEDED:
            raise self._error(run)
        return run

    def _follow(self, run: JobRun) -> None:
        if self._run_log is not None:
            self._run_log.follow(run)

    def _error(self, run: JobRun) -> "GlueJobRunError":
        reason = run.get("ErrorMessage") or "Glue gives no reason"
        trace = self._run_log.traceback(run) if self._run_log is not None else ""
        return GlueJobRunError(
            f"{self._calls.named(run['Id'])} ended as {run['JobRunState']}: {reason} Its log is at "
            f"{self._calls.log_link(run)}{trace and chr(10)}{trace}",
            reason,
            run,
        )

    def _deferral(self, run_id: str, give_up_at: float, seconds: float) -> Deferral:
        trigger = GlueJobRunTrigger(
            job_name=self._job_name, run_id=run_id, **self.waiting(give_up_at)
        )
        return Deferral(trigger, timedelta(seconds=seconds) + GRACE)

    def waiting(self, give_up_at: float) -> dict[str, Any]:
        """Say how a trigger waits and reaches AWS.

        :param give_up_at: when the waiting ends, in seconds since 1970.
        :returns: arguments of a :class:`GluePollingTrigger`.
        """
        return {
            "give_up_at": give_up_at,
            "waiter_delay": self._poll_interval,
            "errors": self._trigger_errors,
            **self._calls.connection(),
        }
