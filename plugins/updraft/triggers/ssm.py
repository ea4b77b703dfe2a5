"""Trigger that waits for the end of a command of Systems Manager."""

from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook

from updraft.hooks.service_calls import ec2_hook
from updraft.triggers.ec2 import is_live, other_client
from updraft.triggers.polling import PollingTrigger

ACTIVE = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
"""Statuses of an invocation that has not ended.

https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html
"""

_LOOKS_PER_INSTANCE = 5


class ShellCommandTrigger(PollingTrigger):
    """Wait until a command has ended on its machine, or the machine has.

    :param command_id: id of the command.
    :param instance_id: id of the managed node that it runs on.
    :param adopted: whether an earlier attempt of the task sent it; the event says so again.
    :param kwargs: as of :class:`PollingTrigger`.
    """

    argument_names = ("command_id", "instance_id", "adopted")
    aws_hook_class: ClassVar[type[AwsBaseHook]] = SsmHook

    def __init__(self, *, command_id: str, instance_id: str, adopted: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.command_id = command_id
        self.instance_id = instance_id
        self.adopted = adopted
        self._looks = 0

    async def is_over(self, client: Any) -> bool:
        """Look at the command, and now and then at the machine, which reports nothing when gone.

        :param client: asynchronous client of Systems Manager.
        :returns: whether there is something new.
        """
        answer = await client.list_command_invocations(
            CommandId=self.command_id, InstanceId=self.instance_id
        )
        found = answer["CommandInvocations"]
        if found and found[0]["Status"] not in ACTIVE:
            return True
        self._looks += 1
        if not self.instance_id.startswith("i-") or self._looks % _LOOKS_PER_INSTANCE:
            return False
        async with await other_client(self, ec2_hook) as ec2:
            return not await is_live(ec2, self.instance_id)

    async def stop(self, client: Any) -> None:
        """Cancel the command.

        :param client: asynchronous client of Systems Manager.
        """
        await client.cancel_command(CommandId=self.command_id)
        self.log.info("Told Systems Manager to cancel command %s", self.command_id)
