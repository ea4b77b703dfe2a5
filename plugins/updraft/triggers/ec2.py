"""Trigger that waits until commands can be sent to an instance of EC2."""

from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.ssm import SsmHook

from updraft.hooks.service_calls import ec2_hook
from updraft.triggers.polling import PollingTrigger

LIVE = frozenset({"pending", "running"})
"""States of an instance on which commands can run, now or soon."""

_LOOKS_PER_STATE = 3


class Ec2InstanceTrigger(PollingTrigger):
    """Wait until the agent of an instance has registered with Systems Manager, or never will.

    :param instance_id: id of the instance; ``None`` when there was no room for one yet, and a
        pause is all that is wanted.
    :param limit_ends_at: when waiting for room ends, in seconds since 1970; the event says it
        again.
    :param kwargs: as of :class:`PollingTrigger`.
    """

    argument_names = ("instance_id", "limit_ends_at")
    aws_hook_class: ClassVar[type[AwsBaseHook]] = SsmHook

    def __init__(self, *, instance_id: str | None, limit_ends_at: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.instance_id = instance_id
        self.limit_ends_at = limit_ends_at
        self._looks = 0

    def first_pause(self) -> float:
        """Say how long to wait before the first look.

        :returns: seconds.
        """
        return 0.0 if self.instance_id is not None else float(self.waiter_delay)

    async def is_over(self, client: Any) -> bool:
        """Look for the agent, and now and then whether the instance is still there.

        :param client: asynchronous client of Systems Manager.
        :returns: whether there is something new.
        """
        if self.instance_id is None:
            return True
        answer = await client.describe_instance_information(
            Filters=[{"Key": "InstanceIds", "Values": [self.instance_id]}]
        )
        found = answer["InstanceInformationList"]
        if found and found[0]["PingStatus"] == "Online":
            return True
        self._looks += 1
        if self._looks % _LOOKS_PER_STATE:
            return False
        async with await self._ec2() as ec2:
            return not await is_live(ec2, self.instance_id)

    async def stop(self, client: Any) -> None:
        """Terminate the instance.

        :param client: asynchronous client of Systems Manager.
        """
        del client
        if self.instance_id is not None:
            async with await self._ec2() as ec2:
                await ec2.terminate_instances(InstanceIds=[self.instance_id])
            self.log.info("Told EC2 to terminate instance %s", self.instance_id)

    async def _ec2(self) -> Any:
        return await other_client(self, ec2_hook)


async def other_client(trigger: PollingTrigger, make_hook: Any) -> Any:
    """Reach another service with everything that a trigger was given for its own.

    :param trigger: the trigger.
    :param make_hook: makes the hook of the other service.
    :returns: a context manager that gives the asynchronous client.
    """
    hook = make_hook(
        aws_conn_id=trigger.aws_conn_id,
        region_name=trigger.region_name,
        verify=trigger.verify,
        config=trigger.botocore_config,
    )
    return await hook.get_async_conn()


async def is_live(ec2: Any, instance_id: str) -> bool:
    """Tell whether an instance runs, or soon will.

    :param ec2: asynchronous client of EC2.
    :param instance_id: id of the instance.
    :returns: whether it does; an instance that EC2 does not list yet counts as one.
    """
    answer = await ec2.describe_instances(
        Filters=[{"Name": "instance-id", "Values": [instance_id]}]
    )
    states = [one["State"]["Name"] for each in answer["Reservations"] for one in each["Instances"]]
    return all(state in LIVE for state in states)
