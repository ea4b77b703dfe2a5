"""Commands with their invocations, and the files that keep them.

Statuses and their order:
https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PENDING, IN_PROGRESS, CANCELLING = "Pending", "InProgress", "Cancelling"
SUCCESS, FAILED, CANCELLED, TIMED_OUT = "Success", "Failed", "Cancelled", "TimedOut"
OVER = frozenset({SUCCESS, FAILED, CANCELLED, TIMED_OUT})

_DETAILS = {IN_PROGRESS: "In Progress", TIMED_OUT: "Execution Timed Out"}
_FILE = "command.json"


@dataclass
class Invocation:
    """What becomes of a command on one instance.

    :param instance_id: the instance.
    :param status: its status.
    :param details: its status in more detail.
    :param code: exit code of the script, -1 as long as there is none.
    :param started: when the script began, in seconds since 1970.
    :param ended: when the invocation ended.
    """

    instance_id: str
    status: str = PENDING
    details: str = PENDING
    code: int = -1
    started: float | None = None
    ended: float | None = None


@dataclass
class Command:
    """A command.

    :param id: its id.
    :param region: its Region.
    :param request: the parameters of SendCommand.
    :param invocations: one for each instance.
    :param requested: when it was sent, in seconds since 1970.
    """

    id: str
    region: str
    request: dict[str, Any]
    invocations: list[Invocation]
    requested: float = field(default_factory=time.time)

    @property
    def execution_timeout(self) -> float:
        """Seconds that the script may take."""
        values = (self.request.get("Parameters") or {}).get("executionTimeout") or ["3600"]
        return float(values[0])

    @property
    def delivery_timeout(self) -> float:
        """Seconds until an instance has to have begun."""
        return float(self.request.get("TimeoutSeconds") or 3600)

    @property
    def status(self) -> str:
        """Its status as a whole."""
        statuses = [one.status for one in self.invocations]
        for status in (IN_PROGRESS, CANCELLING, PENDING, FAILED, TIMED_OUT, CANCELLED):
            if status in statuses:
                return status
        return SUCCESS


class CommandStore:
    """All commands: a directory for each.

    :param directory: where they are kept.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.lock = threading.RLock()
        self._commands: dict[str, Command] = {}
        for path in sorted(directory.glob(f"*/{_FILE}")):
            values = json.loads(path.read_text())
            values["invocations"] = [Invocation(**one) for one in values["invocations"]]
            command = Command(**values)
            self._commands[command.id] = command

    def folder(self, command: Command, *names: str) -> Path:
        """Name a directory of a command.

        :param command: the command.
        :param names: parts of the path below.
        :returns: the directory, which exists.
        """
        folder = self._directory.joinpath(command.id, *names)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def save(self, command: Command) -> None:
        """Keep a command as it is now.

        :param command: the command.
        """
        with self.lock:
            self._commands[command.id] = command
            path = self.folder(command) / _FILE
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(asdict(command), indent=2))
            temporary.replace(path)

    def move(
        self,
        command: Command,
        invocation: Invocation,
        status: str,
        *,
        details: str = "",
        code: int = -1,
    ) -> bool:
        """Put an invocation into another status; a final one stays.

        :param command: the command.
        :param invocation: the invocation.
        :param status: the status.
        :param details: the status in more detail, by default the same.
        :param code: exit code of the script.
        :returns: whether it has the status now.
        """
        with self.lock:
            if invocation.status in OVER:
                return False
            if invocation.status == CANCELLING and status == IN_PROGRESS:
                return False
            invocation.status = status
            invocation.details = details or _DETAILS.get(status, status)
            if status == IN_PROGRESS:
                invocation.started = time.time()
            if status in OVER:
                invocation.code, invocation.ended = code, time.time()
            self.save(command)
            return True

    def find(self, region: str, command_id: str) -> Command | None:
        """Find a command.

        :param region: its Region.
        :param command_id: its id.
        :returns: the command, None when there is none.
        """
        command = self._commands.get(command_id)
        if command is None or command.region != region:
            return None
        self._expire(command)
        return command

    def of_region(self, region: str) -> Iterator[Command]:
        """List commands.

        :param region: their Region.
        :returns: the commands, the latest first.
        """
        with self.lock:
            commands = list(self._commands.values())
        for command in sorted(commands, key=lambda one: one.requested, reverse=True):
            if command.region == region:
                self._expire(command)
                yield command

    def _expire(self, command: Command) -> None:
        """Let time out what an instance does not report on any more, since it is gone."""
        late = command.requested + command.delivery_timeout + command.execution_timeout
        for invocation in command.invocations:
            if invocation.status not in OVER and time.time() > late + 1:
                self.move(command, invocation, TIMED_OUT, details="Delivery Timed Out")
