"""Independent checks of what the demo produced.

Nothing here uses Updraft's own readers and writers: a fault in them must not hide itself.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from mypy_boto3_datazone import DataZoneClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_SETS = frozenset({"SS", "NS", "BS"})
_MANIFEST_VERSION = 3


@dataclass(frozen=True)
class Export:
    """What an export folder holds.

    :param items: number of items.
    :param bytes: size of the data files, in bytes.
    :param files: number of data files.
    """

    items: int
    bytes: int
    files: int


def _typed(kind: str, value: Any) -> Any:
    """Bring one attribute into a form that compares equal wherever it was read."""
    kind = kind.upper()
    if kind == "M":
        return {"M": {name: _attribute(member) for name, member in value.items()}}
    if kind == "L":
        return {"L": [_attribute(member) for member in value]}
    if kind == "B" and isinstance(value, bytes):
        return {"B": base64.b64encode(value).decode()}
    if kind in _SETS:
        members = [
            base64.b64encode(member).decode() if isinstance(member, bytes) else member
            for member in value
        ]
        return {kind: sorted(members)}
    return {kind: value}


def _attribute(attribute: Mapping[str, Any]) -> Any:
    if len(attribute) != 1:
        raise UpdraftError(f"{attribute!r} is not one typed attribute value")
    ((kind, value),) = attribute.items()
    return _typed(kind, value)


def _canonical(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in item.items()}


def _table_items(client: "DynamoDBClient", table: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for item in page["Items"]:
            yield _canonical(item)


def verify_export(
    dynamodb: "DynamoDBClient", s3: "S3Client", table: str, key: str, manifest_uri: str
) -> Export:
    """Compare an export with its table, item by item and in both directions.

    :param dynamodb: client of the table's Region.
    :param s3: client of the bucket's Region.
    :param table: name of the table.
    :param key: name of its partition key, the only key attribute.
    :param manifest_uri: ``s3://…/manifest`` of the export.
    :returns: what was found.
    :raises UpdraftError: when an item is missing, too many, or different, when a file is missing
        or not named by the manifest, or when the manifest is not the last thing written.
    """
    parts = urlsplit(manifest_uri)
    bucket, prefix = parts.netloc, parts.path.removeprefix("/").removesuffix("manifest")
    manifest = json.loads(s3.get_object(Bucket=bucket, Key=f"{prefix}manifest")["Body"].read())
    if manifest["version"] != _MANIFEST_VERSION:
        raise UpdraftError(f"{manifest_uri} has version {manifest['version']}, not 3")
    listing = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    written = {f"s3://{bucket}/{found['Key']}": found for found in listing}
    last = written.pop(manifest_uri)["LastModified"]
    named = {entry["url"] for entry in manifest["entries"]}
    if named != set(written):
        raise UpdraftError(f"Manifest and folder differ in {sorted(named ^ set(written))}")
    if any(found["LastModified"] > last for found in written.values()):
        raise UpdraftError(f"A data file is younger than {manifest_uri}")
    exported: dict[str, dict[str, Any]] = {}
    for uri in sorted(named):
        body = s3.get_object(Bucket=bucket, Key=urlsplit(uri).path[1:])["Body"]
        for line in body.iter_lines():
            item = _canonical(json.loads(line))
            if exported.setdefault(item[key]["S"], item) is not item:
                raise UpdraftError(f"{uri} repeats the item {item[key]}")
    count = len(exported)
    for item in _table_items(dynamodb, table):
        if exported.pop(item[key]["S"], None) != item:
            raise UpdraftError(f"The item {item[key]} of {table} is missing or differs in S3")
    if exported:
        raise UpdraftError(f"The export has {len(exported)} items that {table} has not")
    return Export(count, sum(found["Size"] for found in written.values()), len(written))


def lineage_events(client: "DataZoneClient", domain_id: str, job: str) -> list[dict[str, Any]]:
    """Fetch the events of a job from the catalog.

    :param client: DataZone client.
    :param domain_id: the domain.
    :param job: name of the OpenLineage job, ``<dag>.<task>`` for an Airflow task.
    :returns: the events as they were posted, oldest first.
    """
    events = []
    for page in client.get_paginator("list_lineage_events").paginate(
        domainIdentifier=domain_id, sortOrder="ASCENDING"
    ):
        for summary in page["items"]:
            run = summary["eventSummary"]["openLineageRunEventSummary"]
            if run["job"]["name"].endswith(job):
                answer = client.get_lineage_event(
                    domainIdentifier=domain_id, identifier=summary["id"]
                )
                events.append(json.loads(answer["event"].read()))
    return events


def verify_graph(
    client: "DataZoneClient", domain_id: str, source: str, run_id: str, target: str
) -> None:
    """Check that the catalog leads from the target dataset back over the run to the source.

    :param client: DataZone client.
    :param domain_id: the domain.
    :param source: source identifier of the dataset that was read.
    :param run_id: OpenLineage run id.
    :param target: source identifier of the dataset that was written.
    :raises UpdraftError: when an edge is missing.
    """
    written = client.get_lineage_node(domainIdentifier=domain_id, identifier=target)
    for run in written["upstreamNodes"]:
        node = client.get_lineage_node(domainIdentifier=domain_id, identifier=run["id"])
        if node["sourceIdentifier"].endswith(run_id):
            break
    else:
        raise UpdraftError(f"The catalog does not know the run {run_id} as the origin of {target}")
    origins = [
        client.get_lineage_node(domainIdentifier=domain_id, identifier=origin["id"])
        for origin in node["upstreamNodes"]
    ]
    if source not in {origin["sourceIdentifier"] for origin in origins}:
        raise UpdraftError(f"The catalog does not know {source} as the origin of the run {run_id}")
