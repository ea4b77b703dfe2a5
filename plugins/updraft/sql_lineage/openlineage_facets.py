"""Lineage of SQL as datasets and facets of OpenLineage. Imported only where OpenLineage is.

https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet
"""

from collections.abc import Iterable
from dataclasses import dataclass

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    column_lineage_dataset,
    extraction_error_run,
    schema_dataset,
)

from updraft.lineage.naming import (
    DatasetName,
    dynamodb_table,
    emr_files,
    redshift_table,
    s3_prefix,
)
from updraft.sql_lineage.names import Dataset, DynamoDBTable, RedshiftTable
from updraft.sql_lineage.origins import Influence, Transformation
from updraft.sql_lineage.result import DatasetColumn, Output, Sources, SqlLineage


@dataclass(frozen=True, slots=True)
class Place:
    """Where a script runs.

    :param cluster: identifier of the cluster.
    :param region: its region, also that of the DynamoDB tables that ``COPY`` names.
    :param account: id of the account.
    :param port: the port of the cluster.
    :param partition: partition of AWS.
    """

    cluster: str
    region: str
    account: str
    port: int = 5439
    partition: str = "aws"

    def name(self, dataset: Dataset) -> DatasetName:
        """Name a dataset as OpenLineage does.

        :param dataset: the dataset.
        :returns: its namespace and name.
        :raises UpdraftError: when it is a bucket or a DynamoDB table of a name that none can have.
        """
        if isinstance(dataset, RedshiftTable):
            return redshift_table(self.cluster, self.region, port=self.port, **dataset._asdict())
        if isinstance(dataset, DynamoDBTable):
            owner = f"arn:{self.partition}:dynamodb:{self.region}:{self.account}"
            return dynamodb_table(f"{owner}:table/{dataset.table}")
        return (emr_files if dataset.uri.startswith("emr://") else s3_prefix)(dataset.uri)


def datasets(lineage: SqlLineage, place: Place) -> tuple[list[InputDataset], list[OutputDataset]]:
    """Give inputs and outputs of a script.

    :param lineage: its lineage.
    :param place: where it runs.
    :returns: the inputs, and the outputs with the facets ``columnLineage`` and, where all columns
        are known, ``schema``.
    """
    inputs = [InputDataset(*place.name(dataset)) for dataset in lineage.inputs]
    outputs = []
    for output in lineage.outputs:
        facets: dict[str, DatasetFacet] = {}
        columns = column_lineage(output, place)
        if columns is not None:
            facets["columnLineage"] = columns
        if output.schema:
            facets["schema"] = schema_dataset.SchemaDatasetFacet(
                fields=[schema_dataset.SchemaDatasetFacetFields(name) for name in output.schema]
            )
        outputs.append(OutputDataset(*place.name(output.dataset), facets=facets))
    return inputs, outputs


def column_lineage(
    output: Output, place: Place
) -> column_lineage_dataset.ColumnLineageDatasetFacet | None:
    """Give the lineage of the columns of an output.

    :param output: the output.
    :param place: where the script runs.
    :returns: the facet: what gives values by column, and what bears on the rows for all of them;
        ``None`` when nothing is known.
    """
    fields = {
        name: column_lineage_dataset.Fields(inputFields=list(_direct(sources, place)))
        for name, sources in output.columns.items()
        if sources
    }
    steering = list(_indirect(output.influences, place))
    if not fields and not steering:
        return None
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, dataset=steering)


def extraction_error(
    lineage: SqlLineage,
) -> extraction_error_run.ExtractionErrorRunFacet | None:
    """Tell which statements could not be read.

    :param lineage: the lineage of a script.
    :returns: the facet of the run, ``None`` when all could be read.
    """
    if not lineage.errors:
        return None
    errors = [
        extraction_error_run.Error(
            errorMessage=f"line {error.line}: {error.message}",
            task=error.sql,
            taskNumber=error.statement - 1,
        )
        for error in lineage.errors
    ]
    return extraction_error_run.ExtractionErrorRunFacet(
        totalTasks=lineage.statements, failedTasks=len(errors), errors=errors
    )


def _direct(sources: Sources, place: Place) -> Iterable[column_lineage_dataset.InputField]:
    for source in sorted(sources, key=str):
        yield _input_field(source, place, "DIRECT", sources[source])


def _indirect(
    influences: Iterable[tuple[DatasetColumn, Influence]], place: Place
) -> Iterable[column_lineage_dataset.InputField]:
    for source, kind in sorted(influences, key=lambda one: (str(one[0]), one[1].name)):
        yield _input_field(source, place, "INDIRECT", kind)


def _input_field(
    source: DatasetColumn, place: Place, direction: str, kind: Transformation | Influence
) -> column_lineage_dataset.InputField:
    namespace, name = place.name(source.dataset)
    return column_lineage_dataset.InputField(
        namespace=namespace,
        name=name,
        field=source.column,
        transformations=[
            column_lineage_dataset.Transformation(type=direction, subtype=kind.name, masking=False)
        ],
    )
