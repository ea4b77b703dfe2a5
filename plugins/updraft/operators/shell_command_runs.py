"""The commands that one task instance has sent: finding, sending and cancelling them."""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from updraft.dynamodb.service_errors import ServiceError, is_uncertain
from updraft.errors import UpdraftError
from updraft.hooks.service_calls import ServiceCalls
from updraft.operators.kill_switch import KillSwitch
from updraft.resource_owner import ResourceOwner
from updraft.triggers.ssm import ACTIVE

log = logging.getLogger(__name__)

DOCUMENT = "AWS-RunShellScript"
"""Document of Systems Manager that runs a script on Linux."""

SUCCESS = "Success"
CANCELLED = "Cancelled"
_CANCELLING = "Cancelling"

_LOOKBACK = timedelta(days=30)  # how long Systems Manager keeps commands
_LOOKBACK_ANYWHERE = timedelta(days=7)
_LOOKS = 5
_PAUSE = 3.0
_KEY = 20
_LONGEST_COMMENT = 100
_COMMENT = re.compile(r"updraft:(?P<key>[0-9a-f]{20}):(?P<series>[0-9a-f]{6}):(?P<number>\d+) ")


@dataclass(frozen=True)
class SentCommand:
    """A command of the task instance.

    :param command_id: its id.
    :param instance_id: the machine that it was sent to.
    :param status: its status.
    :param series: digest of the series of attempts that sent it.
    :param number: which of the task's commands it is, from 1.
    :param requested: when it was sent.
    """

    command_id: str
    instance_id: str
    status: str
    series: str
    number: int
    requested: datetime

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.status in ACTIVE


class ShellCommandRuns:
    """The commands of a task instance.

    SendCommand has no client token. The comment of a command carries a hash of its owner and a
    number instead, so that a retry finds what an earlier attempt has sent.

    :param calls: calls of Systems Manager.
    :param owner: the task instance.
    :param series: digest of the series of attempts.
    :param instance_id: the machine to look for commands on; by default all of them.
    :param kill_switch: whether the task was told to stop.
    """

    def __init__(
        self,
        calls: ServiceCalls,
        owner: ResourceOwner,
        series: str,
        instance_id: str | None,
        *,
        kill_switch: KillSwitch,
    ) -> None:
        self._calls = calls
        self._owner = owner
        self._series = series
        self._instance_id = instance_id
        self._kill_switch = kill_switch
        self._key = hashlib.sha256(owner.token("command").encode()).hexdigest()[:_KEY]

    def own(self) -> list[SentCommand]:
        """Find the commands of the task instance.

        :returns: the commands, the latest first; of several with one number, the earliest last.
        :raises ServiceError: when AWS refuses.
        """
        return sorted(self._found(), key=lambda one: (one.number, one.requested), reverse=True)

    def adopt(self, found: list[SentCommand]) -> SentCommand | None:
        """Take over what has succeeded or goes on.

        :param found: the commands, as :meth:`own` gives them.
        :returns: the command, ``None`` when one has to be sent.
        :raises ServiceError: when AWS refuses.
        """
        going_on = [one for one in found if one.is_active]
        # One that is being cancelled is waited for only when there is no other.
        active = [one for one in going_on if one.status != _CANCELLING] or going_on
        for surplus in active[:-1]:
            log.warning("Command %s is there a second time; it is cancelled", surplus.command_id)
            self.cancel(surplus.command_id)
        if active:
            return active[-1]
        for one in found:
            is_latest = one.number == found[0].number
            if is_latest and one.status == SUCCESS and one.series == self._series:
                return one
        return None

    def send(
        self, found: list[SentCommand], instance_id: str, request: Mapping[str, Any]
    ) -> SentCommand:
        """Send a command, once, whatever becomes of the answer.

        :param found: the commands that there are.
        :param instance_id: the machine to send it to.
        :param request: parameters of SendCommand besides document, machine and comment.
        :returns: the command.
        :raises TaskStoppedError: when the task was told to stop before; it is cancelled if it was
            sent.
        :raises ServiceError: when AWS refuses, or leaves it open for too long whether it has begun.
        """
        number = found[0].number + 1 if found else 1
        sent: SentCommand | None = None
        give_up_at = time.monotonic() + self._calls.patience
        while sent is None:
            try:
                sent = self._send(number, instance_id, request)
            except ServiceError as error:
                if not is_uncertain(error):
                    raise
                log.warning("It is open whether the command was sent: %s", error)
                sent = self._look_again(number)
                if sent is None and time.monotonic() > give_up_at:
                    raise
        command_id = sent.command_id
        self._kill_switch.check(lambda: self.stop(command_id))
        # Another attempt may have sent one at the same time; both keep the earlier one.
        return self.adopt([one for one in self.own() if one.number == number]) or sent

    def cancel(self, command_id: str) -> None:
        """Tell Systems Manager to cancel a command.

        :param command_id: its id.
        :raises ServiceError: when AWS refuses.
        """
        self._calls.call("cancel_command", f"command {command_id!r}", CommandId=command_id)
        log.info("Told Systems Manager to cancel command %s", command_id)

    def stop(self, known: str | None = None) -> None:
        """Cancel every command of the task that has not ended; called from a signal handler too.

        :param known: id of a command that may be too new to be listed.
        """
        try:
            active = {one.command_id for one in self._found() if one.is_active}
            for command_id in active | ({known} if known is not None else set()):
                self.cancel(command_id)
        except UpdraftError as error:
            log.warning("The command goes on; the next attempt adopts it. %s", error)

    def invocation(self, command: SentCommand) -> Mapping[str, Any] | None:
        """Ask what has become of a command.

        :param command: the command.
        :returns: what Systems Manager says, ``None`` when it knows nothing yet.
        :raises ServiceError: when AWS refuses.
        """
        try:
            return self._calls.call(
                "get_command_invocation",
                f"command {command.command_id!r} on {command.instance_id!r}",
                CommandId=command.command_id,
                InstanceId=command.instance_id,
            )
        except ServiceError as error:
            if error.code == "InvocationDoesNotExist":
                return None
            raise

    def _send(self, number: int, instance_id: str, request: Mapping[str, Any]) -> SentCommand:
        check: Callable[[], None] = self._kill_switch.check
        answer = self._calls.call_once(
            "send_command",
            f"machine {instance_id!r}",
            check,
            DocumentName=DOCUMENT,
            InstanceIds=[instance_id],
            Comment=self._comment(number),
            **request,
        )["Command"]
        return SentCommand(
            answer["CommandId"],
            instance_id,
            answer["Status"],
            self._series,
            number,
            answer["RequestedDateTime"],
        )

    def _comment(self, number: int) -> str:
        # Comments take any character; a task id in the console says whose command it is.
        mark = f"updraft:{self._key}:{self._series}:{number} "
        return f"{mark}{self._owner.dag_id} {self._owner.task_id}"[:_LONGEST_COMMENT]

    def _look_again(self, number: int) -> SentCommand | None:
        for _ in range(_LOOKS):
            time.sleep(_PAUSE)
            found = [one for one in self._found() if one.number == number]
            if found:
                return min(found, key=lambda one: one.requested)
        return None

    def _found(self) -> Iterator[SentCommand]:
        lookback = _LOOKBACK if self._instance_id is not None else _LOOKBACK_ANYWHERE
        after = datetime.now(UTC) - lookback
        where = {"InstanceId": self._instance_id} if self._instance_id is not None else {}
        listed = self._calls.items(
            "list_commands",
            f"machine {self._instance_id!r}" if self._instance_id else "all machines",
            "Commands",
            Filters=[
                {"key": "DocumentName", "value": DOCUMENT},
                {"key": "InvokedAfter", "value": f"{after:%Y-%m-%dT%H:%M:%SZ}"},
            ],
            MaxResults=50,
            **where,
        )
        for one in listed:
            match = _COMMENT.match(one.get("Comment") or "")
            if match is not None and match["key"] == self._key and one.get("InstanceIds"):
                yield SentCommand(
                    one["CommandId"],
                    one["InstanceIds"][0],
                    one["Status"],
                    match["series"],
                    int(match["number"]),
                    one["RequestedDateTime"],
                )
