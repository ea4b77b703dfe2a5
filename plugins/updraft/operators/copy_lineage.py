"""What the copying operators tell OpenLineage. Imported only where OpenLineage is installed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.openlineage.facet import (
    Dataset,
    InputDataset,
    OutputDataset,
    OutputStatisticsOutputDatasetFacet,
    SchemaDatasetFacet,
    SchemaDatasetFacetFields,
    SQLJobFacet,
)
from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.providers.openlineage.sqlparser import SQLParser

from updraft.hooks.sql import SqlDatabase
from updraft.lineage.naming import s3_prefix
from updraft.sql_parameters import with_style

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import DatasetFacet, JobFacet, OutputDatasetFacet, RunFacet


@dataclass(frozen=True)
class Amount:
    """How much was written.

    :param rows: number of rows, ``None`` where files were copied as they are.
    :param size: number of bytes, ``None`` in a database.
    :param files: number of objects, ``None`` in a database.
    """

    rows: int | None = None
    size: int | None = None
    files: int | None = None

    @property
    def facet(self) -> OutputStatisticsOutputDatasetFacet:
        """The facet that says so."""
        return OutputStatisticsOutputDatasetFacet(
            rowCount=self.rows, size=self.size, fileCount=self.files
        )


def files_lineage(
    source: str, target: str, amount: Amount
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe a copy of files.

    :param source: URI of what was read.
    :param target: URI of what was written.
    :param amount: how much it was.
    :returns: the lineage.
    """
    return OperatorLineage(
        inputs=[InputDataset(*s3_prefix(source))], outputs=[_written(target, amount)]
    )


def planned_lineage(
    source: str | None, target: str | None
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Name the files of a copy before it runs; no database is asked for the names of its tables.

    :param source: URI of what will be read, ``None`` if it is in a database.
    :param target: URI of what will be written, ``None`` if it is in a database.
    :returns: the lineage.
    :raises UpdraftError: when one is no S3 URI.
    """
    return OperatorLineage(
        inputs=[InputDataset(*s3_prefix(source))] if source else [],
        outputs=[OutputDataset(*s3_prefix(target))] if target else [],
    )


def query_lineage(
    database: SqlDatabase,
    query: str,
    target: str,
    columns: Sequence[str],
    amount: Amount,
    *,
    is_bound: bool,
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe the result of a query as a file.

    :param database: where it ran.
    :param query: the query.
    :param target: URI of the object.
    :param columns: names of the columns.
    :param amount: how much it was.
    :param is_bound: whether its question marks are parameters.
    :returns: the lineage, without tables where Airflow's hook does not say what to call them.
    """
    found = _parsed(database, query, is_bound=is_bound)
    schema = SchemaDatasetFacet(fields=[SchemaDatasetFacetFields(name=name) for name in columns])
    return OperatorLineage(
        inputs=[InputDataset(one.namespace, one.name) for one in found.inputs],
        outputs=[_written(target, amount, {"schema": schema})],
        run_facets=found.run_facets,
        job_facets=found.job_facets,
    )


def insert_lineage(
    database: SqlDatabase, statement: str, source: str, amount: Amount
) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
    """Describe a load of files into a table.

    :param database: where it is.
    :param statement: the INSERT.
    :param source: URI of what was read.
    :param amount: how much it was.
    :returns: the lineage, without tables where Airflow's hook does not say what to call them.
    """
    found = _parsed(database, statement, is_bound=True)
    statistics: dict[str, OutputDatasetFacet] = {"outputStatistics": amount.facet}
    return OperatorLineage(
        inputs=[
            InputDataset(*s3_prefix(source)),
            *(InputDataset(one.namespace, one.name) for one in found.inputs),
        ],
        outputs=[
            OutputDataset(one.namespace, one.name, outputFacets=statistics) for one in found.outputs
        ],
        run_facets=found.run_facets,
        job_facets=found.job_facets,
    )


def _written(
    uri: str, amount: Amount, facets: "dict[str, DatasetFacet] | None" = None
) -> OutputDataset:
    return OutputDataset(
        *s3_prefix(uri), facets=facets or {}, outputFacets={"outputStatistics": amount.facet}
    )


def _parsed(database: SqlDatabase, sql: str, *, is_bound: bool) -> Any:
    """Read SQL with the provider's parser, which asks no database then.

    It takes question marks for parameters only in some dialects, and numbers in all.
    """
    hook = database.hook
    connection = hook.connection
    information = hook.get_openlineage_database_info(connection)
    if information is None:
        return OperatorLineage()
    parser = SQLParser(
        dialect=hook.get_openlineage_database_dialect(connection),
        default_schema=hook.get_openlineage_default_schema(),
    )
    found = parser.generate_openlineage_metadata_from_sql(
        sql=with_style(sql, "numeric") if is_bound else sql,
        hook=hook,
        database_info=information,
        use_connection=False,
    )
    found.job_facets["sql"] = SQLJobFacet(query=sql)
    return found
