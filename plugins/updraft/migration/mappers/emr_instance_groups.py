"""The instances of a cluster: one group for each role."""

from updraft.datapipeline.findings import Severity
from updraft.emr.legacy_cluster import (
    PROPOSED_INSTANCE_TYPE,
    PROPOSED_RELEASE,
    instance_group,
    is_previous_generation,
)
from updraft.migration.ledger import Status
from updraft.migration.mappers.ec2_instance_fields import CURRENT_TYPES
from updraft.migration.mappers.emr_cluster_fields import ClusterFields
from updraft.migration.mappers.emr_configurations import configurations_of, ebs_configuration

_SMALLER_THAN_EMR_TAKES = {"micro", "small", "medium", "large"}
_ROLES = ("master", "core", "task")


def instance_groups(fields: ClusterFields) -> list[dict[str, object]]:
    """Describe the groups of instances.

    :param fields: the cluster.
    :returns: ``InstanceGroups`` of the EMR API.
    :raises NotCompilableError: when a part of one can't be said exactly.
    """
    for name in ("EbsBlockDeviceConfig", "VolumeSpecification"):
        note = "names no group: set it by the EbsConfiguration of a group, in `EbsConfiguration`"
        fields.settle(name, Status.NEEDS_DECISION, note)
    groups = (_group(role, fields) for role in _ROLES)
    return [group for group in groups if group is not None]


def _group(role: str, fields: ClusterFields) -> dict[str, object] | None:
    place = f"of the {role} group"
    count = (
        1 if role == "master" else fields.number(f"{role}InstanceCount", f"`InstanceCount` {place}")
    )
    instance_type = fields.value(f"{role}InstanceType", f"`InstanceType` {place}")
    bid_price = fields.value(f"{role}InstanceBidPrice", f"`BidPrice` {place}, which is of Spot")
    configurations = configurations_of(
        f"{role}GroupConfiguration", f"`Configurations` {place}", fields
    )
    ebs = ebs_configuration(f"{role}EbsConfiguration", f"`EbsConfiguration` {place}", fields)
    if count == 0:
        _account_absent(role, fields)
        return None
    if role == "task" and count is None and instance_type is None:
        _account_absent(role, fields)
        return None
    if instance_type is None:
        instance_type = PROPOSED_INSTANCE_TYPE
    elif is_previous_generation(present := fields.present(f"{role}InstanceType") or ""):
        instance_type = _current_type(role, instance_type, present, fields)
    # One core node unless the definition says otherwise, as for the service.
    group = instance_group(
        role.upper(), instance_type, count if count is not None else 1, bid_price
    )
    if configurations:
        group["Configurations"] = configurations
    if ebs is not None:
        group["EbsConfiguration"] = ebs
    return group


def _account_absent(role: str, fields: ClusterFields) -> None:
    note = f"the cluster has no {role} group"
    for name in ("InstanceType", "InstanceBidPrice", "GroupConfiguration", "EbsConfiguration"):
        fields.settle(f"{role}{name}", Status.DROPPED, note)


def node_type(old: str) -> str:
    """Propose an instance type for a node of a cluster.

    :param old: a type of a previous generation.
    :returns: one of today with as much memory, and not smaller than EMR takes.
    """
    current = CURRENT_TYPES.get(old, PROPOSED_INSTANCE_TYPE)
    too_small = current.partition(".")[2] in _SMALLER_THAN_EMR_TAKES
    return PROPOSED_INSTANCE_TYPE if too_small else current


def _current_type(role: str, written: str, old: str, fields: ClusterFields) -> str:
    """Replace an old type where its release is replaced, too; else it may still start."""
    name, proposed = f"{role}InstanceType", node_type(old)
    if fields.item.field("releaseLabel") is None and written == old:
        note = (
            f"`InstanceType` of the {role} group: `{proposed}`, since {PROPOSED_RELEASE} does not "
            f"start on {old}"
        )
        fields.settle(name, Status.APPROXIMATED, note)
        return proposed
    note = f"of a previous generation, which the release may refuse; `{proposed}` is a current one"
    fields.settle(name, Status.NEEDS_DECISION, note)
    fields.workflow.report(
        Severity.WARNING,
        fields.item,
        name,
        "The instance type is of a previous generation, which current releases may refuse",
        f"Choose a current one, such as {proposed}",
    )
    return written
