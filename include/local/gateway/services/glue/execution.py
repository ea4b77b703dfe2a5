"""Runs the script of a Glue job as a Spark application on this machine.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

import logging
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from include.local import spark
from include.local.bootstrap import SetupError
from include.local.gateway.services.dynamodb.object_store import client
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

_PATIENCE = 5.0  # seconds that a process gets to end by itself
_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Exit|Interrupt): .*)$")


class ExecutionError(Exception):
    """A run cannot be started; its text becomes the error message of the run."""


class Execution:
    """The execution of one run, in a thread of its own.

    :param runs: where its state is kept.
    :param run: the run.
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
        script: str,
        arguments: Mapping[str, str],
        timeout: float,
        endpoint_url: str,
    ) -> None:
        self._runs = runs
        self._run = run
        self._script = script
        self._arguments = arguments
        self._timeout = timeout
        self._endpoint_url = endpoint_url
        self._folder = runs.folder(run)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; the state of the run tells the rest."""
        threading.Thread(target=self._execute, name=self._run.id, daemon=True).start()

    def stop(self) -> bool:
        """Stop the run.

        :returns: whether it was going on.
        """
        with self._lock:
            was_running = self._runs.advance(self._run, STOPPING, only_from=RUNNING)
            stopping = was_running or self._runs.advance(self._run, STOPPING, only_from=STARTING)
            process = self._process
        if stopping and process is not None:
            threading.Thread(target=_end, args=(process,), daemon=True).start()
        return stopping

    def kill(self) -> None:
        """End the process at once."""
        with self._lock:
            if self._process is not None:
                _signal(self._process, signal.SIGKILL)

    def _execute(self) -> None:
        try:
            state, error = self._executed()
        except (BotoCoreError, ClientError, ExecutionError, OSError, SetupError) as failure:
            state, error = FAILED, str(failure)
        except Exception as failure:  # noqa: BLE001 - a run has to end, whatever happens
            _LOG.exception("Run %s failed", self._run.id)
            state, error = FAILED, f"The local stack failed: {failure!r}"
        write_log(self._endpoint_url, self._run, self._folder)
        self._runs.end(self._run, state, error)
        _LOG.info("Run %s of %s: %s %s", self._run.id, self._run.job, self._run.state, error or "")

    def _executed(self) -> tuple[str, str | None]:
        spark.prepare()
        modules = self._arguments.get("--additional-python-modules", "")
        missing = spark.missing_modules([name for name in modules.split(",") if name])
        if missing:
            raise ExecutionError(
                f"--additional-python-modules names {', '.join(missing)}, which the local stack's "
                "Spark does not have; add it to include/local/spark-requirements.in and run "
                "`make lock`"
            )
        command = self._command()
        output, errors = self._folder / "output.log", self._folder / "error.log"
        with output.open("wb") as stdout, errors.open("wb") as stderr, self._lock:
            if not self._runs.advance(self._run, RUNNING, only_from=STARTING):
                return STOPPED, None
            process = self._process = subprocess.Popen(  # noqa: S603 - Spark, with a user's script
                command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=self._folder,
                env=self._variables(),
                start_new_session=True,
            )
        try:
            code = process.wait(self._timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            return TIMEOUT, None
        _signal(process, signal.SIGKILL)  # what it may have left
        return (SUCCEEDED, None) if code == 0 else (FAILED, _reason(output, code))

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
            arguments += [name, value]
        return spark.submit_command(
            script,
            arguments,
            modules=modules,
            settings=[part.strip() for part in settings.split("--conf") if part.strip()],
            directory=self._folder,
        )

    def _fetch(self, uri: str) -> Path:
        """Copy an object into the directory of the run."""
        parts = urlsplit(uri.strip())
        path = self._folder / Path(parts.path).name
        s3: Any = client(self._endpoint_url, self._run.region, "s3")
        try:
            path.write_bytes(
                s3.get_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))["Body"].read()
            )
        except ClientError as error:
            raise ExecutionError(f"{uri} cannot be read: {error}") from error
        return path

    def _variables(self) -> dict[str, str]:
        return {
            **spark.variables(),
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_DEFAULT_REGION": self._run.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self._endpoint_url,
            "AWS_REGION": self._run.region,
            "AWS_SECRET_ACCESS_KEY": "local",
        }


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a Spark application; its Python workers end when the pipe from its Java process does."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _reason(output: Path, code: int) -> str:
    """Say why a script failed, as Glue does: by the last exception that it printed.

    spark-submit puts all that the script prints on its standard output, errors as well.
    """
    lines: Sequence[str] = output.read_text(errors="replace").splitlines()
    for line in reversed(lines):
        match = _EXCEPTION.match(line)
        if match:
            return match[1]
    return f"Command failed with exit code {code}"
