"""Runs one step as a process of the node.

.. seealso:: https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-commandrunner.html
"""

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.local.gateway.execution.environment import last_exception, last_line
from include.local.gateway.execution.process import JobProcess
from include.local.gateway.services.emr.clusters import COMPLETED, FAILED, Cluster, Step
from include.local.gateway.services.emr.node import Node

_COMMAND_RUNNER = "command-runner.jar"
_SCRIPT_RUNNER = "script-runner.jar"
_MESSAGE = 1000  # characters


class StepExecution:
    """The execution of one step.

    :param step: the step.
    :param cluster: its cluster.
    :param node: where it runs.
    """

    def __init__(self, step: Step, cluster: Cluster, node: Node) -> None:
        self._step = step
        self._cluster = cluster
        self._node = node
        self._process = JobProcess()

    def run(self) -> tuple[str, dict[str, str] | None]:
        """Run it to its end, then keep its logs.

        :returns: the state that it ended in, and the members of ``FailureDetails``.
        """
        place = ("steps", self._step.id)
        logs = self._node.folder(*place)
        streams = [logs / name for name in ("stdout", "stderr")]
        for path in (*streams, logs / "syslog"):
            path.touch()
        with (logs / "controller").open("w") as controller:
            code = self._execute(controller, streams)
        failure = None if code == 0 else self._failure(code, streams)
        self._node.log(*place)
        return (COMPLETED, None) if code == 0 else (FAILED, failure)

    def end(self) -> None:
        """Ask its process to end."""
        self._process.end()

    def kill(self) -> None:
        """End its process at once."""
        self._process.kill()

    def _execute(self, controller: Any, streams: list[Path]) -> int | None:
        directory = self._node.folder("work", self._step.id)
        command = command_of(self._step.config["HadoopJarStep"])
        controller.write(f"{_now()} INFO startExec '{shlex.join(command)}'\n")
        controller.write(f"{_now()} INFO working directory {directory}\n")
        controller.flush()
        started = time.monotonic()
        with streams[0].open("wb") as stdout, streams[1].open("wb") as stderr:
            try:
                code = self._process.run(
                    command,
                    directory=directory,
                    variables=self._node.variables(EMR_STEP_ID=self._step.id),
                    stdout=stdout,
                    stderr=stderr,
                )
            except OSError as error:
                stderr.write(f"{command[0]}: {error.strerror}\n".encode())
                code = 127
        seconds = time.monotonic() - started
        controller.write(f"{_now()} INFO total process run time: {seconds:.1f} seconds\n")
        controller.write(f"{_now()} INFO step process exited with code {code}\n")
        return code

    def _failure(self, code: int | None, streams: list[Path]) -> dict[str, str]:
        stdout, stderr = streams
        message = last_exception((stderr, stdout)) or last_line(stderr) or last_line(stdout)
        return {
            "Reason": "Unknown Error.",
            "Message": (message or f"Command exited with code {code}")[:_MESSAGE],
            "LogFile": self._node.log_uri("steps", self._step.id, "stderr"),
        }


def command_of(jar_step: Mapping[str, Any]) -> list[str]:
    """Write the command that a step stands for.

    :param jar_step: the members of ``HadoopJarStepConfig``.
    :returns: program and arguments; programs of EMR are those on the node's PATH.
    """
    jar, arguments = jar_step["Jar"], list(jar_step.get("Args", ()))
    name = jar.rstrip("/").rpartition("/")[2]
    if name == _COMMAND_RUNNER and arguments:
        return arguments
    if name == _SCRIPT_RUNNER:
        return ["script-runner", *arguments]
    main_class = [jar_step["MainClass"]] if jar_step.get("MainClass") else []
    properties = [f"-D{each['Key']}={each['Value']}" for each in jar_step.get("Properties", ())]
    return ["hadoop", "jar", jar, *main_class, *properties, *arguments]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
