"""What a verification tells OpenLineage. Imported only where OpenLineage is installed."""

from typing import TYPE_CHECKING

from airflow.providers.common.compat.openlineage.facet import Dataset, InputDataset
from airflow.providers.openlineage.extractors import OperatorLineage

from updraft.lineage.naming import dynamodb_table, s3_prefix

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import JobFacet, RunFacet


def verification(
    table_arn: str | None, s3_uri: str
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe a verification, which only reads.

    :param table_arn: ARN of the table, ``None`` as long as only its name is known.
    :param s3_uri: URI of the prefix.
    :returns: table and prefix as inputs.
    """
    table: list[Dataset] = [InputDataset(*dynamodb_table(table_arn))] if table_arn else []
    return OperatorLineage(inputs=[*table, InputDataset(*s3_prefix(s3_uri))])
