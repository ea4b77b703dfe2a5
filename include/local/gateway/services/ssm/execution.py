"""Runs a command on one instance, as the agent there would: the script in a shell of its own."""

import logging
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from include.local.gateway.clients import client
from include.local.gateway.execution.log_groups import write_lines
from include.local.gateway.execution.process import JobProcess
from include.local.gateway.services.ec2.machine import Machine
from include.local.gateway.services.ssm.commands import (
    CANCELLED,
    CANCELLING,
    FAILED,
    IN_PROGRESS,
    SUCCESS,
    TIMED_OUT,
    Command,
    CommandStore,
    Invocation,
)

_LOG = logging.getLogger(__name__)
_POLLING = 0.1  # seconds until the agent has seen a command
_PLUGIN = "awsrunShellScript"
_STEP = f"0.{_PLUGIN}"
_GROUP = "/aws/ssm/AWS-RunShellScript"


class Execution:
    """The execution of one command on one instance, in a thread of its own.

    :param store: where commands are kept.
    :param command: the command.
    :param invocation: what becomes of it there.
    :param machine: the instance's machine.
    :param endpoint_url: address of the gateway.
    """

    def __init__(
        self,
        store: CommandStore,
        command: Command,
        invocation: Invocation,
        machine: Machine,
        endpoint_url: str,
    ) -> None:
        self._store = store
        self._command = command
        self._invocation = invocation
        self._machine = machine
        self._endpoint_url = endpoint_url
        self._process = JobProcess(patience=1.0)

    def start(self) -> None:
        """Begin; the status of the invocation tells the rest."""
        name = f"{self._command.id}-{self._invocation.instance_id}"
        threading.Thread(target=self._live, name=name, daemon=True).start()

    def cancel(self) -> None:
        """Let the invocation end as cancelled."""
        if self._store.move(self._command, self._invocation, CANCELLING):
            self._process.end()

    def _live(self) -> None:
        time.sleep(_POLLING)
        if not self._store.move(self._command, self._invocation, IN_PROGRESS):
            self._store.move(self._command, self._invocation, CANCELLED)
            return
        logs = self._store.folder(self._command, self._invocation.instance_id)
        try:
            status, code = self._run(logs)
        except OSError as error:
            _LOG.exception("Command %s failed", self._command.id)
            (logs / "stderr").write_text(f"{error}\n")
            status, code = FAILED, 1
        if self._machine.is_off:
            return  # nobody is left to report
        if self._invocation.status == CANCELLING:
            status = CANCELLED
        self._keep(logs)
        self._store.move(self._command, self._invocation, status, code=-1 if code is None else code)

    def _run(self, logs: Path) -> tuple[str, int | None]:
        given = self._command.request["Parameters"]
        folder = self._machine.folder("ssm", self._command.id)
        script = folder / "_script.sh"
        script.write_text("\n".join(given["commands"]) + "\n")
        script.chmod(0o700)
        directory = (given.get("workingDirectory") or [""])[0]
        # The agent hands the file to sh; a first line that names another shell counts.
        enter = 'cd "$1" && ' if directory else ""
        command = ["sh", "-c", f'{enter}"$0"', str(script), directory]
        with (logs / "stdout").open("wb") as stdout, (logs / "stderr").open("wb") as stderr:
            try:
                code = self._machine.run(
                    self._process,
                    command,
                    stdout=stdout,
                    stderr=stderr,
                    timeout=self._command.execution_timeout,
                )
            except subprocess.TimeoutExpired:
                return TIMED_OUT, 137
        if code is not None and code < 0:
            code = 128 - code  # what a shell says of a program that a signal ended
        if code not in {0, None}:
            with (logs / "stderr").open("ab") as stderr:
                stderr.write(f"failed to run commands: exit status {code}".encode())
        return (SUCCESS if code == 0 else FAILED), code

    def _keep(self, logs: Path) -> None:
        """Copy the output to where the command wants it; what can't be written fails nothing."""
        given, region = self._command.request, self._command.region
        instance = self._invocation.instance_id
        place = "/".join(filter(None, [(given.get("OutputS3KeyPrefix") or "").strip("/")]))
        bucket = given.get("OutputS3BucketName")
        watch = given.get("CloudWatchOutputConfig") or {}
        for name in ("stdout", "stderr"):
            data = (logs / name).read_bytes()
            if not data:
                continue
            if bucket:
                parts = [place, self._command.id, instance, _PLUGIN, _STEP, name]
                s3: Any = client(self._endpoint_url, region, "s3")
                try:
                    s3.put_object(Bucket=bucket, Key="/".join(filter(None, parts)), Body=data)
                except (BotoCoreError, ClientError) as error:
                    _LOG.warning("Output of %s can't be written: %s", self._command.id, error)
            if watch.get("CloudWatchOutputEnabled"):
                group = watch.get("CloudWatchLogGroupName") or _GROUP
                stream = f"{self._command.id}/{instance}/aws-runShellScript/{name}"
                lines = data.decode(errors="replace").splitlines()
                write_lines(self._endpoint_url, region, group, stream, lines)
