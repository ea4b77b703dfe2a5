"""``EmrConfiguration``, ``Property`` and ``EbsConfiguration``: what clusters refer to."""

import re

from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.emr.legacy_cluster import configuration
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, flag, reading, references_to
from updraft.migration.mappers.emr_cluster_fields import ClusterFields, as_number

_SECRET_KEY = re.compile(r"password|secret[._-]?key", re.IGNORECASE)
_VOLUME_MEMBERS = {"volumeType": "VolumeType", "sizeInGB": "SizeInGB", "iops": "Iops"}


def configurations_of(name: str, note: str, fields: ClusterFields) -> list[dict[str, object]]:
    """Write the configurations that a field of a cluster points to.

    :param name: the field.
    :param note: what it is now.
    :param fields: the cluster.
    :returns: ``Configurations`` of the EMR API.
    :raises NotCompilableError: when a part of one can't be said exactly.
    """
    return [_configuration(one, fields, ()) for one in fields.references(name, note)]


def ebs_configuration(name: str, note: str, fields: ClusterFields) -> dict[str, object] | None:
    """Write the volumes that a field of a cluster points to.

    :param name: the field.
    :param note: what it is now.
    :param fields: the cluster.
    :returns: an ``EbsConfiguration`` of the EMR API, none when there is no such field.
    :raises NotCompilableError: when a part of it can't be said exactly.
    """
    found = fields.references(name, note)
    if not found:
        return None
    described: dict[str, object] = {}
    optimized = flag("ebsOptimized", found[0])
    if optimized is not None:
        described["EbsOptimized"] = optimized
        fields.take(reading("ebsOptimized", found[0]))
    devices = _described("ebsBlockDeviceConfig", found[0], fields)
    described["EbsBlockDeviceConfigs"] = [_device(one, fields) for one in devices]
    return described


def _configuration(
    item: ResolvedObject, fields: ClusterFields, path: tuple[str, ...]
) -> dict[str, object]:
    if item.id in path:
        raise NotCompilableError(f"the configuration {item.id} is part of itself")
    properties: dict[str, str] = {}
    for one in _described("property", item, fields):
        key, value = _text("key", one, fields), _text("value", one, fields)
        if key is None or value is None:
            raise NotCompilableError(f"the property {one.id} has no key or no value")
        if "{{" in key:
            raise NotCompilableError(f"the key of the property {one.id} is not fixed")
        if _SECRET_KEY.search(key) and "{{" not in value:
            raise NotCompilableError(
                f"the property {one.id} holds a secret, which must not stand in a DAG: keep it in "
                "AWS Secrets Manager, and let a bootstrap action set it"
            )
        properties[key] = value
    classification = _text("classification", item, fields)
    if classification is None:
        raise NotCompilableError(f"the configuration {item.id} has no classification")
    nested = [
        _configuration(one, fields, (*path, item.id))
        for one in _described("configuration", item, fields)
    ]
    return configuration(classification, properties, nested)


def _device(item: ResolvedObject, fields: ClusterFields) -> dict[str, object]:
    volumes = _described("volumeSpecification", item, fields)
    if len(volumes) != 1:
        raise NotCompilableError(f"{item.id} needs one volumeSpecification")
    volume = {
        member: as_number(text) if member != "VolumeType" else text
        for name, member in _VOLUME_MEMBERS.items()
        if (text := _text(name, volumes[0], fields)) is not None
    }
    described: dict[str, object] = {"VolumeSpecification": volume}
    count = _text("volumesPerInstance", item, fields)
    if count is not None:
        described["VolumesPerInstance"] = as_number(count)
    return described


def _described(name: str, item: ResolvedObject, fields: ClusterFields) -> list[ResolvedObject]:
    inherited = item.fields.get(name)
    if inherited is None or inherited.owner_id == DEFAULT_ID:
        return []
    found = references_to(name, item, fields.workflow)
    if found:
        fields.take(reading(name, item))
        fields.described |= {one.id for one in found}
    return found


def _text(name: str, item: ResolvedObject, fields: ClusterFields) -> str | None:
    template = compile_value(name, item, fields.workflow)
    if template is None:
        return None
    fields.take(template)
    return template.text
