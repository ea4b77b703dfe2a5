"""Runs a Glue job once, however often a task is tried, and waits for it."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from updraft.dynamodb.service_errors import THROTTLED, ServiceError, explained, is_uncertain
from updraft.errors import UpdraftError
from updraft.hooks.clients import connected_client
from updraft.hooks.glue import GlueClientHook
from updraft.operators.glue_job_log import DEFAULT_LOG_GROUP, GlueJobLog, log_link
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.waiting import GRACE, Deferral, may_defer
from updraft.triggers.glue import GlueJobRunTrigger
from updraft.triggers.glue_polling import MOST_ERRORS

log = logging.getLogger(__name__)

JobRun: TypeAlias = Mapping[str, Any]
"""What GetJobRun says about one run."""

LONGEST_WAIT = timedelta(hours=48)
"""How long a task waits: the longest that Glue lets a job run by default. A retry waits again."""

SUCCEEDED = "SUCCEEDED"
_ACTIVE = frozenset({"STARTING", "RUNNING", "WAITING"})
_STOPPING = "STOPPING"
_OLDEST = timedelta(days=8)  # no run takes longer than seven days
_PAGE = 200
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
        varying: frozenset[str] = frozenset({"--attempt"}),
        is_result: Callable[[JobRun], bool] | None = None,
        run_log: GlueJobLog | None = None,
        kill_switch: KillSwitch | None = None,
        hook: GlueClientHook | None = None,
    ) -> None:
        self._hook_parameters = dict(hook_parameters)
        self._hook = hook or GlueClientHook(**self._hook_parameters)
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
        if event["status"] != "success":
            log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)
        return self._wait_until(self._describe(event["run_id"]), event["give_up_at"])

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
            with self._explained("glue:BatchStopJobRun"):
                self._client().batch_stop_job_run(JobName=self._job_name, JobRunIds=[run_id])
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
                run = self._describe(run["Id"])  # noqa: PLW2901 - its next state
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
                self._named(kept["Id"]),
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
            with self._explained("glue:BatchStopJobRun"):
                self._client().batch_stop_job_run(JobName=self._job_name, JobRunIds=run_ids)
        except ServiceError as error:
            log.warning("Runs %s may go on. %s", ", ".join(run_ids), error)

    def _own_runs(self, arguments: Mapping[str, str]) -> Iterator[JobRun]:
        """Give the runs of this task instance, the latest first as Glue lists them."""
        oldest = datetime.now(UTC) - _OLDEST
        token = ""
        while True:  # an error in the middle of a paginator would stand on its own
            more: dict[str, Any] = {"NextToken": token} if token else {}
            with self._explained("glue:GetJobRuns"):
                page = self._client().get_job_runs(JobName=self._job_name, MaxResults=_PAGE, **more)
            for run in page["JobRuns"]:
                if run["StartedOn"] < oldest:
                    return
                if run.get("Arguments", {}).get(self._identity) == arguments[self._identity]:
                    yield run
            token = page.get("NextToken", "")
            if not token:
                return

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
                f"{self._named(run['Id'])}, which an earlier attempt of this task started, is "
                f"still going on with other values of {', '.join(differences)}. Stop it or wait "
                "for its end, and let templates give the same values in each attempt."
            )

    def _start(self, arguments: Mapping[str, str]) -> str:
        for number in range(_MOST_STARTS):
            try:
                return self._start_once(arguments)
            except ServiceError as error:
                if error.code == "ConcurrentRunsExceededException":
                    raise ConcurrentRunsError(
                        f"The Glue job {self._job_name!r} has as many runs as it may have at the "
                        "same time. Raise its MaxConcurrentRuns, or limit the tasks that use it "
                        "with a pool."
                    ) from error
                if error.code == "ResourceNumberLimitExceededException":
                    raise ConcurrentRunsError(
                        f"The Glue job {self._job_name!r} cannot be run now, since the account has "
                        f"reached a quota ({error.message}). Let it be raised, or limit the tasks "
                        "that run jobs with a pool."
                    ) from error
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
        client = self._hook.client_without_retries
        self._starting = arguments
        self._kill_switch.check()
        with self._explained("glue:StartJobRun"):
            answer = client.start_job_run(
                JobName=self._job_name, Arguments=arguments, **self._overrides
            )
        self._waiting_for = str(answer["JobRunId"])  # from here on there is something to stop
        log.info("Glue has begun run %s of %s", self._waiting_for, self._job_name)
        self._kill_switch.check(self._end)
        return self._waiting_for

    def _describe(self, run_id: str) -> JobRun:
        with self._explained("glue:GetJobRun"):
            answer = self._client().get_job_run(JobName=self._job_name, RunId=run_id)
        run: JobRun = answer["JobRun"]
        return run

    def _wait_until(self, run: JobRun, give_up_at: float) -> JobRun | Deferral:
        run_id = self._waiting_for = run["Id"]
        state = ""
        while run["JobRunState"] in _ACTIVE or run["JobRunState"] == _STOPPING:
            if run["JobRunState"] != state:
                state = run["JobRunState"]
                log.info("Run %s is %s: %s", run_id, state, self._log_link(run))
            seconds = give_up_at - time.time()
            if seconds <= 0:
                raise UpdraftError(
                    f"{self._named(run_id)} is still {state} after {LONGEST_WAIT}. It goes on; a "
                    "retry of this task adopts it and waits again."
                )
            can_look = self._trigger_errors < MOST_ERRORS
            if can_look and may_defer(deferrable=self._deferrable):
                # Its log is shown when it has ended: a run prints nothing in its first moments.
                return self._deferral(run_id, give_up_at, seconds)
            self._follow(run)
            time.sleep(self._poll_interval)
            run = self._describe(run_id)
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
            f"{self._named(run['Id'])} ended as {run['JobRunState']}: {reason} Its log is at "
            f"{self._log_link(run)}{trace and chr(10)}{trace}",
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
            "aws_conn_id": self._hook.aws_conn_id,
            "region_name": self._client().meta.region_name,
            "verify": self._hook_parameters.get("verify"),
            "botocore_config": self._hook_parameters.get("config"),
            "errors": self._trigger_errors,
        }

    def _client(self) -> Any:
        return connected_client(self._hook)

    def _explained(self, action: str) -> Any:
        return explained(action, f"job {self._job_name!r}")

    def _named(self, run_id: str) -> str:
        return f"Run {run_id} of the Glue job {self._job_name!r}"

    def _log_link(self, run: JobRun) -> str:
        region: str = self._client().meta.region_name
        group = f"{run.get('LogGroupName') or DEFAULT_LOG_GROUP}/error"
        return log_link(self._hook.conn_partition, region, group, run["Id"])


class ConcurrentRunsError(UpdraftError):
    """A job, or the account, has as many runs as it may have at the same time."""


class GlueJobRunError(UpdraftError):
    """A run did not succeed.

    :param text: the whole story.
    :param reason: what Glue says.
    :param run: the run.
    """

    def __init__(self, text: str, reason: str, run: JobRun) -> None:
        super().__init__(text)
        self.reason = reason
        self.run = run
