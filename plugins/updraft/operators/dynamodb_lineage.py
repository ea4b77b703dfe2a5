"""What the DynamoDB operators tell OpenLineage. Imported only where OpenLineage is installed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from airflow.providers.common.compat.openlineage.facet import (
    Dataset,
    ExternalQueryRunFacet,
    InputDataset,
    OutputDataset,
    OutputStatisticsOutputDatasetFacet,
    SchemaDatasetFacet,
    SchemaDatasetFacetFields,
)
from airflow.providers.openlineage.extractors import OperatorLineage

from updraft.dynamodb.attempt import ExportResult
from updraft.dynamodb.table import TableDescription
from updraft.dynamodb.table_import import ImportResult
from updraft.lineage.naming import dynamodb_table, s3_prefix

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import DatasetFacet, JobFacet, RunFacet

_KEY_ROLES = ("partition key", "sort key")


def planned_export(
    table_arn: str | None, s3_uri: str
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe an export that has not been made.

    :param table_arn: ARN of the table, ``None`` as long as only its name is known.
    :param s3_uri: URI of the prefix.
    :returns: the datasets without facets.
    """
    table: list[Dataset] = [InputDataset(*dynamodb_table(table_arn))] if table_arn else []
    return OperatorLineage(inputs=table, outputs=[OutputDataset(*s3_prefix(s3_uri))])


def finished_export(
    table: TableDescription,
    s3_uri: str,
    result: ExportResult,
    attributes: Mapping[str, Sequence[str]],
    export_arn: str | None = None,
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe an export that was made.

    :param table: the table.
    :param s3_uri: URI of the prefix.
    :param result: what was written.
    :param attributes: type keys of the attributes seen, by name.
    :param export_arn: ARN of the export, if AWS made it.
    :returns: table and prefix with the schema, the prefix with the statistics of the output, and
        the export as external query.
    """
    schema: dict[str, DatasetFacet] = {"schema": _schema(table, attributes)}
    statistics = OutputStatisticsOutputDatasetFacet(
        rowCount=result.items, size=result.bytes, fileCount=result.files
    )
    return OperatorLineage(
        inputs=[InputDataset(*dynamodb_table(table.arn), facets=schema)],
        outputs=[
            OutputDataset(
                *s3_prefix(s3_uri), facets=schema, outputFacets={"outputStatistics": statistics}
            )
        ],
        run_facets=_external_query(export_arn),
    )


def planned_import(
    table_arn: str | None, s3_uri: str
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe an import that has not been made.

    :param table_arn: ARN of the table, ``None`` as long as only its name is known.
    :param s3_uri: URI of the prefix.
    :returns: the datasets without facets.
    """
    table: list[Dataset] = [OutputDataset(*dynamodb_table(table_arn))] if table_arn else []
    return OperatorLineage(inputs=[InputDataset(*s3_prefix(s3_uri))], outputs=table)


def finished_import(
    s3_uri: str,
    table: TableDescription,
    result: ImportResult,
    attributes: Mapping[str, Sequence[str]],
    import_arn: str | None = None,
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe an import that was made.

    :param s3_uri: URI of the prefix.
    :param table: the table.
    :param result: what became of the records.
    :param attributes: type keys of the attributes seen, by name.
    :param import_arn: ARN of the import, if AWS made it.
    :returns: prefix and table with the schema, the table with the statistics of the output, and
        the import as external query.
    """
    schema: dict[str, DatasetFacet] = {"schema": _schema(table, attributes)}
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=result.items)
    return OperatorLineage(
        inputs=[InputDataset(*s3_prefix(s3_uri), facets=schema)],
        outputs=[
            OutputDataset(
                *dynamodb_table(table.arn),
                facets=schema,
                outputFacets={"outputStatistics": statistics},
            )
        ],
        run_facets=_external_query(import_arn),
    )


def _external_query(arn: str | None) -> "dict[str, RunFacet | JobFacet]":
    if arn is None:
        return {}
    return {"externalQuery": ExternalQueryRunFacet(externalQueryId=arn, source="dynamodb")}


def _schema(table: TableDescription, attributes: Mapping[str, Sequence[str]]) -> SchemaDatasetFacet:
    keys = [
        SchemaDatasetFacetFields(name=name, type=key_type, description=role)
        for (name, key_type), role in zip(table.key_types.items(), _KEY_ROLES, strict=False)
    ]
    others = [
        SchemaDatasetFacetFields(name=name, type="|".join(types))
        for name, types in attributes.items()
        if name not in table.key_types
    ]
    return SchemaDatasetFacet(fields=keys + others)
