"""The request for a cluster: built from named arguments, or given as the API wants it."""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from updraft.choices import unknown_choice
from updraft.emr.idle_timeout import DEFAULT_IDLE_TIMEOUT, check_idle_timeout, ends_idle_clusters
from updraft.emr.instances import InstanceFleet, InstanceGroup, on_demand, uses_spot
from updraft.emr.request_numbers import with_numbers
from updraft.errors import UpdraftError

_LONGEST_NAME = 256
_MEMBERS = frozenset(
    {
        "AdditionalInfo",
        "AmiVersion",
        "Applications",
        "AutoScalingRole",
        "AutoTerminationPolicy",
        "BootstrapActions",
        "Configurations",
        "CustomAmiId",
        "EbsRootVolumeIops",
        "EbsRootVolumeSize",
        "EbsRootVolumeThroughput",
        "ExtendedSupport",
        "Instances",
        "JobFlowRole",
        "KerberosAttributes",
        "LogEncryptionKmsKeyId",
        "LogUri",
        "ManagedScalingPolicy",
        "MonitoringConfiguration",
        "Name",
        "NewSupportedProducts",
        "OSReleaseLabel",
        "PlacementGroupConfigs",
        "ReleaseLabel",
        "RepoUpgradeOnBoot",
        "ScaleDownBehavior",
        "SecurityConfiguration",
        "ServiceRole",
        "SessionEnabled",
        "StepConcurrencyLevel",
        "StepExecutionRoleArn",
        "Steps",
        "SupportedProducts",
        "Tags",
        "VisibleToAllUsers",
    }
)


@dataclass(frozen=True)
class BootstrapAction:
    """A script that each instance runs before applications start.

    :param path: ``s3://`` URI of the script.
    :param args: its arguments.
    :param name: its name.
    """

    path: str
    args: Sequence[str] = ()
    name: str = ""


@dataclass(frozen=True)
class ManagedScaling:
    """The bounds in which EMR itself changes the size of a cluster.

    :param minimum: least number of units.
    :param maximum: greatest number of units.
    :param unit: ``Instances``, ``VCPU``, or ``InstanceFleetUnits`` for fleets.
    :param maximum_on_demand: greatest number of units on demand.
    :param maximum_core: greatest number of core units.
    """

    minimum: int
    maximum: int
    unit: str = "Instances"
    maximum_on_demand: int | None = None
    maximum_core: int | None = None

    def request(self) -> dict[str, Any]:
        """Write it as ``ManagedScalingPolicy`` of the API.

        :returns: the structure.
        """
        limits = {
            "UnitType": self.unit,
            "MinimumCapacityUnits": self.minimum,
            "MaximumCapacityUnits": self.maximum,
            "MaximumOnDemandCapacityUnits": self.maximum_on_demand,
            "MaximumCoreCapacityUnits": self.maximum_core,
        }
        return {"ComputeLimits": {name: to for name, to in limits.items() if to is not None}}


@dataclass(frozen=True)
class ClusterRequest:
    """A request for a cluster with named arguments.

    .. seealso:: https://docs.aws.amazon.com/emr/latest/APIReference/API_RunJobFlow.html

    :param name: name of the cluster; the operator adds a token to it.
    :param release_label: release of EMR, ``emr-7.5.0``.
    :param instances: groups, or fleets, but not both.
    :param applications: names of applications, such as ``Spark``.
    :param configurations: settings of the applications, as the API takes them.
    :param service_role: role of EMR.
    :param instance_profile: role of the EC2 instances (``JobFlowRole``).
    :param subnet_ids: subnets; EMR chooses one of them for fleets, and takes one for groups.
    :param key_name: EC2 key pair for SSH.
    :param primary_security_group: managed security group of the primary node.
    :param core_security_group: managed security group of the core and task nodes.
    :param service_access_security_group: security group for EMR in a private subnet.
    :param additional_primary_security_groups: further groups of the primary node.
    :param additional_core_security_groups: further groups of the other nodes.
    :param bootstrap_actions: scripts to run first, in their order.
    :param log_uri: ``s3://`` prefix for the logs.
    :param idle_timeout: seconds without work after which EMR itself ends the cluster, 60 to
        604,800.
    :param managed_scaling: bounds of the size.
    :param step_concurrency: how many steps may run at the same time, 1 to 256.
    :param security_configuration: name of a security configuration.
    :param ebs_root_volume_size: size of the root volume in GiB.
    :param tags: further tags.
    :param others: further members of the request, as the API takes them.
    """

    name: str
    release_label: str
    instances: Sequence[InstanceGroup | InstanceFleet]
    applications: Sequence[str] = ("Spark",)
    configurations: Sequence[Mapping[str, Any]] = ()
    service_role: str = "EMR_DefaultRole"
    instance_profile: str = "EMR_EC2_DefaultRole"
    subnet_ids: Sequence[str] = ()
    key_name: str | None = None
    primary_security_group: str | None = None
    core_security_group: str | None = None
    service_access_security_group: str | None = None
    additional_primary_security_groups: Sequence[str] = ()
    additional_core_security_groups: Sequence[str] = ()
    bootstrap_actions: Sequence[BootstrapAction] = ()
    log_uri: str | None = None
    idle_timeout: int = DEFAULT_IDLE_TIMEOUT
    managed_scaling: ManagedScaling | None = None
    step_concurrency: int | None = None
    security_configuration: str | None = None
    ebs_root_volume_size: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)

    def request(self) -> dict[str, Any]:
        """Write it as RunJobFlow takes it.

        :returns: the request.
        :raises UpdraftError: when a value is none that EMR takes.
        """
        members = {
            "Name": self.name,
            "ReleaseLabel": self.release_label,
            "Instances": self._instances(),
            "Applications": [{"Name": name} for name in self.applications],
            "Configurations": list(self.configurations),
            "ServiceRole": self.service_role,
            "JobFlowRole": self.instance_profile,
            "BootstrapActions": [
                {
                    "Name": action.name or action.path.rsplit("/", 1)[-1],
                    "ScriptBootstrapAction": {"Path": action.path, "Args": list(action.args)},
                }
                for action in self.bootstrap_actions
            ],
            "LogUri": self.log_uri,
            "AutoTerminationPolicy": {"IdleTimeout": self.idle_timeout},
            "ManagedScalingPolicy": self.managed_scaling and self.managed_scaling.request(),
            "StepConcurrencyLevel": self.step_concurrency,
            "SecurityConfiguration": self.security_configuration,
            "EbsRootVolumeSize": self.ebs_root_volume_size,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
        }
        given = {name: value for name, value in members.items() if value not in (None, [])}
        return {**given, **self.others}

    def _instances(self) -> dict[str, Any]:
        fleets = [one.request() for one in self.instances if isinstance(one, InstanceFleet)]
        groups = [one.request() for one in self.instances if isinstance(one, InstanceGroup)]
        if fleets and groups:
            raise UpdraftError("instances: a cluster consists of groups or of fleets, not of both")
        if groups and len(self.subnet_ids) > 1:
            raise UpdraftError("subnet_ids: EMR chooses among several subnets only for fleets")
        subnet = self.subnet_ids[0] if groups and self.subnet_ids else None
        members = {
            "InstanceGroups": groups,
            "InstanceFleets": fleets,
            "Ec2SubnetId": subnet,
            "Ec2SubnetIds": list(self.subnet_ids) if fleets else [],
            "Ec2KeyName": self.key_name,
            "EmrManagedMasterSecurityGroup": self.primary_security_group,
            "EmrManagedSlaveSecurityGroup": self.core_security_group,
            "ServiceAccessSecurityGroup": self.service_access_security_group,
            "AdditionalMasterSecurityGroups": list(self.additional_primary_security_groups),
            "AdditionalSlaveSecurityGroups": list(self.additional_core_security_groups),
        }
        return {name: value for name, value in members.items() if value not in (None, [])}


def read_cluster(value: ClusterRequest | Mapping[str, Any] | str) -> dict[str, Any]:
    """Read the request for a cluster, and check what EMR would refuse later or less clearly.

    :param value: the request, or its JSON if a template made it.
    :returns: the request as RunJobFlow takes it.
    :raises UpdraftError: when it is none.
    """
    if isinstance(value, ClusterRequest):
        value = value.request()
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, Mapping):
        raise UpdraftError(f"cluster: {value!r} is no request for a cluster, but a mapping is")
    request = with_numbers(copy.deepcopy(dict(value)))
    for name in request:
        if name not in _MEMBERS:
            raise unknown_choice("cluster", name, _MEMBERS)
    instances = request.get("Instances")
    if not isinstance(instances, Mapping) or not instances:
        raise UpdraftError("cluster: the member 'Instances' says what the cluster runs on; add it")
    if instances.get("InstanceGroups") and instances.get("InstanceFleets"):
        raise UpdraftError("cluster: Instances has InstanceGroups or InstanceFleets, not both")
    if request.get("Steps"):
        raise UpdraftError(
            "cluster: give 'Steps' to an EmrStepsOperator, which finds them again on a retry"
        )
    check_idle_timeout(request)
    return request


def owned(
    request: Mapping[str, Any], *, suffix: str, tags: Mapping[str, str], spot: bool = True
) -> dict[str, Any]:
    """Complete a request so that the cluster is found again and ends in any case.

    The cluster stays until its teardown or until it has been idle for too long, and nothing
    protects it from either. ``None`` as ``AutoTerminationPolicy`` leaves it to the teardown alone,
    and so do releases that know no such policy.

    :param request: the request.
    :param suffix: what the name ends with.
    :param tags: tags of the owner.
    :param spot: whether spot instances may stay what they are.
    :returns: the request to send.
    """
    complete = copy.deepcopy(dict(request))
    name = str(complete.get("Name") or "Airflow")
    complete["Name"] = name[: _LONGEST_NAME - len(suffix) - 1].rstrip() + f" {suffix}"
    instances = {
        **complete["Instances"],
        "KeepJobFlowAliveWhenNoSteps": True,
        "TerminationProtected": False,
    }
    complete["Instances"] = instances if spot else on_demand(instances)
    if ends_idle_clusters(complete):
        complete.setdefault("AutoTerminationPolicy", {"IdleTimeout": DEFAULT_IDLE_TIMEOUT})
    if complete.get("AutoTerminationPolicy") is None:
        complete.pop("AutoTerminationPolicy", None)
    complete.setdefault("VisibleToAllUsers", True)
    own = {tag["Key"]: tag.get("Value", "") for tag in complete.get("Tags") or ()}
    complete["Tags"] = [{"Key": key, "Value": value} for key, value in {**own, **tags}.items()]
    if not spot:
        limits = (complete.get("ManagedScalingPolicy") or {}).get("ComputeLimits") or {}
        limits.pop("MaximumOnDemandCapacityUnits", None)  # it would forbid what is asked for
    return complete


def asks_for_spot(request: Mapping[str, Any]) -> bool:
    """Tell whether a cluster uses the spot market.

    :param request: the request.
    :returns: whether it does.
    """
    return uses_spot(request["Instances"])


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UpdraftError(
            f"cluster: it is not JSON ({error}); it looks like "
            '{"Name": "nightly", "ReleaseLabel": "emr-7.5.0", "Instances": {…}}'
        ) from None
