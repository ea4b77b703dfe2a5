"""What the Glue operators tell OpenLineage. Imported only where OpenLineage is installed."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from airflow.providers.common.compat.openlineage.facet import (
    Dataset,
    ExternalQueryRunFacet,
    Identifier,
    InputDataset,
    OutputDataset,
    SchemaDatasetFacet,
    SchemaDatasetFacetFields,
    SymlinksDatasetFacet,
)
from airflow.providers.openlineage.extractors import OperatorLineage

from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.lineage.naming import DatasetName, glue_table, s3_prefix

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import DatasetFacet, JobFacet, RunFacet

log = logging.getLogger(__name__)

_Named: TypeAlias = tuple[DatasetName, Mapping[str, Any]]

_TABLE = re.compile(r"(?P<database>[^./\s]+)\.(?P<table>[^/\s]+)")
_S3 = re.compile(r"s3[an]?://[^/]+", re.ASCII)


@dataclass(frozen=True)
class Lineage:
    """What a task reads and writes.

    :param inputs: name and facets of what it reads.
    :param outputs: name and facets of what it writes.
    :param external_id: what Glue calls the work.
    """

    inputs: Sequence[_Named]
    outputs: Sequence[_Named]
    external_id: str | None = None

    @classmethod
    def declared(cls, inputs: Sequence[str], outputs: Sequence[str]) -> Self:
        """Describe what can be named without asking Glue: the URIs.

        :param inputs: URIs in S3, and tables, which are left out.
        :param outputs: likewise.
        :returns: the lineage.
        """
        return cls(_uris(inputs), _uris(outputs))

    @classmethod
    def of(
        cls, hook: GlueClientHook, inputs: Sequence[str], outputs: Sequence[str], external_id: str
    ) -> Self:
        """Describe what was read and written, with what the Data Catalog says.

        :param hook: asks Glue.
        :param inputs: URIs in S3, and tables as ``database.table``.
        :param outputs: likewise.
        :param external_id: what Glue calls the work.
        :returns: the lineage; what can't be described is a line in the log.
        """
        return cls(_all_described(hook, inputs), _all_described(hook, outputs), external_id)

    def as_operator_lineage(self) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
        """Give it as the OpenLineage provider takes it.

        :returns: datasets, and the work of Glue as external query.
        """
        facets: dict[str, RunFacet | JobFacet] = {}
        if self.external_id:
            facets["externalQuery"] = ExternalQueryRunFacet(
                externalQueryId=self.external_id, source="glue"
            )
        return OperatorLineage(
            inputs=[InputDataset(*name, facets=dict(said)) for name, said in self.inputs],
            outputs=[OutputDataset(*name, facets=dict(said)) for name, said in self.outputs],
            run_facets=facets,
        )


def _uris(texts: Sequence[str]) -> list[_Named]:
    return [(name, {}) for name in dict.fromkeys(s3_prefix(one) for one in texts if _S3.match(one))]


def _all_described(hook: GlueClientHook, texts: Sequence[str]) -> list[_Named]:
    found: list[_Named] = []
    for text in dict.fromkeys(texts):
        try:
            found.append(_described(hook, text))
        except UpdraftError as error:
            log.warning("Lineage leaves %s out: %s", text, error)
    return found


def _described(hook: GlueClientHook, text: str) -> _Named:
    if _S3.match(text):
        return s3_prefix(text), {}
    match = _TABLE.fullmatch(text)
    if match is None:
        raise UpdraftError(
            f"{text!r} is neither a URI such as s3://bucket/prefix nor a table such as sales.orders"
        )
    database, table = match["database"], match["table"]
    answer = hook.request("GetTable", f"table {text}", DatabaseName=database, Name=table)
    return described_table(hook, database, answer["Table"])


def described_table(
    hook: GlueClientHook, database: str, found: Mapping[str, Any]
) -> tuple[DatasetName, "Mapping[str, DatasetFacet]"]:
    """Name a table, with its columns and its place in S3.

    :param hook: knows Region and account.
    :param database: its database.
    :param found: the table as GetTable tells it.
    :returns: its name and facets.
    """
    table = found["Name"]
    account = found.get("CatalogId") or hook.account_id
    name = glue_table(hook.conn_partition, hook.conn_region_name, account, database, table)
    storage = found.get("StorageDescriptor", {})
    columns = [*storage.get("Columns", ()), *found.get("PartitionKeys", ())]
    facets: dict[str, DatasetFacet] = {}
    if columns:
        facets["schema"] = SchemaDatasetFacet(
            fields=[
                SchemaDatasetFacetFields(
                    name=column["Name"], type=column.get("Type"), description=column.get("Comment")
                )
                for column in columns
            ]
        )
    location = storage.get("Location", "")
    if _S3.match(location):
        physical = s3_prefix(location)
        facets["symlinks"] = SymlinksDatasetFacet(
            identifiers=[Identifier(physical.namespace, physical.name, "LOCATION")]
        )
    return name, facets
