"""What becomes of the fields of a cluster that nothing needs any more."""

from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.task_settings import PIPELINE_WIDE

_SIZE = "sized the cluster; the {noun} runs in parallel on the Airflow worker instead"
_SOFTWARE = "chose the cluster's software; the {noun} needs none of it"
_NETWORK = "placed the cluster in a network; the {noun} uses that of the Airflow environment"
_PERMISSIONS = "the {noun} uses the permissions of its Airflow connection"
_LIFETIME = "governed the life of the cluster; there is none"

_NOTES: dict[str, str] = {
    **dict.fromkeys(
        (
            *(f"{group}InstanceType" for group in ("master", "core", "task")),
            *(f"{group}InstanceBidPrice" for group in ("master", "core", "task")),
            *(f"{group}InstanceCount" for group in ("core", "task")),
            *(f"{group}GroupConfiguration" for group in ("master", "core", "task")),
            *(f"{group}EbsConfiguration" for group in ("master", "core", "task")),
            "EbsBlockDeviceConfig",
            "VolumeSpecification",
            "useOnDemandOnLastAttempt",
        ),
        _SIZE,
    ),
    **dict.fromkeys(
        (
            "amiVersion",
            "applications",
            "bootstrapAction",
            "configuration",
            "enableDebugging",
            "hadoopSchedulerType",
            "hadoopVersion",
            "installHive",
            "releaseLabel",
            "supportedProducts",
        ),
        _SOFTWARE,
    ),
    **dict.fromkeys(
        (
            "additionalMasterSecurityGroupIds",
            "additionalSlaveSecurityGroupIds",
            "availabilityZone",
            "emrManagedMasterSecurityGroupId",
            "emrManagedSlaveSecurityGroupId",
            "httpProxy",
            "serviceAccessSecurityGroupId",
            "subnetId",
        ),
        _NETWORK,
    ),
    "keyPair": "let people log on to the cluster; there is none",
    "emrLogUri": "kept the cluster's logs; the task's log takes their place",
    **dict.fromkeys(("role", "resourceRole"), _PERMISSIONS),
}


def cluster_note(
    name: str, item: ResolvedObject, workflow: Workflow, *, noun: str
) -> tuple[Status | None, str]:
    """Say what becomes of a field of a cluster that only served exports and imports.

    :param name: the field.
    :param item: the cluster.
    :param workflow: the workflow with its tasks.
    :param noun: what ran on it, such as ``export``; empty for nothing.
    :returns: status and note; no status when others account for the field.
    """
    owner = item.fields[name].owner_id
    if is_user_field(name) or (owner == DEFAULT_ID and name in PIPELINE_WIDE):
        return None, ""
    fate = (Status.DROPPED, _NOTES.get(name, _LIFETIME).format(noun=noun))
    if not noun:
        fate = Status.DROPPED, "no activity runs on the cluster"
    elif name == "region" and (owner, name) in workflow.fields_read:
        fate = Status.CARRIED_OVER, f"`region_name` of the {noun}"
    elif name == "region":
        fate = Status.DROPPED, "was that of the cluster; the table's own is told elsewhere"
    elif name == "terminateAfter" and "#{" in (item.text(name) or ""):
        fate = Status.NEEDS_DECISION, f"no fixed length: set `execution_timeout` of the {noun}"
    elif name == "terminateAfter":
        note = f"`execution_timeout` of the {noun}, counted for each try and not for all together"
        fate = Status.APPROXIMATED, note
    elif name in {"onFail", "onLateAction"}:
        fate = Status.DROPPED, f"the {noun} needs no cluster, so that none fails or is late"
    elif name == "onSuccess":
        note = f"no cluster ends any more: shall somebody hear that the {noun} has succeeded?"
        fate = Status.NEEDS_DECISION, note
    elif name == "parent":
        fate = Status.EQUIVALENT, "inherited fields are resolved"
    return fate
