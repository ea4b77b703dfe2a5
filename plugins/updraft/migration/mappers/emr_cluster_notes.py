"""What becomes of the fields of a cluster that nothing needs any more."""

from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mappers.task_settings import PIPELINE_WIDE

_SIZE = "sized the cluster; the export runs in parallel segments on the Airflow worker instead"
_SOFTWARE = "chose the cluster's software; the export needs none of it"
_NETWORK = "placed the cluster in a network; the export uses that of the Airflow environment"
_PERMISSIONS = "the export uses the permissions of its Airflow connection"
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


def cluster_note(name: str, item: ResolvedObject, *, used: bool) -> tuple[Status | None, str]:
    """Say what becomes of a field of a cluster that only served exports.

    :param name: the field.
    :param item: the cluster.
    :param used: whether any activity ran on it.
    :returns: status and note; no status when others account for the field.
    """
    if is_user_field(name) or (item.fields[name].owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
        return None, ""
    fate = (Status.DROPPED, _NOTES.get(name, _LIFETIME))
    if not used:
        fate = Status.DROPPED, "no activity runs on the cluster"
    elif name == "region":
        fate = Status.CARRIED_OVER, "`region_name` of the export"
    elif name == "terminateAfter" and "#{" in (item.text(name) or ""):
        fate = Status.NEEDS_DECISION, "no fixed length: set `execution_timeout` of the export"
    elif name == "terminateAfter":
        note = "`execution_timeout` of the export, counted for each try and not for all together"
        fate = Status.APPROXIMATED, note
    elif name in {"onFail", "onSuccess", "onLateAction"}:
        fate = Status.NEEDS_DECISION, "alarms are not migrated yet: who shall hear of the export?"
    elif name == "parent":
        fate = Status.EQUIVALENT, "inherited fields are resolved"
    return fate
