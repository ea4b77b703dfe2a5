"""Runs a Glue job once, however often a task is tried, and waits for it."""

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import quote

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink

from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.errors import UpdraftError
from updraft.hooks.clients import connected_client
from updraft.hooks.glue import GlueClientHook
from updraft.operators.dynamodb_base import Deferral, may_defer
from updraft.triggers.glue import GlueJobRunTrigger

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
_THROTTLED = frozenset({"Throttling", "ThrottlingException"})
_MOST_STARTS = 6
_LEAST_WORKERS = 2
_GRACE = timedelta(hours=1)  # for the calls between the pauses, so that the trigger ends first
_ONE_ATTEMPT = {"retries": {"mode": "standard", "total_max_attempts": 1}}


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
    ) -> None:
        self._hook_parameters = dict(hook_parameters)
        self._hook = GlueClientHook(**self._hook_parameters)
        self._job_name = job_name
        self._identity = identity
        self._deferrable = deferrable
        self._poll_interval = poll_interval
        self._overrides = overrides
        self._waiting_for: str | None = None

    def adopt_or_start(self, arguments: Mapping[str, str], attempt: int) -> JobRun:
        """Find the run of an earlier attempt, or start one.

        :param arguments: the arguments of the script.
        :param attempt: number of the attempt.
        :returns: the run.
        :raises UpdraftError: when an earlier run is going on with other arguments, or AWS refuses.
        """
        adopted = self._going_on(arguments) if attempt > 1 else None
        if adopted is not None:
            log.info("Adopted run %s of an earlier attempt", adopted["Id"])
            return adopted
        return self._describe(self._start(arguments))

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
        return self._wait_until(self._describe(event["run_id"]), event["give_up_at"])

    def stop(self) -> None:
        """Stop the run that is waited for; called from a signal handler."""
        run_id = self._waiting_for
        if run_id is None:
            return
        try:
            with self._explained("glue:BatchStopJobRun"):
                self._client().batch_stop_job_run(JobName=self._job_name, JobRunIds=[run_id])
            log.info("Told Glue to stop run %s", run_id)
        except ServiceError as error:
            log.warning("Run %s goes on; the next attempt adopts it. %s", run_id, error)

    def _going_on(self, arguments: Mapping[str, str]) -> JobRun | None:
        """Find the run that an earlier attempt started, if it has not ended."""
        for run in self._own_runs(arguments):
            while run["JobRunState"] == _STOPPING:
                log.info("Run %s is being stopped; waiting for its end", run["Id"])
                time.sleep(self._poll_interval)
                run = self._describe(run["Id"])  # noqa: PLW2901 - its next state
            if run["JobRunState"] in _ACTIVE:
                self._check_same(run, arguments)
                return run
            log.info("Run %s of an earlier attempt ended as %s", run["Id"], run["JobRunState"])
        return None

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

    def _check_same(self, run: JobRun, arguments: Mapping[str, str]) -> None:
        has = run.get("Arguments", {})
        differences = [
            f"{name} {has.get(name)!r} instead of {value!r}"
            for name, value in arguments.items()
            if name != "--attempt" and has.get(name) != value
        ]
        if differences:
            raise UpdraftError(
                f"{self._named(run['Id'])}, which an earlier attempt of this task started, is "
                f"still going on with other arguments: {'; '.join(differences)}. Stop it or wait "
                "for its end, and let templates give the same values in each attempt."
            )

    def _start(self, arguments: Mapping[str, str]) -> str:
        for number in range(_MOST_STARTS):
            try:
                return self._start_once(arguments)
            except ServiceError as error:
                if error.code == "ConcurrentRunsExceededException":
                    raise UpdraftError(
                        f"The Glue job {self._job_name!r} has as many runs as it may have at the "
                        "same time. Raise its MaxConcurrentRuns, or limit the tasks that use it "
                        "with a pool."
                    ) from error
                if not error.code:  # no answer: it may have begun nevertheless
                    found = self._going_on(arguments)
                    if found is not None:
                        return str(found["Id"])
                if error.code not in _THROTTLED or number + 1 == _MOST_STARTS:
                    raise
                time.sleep(2**number)
        raise AssertionError("unreachable")

    def _start_once(self, arguments: Mapping[str, str]) -> str:
        # A call that botocore repeats after a lost answer would start a second run.
        client = self._client(_ONE_ATTEMPT)
        with self._explained("glue:StartJobRun"):
            answer = client.start_job_run(
                JobName=self._job_name, Arguments=arguments, **self._overrides
            )
        self._waiting_for = str(answer["JobRunId"])  # from here on there is something to stop
        log.info("Glue has begun run %s of %s", self._waiting_for, self._job_name)
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
                log.info("Run %s is %s: %s", run_id, state, self._log_link(run_id))
            seconds = give_up_at - time.time()
            if seconds <= 0:
                raise UpdraftError(
                    f"{self._named(run_id)} is still {state} after {LONGEST_WAIT}. It goes on; a "
                    "retry of this task adopts it and waits again."
                )
            if may_defer(deferrable=self._deferrable):
                return self._deferral(run_id, give_up_at, seconds)
            time.sleep(self._poll_interval)
            run = self._describe(run_id)
        self._waiting_for = None
        if run["JobRunState"] != SUCCEEDED:
            reason = run.get("ErrorMessage") or "Glue gives no reason"
            raise GlueJobRunError(
                f"{self._named(run_id)} ended as {run['JobRunState']}: {reason} Its log is at "
                f"{self._log_link(run_id)}",
                reason,
            )
        return run

    def _deferral(self, run_id: str, give_up_at: float, seconds: float) -> Deferral:
        trigger = GlueJobRunTrigger(
            job_name=self._job_name,
            run_id=run_id,
            give_up_at=give_up_at,
            waiter_delay=self._poll_interval,
            waiter_max_attempts=math.ceil(seconds / self._poll_interval) + 1,
            aws_conn_id=self._hook.aws_conn_id,
            region_name=self._client().meta.region_name,
            verify=self._hook_parameters.get("verify"),
            botocore_config=self._hook_parameters.get("config"),
        )
        return Deferral(trigger, timedelta(seconds=seconds) + _GRACE)

    def _client(self, config: Mapping[str, Any] | None = None) -> Any:
        hook = self._hook
        if config is not None:
            merged = {**(self._hook_parameters.get("config") or {}), **config}
            hook = GlueClientHook(**{**self._hook_parameters, "config": merged})
        return connected_client(hook)

    def _explained(self, action: str) -> Any:
        return explained(action, f"job {self._job_name!r}")

    def _named(self, run_id: str) -> str:
        return f"Run {run_id} of the Glue job {self._job_name!r}"

    def _log_link(self, run_id: str) -> str:
        """Name where the log of a run is shown, https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html."""
        domain = BaseAwsLink.get_aws_domain(self._hook.conn_partition) or "aws.amazon.com"
        group = _escaped("/aws-glue/jobs/error")
        return (
            f"{BASE_AWS_CONSOLE_LINK.format(aws_domain=domain)}/cloudwatch/home?region="
            f"{self._client().meta.region_name}#logsV2:log-groups/log-group/{group}/log-events/"
            f"{_escaped(run_id)}"
        )


class GlueJobRunError(UpdraftError):
    """A run did not succeed.

    :param text: the whole story.
    :param reason: what Glue says.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


def run_overrides(
    workers: object, worker_type: str, arguments: Mapping[str, str] | None
) -> dict[str, Any]:
    """Check what a task changes in the settings of a job.

    :param workers: number of workers, ``None`` for that of the job.
    :param worker_type: their type.
    :param arguments: further arguments of the script.
    :returns: parameters of StartJobRun.
    :raises UpdraftError: when a value is wrong.
    """
    if workers is not None and (not isinstance(workers, int) or workers < _LEAST_WORKERS):
        raise UpdraftError(
            f"glue_workers: {workers!r} is not a whole number from {_LEAST_WORKERS}; one worker "
            "is the driver"
        )
    for name, value in (arguments or {}).items():
        if not name.startswith("--") or not isinstance(value, str):
            raise UpdraftError(
                f"glue_arguments: {name!r}: {value!r} is no argument of a Glue job, such as "
                "'--enable-metrics': 'true'"
            )
    return {} if workers is None else {"NumberOfWorkers": workers, "WorkerType": worker_type}


def check_job_name(job_name: object) -> str:
    """Check the name of a job.

    :param job_name: the name.
    :returns: the name.
    :raises UpdraftError: when there is none.
    """
    if not isinstance(job_name, str) or not job_name:
        raise UpdraftError(
            "glue_job_name: engine='glue' needs the name of a Glue job; docs/dynamodb-glue.md says "
            "how to create it"
        )
    return job_name


def _escaped(text: str) -> str:
    """Escape a part of a CloudWatch link: twice, with ``$`` in place of ``%``."""
    return quote(quote(text, safe=""), safe="").replace("%", "$")


def merged_arguments(own: Mapping[str, str], others: Mapping[str, str] | None) -> dict[str, str]:
    """Join the arguments of the engine and those of the task.

    :param own: those of the engine.
    :param others: those of the task.
    :returns: all.
    :raises UpdraftError: when the task sets one of the engine's.
    """
    both: Sequence[str] = sorted(set(own) & set(others or {}))
    if both:
        raise UpdraftError(
            f"glue_arguments: {both[0]!r} is set by the operator; use its own argument instead"
        )
    return {**(others or {}), **own}
