"""Names of datasets as Amazon DataZone looks them up.

DataZone links a dataset of an event to an asset when the dataset's source identifier equals the
asset's. Except for a few forms that it knows, the identifier is ``<namespace>/<name>``. For AWS
resources the namespace and name below make that an ARN, while OpenLineage's own names would put
a slash where the ARN has a colon.

See "Linking dataset nodes to assets" and the lineage sections of the Amazon DataZone and SageMaker
Unified Studio user guides.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from updraft.lineage.naming import DatasetName

# Facets whose content names datasets that must keep matching the event's own.
_FACETS_WITH_NAMES = ("columnLineage", "lineage")

_ARN_NAMESPACE = re.compile(r"arn:aws[a-z-]*:(?:glue|dynamodb):[a-z0-9-]+:\d{12}", re.ASCII)
_S3_NAMESPACE = re.compile(r"s3[an]?://(?P<bucket>[^/]+)/?")
_REDSHIFT_HOST = re.compile(
    r"redshift://(?P<id>[a-z0-9-]+)\.(?P<account>\d{12})\.(?P<region>[a-z0-9-]+)"
    r"\.(?P<service>redshift(?:-serverless)?)\.amazonaws\.com(?P<china>\.cn)?(?::\d+)?",
    re.ASCII,
)
_REDSHIFT_TABLE = re.compile(r"([^.]+)\.([^.]+)\.([^.]+)")  # database, schema, table


def rename_dataset(dataset: DatasetName) -> DatasetName:
    """Turn a dataset's OpenLineage name into the one that the catalog resolves.

    DynamoDB and Glue tables and Redshift tables on a host with an account become ARNs; an S3
    path gets one form, without slashes at its ends. Any other name stays as it is, and so does
    a name that was renamed before.

    :param dataset: name as the event has it.
    :returns: name whose ``<namespace>/<name>`` is the asset's source identifier.
    """
    for rule in (_arn_table, _s3, _redshift):
        renamed = rule(dataset)
        if renamed is not None:
            return renamed
    return dataset


def rename_event(
    event: dict[str, Any], rename: Callable[[DatasetName], DatasetName] = rename_dataset
) -> None:
    """Rename all datasets of a valid run event in place.

    Names inside column lineage change with the names of the datasets, else the columns would
    point to nodes that are not in the graph.

    :param event: the event, decoded from JSON.
    :param rename: rule to apply to each name.
    """
    for reference in _references(event):
        renamed = rename(DatasetName(reference["namespace"], reference["name"]))
        reference["namespace"], reference["name"] = renamed


def leave_names(event: dict[str, Any]) -> None:
    """Keep the names of the OpenLineage specification, for catalogs that follow it.

    :param event: the event; it stays as it is.
    """


def _references(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    datasets = [*event.get("inputs", []), *event.get("outputs", [])]
    yield from datasets
    for carrier in [*datasets, event.get("job", {})]:
        for key in _FACETS_WITH_NAMES:
            yield from _references_within(carrier.get("facets", {}).get(key))


def _references_within(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        is_name = isinstance(node.get("namespace"), str) and isinstance(node.get("name"), str)
        if is_name and node.get("type") != "JOB":
            yield node
        for child in node.values():
            yield from _references_within(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references_within(child)


def _arn_table(dataset: DatasetName) -> DatasetName | None:
    if _ARN_NAMESPACE.fullmatch(dataset.namespace) and dataset.name.startswith("table/"):
        return DatasetName(f"{dataset.namespace}:table", dataset.name.removeprefix("table/"))
    return None


def _s3(dataset: DatasetName) -> DatasetName | None:
    match = _S3_NAMESPACE.fullmatch(dataset.namespace)
    if match is None:
        return None
    return DatasetName(f"s3://{match['bucket']}", dataset.name.strip("/") or "/")


def _redshift(dataset: DatasetName) -> DatasetName | None:
    match = _REDSHIFT_HOST.fullmatch(dataset.namespace)
    table = _REDSHIFT_TABLE.fullmatch(dataset.name)
    if match is None or table is None:
        return None
    partition = "aws-cn" if match["china"] else "aws"
    arn = f"arn:{partition}:{match['service']}:{match['region']}:{match['account']}:table"
    return DatasetName(arn, "/".join((match["id"], *table.groups())))
