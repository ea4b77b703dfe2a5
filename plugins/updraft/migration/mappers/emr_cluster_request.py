"""The request for a cluster, made of the fields of an ``EmrCluster``."""

from collections.abc import Mapping

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.steps import split_step
from updraft.emr.legacy_bootstrap import (
    hadoop_properties,
    is_configure_hadoop,
    was_made_for_ami_versions,
)
from updraft.emr.legacy_cluster import (
    DEFAULT_APPLICATIONS,
    PROPOSED_RELEASE,
    application,
    bootstrap_action,
    idle_seconds,
    scheduler_properties,
    supports_auto_termination,
    supports_concurrent_steps,
    with_properties,
)
from updraft.migration.compiled_fields import reading, require_no_password
from updraft.migration.ledger import Status
from updraft.migration.mappers.emr_cluster_fields import ClusterFields
from updraft.migration.mappers.emr_configurations import configurations_of
from updraft.migration.mappers.emr_instance_groups import instance_groups
from updraft.migration.mappers.emr_steps import shared_log_uri
from updraft.migration.mappers.task_settings import fixed_duration
from updraft.migration.tasks import ArgumentValue, as_argument

# What the console filled in for both roles.
_DEFAULT_ROLE, _DEFAULT_PROFILE = "DataPipelineDefaultRole", "DataPipelineDefaultResourceRole"
_MOST_CONCURRENT_STEPS = 256

Request = dict[str, ArgumentValue]


def cluster_request(fields: ClusterFields, concurrency: int) -> Request:
    """Make the request.

    :param fields: the cluster.
    :param concurrency: how many steps may run at once.
    :returns: arguments of RunJobFlow; members without a value are left out.
    :raises NotCompilableError: when a part of it can't be said exactly.
    """
    release = _release(fields)
    bootstrap_actions, properties = _bootstrap_actions(fields)
    scheduler = fields.value("hadoopSchedulerType", "`yarn-site` in `Configurations`")
    configurations = with_properties(
        with_properties(configurations_of("configuration", "`Configurations`", fields), properties),
        scheduler_properties(scheduler or ""),
    )
    request: dict[str, object] = {
        "Name": fields.item.item.name,
        "LogUri": _log_uri(fields),
        "ReleaseLabel": release,
        "Applications": _applications(fields),
        "Configurations": configurations,
        "BootstrapActions": bootstrap_actions,
        "ServiceRole": fields.value("role", "`ServiceRole`") or _DEFAULT_ROLE,
        "JobFlowRole": fields.value("resourceRole", "`JobFlowRole`") or _DEFAULT_PROFILE,
        "AutoTerminationPolicy": _auto_termination(fields, release),
        "StepConcurrencyLevel": _concurrent_steps(fields, release, concurrency),
        "Instances": _instances(fields),
    }
    return _without_empty(request)


def _release(fields: ClusterFields) -> str:
    label = fields.value("releaseLabel", "`ReleaseLabel`")
    if label is not None:
        note = "a release takes the place of the AMI version"
        fields.settle("amiVersion", Status.DROPPED, note)
        return label
    name = "amiVersion" if fields.item.field("amiVersion") is not None else "releaseLabel"
    if name == "amiVersion":
        message = "EMR starts no clusters with an AMI version any more"
        note = f"AMI versions can't be started any more: `{PROPOSED_RELEASE}` is a proposal"
        fields.settle(name, Status.NEEDS_DECISION, note)
    else:
        message = "The cluster has no release, and EMR's own choice is not offered any more"
    fields.workflow.report(
        Severity.WARNING,
        fields.item,
        name,
        message,
        f"Test the activities with {PROPOSED_RELEASE}, which the DAG names, or set releaseLabel",
    )
    return PROPOSED_RELEASE


def _applications(fields: ClusterFields) -> list[dict[str, object]]:
    field = fields.item.field("applications")
    if not fields.values("applications", "`Applications`") or field is None:
        return [application([name]) for name in DEFAULT_APPLICATIONS]
    found = [application(_arguments(text, fields)) for text in field.texts]
    names = {str(one["Name"]).casefold() for one in found}
    return found if "hadoop" in names else [application(["Hadoop"]), *found]


def _arguments(text: str, fields: ClusterFields) -> list[str]:
    """Split a text at its commas, and compile the pieces."""
    compiled = []
    for parts in split_step(text):
        template = fields.workflow.compiler.compile_parts(parts, fields.item)
        fields.take(template)
        compiled.append(template.text)
    return compiled


def _bootstrap_actions(
    fields: ClusterFields,
) -> tuple[list[dict[str, object]], dict[str, dict[str, str]]]:
    """Collect the bootstrap actions, and the properties that one of AWS's own used to set."""
    field = fields.item.field("bootstrapAction")
    if field is None:
        return [], {}
    fields.workflow.compiler.require_public("bootstrapAction")
    require_no_password("bootstrapAction", fields.item)
    fields.take(reading("bootstrapAction", fields.item))
    actions: list[dict[str, object]] = []
    added: dict[str, dict[str, str]] = {}
    status, notes = Status.CARRIED_OVER, ["`BootstrapActions`"]
    for text in field.texts:
        path, *arguments = _arguments(text, fields)
        path = path.strip()
        properties = hadoop_properties(arguments) if is_configure_hadoop(path) else None
        if properties is not None:
            for classification, values in properties.items():
                added.setdefault(classification, {}).update(values)
            status = max(status, Status.EQUIVALENT, key=list(Status).index)
            notes.append("what `configure-hadoop` set stands in `Configurations`")
        elif was_made_for_ami_versions(path):
            status = Status.NEEDS_DECISION
            notes.append(f"`{path}` was made for AMI versions and is left out: replace it")
            fields.workflow.report(
                Severity.WARNING,
                fields.item,
                "bootstrapAction",
                "A bootstrap action of AWS that was made for AMI versions is left out",
                "Set what it set by an EmrConfiguration, or by a bootstrap action of your own",
            )
        else:
            actions.append(bootstrap_action([path, *arguments]))
    fields.settle("bootstrapAction", status, "; ".join(dict.fromkeys(notes)))
    return actions, added


def _log_uri(fields: ClusterFields) -> str | None:
    own = fields.value("emrLogUri", "`LogUri`")
    if own is not None:
        note = "the cluster's logs go to emrLogUri; Airflow keeps those of its tasks by itself"
        fields.settle("pipelineLogUri", Status.DROPPED, note)
        return own
    shared = shared_log_uri(fields.item, fields.workflow)
    if shared is not None:
        fields.take(shared)
        return shared.text.strip()
    note = "`LogUri`: the cluster's logs; Airflow keeps those of its tasks by itself"
    return fields.value("pipelineLogUri", note)


def _concurrent_steps(fields: ClusterFields, release: str, concurrency: int) -> int | None:
    if concurrency == 1:
        return None
    if not supports_concurrent_steps(fields.present("releaseLabel") or release):
        fields.workflow.report(
            Severity.WARNING,
            fields.item,
            "releaseLabel",
            "Clusters before emr-5.28.0 run their steps one after the other",
            "Set a later releaseLabel for activities that are to run side by side",
        )
        return None
    return min(concurrency, _MOST_CONCURRENT_STEPS)


def _auto_termination(fields: ClusterFields, release: str) -> dict[str, object] | None:
    lifetime = fixed_duration(fields.item, "terminateAfter", fields.workflow)
    if fields.item.field("terminateAfter") is None:
        return None
    if lifetime is None:
        note = "no fixed length: set `AutoTerminationPolicy`, and `execution_timeout` of the tasks"
        fields.settle("terminateAfter", Status.NEEDS_DECISION, note)
        return None
    limits = "`execution_timeout` of the tasks on the cluster, for each try, then a teardown"
    if not supports_auto_termination(fields.present("releaseLabel") or release):
        note = f"{limits}; this release can't end an idle cluster by itself"
        fields.settle("terminateAfter", Status.APPROXIMATED, note)
        return None
    note = f"{limits}; EMR itself ends the cluster when it has been idle for so long"
    fields.settle("terminateAfter", Status.APPROXIMATED, note)
    return {"IdleTimeout": idle_seconds(int(lifetime.total_seconds()))}


def _instances(fields: ClusterFields) -> Request:
    value, values = fields.value, fields.values
    zone = value("availabilityZone", "`Placement`")
    subnet = value("subnetId", "`Ec2SubnetId`")
    if subnet is not None and zone is not None:
        note = "the subnet lies in one zone, and EMR takes one of the two only"
        fields.settle("availabilityZone", Status.DROPPED, note)
        zone = None
    members: dict[str, object] = {
        "InstanceGroups": instance_groups(fields),
        "Ec2KeyName": value("keyPair", "`Ec2KeyName`"),
        "Ec2SubnetId": subnet,
        "Placement": {"AvailabilityZone": zone} if zone is not None else None,
        "EmrManagedMasterSecurityGroup": value(
            "emrManagedMasterSecurityGroupId", "`EmrManagedMasterSecurityGroup`"
        ),
        "EmrManagedSlaveSecurityGroup": value(
            "emrManagedSlaveSecurityGroupId", "`EmrManagedSlaveSecurityGroup`"
        ),
        "ServiceAccessSecurityGroup": value(
            "serviceAccessSecurityGroupId", "`ServiceAccessSecurityGroup`"
        ),
        "AdditionalMasterSecurityGroups": values(
            "additionalMasterSecurityGroupIds", "`AdditionalMasterSecurityGroups`"
        ),
        "AdditionalSlaveSecurityGroups": values(
            "additionalSlaveSecurityGroupIds", "`AdditionalSlaveSecurityGroups`"
        ),
        "KeepJobFlowAliveWhenNoSteps": True,
    }
    return _without_empty(members)


def _without_empty(members: Mapping[str, object]) -> Request:
    return {
        name: as_argument(value) for name, value in members.items() if value not in (None, [], {})
    }
