"""The part of the local stack that stands in for AWS: ministack and the gateway before it."""

import fcntl
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from include.local import ports, processes
from include.local.layout import PROJECT
from updraft.errors import UpdraftError

DYNAMODB, GATEWAY = "dynamodb", "gateway"
SERVICES = (DYNAMODB, GATEWAY)
"""Names of the processes, in the order in which they start."""

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"

PYTHON = PROJECT / ".venv-local" / "bin" / "python"
"""Interpreter of the environment that the servers run in."""

_START_SECONDS = 60.0
_TAIL = 2000  # characters of a log that fit into an error


class LocalStack:
    """One stand-in for AWS with its state.

    :param state: directory of what it keeps. Two stacks with different directories know nothing
        of each other.
    :param throttling: whether request quotas of the services are enforced.
    """

    def __init__(self, state: Path, *, throttling: bool = True) -> None:
        self.state = state.resolve()
        self._throttling = throttling
        self._addresses = self.state / "stack.json"

    @property
    def endpoint_url(self) -> str:
        """Address of the gateway, such as ``http://127.0.0.1:23456``.

        :raises UpdraftError: when the stack has never been started.
        """
        return f"http://{ports.HOST}:{self._port(GATEWAY)}"

    def environment(self) -> dict[str, str]:
        """Name the variables that lead an AWS SDK to the stack.

        :returns: variables such as ``AWS_ENDPOINT_URL``; credentials are of no account, but SDKs
            ask for some.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def is_healthy(self) -> bool:
        """Tell whether both processes answer, and the gateway is the one of this state."""
        remembered = self._remembered()
        return all(service in remembered for service in SERVICES) and all(
            self._answers(service) for service in SERVICES
        )

    def up(self, port: int | None = None) -> None:
        """Start what does not run and wait until it answers.

        :param port: port of the gateway; None takes the one of the last time, else a free one.
        :raises UpdraftError: when the port is in use, the environment of the local stack is not
            installed, or a process does not get healthy.
        """
        with self._lock():
            if self.is_healthy():
                if port in {None, self._port(GATEWAY)}:
                    return
                raise UpdraftError(
                    f"The local stack already runs at {self.endpoint_url}; "
                    f"run `updraft local down` before it can move to port {port}"
                )
            _require_environment()
            processes.stop(self.state, SERVICES)
            self._choose_ports(port)
            for service, command, settings in self._commands():
                processes.start(
                    self.state, service, command, {**server_environment(), **settings}, PROJECT
                )
            try:
                self._wait_until_healthy()
            except BaseException:
                processes.stop(self.state, SERVICES)
                raise

    def down(self) -> list[processes.FoundProcess]:
        """End both processes; tables and lineage events stay on disk.

        :returns: what was ended.
        """
        with self._lock():
            # The gateway first, so that nobody writes to tables that are being saved.
            ended = processes.stop(self.state, {GATEWAY})
            return ended + processes.stop(self.state, {DYNAMODB}, patience=60)

    def _commands(self) -> Iterator[tuple[str, list[str], dict[str, str]]]:
        directory = self.state / DYNAMODB
        (directory / "temporary").mkdir(parents=True, exist_ok=True)
        yield (
            DYNAMODB,
            [str(PYTHON), "-m", "ministack"],
            {
                "BIND_HOST": ports.HOST,
                "GATEWAY_PORT": str(self._port(DYNAMODB)),
                "IOT_MTLS_ENABLED": "0",
                "LOG_LEVEL": "WARNING",
                "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
                "PERSIST_STATE": "1",
                "SERVICES": "dynamodb,dynamodbstreams",
                "SFTP_ENABLED": "0",
                "STATE_DIR": str(directory),
                "TMPDIR": str(directory / "temporary"),
            },
        )
        command = [str(PYTHON), "-m", "include.local.gateway"]
        command += ["--port", str(self._port(GATEWAY)), "--state", str(self.state)]
        command += ["--dynamodb", f"http://{ports.HOST}:{self._port(DYNAMODB)}"]
        if not self._throttling:
            command.append("--no-throttling")
        yield GATEWAY, command, {"PYTHONUNBUFFERED": "1"}

    def _choose_ports(self, port: int | None) -> None:
        if port is not None:
            ports.require_free(port)
        remembered = self._remembered()
        chosen: dict[str, int] = {}
        for service in SERVICES:
            last = remembered.get(service)
            if service == GATEWAY and port is not None:
                chosen[service] = port
            elif last is not None and last != port and ports.is_free(last):
                chosen[service] = last
            else:
                chosen[service] = ports.free_port()
        self._addresses.write_text(json.dumps({"ports": chosen}, indent=2) + "\n")

    def _remembered(self) -> dict[str, int]:
        try:
            stored: dict[str, int] = json.loads(self._addresses.read_text())["ports"]
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        return stored

    def _port(self, service: str) -> int:
        port = self._remembered().get(service)
        if port is None:
            raise UpdraftError(
                f"No local stack was started with the state in {self.state}; run `updraft local up`"
            )
        return port

    def _answers(self, service: str) -> bool:
        path = "/_local/health" if service == GATEWAY else "/_ministack/ready"
        url = f"http://{ports.HOST}:{self._port(service)}{path}"
        try:
            with _DIRECT.open(url, timeout=2) as response:
                answer = json.load(response)
        except (OSError, ValueError):
            return False
        return service != GATEWAY or answer.get("identity") == str(self.state)

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        waiting = list(SERVICES)
        while waiting:
            waiting = [service for service in waiting if not self._answers(service)]
            running = {process.service for process in processes.find(self.state)}
            for service in waiting:
                if service not in running:
                    raise UpdraftError(
                        self._trouble(service, processes.describe_end(self.state, service))
                    )
                if time.monotonic() > deadline:
                    what = f"does not answer after {_START_SECONDS:.0f} s"
                    raise UpdraftError(self._trouble(service, what))
            if waiting:
                time.sleep(0.1)

    def _trouble(self, service: str, what: str) -> str:
        log = processes.log_file(self.state, service)
        tail = log.read_text(errors="replace")[-_TAIL:] if log.is_file() else ""
        return f"{service} {what}; its log is {log} and ends with:\n{tail}"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one process at a time start or stop the stack."""
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            file = (self.state / "lock").open("w")
        except OSError as error:
            raise UpdraftError(f"The state directory can't be used: {error}") from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


# A proxy that the environment names must not come between two processes of one machine.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def server_environment() -> Mapping[str, str]:
    """Give the servers this process's environment, without what would lead them astray.

    :returns: the variables.
    """
    astray = ("AWS_", "AIRFLOW", "MINISTACK_", "MOTO_", "PYTHON", "S3_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(astray)}


def _require_environment() -> None:
    if not PYTHON.is_file():
        raise UpdraftError(
            f"The local stack is not installed ({PYTHON} is missing); run `make setup`"
        )
