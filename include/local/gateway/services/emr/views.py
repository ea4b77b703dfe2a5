"""Clusters and steps as the API shows them."""

from typing import Any

from include.local.gateway.services.emr.clusters import OVER, Cluster, Step
from include.local.gateway.services.emr.running import moment

_AS_REQUESTED = (
    "Applications",
    "AutoScalingRole",
    "Configurations",
    "CustomAmiId",
    "EbsRootVolumeIops",
    "EbsRootVolumeSize",
    "EbsRootVolumeThroughput",
    "KerberosAttributes",
    "LogEncryptionKmsKeyId",
    "LogUri",
    "OSReleaseLabel",
    "ReleaseLabel",
    "RepoUpgradeOnBoot",
    "SecurityConfiguration",
    "ServiceRole",
)
_OF_INSTANCES = (
    "AdditionalMasterSecurityGroups",
    "AdditionalSlaveSecurityGroups",
    "Ec2KeyName",
    "Ec2SubnetId",
    "EmrManagedMasterSecurityGroup",
    "EmrManagedSlaveSecurityGroup",
    "ServiceAccessSecurityGroup",
)


def cluster_summary(cluster: Cluster) -> dict[str, Any]:
    """Show a cluster as ListClusters does.

    :param cluster: the cluster.
    :returns: members of ``ClusterSummary``, but for the ARN.
    """
    reason = {"Code": cluster.code, "Message": cluster.message}
    times = {
        "CreationDateTime": cluster.created,
        "ReadyDateTime": cluster.ready,
        "EndDateTime": cluster.ended,
    }
    return {
        "Id": cluster.id,
        "Name": cluster.request["Name"],
        "NormalizedInstanceHours": 0,
        "Status": {
            "State": cluster.state,
            "StateChangeReason": {name: each for name, each in reason.items() if each},
            "Timeline": {name: moment(each) for name, each in times.items() if each},
        },
    }


def cluster_members(cluster: Cluster) -> dict[str, Any]:
    """Show a cluster as DescribeCluster does.

    :param cluster: the cluster.
    :returns: members of ``Cluster``, but for the ARN.
    """
    request = cluster.request
    instances = request["Instances"]
    members: dict[str, Any] = {
        name: request[name] for name in _AS_REQUESTED if request.get(name) is not None
    }
    if request.get("AmiVersion"):
        members |= {"RequestedAmiVersion": request["AmiVersion"]}
        members |= {"RunningAmiVersion": request["AmiVersion"]}
    attributes = {name: instances[name] for name in _OF_INSTANCES if instances.get(name)}
    subnets = instances.get("Ec2SubnetIds") or [instances.get("Ec2SubnetId")]
    attributes |= {
        "Ec2AvailabilityZone": instances.get("Placement", {}).get("AvailabilityZone")
        or f"{cluster.region}a",
        "IamInstanceProfile": request["JobFlowRole"],
        "RequestedEc2SubnetIds": [subnet for subnet in subnets if subnet],
    }
    if cluster.ready is not None and cluster.state not in OVER:
        members["MasterPublicDnsName"] = "localhost"
    return {
        "Applications": [],
        "Configurations": [],
        "ScaleDownBehavior": request.get("ScaleDownBehavior", "TERMINATE_AT_TASK_COMPLETION"),
        **members,
        **cluster_summary(cluster),
        "AutoTerminate": not cluster.keep_alive,
        "Ec2InstanceAttributes": attributes,
        "InstanceCollectionType": (
            "INSTANCE_FLEET" if instances.get("InstanceFleets") else "INSTANCE_GROUP"
        ),
        "StepConcurrencyLevel": cluster.concurrency,
        "Tags": [{"Key": key, "Value": value} for key, value in cluster.tags.items()],
        "TerminationProtected": cluster.protected,
        "VisibleToAllUsers": cluster.visible,
    }


def step_summary(step: Step) -> dict[str, Any]:
    """Show a step as ListSteps does.

    :param step: the step.
    :returns: members of ``StepSummary``.
    """
    jar_step = step.config["HadoopJarStep"]
    properties = {each["Key"]: each["Value"] for each in jar_step.get("Properties", ())}
    config = {"Jar": jar_step["Jar"], "Args": jar_step.get("Args", []), "Properties": properties}
    if jar_step.get("MainClass"):
        config["MainClass"] = jar_step["MainClass"]
    times = {
        "CreationDateTime": step.created,
        "StartDateTime": step.started,
        "EndDateTime": step.ended,
    }
    status: dict[str, Any] = {
        "State": step.state,
        "StateChangeReason": {"Message": step.message} if step.message else {},
        "Timeline": {name: moment(each) for name, each in times.items() if each},
    }
    if step.failure is not None:
        status["FailureDetails"] = step.failure
    return {
        "Id": step.id,
        "Name": step.config["Name"],
        "Config": config,
        "ActionOnFailure": step.config["ActionOnFailure"],
        "Status": status,
    }


def step_members(step: Step) -> dict[str, Any]:
    """Show a step as DescribeStep does.

    :param step: the step.
    :returns: members of ``Step``.
    """
    role = {"ExecutionRoleArn": step.execution_role} if step.execution_role else {}
    return {**step_summary(step), **role}
