"""Job runs of EMR Serverless and of EMR on EKS: each once, however often a task is tried."""

import logging
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeAlias

from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.emr import is_limit
from updraft.operators.emr_base import Waiting
from updraft.operators.emr_logs import EmrLogs
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.triggers.emr_job_runs import EmrJobRunTrigger

log = logging.getLogger(__name__)

JobRun: TypeAlias = Mapping[str, Any]
"""What the service says about one run."""

LONGEST_WAIT = timedelta(hours=48)
"""How long a task waits for a run. A retry waits again."""

LOOKBACK = timedelta(days=14)
"""How old a run of an earlier attempt may be."""

_LIMIT_PAUSE = 60
_LIMIT_PATIENCE = timedelta(hours=24)
_SHORT = 12


class EmrJobRuns(ABC):
    """The runs of one application or virtual cluster that belong to one task instance.

    A run is started with a client token of its owner, so that AWS answers a repeated call with the
    run that there is. The token holds for a limited time; therefore the name of a run carries a
    hash of the owner as well, and a retry looks for it first. Both carry the series of attempts: a
    run that has succeeded in another one is no result, and the job runs anew.

    :param waiting: how the task waits; it has the calls.
    :param owner: the task instance.
    :param series: digest of the series of attempts.
    :param parent_id: id of the application or virtual cluster.
    :param name: name of the run.
    :param kill_switch: whether the task was told to stop.
    """

    service: ClassVar[str]
    """Name of the service in botocore."""

    active: ClassVar[tuple[str, ...]]
    """States of a run that has not ended."""

    cancelling: ClassVar[str]
    succeeded: ClassVar[str]
    longest_name: ClassVar[int]
    trigger: ClassVar[type[EmrJobRunTrigger]]

    def __init__(
        self,
        waiting: Waiting,
        owner: ResourceOwner,
        series: str,
        parent_id: str,
        name: str,
        *,
        kill_switch: KillSwitch,
    ) -> None:
        self._waiting = waiting
        self._calls = waiting.calls
        self._kill_switch = kill_switch
        self._owner = owner
        self._series = series
        self._parent_id = parent_id
        self._short = owner.token().replace("-", "")[:_SHORT]
        self._name = name
        self._waiting_for: str | None = None

    @abstractmethod
    def _list(self, since: datetime) -> Iterable[JobRun]:
        """List the runs that were made since a time, with id, name and state."""

    @abstractmethod
    def _send(self, name: str, token: str, request: Mapping[str, Any]) -> str:
        """Start a run and give its id."""

    @abstractmethod
    def describe(self, run_id: str) -> JobRun:
        """Ask for a run.

        :param run_id: its id.
        :returns: what the service says.
        :raises ServiceError: when AWS refuses.
        """

    @abstractmethod
    def cancel(self, run_id: str) -> None:
        """Cancel a run.

        :param run_id: its id.
        :raises ServiceError: when AWS refuses.
        """

    @abstractmethod
    def prepare(self) -> None:
        """Get ready for a run, where the service needs it.

        :raises UpdraftError: when AWS refuses.
        """

    @abstractmethod
    def _logs(self, run: JobRun) -> tuple[EmrLogs, str]:
        """Name where the logs of a run are."""

    def begin(self, request: Mapping[str, Any], limit_ends_at: float | None) -> JobRun | Deferral:
        """Find the run of an earlier attempt, or start one, and wait for its end.

        :param request: what to start, but for its name and token.
        :param limit_ends_at: when waiting for free capacity ends, in seconds since 1970; ``None``
            at the first look.
        :returns: the run after it has succeeded, or what to wait for.
        :raises UpdraftError: when it failed, or AWS refuses.
        """
        limit_ends_at = limit_ends_at or time.time() + _LIMIT_PATIENCE.total_seconds()
        while True:
            own = self._own()
            number, latest = max(own.items()) if own else (0, None)
            seconds: float | None = None
            if latest is not None and self._is_of_use(latest):
                log.info("Adopted job run %s, which is %s", latest["id"], latest["state"])
                self._waiting_for = latest["id"] if latest["state"] in self.active else None
                self._kill_switch.check(self.stop)
                return self.follow(latest["id"], _later(LONGEST_WAIT))
            if latest is not None and latest["state"] == self.cancelling:
                log.info("Job run %s is being cancelled; waiting for its end", latest["id"])
                seconds = self._waiting.poll_interval
            else:
                run_id = self._start(number + 1, request, limit_ends_at)
                if run_id is not None:
                    return self.follow(run_id, _later(LONGEST_WAIT))
                seconds = _LIMIT_PAUSE
            waiting = self._waiting.pause({"run_id": None, "limit_ends_at": limit_ends_at}, seconds)
            if waiting is not None:
                return waiting

    def follow(self, run_id: str, give_up_at: float) -> JobRun | Deferral:
        """Wait for the end of a run.

        :param run_id: its id.
        :param give_up_at: when the waiting ends, in seconds since 1970.
        :returns: the run after it has succeeded, or what to wait for.
        :raises UpdraftError: when it ended otherwise, or has not in time.
        """
        self._waiting_for, state = run_id, ""
        while True:
            run = self.describe(run_id)
            if run["state"] != state:
                state = run["state"]
                log.info("Job run %s is %s", run_id, state)
            if state not in (*self.active, self.cancelling):
                self._waiting_for = None
                if state != self.succeeded:
                    raise self._failure(run)
                return run
            if time.time() > give_up_at:
                raise UpdraftError(
                    f"Job run {run_id} of {self._parent_id} is still {state} after "
                    f"{LONGEST_WAIT}. It goes on; a retry of this task adopts it and waits again."
                )
            waiting = self._waiting.wait(
                self.trigger,
                {"run_id": run_id, "give_up_at": give_up_at},
                give_up_at,
                parent_id=self._parent_id,
                run_id=run_id,
                states=(*self.active, self.cancelling),
            )
            if waiting is not None:
                return waiting

    def stop(self) -> None:
        """Cancel the run that is waited for, or was being started; called from a signal handler."""
        try:
            known = [self._waiting_for] if self._waiting_for else self._active_ids()
            for run_id in known:
                self.cancel(run_id)
                log.info("Told EMR to cancel job run %s", run_id)
        except UpdraftError as error:
            log.warning("The job run goes on; the next attempt adopts it. %s", error)

    def _active_ids(self) -> list[str]:
        return [run["id"] for run in self._own().values() if run["state"] in self.active]

    def _is_of_use(self, run: JobRun) -> bool:
        """Say whether a run goes on, or is the result of this series of attempts."""
        is_result = run["state"] == self.succeeded and run["series"] == self._series
        return is_result or run["state"] in self.active

    def _own(self) -> dict[int, JobRun]:
        """Find the runs of the owner, of all series, by the number in their name."""
        pattern = re.compile(rf"-{self._short}-(?P<series>[0-9a-f]{{6}})(?:-(?P<number>\d+))?$")
        found: dict[int, JobRun] = {}
        for run in self._list(datetime.now(UTC) - LOOKBACK):
            match = pattern.search(run.get("name") or "")
            if match is not None:
                found[int(match["number"] or 1)] = {**run, "series": match["series"]}
        return found

    def _start(self, number: int, request: Mapping[str, Any], limit_ends_at: float) -> str | None:
        suffix = f"-{self._short}-{self._series}" + (f"-{number}" if number > 1 else "")
        name = self._name[: self.longest_name - len(suffix)] + suffix
        try:
            token = self._owner.token("job run", self._series, number)
            self._kill_switch.check()
            run_id = self._send(name, token, request)
        except ServiceError as error:
            if not is_limit(error):
                found = self._started_elsewhere(number)
                if found is None:
                    raise
                log.info("Job run %s was started by another attempt: %s", found, error)
                return found
            if time.time() > limit_ends_at:
                raise
            log.info("EMR takes no more job runs at the moment; waiting. %s", error)
            return None
        self._waiting_for = run_id
        log.info("EMR has begun job run %s (%s)", run_id, name)
        self._kill_switch.check(self.stop)
        return run_id

    def _started_elsewhere(self, number: int) -> str | None:
        """Find a run that another attempt has started with the same token.

        EMR Serverless answers the second one with a ConflictException, EMR on EKS has none.
        """
        try:
            found = self._own().get(number)
        except ServiceError as error:
            log.info("Whether there is a run is not known: %s", error)
            return None
        return None if found is None else str(found["id"])

    def _failure(self, run: JobRun) -> UpdraftError:
        logs, place = self._logs(run)
        line = logs.show(logs.fetch(place, "/stderr", "/stdout")) if logs.kept else None
        reason = [run.get("failureReason"), run.get("stateDetails"), line]
        told = dict.fromkeys(text.rstrip(". ") for text in reason if text)
        said = "; ".join(told) or "EMR gives no reason"
        where = (
            f"Its logs are below {place}/."
            if logs.kept
            else "Give it an s3MonitoringConfiguration with a logUri to have its logs."
        )
        return UpdraftError(
            f"Job run {run['id']} of {self._parent_id} ended as {run['state']}: {said}. {where}"
        )


def s3_log_uri(overrides: Mapping[str, Any] | None) -> str | None:
    """Find where a job run was told to keep its logs.

    :param overrides: its ``configurationOverrides``.
    :returns: the URI, ``None`` if it was told nothing.
    """
    monitoring = (overrides or {}).get("monitoringConfiguration") or {}
    uri: str | None = (monitoring.get("s3MonitoringConfiguration") or {}).get("logUri")
    return uri


def _later(seconds: timedelta) -> float:
    return time.time() + seconds.total_seconds()
