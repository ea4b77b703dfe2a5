"""What SQL on Redshift tells OpenLineage. Imported only where OpenLineage is installed."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from airflow.providers.common.compat.openlineage.facet import (
    Dataset,
    ExternalQueryRunFacet,
    InputDataset,
    OutputDataset,
    OutputStatisticsOutputDatasetFacet,
    SchemaDatasetFacet,
    SchemaDatasetFacetFields,
    SQLJobFacet,
)
from airflow.providers.openlineage.conf import is_disabled
from airflow.providers.openlineage.extractors import OperatorLineage

from updraft.errors import UpdraftError
from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.lineage.naming import DatasetName
from updraft.operators.redshift_statement_calls import FinishedStatements
from updraft.redshift.query_history import Rows
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import DynamoDBTable, RedshiftTable
from updraft.sql_lineage.openlineage_facets import Place, datasets, extraction_error
from updraft.sql_lineage.result import SqlLineage
from updraft.sql_lineage.scanning import statements, without_secrets
from updraft.sql_lineage.schemas import Schemas

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import JobFacet, RunFacet

log = logging.getLogger(__name__)

_LOOKUP_SECONDS = 30.0
_MOST_TABLES = 100
_UNKNOWN_ACCOUNT = "000000000000"
_PORT = 5439
_WRITES = ("COPY", "CREATE", "INSERT", "MERGE", "SELECT", "UPDATE", "WITH")

Columns = Mapping[RedshiftTable, Sequence[tuple[str, str]]]
"""Name and type of the columns of each table."""


@dataclass(frozen=True)
class RedshiftLineage:
    """What statements have read and written.

    :param lineage: what their SQL says.
    :param place: where they ran.
    :param script: their text.
    :param columns: columns of the tables that the catalog has.
    :param rows: number of rows that were written, by dataset.
    :param statement_id: id in the Data API.
    """

    lineage: SqlLineage
    place: Place
    script: str
    columns: Columns = field(default_factory=dict)
    rows: Mapping[DatasetName, int] = field(default_factory=dict)
    statement_id: str | None = None

    @classmethod
    def of(
        cls,
        hook: RedshiftStatementsHook,
        database: RedshiftDatabase,
        run: FinishedStatements,
        *,
        asks_catalog: bool = True,
    ) -> Self | None:
        """Describe what was read and written, with what the catalog says.

        :param hook: asks the catalog.
        :param database: where the statements ran.
        :param run: how they went.
        :param asks_catalog: whether the catalog is asked for columns.
        :returns: the lineage, ``None`` where lineage is switched off.
        """
        if is_disabled():
            return None
        texts = [one.sql for one in run.outcomes]
        script = ";\n".join(texts)
        found = analyze(script, default_database=database.database)
        columns: Columns = {}
        if asks_catalog:
            columns = catalog_columns(
                partial(hook.rows, database, timeout=_LOOKUP_SECONDS), _tables(found)
            )
            schemas = Schemas(
                {table: tuple(name for name, _ in has) for table, has in columns.items()}
            )
            found = analyze(script, schemas, default_database=database.database)
        has_dynamodb = any(isinstance(one, DynamoDBTable) for one in found.inputs)
        account = hook.account_id if has_dynamodb else None
        place = place_of(database, hook.conn_region_name, account, hook.conn_partition)
        counts = [(one.sql, one.rows) for one in run.outcomes if not one.has_result]
        return cls(found, place, script, columns, _written(counts, database, place), run.id)

    def as_operator_lineage(self) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
        """Give it as the OpenLineage provider takes it.

        :returns: datasets with columns, types and numbers of rows, the statement as external query,
            and what could not be read.
        """
        schemas = {
            self.place.name(table): SchemaDatasetFacet(
                fields=[SchemaDatasetFacetFields(name=name, type=kind) for name, kind in columns]
            )
            for table, columns in self.columns.items()
        }
        inputs, outputs = datasets(self.lineage, self.place)
        for one in (*inputs, *outputs):
            schema = schemas.get(DatasetName(one.namespace, one.name))
            if schema is not None:
                one.facets = {**(one.facets or {}), "schema": schema}
        for one in outputs:
            rows = self.rows.get(DatasetName(one.namespace, one.name))
            if rows is not None:
                one.outputFacets = {
                    "outputStatistics": OutputStatisticsOutputDatasetFacet(rowCount=rows)
                }
        run_facets: dict[str, Any] = {}
        if self.statement_id:
            run_facets["externalQuery"] = ExternalQueryRunFacet(
                externalQueryId=self.statement_id, source=namespace_of(self.place)
            )
        error = extraction_error(self.lineage)
        if error is not None:
            run_facets["extractionError"] = error
        job_facets: dict[str, Any] = {"sql": SQLJobFacet(query=without_secrets(self.script))}
        return OperatorLineage(
            inputs=[InputDataset(one.namespace, one.name, facets=one.facets) for one in inputs],
            outputs=[
                OutputDataset(
                    one.namespace, one.name, facets=one.facets, outputFacets=one.outputFacets
                )
                for one in outputs
            ],
            run_facets=run_facets,
            job_facets=job_facets,
        )


def declared(
    script: str, database: RedshiftDatabase, region: str | None
) -> "OperatorLineage[Dataset, RunFacet | JobFacet] | None":
    """Describe what a script says by itself, before it runs.

    :param script: its text.
    :param database: where it is to run.
    :param region: the region, if it is known.
    :returns: the lineage, ``None`` when the names are not known for want of the region, or of the
        account of a DynamoDB table.
    """
    found = analyze(script, default_database=database.database)
    if not region or any(isinstance(one, DynamoDBTable) for one in found.inputs):
        return None
    return RedshiftLineage(found, place_of(database, region), script).as_operator_lineage()


def place_of(
    database: RedshiftDatabase, region: str, account: str | None = None, partition: str = "aws"
) -> Place:
    """Name where statements run as OpenLineage does.

    :param database: the database.
    :param region: its region.
    :param account: id of the account, which only names of DynamoDB tables have.
    :param partition: partition of AWS, which only those have.
    :returns: the cluster or workgroup, with the port that Redshift has by default.
    """
    workgroup = (database.workgroup_name or "").rpartition("/")[2]
    return Place(
        database.cluster_identifier or workgroup,
        region,
        account or _UNKNOWN_ACCOUNT,
        _PORT,
        partition,
    )


def namespace_of(place: Place) -> str:
    """Give the namespace of the tables of a cluster."""
    return place.name(RedshiftTable("dev", "public", "t")).namespace


def catalog_columns(rows: Rows, tables: Iterable[RedshiftTable]) -> Columns:
    """Ask the catalog for the columns of tables, by one query.

    :param rows: runs a query of the database in which the tables are.
    :param tables: the tables.
    :returns: name and type of the columns of those that are there; nothing when it can't be asked.
    """
    wanted = sorted(set(tables))[:_MOST_TABLES]
    if not wanted:
        return {}
    conditions: list[str] = []
    values: dict[str, object] = {}
    for number, table in enumerate(wanted):
        conditions.append(
            f"(database_name = :d{number} AND schema_name = :s{number} AND table_name = :t{number})"
        )
        parts = zip("dst", table, strict=True)
        values |= {f"{letter}{number}": value for letter, value in parts}
    sql = (
        "SELECT database_name, schema_name, table_name, column_name, data_type "  # noqa: S608 bound
        f"FROM svv_all_columns WHERE {' OR '.join(conditions)} ORDER BY ordinal_position"
    )
    try:
        listed = rows(sql, values)
    except UpdraftError as error:
        log.warning("Lineage has no columns from the catalog: %s", error)
        return {}
    found: dict[RedshiftTable, list[tuple[str, str]]] = {}
    for row in listed:
        table = RedshiftTable(row["database_name"], row["schema_name"], row["table_name"])
        found.setdefault(table, []).append((row["column_name"], row["data_type"]))
    return found


def _tables(lineage: SqlLineage) -> list[RedshiftTable]:
    named = [*lineage.inputs, *(output.dataset for output in lineage.outputs)]
    return [one for one in named if isinstance(one, RedshiftTable)]


def _written(
    counts: Iterable[tuple[str, int]], database: RedshiftDatabase, place: Place
) -> dict[DatasetName, int]:
    """Add up the rows that statements have written, by dataset."""
    written: dict[DatasetName, int] = {}
    for sql, rows in counts:
        first = next(iter(statements(sql)), None)
        if rows < 0 or first is None or first.words[0].keyword not in _WRITES:
            continue
        outputs = analyze(sql, default_database=database.database).outputs
        if len(outputs) == 1:
            name = place.name(outputs[0].dataset)
            written[name] = written.get(name, 0) + rows
    return written
