"""What a cluster runs on: groups of one instance type each, or fleets of several."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from updraft.choices import require_choice
from updraft.errors import UpdraftError

ROLES = ("MASTER", "CORE", "TASK")
"""Roles of instances, https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-master-core-task-nodes.html."""

_MARKETS = ("ON_DEMAND", "SPOT")
_TIMEOUT_ACTIONS = ("SWITCH_TO_ON_DEMAND", "TERMINATE_CLUSTER")
_SPOT_TIMEOUT_MINUTES = (5, 1440)


@dataclass(frozen=True)
class EbsVolumes:
    """The EBS volumes that each instance gets in addition to its own.

    :param size_gb: size of one in GiB.
    :param volume_type: ``gp2``, ``gp3``, ``io1``, ``io2``, ``sc1``, ``st1`` or ``standard``.
    :param per_instance: how many there are.
    :param iops: operations per second, for types that take them.
    """

    size_gb: int
    volume_type: str = "gp3"
    per_instance: int = 1
    iops: int | None = None

    def request(self) -> dict[str, Any]:
        """Write them as ``EbsConfiguration`` of the API.

        :returns: the structure.
        """
        volume: dict[str, Any] = {"VolumeType": self.volume_type, "SizeInGB": self.size_gb}
        if self.iops is not None:
            volume["Iops"] = self.iops
        return {
            "EbsBlockDeviceConfigs": [
                {"VolumeSpecification": volume, "VolumesPerInstance": self.per_instance}
            ]
        }


@dataclass(frozen=True)
class InstanceGroup:
    """Instances of one type and role.

    :param role: ``MASTER``, ``CORE`` or ``TASK``.
    :param instance_type: type of EC2 instance, ``m5.xlarge``.
    :param count: number of instances.
    :param market: ``ON_DEMAND`` or ``SPOT``.
    :param bid_price: highest price of a spot instance in USD per hour; by default the on-demand
        price.
    :param ebs: further volumes.
    """

    role: str
    instance_type: str
    count: int = 1
    market: str = "ON_DEMAND"
    bid_price: str | None = None
    ebs: EbsVolumes | None = None

    def request(self) -> dict[str, Any]:
        """Write it as ``InstanceGroupConfig`` of the API.

        :returns: the structure.
        :raises UpdraftError: when a value is none that EMR knows.
        """
        require_choice("role", self.role, ROLES)
        require_choice("market", self.market, _MARKETS)
        if not isinstance(self.count, int) or self.count < 1:
            raise UpdraftError(f"count: {self.count!r} is not a whole number from 1")
        group: dict[str, Any] = {
            "Name": self.role.capitalize(),
            "InstanceRole": self.role,
            "InstanceType": self.instance_type,
            "InstanceCount": self.count,
            "Market": self.market,
        }
        if self.bid_price is not None:
            if self.market != "SPOT":
                raise UpdraftError("bid_price: only instances of market='SPOT' are bid for")
            group["BidPrice"] = self.bid_price
        if self.ebs is not None:
            group["EbsConfiguration"] = self.ebs.request()
        return group


@dataclass(frozen=True)
class InstanceFleet:
    """Instances of one role, of whichever of several types there are.

    .. seealso:: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-instance-fleet.html

    :param role: ``MASTER``, ``CORE`` or ``TASK``.
    :param instance_types: types of EC2 instance with the units of capacity that each counts.
    :param on_demand_capacity: units of capacity that are bought on demand.
    :param spot_capacity: units of capacity that are asked for on the spot market.
    :param spot_timeout_minutes: how long EMR tries to get the spot capacity, 5 to 1440 minutes.
    :param spot_timeout_action: ``SWITCH_TO_ON_DEMAND`` or ``TERMINATE_CLUSTER`` after that time.
    :param spot_allocation: how EMR chooses among spot pools.
    :param ebs: further volumes of each instance.
    """

    role: str
    instance_types: Mapping[str, int] = field(default_factory=dict)
    on_demand_capacity: int = 0
    spot_capacity: int = 0
    spot_timeout_minutes: int = 20
    spot_timeout_action: str = "SWITCH_TO_ON_DEMAND"
    spot_allocation: str = "price-capacity-optimized"
    ebs: EbsVolumes | None = None

    def request(self) -> dict[str, Any]:
        """Write it as ``InstanceFleetConfig`` of the API.

        :returns: the structure.
        :raises UpdraftError: when a value is none that EMR takes.
        """
        require_choice("role", self.role, ROLES)
        if not self.instance_types:
            raise UpdraftError("instance_types: a fleet needs at least one type of instance")
        if self.on_demand_capacity + self.spot_capacity < 1:
            raise UpdraftError("a fleet needs on_demand_capacity or spot_capacity above 0")
        fleet: dict[str, Any] = {
            "Name": self.role.capitalize(),
            "InstanceFleetType": self.role,
            "TargetOnDemandCapacity": self.on_demand_capacity,
            "TargetSpotCapacity": self.spot_capacity,
            "InstanceTypeConfigs": [
                self._type(name, weight) for name, weight in self.instance_types.items()
            ],
        }
        if self.spot_capacity:
            fleet["LaunchSpecifications"] = {"SpotSpecification": self._spot()}
        return fleet

    def _type(self, name: str, weight: int) -> dict[str, Any]:
        described: dict[str, Any] = {"InstanceType": name}
        if self.role != "MASTER":  # EMR refuses a weight for the one instance of this role
            described["WeightedCapacity"] = weight
        if self.ebs is not None:
            described["EbsConfiguration"] = self.ebs.request()
        return described

    def _spot(self) -> dict[str, Any]:
        require_choice("spot_timeout_action", self.spot_timeout_action, _TIMEOUT_ACTIONS)
        least, most = _SPOT_TIMEOUT_MINUTES
        if not least <= self.spot_timeout_minutes <= most:
            raise UpdraftError(
                f"spot_timeout_minutes: {self.spot_timeout_minutes!r} is not from {least} to {most}"
            )
        return {
            "TimeoutDurationMinutes": self.spot_timeout_minutes,
            "TimeoutAction": self.spot_timeout_action,
            "AllocationStrategy": self.spot_allocation,
        }


def on_demand(instances: Mapping[str, Any]) -> dict[str, Any]:
    """Replace spot instances by instances on demand.

    :param instances: member ``Instances`` of RunJobFlow.
    :returns: a copy without the spot market.
    """
    changed = dict(instances)
    if "InstanceGroups" in changed:
        changed["InstanceGroups"] = [
            {name: value for name, value in group.items() if name != "BidPrice"}
            | {"Market": "ON_DEMAND"}
            for group in changed["InstanceGroups"]
        ]
    if "InstanceFleets" in changed:
        changed["InstanceFleets"] = [_on_demand_fleet(fleet) for fleet in changed["InstanceFleets"]]
    return changed


def uses_spot(instances: Mapping[str, Any]) -> bool:
    """Tell whether any instance is asked for on the spot market.

    :param instances: member ``Instances`` of RunJobFlow.
    :returns: whether it is.
    """
    return any(
        group.get("Market") == "SPOT" for group in instances.get("InstanceGroups") or ()
    ) or any(fleet.get("TargetSpotCapacity") for fleet in instances.get("InstanceFleets") or ())


def _on_demand_fleet(fleet: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(fleet)
    spot = changed.pop("TargetSpotCapacity", 0) or 0
    changed["TargetOnDemandCapacity"] = (changed.get("TargetOnDemandCapacity") or 0) + spot
    launch = {
        name: value
        for name, value in (changed.pop("LaunchSpecifications", None) or {}).items()
        if name != "SpotSpecification"
    }
    if launch:
        changed["LaunchSpecifications"] = launch
    changed["InstanceTypeConfigs"] = [
        {name: value for name, value in described.items() if not name.startswith("BidPrice")}
        for described in changed.get("InstanceTypeConfigs") or ()
    ]
    return changed
