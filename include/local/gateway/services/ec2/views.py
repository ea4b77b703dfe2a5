"""Instances as the API shows them, and the filters of its lists."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import ACCOUNT_ID
from include.local.gateway.services.ec2.instances import CODES, Instance


def profile_arn(instance: Instance) -> str | None:
    """Name the instance profile of an instance.

    :param instance: the instance.
    :returns: its ARN, None when it has none.
    """
    profile = instance.request.get("IamInstanceProfile")
    if profile is None:
        return None
    named = f"arn:aws:iam::{ACCOUNT_ID}:instance-profile/{profile.get('Name')}"
    return str(profile.get("Arn") or named)


def state_members(state: str) -> dict[str, Any]:
    """Write a state.

    :param state: the state.
    :returns: the members of ``InstanceState``.
    """
    return {"Code": CODES[state], "Name": state}


def instance_members(instance: Instance) -> dict[str, Any]:
    """Describe an instance.

    :param instance: the instance.
    :returns: the members of ``Instance``.
    """
    given = instance.request
    profile = profile_arn(instance)
    members: dict[str, Any] = {
        "AmiLaunchIndex": instance.index,
        "ClientToken": given.get("ClientToken") or "",
        "ImageId": instance.image_id,
        "InstanceId": instance.id,
        "InstanceType": given.get("InstanceType", "m1.small"),
        "LaunchTime": datetime.fromtimestamp(instance.launched, UTC),
        "Monitoring": {"State": "disabled"},
        "Placement": {
            "AvailabilityZone": f"{instance.region}a",
            "GroupName": "",
            "Tenancy": "default",
        },
        "PrivateDnsName": "ip-127-0-0-1.ec2.internal",
        "PrivateIpAddress": "127.0.0.1",
        "RootDeviceName": "/dev/xvda",
        "SecurityGroups": [
            {"GroupId": one, "GroupName": one} for one in given.get("SecurityGroupIds") or ()
        ],
        "State": state_members(instance.state),
        "StateTransitionReason": instance.reason,
        "Tags": [{"Key": key, "Value": value} for key, value in instance.tags.items()],
    }
    if instance.reason:
        members["StateReason"] = {"Code": instance.code, "Message": instance.reason}
    if profile is not None:
        members["IamInstanceProfile"] = {"Arn": profile, "Id": "AIPALOCAL"}
    if (given.get("InstanceMarketOptions") or {}).get("MarketType") == "spot":
        members["InstanceLifecycle"] = "spot"
    for name in ("KeyName", "SubnetId"):
        if given.get(name):
            members[name] = given[name]
    return members


def reservation_members(instances: Sequence[Instance]) -> dict[str, Any]:
    """Describe the instances of one launch.

    :param instances: the instances, one at least.
    :returns: the members of ``Reservation``.
    """
    return {
        "Groups": [],
        "Instances": [instance_members(one) for one in instances],
        "OwnerId": ACCOUNT_ID,
        "ReservationId": instances[0].reservation_id,
    }


def matches(instance: Instance, filters: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether an instance satisfies all filters.

    :param instance: the instance.
    :param filters: the members ``Filters`` of a request.
    :returns: whether it does.
    :raises AwsError: for a filter that is not known here.
    """
    for one in filters:
        values = _values(instance, one["Name"])
        patterns = one.get("Values") or ()
        if not any(fnmatchcase(value, pattern) for value in values for pattern in patterns):
            return False
    return True


def _values(instance: Instance, name: str) -> list[str]:
    given = instance.request
    if name.startswith("tag:"):
        value = instance.tags.get(name.removeprefix("tag:"))
        return [] if value is None else [value]
    single = {
        "client-token": given.get("ClientToken"),
        "iam-instance-profile.arn": profile_arn(instance),
        "image-id": instance.image_id,
        "instance-id": instance.id,
        "instance-state-code": str(CODES[instance.state]),
        "instance-state-name": instance.state,
        "instance-type": given.get("InstanceType"),
        "key-name": given.get("KeyName"),
        "reservation-id": instance.reservation_id,
        "subnet-id": given.get("SubnetId"),
    }
    several = {"tag-key": list(instance.tags), "tag-value": list(instance.tags.values())}
    if name in several:
        return several[name]
    if name not in single:
        raise AwsError(
            "InvalidParameterValue", f"The local stack knows no filter '{name}' of instances"
        )
    value = single[name]
    return [] if value is None else [str(value)]
