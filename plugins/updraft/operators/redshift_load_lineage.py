"""What loading and unloading tell OpenLineage. Imported only where OpenLineage is installed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airflow.providers.common.compat.openlineage.facet import (
    Dataset,
    ExternalQueryRunFacet,
    SchemaDatasetFacet,
    SchemaDatasetFacetFields,
    SQLJobFacet,
)
from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    JobFacet,
    RunFacet,
    output_statistics_output_dataset,
)

from updraft.hooks.redshift_data import RedshiftDatabase
from updraft.operators.redshift_lineage import namespace_of, place_of
from updraft.operators.redshift_statement_calls import FinishedStatements
from updraft.operators.redshift_statements_base import RedshiftStatementsOperator
from updraft.operators.redshift_tables import Rows, table_columns
from updraft.redshift.identifiers import TableName, quoted
from updraft.redshift.insert_modes import STAGING, Load
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Dataset as Named
from updraft.sql_lineage.names import DynamoDBTable, Files, RedshiftTable
from updraft.sql_lineage.openlineage_facets import Place, column_lineage, extraction_error
from updraft.sql_lineage.result import DatasetColumn, Output, SqlLineage
from updraft.sql_lineage.scanning import without_secrets
from updraft.sql_lineage.schemas import Schemas

_LOOKUP_SECONDS = 30.0
_STATISTICS = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet


@dataclass(frozen=True)
class LoadLineage:
    """What a task read and wrote.

    :param inputs: name and facets of what it read.
    :param outputs: what it wrote.
    :param run_facets: facets of the run.
    :param job_facets: facets of the job.
    """

    inputs: Sequence[InputDataset]
    outputs: Sequence[OutputDataset]
    run_facets: Mapping[str, RunFacet]
    job_facets: Mapping[str, JobFacet]

    def as_operator_lineage(self) -> "OperatorLineage[Dataset, RunFacet | JobFacet]":
        """Give it as the OpenLineage provider takes it."""
        return OperatorLineage(
            inputs=list(self.inputs),
            outputs=list(self.outputs),
            run_facets=dict(self.run_facets),
            job_facets=dict(self.job_facets),
        )


def load_lineage(
    operator: RedshiftStatementsOperator,
    load: Load,
    source: TableName | str,
    run: FinishedStatements,
    rows: int | None,
) -> LoadLineage:
    """Describe a load.

    The columns of the source are those of ``staging``: what is loaded carries their names, or is
    taken in their order.

    :param operator: asks the catalog.
    :param load: what was loaded.
    :param source: another table, or where the files or the DynamoDB table are.
    :param run: how it went.
    :param rows: how many rows the target got.
    :returns: the lineage.
    :raises UpdraftError: when the catalog can't be asked.
    """
    database = operator.place
    target, read = _named(database, load.table), _source(database, source)
    types = table_columns(_asking(operator), load.table)
    columns = load.columns or tuple(types)
    found = _loaded(load, target, read, columns, tuple(types))
    place = _place(operator, needs_account=isinstance(read, DynamoDBTable))
    schema = {name: types.get(name, "") for name in columns}
    statistics: dict[Named, Any] = {target: _STATISTICS(rowCount=rows)}
    return _described(found, place, _sql(run), {target: types, read: schema}, statistics, run.id)


def declared_load(
    database: RedshiftDatabase, region: str, load: Load, source: TableName | str, fill: str
) -> LoadLineage:
    """Describe a load before it runs, without asking anybody.

    :param database: where it is to run.
    :param region: the region.
    :param load: what is to be loaded.
    :param source: another table, or where the files or the DynamoDB table are. The last one has no
        name as long as the account is not known, and is left out.
    :param fill: the statement that reads it.
    :returns: the lineage, with columns where the arguments name them.
    """
    target, read = _named(database, load.table), _source(database, source)
    found = _loaded(load, target, read, load.columns, ())
    if isinstance(read, DynamoDBTable):
        known = tuple(one for one in found.inputs if one != read)
        outputs = [replace(one, inputs=known, columns={}, influences=()) for one in found.outputs]
        found = replace(found, inputs=known, outputs=tuple(outputs))
    return _described(found, place_of(database, region), fill, {}, {})


def unload_lineage(
    operator: RedshiftStatementsOperator,
    target: str,
    run: FinishedStatements,
    result: Mapping[str, Any],
) -> LoadLineage:
    """Describe an UNLOAD.

    :param operator: asks the catalog.
    :param target: its folder.
    :param run: how it went.
    :param result: numbers of rows, files and bytes.
    :returns: the lineage.
    :raises UpdraftError: when the catalog can't be asked.
    """
    database = operator.place.database
    sql = run.outcomes[0].sql
    first = analyze(sql, default_database=database)
    types: dict[Named, Mapping[str, str]] = {
        table: table_columns(_asking(operator), TableName(table.schema, table.table))
        for table in first.inputs
        if isinstance(table, RedshiftTable)
    }
    schemas = Schemas(
        {
            table: tuple(columns)
            for table, columns in types.items()
            if isinstance(table, RedshiftTable)
        }
    )
    found = analyze(sql, schemas, default_database=database)
    statistics = _STATISTICS(
        rowCount=result["rows"], size=result["bytes"], fileCount=result["files"]
    )
    files = Files(target.rstrip("/"))
    return _described(found, _place(operator), _sql(run), types, {files: statistics}, run.id)


def _loaded(
    load: Load,
    target: RedshiftTable,
    read: Named,
    columns: Sequence[str],
    target_columns: Sequence[str],
) -> SqlLineage:
    """Read what a load does with the rows of its staging table, which are those of the source."""
    staging = RedshiftTable(target.database, "public", STAGING)
    listed = ", ".join(map(quoted, columns))
    into = f"INSERT INTO {load.table.sql}" + (f" ({listed})" if listed else "")
    rows_from = load.transformation or f"SELECT {listed or '*'} FROM {quoted(STAGING)}"  # noqa: S608 - names are quoted
    known = {staging: tuple(columns), target: tuple(target_columns)}
    schemas = Schemas({table: names for table, names in known.items() if names})
    found = analyze(f"{into} {rows_from}", schemas, default_database=target.database)
    if found.errors and not found.outputs:
        # A transformation that can't be read says nothing of columns and of other tables.
        output = Output(target, (read,), {}, (), ())
        return replace(found, inputs=(read,), outputs=(output,))
    return _renamed(found, staging, read)


def _sql(run: FinishedStatements) -> str:
    return ";\n".join(one.sql for one in run.outcomes)


def _asking(operator: RedshiftStatementsOperator) -> Rows:
    """Ask the catalog, and not for long: lineage must not keep a task waiting."""

    def rows(sql: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        return operator.hook.rows(operator.place, sql, parameters, timeout=_LOOKUP_SECONDS)

    return rows


def _source(database: RedshiftDatabase, source: TableName | str) -> Named:
    if isinstance(source, TableName):
        return _named(database, source)
    kind, _, rest = source.partition("://")
    return DynamoDBTable(rest) if kind == "dynamodb" else Files(source.rstrip("/"))


def _named(database: RedshiftDatabase, table: TableName) -> RedshiftTable:
    return RedshiftTable(database.database.lower(), table.schema, table.table)


def _place(operator: RedshiftStatementsOperator, *, needs_account: bool = False) -> Place:
    hook = operator.hook
    account = hook.account_id if needs_account else None
    return place_of(operator.place, str(hook.conn_region_name), account, hook.conn_partition)


def _renamed(found: SqlLineage, old: RedshiftTable, new: Named) -> SqlLineage:
    def named(dataset: Named) -> Named:
        return new if dataset == old else dataset

    def column(one: DatasetColumn) -> DatasetColumn:
        return DatasetColumn(named(one.dataset), one.column)

    def output(one: Output) -> Output:
        return replace(
            one,
            inputs=tuple(map(named, one.inputs)),
            columns={
                name: {column(source): kind for source, kind in sources.items()}
                for name, sources in one.columns.items()
            },
            influences=tuple((column(source), kind) for source, kind in one.influences),
        )

    return replace(
        found,
        inputs=tuple(dict.fromkeys(map(named, found.inputs))),
        outputs=tuple(map(output, found.outputs)),
    )


def _described(  # noqa: PLR0917 - all that an event has
    found: SqlLineage,
    place: Place,
    sql: str,
    types: Mapping[Named, Mapping[str, str]],
    statistics: Mapping[Named, Any],
    statement_id: str | None = None,
) -> LoadLineage:
    run_facets: dict[str, RunFacet] = {}
    if statement_id is not None:
        run_facets["externalQuery"] = ExternalQueryRunFacet(
            externalQueryId=statement_id, source=namespace_of(place)
        )
    failure = extraction_error(found)
    if failure is not None:
        run_facets["extractionError"] = failure
    outputs = []
    for one in found.outputs:
        facets = _schema(types.get(one.dataset) or dict.fromkeys(one.schema, ""))
        columns = column_lineage(one, place)
        if columns is not None:
            facets["columnLineage"] = columns
        numbers = statistics.get(one.dataset)
        named = place.name(one.dataset)
        outputs.append(
            OutputDataset(
                *named, facets=facets, outputFacets={"outputStatistics": numbers} if numbers else {}
            )
        )
    return LoadLineage(
        [InputDataset(*place.name(one), facets=_schema(types.get(one))) for one in found.inputs],
        outputs,
        run_facets,
        {"sql": SQLJobFacet(query=without_secrets(sql))},
    )


def _schema(columns: Mapping[str, str] | Iterable[str] | None) -> dict[str, DatasetFacet]:
    if not columns:
        return {}
    kinds = columns if isinstance(columns, Mapping) else dict.fromkeys(columns, "")
    fields = [SchemaDatasetFacetFields(name, type=kind or None) for name, kind in kinds.items()]
    return {"schema": SchemaDatasetFacet(fields=fields)}
