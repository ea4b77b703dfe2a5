"""Runs a job's driver as a process of this machine."""

import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from include.local.gateway.execution.environment import (
    job_variables,
    last_exception,
    last_line,
    program,
)
from include.local.gateway.execution.log_groups import write_lines
from include.local.gateway.execution.objects import upload_logs
from include.local.gateway.execution.process import JobProcess
from include.local.gateway.services.emr_jobs.job_runs import JobRun, JobRuns

_LOG = logging.getLogger(__name__)
_TICK = 0.05
_DETAILS = 256  # characters; the length of stateDetails in the models


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be run, and where its logs go.

    :param command: name of a program of the node, and its arguments.
    :param timeout: most seconds that an attempt may take; None for no limit.
    :param attempts: how often it is tried at most.
    :param log_uri: ``s3://`` URI that the logs go below; None for nowhere.
    :param log_group: log group and stream that they go to; None for nowhere.
    """

    command: Sequence[str]
    timeout: float | None = None
    attempts: int = 1
    log_uri: str | None = None
    log_group: tuple[str, str] | None = None


class JobExecution:
    """The execution of one run, in a thread of its own.

    :param runs: where its state is kept.
    :param run: the run.
    :param job: what is to be run.
    :param endpoint_url: address of the gateway.
    :param scheduling: gives the seconds that it spends in the states before it runs.
    """

    def __init__(
        self,
        runs: JobRuns,
        run: JobRun,
        job: Job,
        *,
        endpoint_url: str,
        scheduling: Callable[[], float],
    ) -> None:
        self._runs = runs
        self._run = run
        self._job = job
        self._endpoint_url = endpoint_url
        self._scheduling = scheduling
        self._process = JobProcess()
        self._closed = threading.Event()

    def start(self) -> None:
        """Begin; the state of the run tells the rest."""
        threading.Thread(target=self._live, name=self._run.id, daemon=True).start()

    def cancel(self) -> bool:
        """Let the run end as cancelled.

        :returns: whether it was going on.
        """
        if not self._runs.move(self._run, self._runs.states.cancelling, "Cancelling the job run"):
            return False
        self._process.end()
        return True

    def kill(self) -> None:
        """End the process at once, since the gateway ends."""
        self._closed.set()
        self._process.kill()

    def _live(self) -> None:
        states = self._runs.states
        try:
            state, details = self._wait_and_run()
        except Exception as error:  # noqa: BLE001 - a run has to end, whatever happens
            _LOG.exception("Job run %s failed", self._run.id)
            state, details = states.failed, f"The local stack failed: {error!r}"
        if self._closed.is_set():
            return
        if self._run.state == states.cancelling:
            state, details = states.cancelled, "The job run was cancelled by its user"
        self._runs.move(self._run, state, details[:_DETAILS])
        _LOG.info("Job run %s: %s %s", self._run.id, state, details)

    def _wait_and_run(self) -> tuple[str, str]:
        states = self._runs.states
        for state in states.waiting:
            if not self._runs.move(self._run, state, unless=states.cancelling):
                return states.cancelled, ""
            until = time.monotonic() + self._scheduling() / len(states.waiting)
            while time.monotonic() < until and self._run.state == state:
                time.sleep(_TICK)
        result = states.cancelled, ""
        while self._runs.move(self._run, states.running, unless=states.cancelling):
            result = self._attempt()
            if result[0] == states.succeeded or self._run.attempt >= self._job.attempts:
                break
            self._run.attempt += 1
        return result

    def _attempt(self) -> tuple[str, str]:
        states = self._runs.states
        directory = self._runs.folder(self._run, "work")
        logs = self._runs.folder(self._run, "logs")
        out, err = logs / "stdout", logs / "stderr"
        try:
            with out.open("ab") as stdout, err.open("ab") as stderr:
                code = self._process.run(
                    program(self._job.command),
                    directory=directory,
                    variables=self._variables(directory),
                    stdout=stdout,
                    stderr=stderr,
                    timeout=self._job.timeout,
                )
        except subprocess.TimeoutExpired:
            return states.failed, "The job run exceeded its execution timeout"
        finally:
            self._keep_logs(logs)
        if code == 0:
            return states.succeeded, "The job run finished successfully"
        exception = last_exception((err, out)) or last_line(err) or "no message"
        return states.failed, f"Job failed, exit code {code}: {exception}"

    def _variables(self, directory: Path) -> Mapping[str, str]:
        return {
            **job_variables(self._endpoint_url, self._run.region),
            "HOME": str(directory),
        }

    def _keep_logs(self, logs: Path) -> None:
        if self._job.log_uri:
            upload_logs(logs, self._job.log_uri, self._endpoint_url, self._run.region)
        if self._job.log_group:
            group, stream = self._job.log_group
            for log in sorted(logs.iterdir()):
                lines = log.read_text(errors="replace").splitlines()
                where = (group, f"{stream}/{log.name}")
                write_lines(self._endpoint_url, self._run.region, *where, lines)
