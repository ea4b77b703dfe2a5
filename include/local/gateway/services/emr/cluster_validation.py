"""What EMR checks before it takes a cluster.

.. seealso:: https://docs.aws.amazon.com/emr/latest/APIReference/API_RunJobFlow.html
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from include.local.gateway.services.emr.running import validation_error

_RELEASE = re.compile(r"emr-\d+\.\d+\.\d+(?:-latest)?")
_MOST_CONCURRENT = 256
_IDLE = range(60, 604_801)  # seconds


def check_request(given: Mapping[str, Any]) -> None:
    """Check the parameters of RunJobFlow.

    :param given: the parameters.
    :raises AwsError: when EMR would refuse them.
    """
    if not given["Name"]:
        raise validation_error("The job flow name must not be empty.")
    release, image = given.get("ReleaseLabel"), given.get("AmiVersion")
    if release is None and image is None:
        raise validation_error("Must provide one of release label or AMI version.")
    if release is not None and image is not None:
        raise validation_error("Only one AMI version and release label may be specified.")
    if release is not None and not _RELEASE.fullmatch(release):
        raise validation_error(f"The supplied release label is invalid: {release}.")
    for member, title in (("JobFlowRole", "InstanceProfile"), ("ServiceRole", "ServiceRole")):
        if not given.get(member):
            raise validation_error(f"{title} is required for creating cluster.")
    _check_instances(given["Instances"])
    level = given.get("StepConcurrencyLevel", 1)
    if not 1 <= level <= _MOST_CONCURRENT:
        raise validation_error(
            f"Invalid StepConcurrencyLevel {level}: it should be between 1 and {_MOST_CONCURRENT}."
        )
    check_idle_timeout(given.get("AutoTerminationPolicy"))


def check_idle_timeout(policy: Mapping[str, Any] | None) -> None:
    """Check an auto-termination policy.

    :param policy: its members, None for none.
    :raises AwsError: when the time is not one that EMR takes.
    """
    seconds = (policy or {}).get("IdleTimeout", 3600)
    if seconds not in _IDLE:
        raise validation_error(
            f"IdleTimeout {seconds} is not valid: it must be between {_IDLE[0]} and {_IDLE[-1]} "
            "seconds."
        )


def _check_instances(instances: Mapping[str, Any]) -> None:
    groups, fleets = instances.get("InstanceGroups"), instances.get("InstanceFleets")
    simple = instances.get("MasterInstanceType") or instances.get("InstanceCount")
    if groups and fleets:
        raise validation_error(
            "Instance fleets and instance groups are mutually exclusive. The EMR cluster "
            "specified in the request contains both."
        )
    if simple and (groups or fleets):
        raise validation_error(
            "Please configure instances using one and only one of the following: instance groups; "
            "instance fleets; instance count, master and slave instance type."
        )
    if groups:
        _check_groups(groups)
    elif fleets:
        _check_fleets(fleets)
    elif not instances.get("MasterInstanceType"):
        raise validation_error(
            "Invalid request: missing the instances. Give instance groups, instance fleets, or "
            "master instance type and instance count."
        )
    elif instances.get("InstanceCount", 1) < 1:
        raise validation_error("The instance count must be at least 1.")
    if instances.get("Ec2SubnetId") and instances.get("Ec2SubnetIds"):
        raise validation_error("Only one of Ec2SubnetId and Ec2SubnetIds may be specified.")


def _check_groups(groups: Sequence[Mapping[str, Any]]) -> None:
    _check_roles([group["InstanceRole"] for group in groups])
    for group in groups:
        if group["InstanceCount"] < 1 and group["InstanceRole"] != "TASK":
            raise validation_error(
                "An instance group must have at least one instance: "
                f"{group['InstanceRole']} has {group['InstanceCount']}."
            )


def _check_fleets(fleets: Sequence[Mapping[str, Any]]) -> None:
    _check_roles([fleet["InstanceFleetType"] for fleet in fleets])
    for fleet in fleets:
        if not fleet.get("TargetOnDemandCapacity") and not fleet.get("TargetSpotCapacity"):
            raise validation_error(
                "At least one of TargetOnDemandCapacity and TargetSpotCapacity must be greater "
                f"than 0: {fleet['InstanceFleetType']} has neither."
            )


def _check_roles(roles: list[str]) -> None:
    if roles.count("MASTER") != 1:
        raise validation_error(
            f"Exactly one master instance group or fleet is needed; {roles.count('MASTER')} given."
        )
    if roles.count("CORE") > 1:
        raise validation_error("At most one core instance group or fleet may be given.")
