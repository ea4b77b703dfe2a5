"""The operations on instances, which exist as far as the request for the cluster tells."""

from collections.abc import Iterator, Mapping
from typing import Any

from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.emr.clusters import (
    BOOTSTRAPPING,
    OVER,
    STARTING,
    TERMINATING,
    Cluster,
)
from include.local.gateway.services.emr.pages import page
from include.local.gateway.services.emr.running import RunningClusters, invalid_request, moment

_PAGE = 2000
_STATES = {STARTING: "PROVISIONING", BOOTSTRAPPING: "BOOTSTRAPPING"}


class InstanceOperations:
    """The operations.

    :param clusters: the clusters.
    """

    def __init__(self, clusters: RunningClusters) -> None:
        self._clusters = clusters

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "ListInstanceFleets": self._list_fleets,
            "ListInstanceGroups": self._list_groups,
            "ListInstances": self._list_instances,
        }

    def _list_groups(self, request: OperationRequest) -> Mapping[str, Any]:
        cluster = self._clusters.find(request.region, request.parameters["ClusterId"])
        if cluster.request["Instances"].get("InstanceFleets"):
            raise invalid_request("Instance fleets and instance groups are mutually exclusive.")
        groups = [
            {
                "Id": _id(cluster, "ig", number),
                "Name": group.get("Name", group["InstanceRole"]),
                "Market": group.get("Market", "ON_DEMAND"),
                "InstanceGroupType": group["InstanceRole"],
                "InstanceType": group["InstanceType"],
                "RequestedInstanceCount": group["InstanceCount"],
                "RunningInstanceCount": _running(cluster, group["InstanceCount"]),
                "Status": _status(cluster),
                "Configurations": group.get("Configurations", []),
                **({"BidPrice": group["BidPrice"]} if group.get("BidPrice") else {}),
            }
            for number, group in enumerate(_groups(cluster))
        ]
        return {"InstanceGroups": groups}

    def _list_fleets(self, request: OperationRequest) -> Mapping[str, Any]:
        cluster = self._clusters.find(request.region, request.parameters["ClusterId"])
        fleets = cluster.request["Instances"].get("InstanceFleets")
        if not fleets:
            raise invalid_request("Instance fleets and instance groups are mutually exclusive.")
        return {
            "InstanceFleets": [
                {
                    "Id": _id(cluster, "if", number),
                    "Name": fleet.get("Name", fleet["InstanceFleetType"]),
                    "InstanceFleetType": fleet["InstanceFleetType"],
                    "Status": _status(cluster),
                    "TargetOnDemandCapacity": fleet.get("TargetOnDemandCapacity", 0),
                    "TargetSpotCapacity": fleet.get("TargetSpotCapacity", 0),
                    "ProvisionedOnDemandCapacity": _running(
                        cluster, fleet.get("TargetOnDemandCapacity", 0)
                    ),
                    "ProvisionedSpotCapacity": _running(
                        cluster, fleet.get("TargetSpotCapacity", 0)
                    ),
                    "InstanceTypeSpecifications": fleet.get("InstanceTypeConfigs", []),
                }
                for number, fleet in enumerate(fleets)
            ]
        }

    def _list_instances(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        cluster = self._clusters.find(request.region, given["ClusterId"])
        roles = given.get("InstanceGroupTypes") or given.get("InstanceFleetType") or ()
        group = given.get("InstanceGroupId") or given.get("InstanceFleetId")
        states = given.get("InstanceStates")
        found = [
            instance
            for role, instance in _instances(cluster)
            if (not roles or role in roles)
            and (
                group is None
                or group in (instance.get("InstanceGroupId"), instance.get("InstanceFleetId"))
            )
            and (not states or instance["Status"]["State"] in states)
        ]
        listed, marker = page(found, given.get("Marker"), _PAGE, lambda each: str(each["Id"]))
        return {"Instances": list(listed), **marker}


def _groups(cluster: Cluster) -> list[dict[str, Any]]:
    """Give the instance groups, those included that the old, short form stands for."""
    instances = cluster.request["Instances"]
    if instances.get("InstanceGroups"):
        groups: list[dict[str, Any]] = instances["InstanceGroups"]
        return groups
    primary = instances["MasterInstanceType"]
    groups = [{"InstanceRole": "MASTER", "InstanceType": primary, "InstanceCount": 1}]
    others = instances.get("InstanceCount", 1) - 1
    if others > 0:
        other_type = instances.get("SlaveInstanceType", primary)
        groups.append({"InstanceRole": "CORE", "InstanceType": other_type, "InstanceCount": others})
    return groups


def _instances(cluster: Cluster) -> Iterator[tuple[str, dict[str, Any]]]:
    fleets = cluster.request["Instances"].get("InstanceFleets")
    collections = (
        [
            (
                fleet["InstanceFleetType"],
                "InstanceFleetId",
                _id(cluster, "if", number),
                (fleet.get("InstanceTypeConfigs") or [{}])[0].get("InstanceType", "m5.xlarge"),
                "SPOT" if fleet.get("TargetSpotCapacity") else "ON_DEMAND",
                fleet.get("TargetOnDemandCapacity", 0) + fleet.get("TargetSpotCapacity", 0),
            )
            for number, fleet in enumerate(fleets)
        ]
        if fleets
        else [
            (
                group["InstanceRole"],
                "InstanceGroupId",
                _id(cluster, "ig", number),
                group["InstanceType"],
                group.get("Market", "ON_DEMAND"),
                group["InstanceCount"],
            )
            for number, group in enumerate(_groups(cluster))
        ]
    )
    position = 0
    for role, member, collection_id, instance_type, market, count in collections:
        for _ in range(count):
            yield (
                role,
                {
                    "Id": _id(cluster, "ci", position),
                    "Ec2InstanceId": f"i-0{cluster.id[2:].encode().hex()[:12]}{position:04x}",
                    "Status": _status(cluster),
                    member: collection_id,
                    "InstanceType": instance_type,
                    "Market": market,
                    "PrivateDnsName": "localhost",
                    "PrivateIpAddress": "127.0.0.1",
                    "PublicDnsName": "localhost",
                },
            )
            position += 1


def _status(cluster: Cluster) -> dict[str, Any]:
    over = cluster.state in OVER or cluster.state == TERMINATING
    state = "TERMINATED" if over else _STATES.get(cluster.state, "RUNNING")
    times = {
        "CreationDateTime": cluster.created,
        "ReadyDateTime": cluster.ready,
        "EndDateTime": cluster.ended,
    }
    return {
        "State": state,
        "StateChangeReason": {},
        "Timeline": {name: moment(each) for name, each in times.items() if each},
    }


def _running(cluster: Cluster, count: int) -> int:
    return count if _status(cluster)["State"] in {"RUNNING", "BOOTSTRAPPING"} else 0


def _id(cluster: Cluster, prefix: str, number: int) -> str:
    return f"{prefix}-{cluster.id.removeprefix('j-')[:11]}{number:02d}"
