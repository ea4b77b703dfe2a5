"""What to ask EC2 for: one instance that ends by itself, whatever becomes of who asked for it."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from updraft.errors import ArgumentError

_LATEST = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"
# Families with Graviton processors: a "g" among the letters after the generation, such as t4g,
# m7gd or c7gn; and a1. https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
_ARM = re.compile(r"(a1|[a-z]+\d+[a-z]*g[a-z]*(-.*)?)")
_NOT_ARM = re.compile(r"g\d")  # G instances have graphics processors
_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_PROFILE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:instance-profile/.+")

SHORTEST_LIFE = timedelta(minutes=1)
"""``shutdown`` counts in minutes."""


@dataclass(frozen=True)
class InstanceRequest:
    """One instance.

    :param instance_type: its type.
    :param instance_profile: name or ARN of the instance profile. Its role decides what commands
        may do, and has to let the agent of Systems Manager in, as AmazonSSMManagedInstanceCore
        does.
    :param terminate_after: when the instance ends by itself, counted from its start and rounded up
        to minutes.
    :param image_id: its image, which needs bash, the AWS command line and the agent of Systems
        Manager; by default the latest Amazon Linux 2023.
    :param subnet_id: its subnet; by default one of the default VPC.
    :param security_group_ids: ids of its security groups.
    :param security_groups: names of its security groups, in the default VPC only.
    :param key_name: name of a key pair.
    :param availability_zone: its zone.
    :param public_ip: whether it gets a public address; by default as its subnet says.
    :param spot: whether it is a spot instance.
    :param spot_max_price: most dollars an hour for it; by default the price on demand.
    :param user_data: commands for bash, run as ``root`` when the instance has started.
    :param launch_options: further parameters of RunInstances.
    """

    instance_type: str
    instance_profile: str
    terminate_after: timedelta
    image_id: str | None = None
    subnet_id: str | None = None
    security_group_ids: Sequence[str] = ()
    security_groups: Sequence[str] = ()
    key_name: str | None = None
    availability_zone: str | None = None
    public_ip: bool | None = None
    spot: bool = False
    spot_max_price: str | None = None
    user_data: str | None = None
    launch_options: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Check everything.

        :raises UpdraftError: when something is wrong.
        """
        if not _TYPE.fullmatch(self.instance_type):
            raise ArgumentError(
                f"instance_type: {self.instance_type!r} is no type of an instance such as t3.small"
            )
        if not self.instance_profile:
            raise ArgumentError(
                "instance_profile: there is none. Without one no command reaches the instance; "
                "name one whose role has the policy AmazonSSMManagedInstanceCore."
            )
        if self.terminate_after < SHORTEST_LIFE:
            raise ArgumentError(
                f"terminate_after: {self.terminate_after} is shorter than {SHORTEST_LIFE}"
            )
        if self.security_groups and (self.subnet_id or self.public_ip is not None):
            raise ArgumentError(
                "security_groups: names count in the default VPC only, without subnet_id and "
                "public_ip; give security_group_ids"
            )
        own = sorted({*self._parameters(), "ClientToken", "TagSpecifications"})
        for name in self.launch_options:
            if name in own:
                raise ArgumentError(
                    f"launch_options: {name} is decided by other arguments of the task"
                )

    def parameters(self, *, spot: bool | None = None) -> dict[str, Any]:
        """Write the request.

        :param spot: whether it is a spot instance; by default as it was asked for.
        :returns: parameters of RunInstances, without client token and tags.
        :raises UpdraftError: when something is wrong.
        """
        self.check()
        parameters = {**self.launch_options, **self._parameters()}
        if self.spot if spot is None else spot:
            options: dict[str, Any] = {"SpotInstanceType": "one-time"}
            if self.spot_max_price is not None:
                options["MaxPrice"] = self.spot_max_price
            parameters["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": options}
        return parameters

    def _parameters(self) -> dict[str, Any]:
        by_arn = _PROFILE_ARN.fullmatch(self.instance_profile)
        groups = list(self.security_group_ids)
        parameters: dict[str, Any] = {
            "IamInstanceProfile": {"Arn" if by_arn else "Name": self.instance_profile},
            "ImageId": self.image_id or f"{_LATEST}{architecture(self.instance_type)}",
            "InstanceInitiatedShutdownBehavior": "terminate",
            "InstanceType": self.instance_type,
            "MaxCount": 1,
            "MetadataOptions": {"HttpEndpoint": "enabled", "HttpTokens": "required"},
            "MinCount": 1,
            "UserData": self._boot_script(),
        }
        if self.public_ip is not None:
            interface: dict[str, Any] = {
                "AssociatePublicIpAddress": self.public_ip,
                "DeviceIndex": 0,
            }
            interface |= {"Groups": groups} if groups else {}
            interface |= {"SubnetId": self.subnet_id} if self.subnet_id else {}
            parameters["NetworkInterfaces"] = [interface]
        else:
            parameters |= {"SecurityGroupIds": groups} if groups else {}
            parameters |= {"SubnetId": self.subnet_id} if self.subnet_id else {}
        if self.security_groups:
            parameters["SecurityGroups"] = list(self.security_groups)
        if self.key_name:
            parameters["KeyName"] = self.key_name
        if self.availability_zone:
            parameters["Placement"] = {"AvailabilityZone": self.availability_zone}
        return parameters

    def _boot_script(self) -> str:
        """Write what the instance does when it has started: it sets its own end first."""
        minutes = math.ceil(self.terminate_after / timedelta(minutes=1))
        lines = ["#!/bin/bash", f"shutdown -P +{minutes}"]
        if self.user_data:
            lines.append(self.user_data.removeprefix("#!/bin/bash\n").rstrip("\n"))
        return "\n".join(lines) + "\n"


def architecture(instance_type: str) -> str:
    """Tell the architecture of an instance.

    :param instance_type: its type.
    :returns: ``arm64`` or ``x86_64``, as names of images have them.
    """
    family = instance_type.partition(".")[0]
    if _NOT_ARM.match(family) and not re.fullmatch(r"g\d+[a-z]*g[a-z]*", family):
        return "x86_64"
    return "arm64" if _ARM.fullmatch(family) else "x86_64"
