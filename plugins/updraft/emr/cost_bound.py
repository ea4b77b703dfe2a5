"""How many instance hours a cluster can cost, without any price."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class InstanceBound:
    """How many instances a cluster has at most.

    :param by_kind: number of instances by what they are, ``m5.xlarge on demand``.
    :param managed_maximum: greatest size that managed scaling may give it, in its unit, ``None``
        without managed scaling.
    :param managed_unit: that unit.
    :param idle_timeout: seconds after which an idle cluster ends by itself, ``None`` if it does
        not.
    """

    by_kind: Mapping[str, int]
    managed_maximum: int | None
    managed_unit: str
    idle_timeout: int | None

    @property
    def instances(self) -> int:
        """Number of instances at the start, at most."""
        return sum(self.by_kind.values())

    def __str__(self) -> str:
        parts = ", ".join(f"{count} of {kind}" for kind, count in self.by_kind.items())
        text = f"At most {self.instances} instance hours per hour ({parts})"
        if self.managed_maximum is not None:
            text += f", and with managed scaling up to {self.managed_maximum} {self.managed_unit}"
        if self.idle_timeout is None:
            return f"{text}. If nobody ends the cluster, it goes on for ever"
        idle = self.instances * self.idle_timeout / 3600
        return (
            f"{text}. If nobody ends the cluster, it ends after {self.idle_timeout} idle seconds, "
            f"which are at most {idle:.2f} instance hours"
        )


def instance_bound(request: Mapping[str, Any]) -> InstanceBound:
    """Count what a request asks for.

    :param request: the request for the cluster, with its idle timeout.
    :returns: the bound; of a fleet the types with the least weight, which make most instances.
    """
    instances = request["Instances"]
    counts: dict[str, int] = {}
    for group in instances.get("InstanceGroups") or ():
        _add(counts, group.get("InstanceType"), group.get("Market"), group.get("InstanceCount", 1))
    for fleet in instances.get("InstanceFleets") or ():
        _add_fleet(counts, fleet)
    total = instances.get("InstanceCount")
    if not counts and total:
        _add(counts, instances.get("MasterInstanceType"), None, 1)
        core = instances.get("SlaveInstanceType") or instances.get("MasterInstanceType")
        _add(counts, core, None, total - 1)
    limits = (request.get("ManagedScalingPolicy") or {}).get("ComputeLimits") or {}
    return InstanceBound(
        {kind: count for kind, count in counts.items() if count},
        limits.get("MaximumCapacityUnits"),
        limits.get("UnitType", "Instances"),
        (request.get("AutoTerminationPolicy") or {}).get("IdleTimeout"),
    )


def _add(counts: dict[str, int], instance_type: object, market: str | None, count: int) -> None:
    kind = f"{instance_type} {'spot' if market == 'SPOT' else 'on demand'}"
    counts[kind] = counts.get(kind, 0) + int(count)


def _add_fleet(counts: dict[str, int], fleet: Mapping[str, Any]) -> None:
    weights = {
        described["InstanceType"]: described.get("WeightedCapacity") or 1
        for described in fleet.get("InstanceTypeConfigs") or ()
    }
    if not weights:
        return
    lightest = min(weights, key=weights.__getitem__)
    others = f" or {len(weights) - 1} other types" if len(weights) > 1 else ""
    for member, market in (("TargetOnDemandCapacity", None), ("TargetSpotCapacity", "SPOT")):
        units = fleet.get(member) or 0
        if units:
            _add(counts, f"{lightest}{others}", market, math.ceil(units / weights[lightest]))
