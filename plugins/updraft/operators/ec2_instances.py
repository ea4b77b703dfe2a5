"""The instances that belong to a task instance: finding, launching and ending them."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.service_calls import ServiceCalls
from updraft.operators.kill_switch import KillSwitch
from updraft.resource_owner import ENVIRONMENT_TAG, KEEP_TAG, TOKEN_TAG, ResourceOwner
from updraft.triggers.ec2 import LIVE

log = logging.getLogger(__name__)

Instance: TypeAlias = Mapping[str, Any]
"""What DescribeInstances says about one instance."""

NO_ROOM = frozenset(
    {
        "InstanceLimitExceeded",
        "InsufficientFreeAddressesInSubnet",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "MaxSpotInstanceCountExceeded",
        "SpotMaxPriceTooLow",
        "VcpuLimitExceeded",
    }
)
"""Error codes that say that there is no room for an instance at the moment.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

NOT_ENDED = ("pending", "running", "stopping", "stopped")
"""States of an instance that costs money."""

_TOKEN_IN_USE = frozenset({"IdempotentInstanceTerminated", "IdempotentParameterMismatch"})
_MOST_LAUNCHES = 50
_LONGEST_NAME = 256


class Ec2Instances:
    """The instances of one task instance.

    They are recognised by the tag with the owner's token. EC2 itself sees to it that an attempt
    which knows of none launches no second one: the client token follows from the owner, the series
    of attempts, and the number of instances that the series has used up.

    :param calls: calls of EC2.
    :param owner: the task instance.
    :param kill_switch: whether the task was told to stop; needed by who launches instances.
    """

    def __init__(
        self, calls: ServiceCalls, owner: ResourceOwner, kill_switch: KillSwitch | None = None
    ) -> None:
        self._calls = calls
        self._owner = owner
        self._kill_switch = kill_switch or KillSwitch()

    def own(self, *states: str) -> list[Instance]:
        """Find the owner's instances.

        :param states: the states to look for.
        :returns: the instances, the oldest first.
        :raises ServiceError: when AWS refuses.
        """
        found = self._found(
            {f"tag:{TOKEN_TAG}": [self._owner.token()], "instance-state-name": list(states)}
        )
        return sorted(found, key=lambda one: (one["LaunchTime"], one["InstanceId"]))

    def describe(self, instance_id: str) -> Instance | None:
        """Ask for an instance.

        :param instance_id: its id.
        :returns: what EC2 says, ``None`` when it lists none, as in the first seconds.
        :raises ServiceError: when AWS refuses.
        """
        return described(self._calls, instance_id)

    def adopt(self) -> Instance | None:
        """Take over the instance that there is, and end those that there should not be.

        :returns: the instance, ``None`` when there is none.
        :raises ServiceError: when AWS refuses.
        """
        found = self.own(*LIVE)
        for surplus in found[1:]:
            log.warning(
                "Instance %s is a second one of this task; %s is kept",
                surplus["InstanceId"],
                found[0]["InstanceId"],
            )
            self.terminate(surplus["InstanceId"])
        return found[0] if found else None

    def launch(self, parameters: Mapping[str, Any], series: str) -> str:
        """Launch an instance, once, whatever becomes of the answer.

        :param parameters: parameters of RunInstances, without client token and tags.
        :param series: name of the series of attempts.
        :returns: id of the instance.
        :raises TaskStoppedError: when the task was told to stop before.
        :raises ServiceError: when AWS refuses.
        """
        is_spot = "InstanceMarketOptions" in parameters
        for number in range(_MOST_LAUNCHES):
            token = self._owner.token("instance", series, number, is_spot)
            self._kill_switch.check()
            try:
                answer = self._calls.call(
                    "run_instances",
                    "a new instance",
                    ClientToken=token,
                    TagSpecifications=self._tags(),
                    **parameters,
                )
                launched = answer["Instances"]
            except ServiceError as error:
                if error.code not in _TOKEN_IN_USE:
                    raise
                launched = list(self._found({"client-token": [token]}))
            for instance in launched:
                if instance["State"]["Name"] in LIVE:
                    return str(instance["InstanceId"])
        raise UpdraftError(
            f"{_MOST_LAUNCHES} instances of this task have ended before their time. Look at why, "
            "and clear the task."
        )

    def terminate(self, instance_id: str) -> None:
        """Tell EC2 to end an instance.

        :param instance_id: its id.
        :raises ServiceError: when AWS refuses.
        """
        self._calls.call(
            "terminate_instances", f"instance {instance_id!r}", InstanceIds=[instance_id]
        )
        log.info("Told EC2 to terminate instance %s", instance_id)

    def keep(self, instance_id: str) -> None:
        """Tag an instance as one that stays after its run, so that the reaper leaves it alone.

        :param instance_id: its id.
        :raises ServiceError: when AWS refuses.
        """
        tags = {ENVIRONMENT_TAG: self._owner.tags()[ENVIRONMENT_TAG], KEEP_TAG: "true"}
        self._calls.call(
            "create_tags",
            f"instance {instance_id!r}",
            Resources=[instance_id],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )

    def _found(self, filters: Mapping[str, list[str]]) -> Iterator[Instance]:
        return _instances(self._calls, filters)

    def _tags(self) -> list[dict[str, Any]]:
        name = f"{self._owner.dag_id} {self._owner.task_id}"[:_LONGEST_NAME]
        tags = [
            {"Key": key, "Value": value}
            for key, value in {"Name": name, **self._owner.tags()}.items()
        ]
        return [{"ResourceType": one, "Tags": tags} for one in ("instance", "volume")]


def described(calls: ServiceCalls, instance_id: str) -> Instance | None:
    """Ask for an instance.

    :param calls: calls of EC2.
    :param instance_id: its id.
    :returns: what EC2 says, ``None`` when it lists none, as in the first seconds.
    :raises ServiceError: when AWS refuses.
    """
    return next(_instances(calls, {"instance-id": [instance_id]}), None)


def _instances(calls: ServiceCalls, filters: Mapping[str, list[str]]) -> Iterator[Instance]:
    reservations = calls.items(
        "describe_instances",
        "instances",
        "Reservations",
        Filters=[{"Name": name, "Values": values} for name, values in filters.items()],
    )
    for reservation in reservations:
        yield from reservation["Instances"]


def why_it_ended(instance: Instance) -> str:
    """Say why an instance has ended.

    :param instance: the instance.
    :returns: its id, state and reason.
    """
    reason = instance.get("StateReason") or {}
    said = ": ".join(reason[name] for name in ("Code", "Message") if reason.get(name))
    why = said or instance.get("StateTransitionReason") or "EC2 gives no reason"
    return f"Instance {instance['InstanceId']} is {instance['State']['Name']} ({why})"
