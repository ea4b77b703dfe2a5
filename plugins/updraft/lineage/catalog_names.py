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
from dataclasses import dataclass
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
# As the Amazon provider names them, which says neither account nor kind of Redshift.
_REDSHIFT_SHORT = re.compile(
    r"redshift://(?P<id>[a-z0-9-]+)\.(?P<region>[a-z]{2,5}(?:-[a-z]+)+-\d)(?::\d+)?", re.ASCII
)
_ATHENA = re.compile(
    r"awsathena://athena\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?(?::\d+)?", re.ASCII
)
_ATHENA_TABLE = re.compile(r"awsdatacatalog\.([^.]+)\.([^.]+)", re.IGNORECASE)
_REDSHIFT_ARN = re.compile(r"arn:aws[a-z-]*:redshift(?:-serverless)?:[a-z0-9-]+:\d{12}:table")
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
    event: dict[str, Any],
    rename: Callable[[DatasetName], DatasetName] = rename_dataset,
    *,
    prefer_catalog: bool = True,
) -> None:
    """Rename all datasets of a valid run event in place.

    Names inside column lineage change with the names of the datasets, else the columns would
    point to nodes that are not in the graph.

    :param event: the event, decoded from JSON.
    :param rename: rule to apply to each name.
    :param prefer_catalog: give files that are a table of the Glue Data Catalog, as the ``symlinks``
        of the dataset say, the name of that table.
    """
    special = dict(_special_names(event, rename, prefer_catalog))
    for reference in _references(event):
        name = DatasetName(reference["namespace"], reference["name"])
        reference["namespace"], reference["name"] = special.get(name) or rename(name)


@dataclass(frozen=True)
class AccountNaming:
    """Renames events where the account is known.

    That completes the names of Athena's tables and those that the Amazon provider gives to tables
    of Redshift. These do not say either whether they are of a cluster or of a workgroup.

    :param account: id of the account, twelve digits.
    :param workgroups: identifiers of what is Redshift Serverless; all others are clusters.
    :param prefer_catalog: as of :func:`rename_event`.
    """

    account: str
    workgroups: frozenset[str] = frozenset()
    prefer_catalog: bool = True

    def __call__(self, event: dict[str, Any]) -> None:
        """Rename all datasets of a valid run event in place."""
        rename_event(event, self.rename, prefer_catalog=self.prefer_catalog)

    def rename(self, dataset: DatasetName) -> DatasetName:
        """Turn a dataset's OpenLineage name into the one that the catalog resolves.

        :param dataset: name as the event has it.
        :returns: as :func:`rename_dataset`, for more names.
        """
        return self._athena(dataset) or self._redshift(dataset) or rename_dataset(dataset)

    def _athena(self, dataset: DatasetName) -> DatasetName | None:
        match = _ATHENA.fullmatch(dataset.namespace)
        table = _ATHENA_TABLE.fullmatch(dataset.name)
        if match is None or table is None:
            return None
        arn = f"arn:{_partition(match['region'])}:glue:{match['region']}:{self.account}:table"
        return DatasetName(arn, "/".join(table.groups()))

    def _redshift(self, dataset: DatasetName) -> DatasetName | None:
        match = _REDSHIFT_SHORT.fullmatch(dataset.namespace)
        table = _REDSHIFT_TABLE.fullmatch(dataset.name)
        if match is None or table is None:
            return None
        service = "redshift-serverless" if match["id"] in self.workgroups else "redshift"
        arn = f"arn:{_partition(match['region'])}:{service}:{match['region']}:{self.account}:table"
        return DatasetName(arn, "/".join((match["id"], *table.groups())))


def _special_names(
    event: dict[str, Any], rename: Callable[[DatasetName], DatasetName], prefer_catalog: bool
) -> Iterator[tuple[DatasetName, DatasetName]]:
    """Give the names that do not follow from the name alone."""
    for dataset in [*event.get("inputs", []), *event.get("outputs", [])]:
        name = DatasetName(dataset["namespace"], dataset["name"])
        facets = dataset.get("facets", {})
        table = _catalog_table(facets) if prefer_catalog else None
        renamed = rename(name)
        if table is not None and _S3_NAMESPACE.fullmatch(name.namespace):
            yield name, rename(table)
        elif _is_view(facets) and _REDSHIFT_ARN.fullmatch(renamed.namespace):
            yield (
                name,
                renamed._replace(namespace=f"{renamed.namespace.removesuffix(':table')}:view"),
            )


def _catalog_table(facets: dict[str, Any]) -> DatasetName | None:
    for one in facets.get("symlinks", {}).get("identifiers", []):
        name = DatasetName(one["namespace"], one["name"])
        if ":glue:" in name.namespace and _arn_table(name) is not None:
            return name
    return None


def _is_view(facets: dict[str, Any]) -> bool:
    kind = facets.get("datasetType", {}).get("datasetType", "")
    return "VIEW" in str(kind).upper()


def _partition(region: str) -> str:
    for prefix, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(prefix):
            return partition
    return "aws"


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
