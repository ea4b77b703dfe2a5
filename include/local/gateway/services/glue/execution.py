"""Runs the script of a Glue job on this machine, as a Spark application or by Python alone.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

import logging
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from include.local import sail, spark
from include.local.bootstrap import SetupError
from include.local.gateway.execution.environment import aws_variables, last_exception
from include.local.gateway.execution.objects import FetchError, fetch
from include.local.gateway.execution.process import JobProcess
from include.local.gateway.services.glue.bookmarks import JobBookmarks
from include.local.gateway.services.glue.job_log import write_log
from include.local.gateway.services.glue.job_runs import (
    FAILED,
    RUNNING,
    STARTING,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    TIMEOUT,
    JobRun,
    JobRuns,
)

_LOG = logging.getLogger(__name__)


class ExecutionError(Exception):
    """A run cannot be started; its text becomes the error message of the run."""


class Execution:
    """The execution of one run, in a thread of its own.

    :param runs: where its state is kept.
    :param run: the run.
    :param command: ``glueetl`` or ``pythonshell``.
    :param script: ``s3://`` URI of the script.
    :param arguments: the arguments of the job and of the run together.
    :param timeout: longest time in seconds.
    :param endpoint_url: address of the gateway.
    """

    def __init__(
        self,
        runs: JobRuns,
        run: JobRun,
        *,
        command: str,
        script: str,
        arguments: Mapping[str, str],
        timeout: float,
        endpoint_url: str,
    ) -> None:
        self._runs = runs
        self._run = run
        self._kind = command
        self._script = script
        self._arguments = arguments
        self._timeout = timeout
        self._endpoint_url = endpoint_url
        self._folder = runs.folder(run)
        self._process = JobProcess()

    def start(self) -> None:
        """Begin; the state of the run tells the rest."""
        threading.Thread(target=self._execute, name=self._run.id, daemon=True).start()

    def stop(self) -> bool:
        """Stop the run.

        :returns: whether it was going on.
        """
        was_starting = self._runs.advance(self._run, STOPPING, only_from=STARTING)
        stopping = was_starting or self._runs.advance(self._run, STOPPING, only_from=RUNNING)
        if stopping:
            self._process.end()
        return stopping

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def _execute(self) -> None:
        try:
            state, error = self._executed()
        except (ExecutionError, FetchError, OSError, SetupError) as failure:
            state, error = FAILED, str(failure)
        except Exception as failure:  # noqa: BLE001 - a run has to end, whatever happens
            _LOG.exception("Run %s failed", self._run.id)
            state, error = FAILED, f"The local stack failed: {failure!r}"
        write_log(self._endpoint_url, self._run, self._folder)
        self._runs.end(self._run, state, error)
        _LOG.info("Run %s of %s: %s %s", self._run.id, self._run.job, self._run.state, error or "")

    @property
    def _on_sail(self) -> bool:
        """Whether the job needs what Sail has and Spark here lacks."""
        formats = self._arguments.get("--datalake-formats", "").split(",")
        return self._kind == "glueetl" and "delta" in formats

    def _executed(self) -> tuple[str, str | None]:
        engine = sail if self._on_sail else spark
        engine.prepare()
        modules = self._arguments.get("--additional-python-modules", "")
        missing = engine.missing_modules([name for name in modules.split(",") if name])
        if missing:
            raise ExecutionError(
                f"--additional-python-modules names {', '.join(missing)}, which the local stack's "
                f"Spark does not have; add it to {engine.LOCK.with_suffix('.in').name} and run "
                "`make lock`"
            )
        command = self._command()
        output, errors = self._folder / "output.log", self._folder / "error.log"
        if not self._runs.advance(self._run, RUNNING, only_from=STARTING):
            return STOPPED, None
        with output.open("wb") as stdout, errors.open("wb") as stderr:
            try:
                code = self._process.run(
                    command,
                    directory=self._folder,
                    variables=self._variables(),
                    stdout=stdout,
                    stderr=stderr,
                    timeout=self._timeout,
                )
            except subprocess.TimeoutExpired:
                return TIMEOUT, None
        if code == 0:
            return SUCCEEDED, None
        prints_all = self._kind == "glueetl" and not self._on_sail
        exception = last_exception([output if prints_all else errors])
        return FAILED, exception or f"Command failed with exit code {code}"

    def _command(self) -> list[str]:
        script = self._fetch(self._arguments.get("--scriptLocation", self._script))
        modules = [
            self._fetch(uri)
            for uri in self._arguments.get("--extra-py-files", "").split(",")
            if uri.strip()
        ]
        settings = self._arguments.get("--conf", "")
        arguments = ["--JOB_NAME", self._run.job, "--JOB_RUN_ID", self._run.id]
        for name, value in self._arguments.items():
            arguments += [name, value] if value else [name]  # Glue drops what is empty
        if self._kind == "pythonshell":
            return [str(spark.ENVIRONMENT / "bin" / "python"), str(script), *arguments]
        if self._on_sail:
            return sail.submit_command(script, arguments)
        return spark.submit_command(
            script,
            arguments,
            modules=modules,
            settings=[part.strip() for part in settings.split("--conf") if part.strip()],
            directory=self._folder,
        )

    def _fetch(self, uri: str) -> Path:
        return fetch(uri, self._folder, self._endpoint_url, self._run.region)

    def _variables(self) -> dict[str, str]:
        bookmarks = JobBookmarks(self._folder.parent / "bookmarks")
        engine = sail.variables(self._endpoint_url) if self._on_sail else spark.variables()
        return {
            **engine,
            **bookmarks.variables(self._run.region, self._run.job),
            **aws_variables(self._endpoint_url, self._run.region),
        }
