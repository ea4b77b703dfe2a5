"""Queries of Amazon Redshift's history as OpenLineage events."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import error_message_run, job_type_job
from openlineage.client.serde import Serde
from openlineage.client.uuid import generate_static_uuid

from updraft.errors import UpdraftError
from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.lineage.event_text import FoundEvent
from updraft.operators.redshift_lineage import (
    RedshiftLineage,
    catalog_columns,
    namespace_of,
    place_of,
)
from updraft.redshift.query_history import PastQuery, Rows
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import DynamoDBTable, RedshiftTable
from updraft.sql_lineage.result import SqlLineage
from updraft.sql_lineage.schemas import Schemas

_PRODUCER = "https://docs.aws.amazon.com/redshift/latest/dg/SYS_QUERY_HISTORY.html"


@dataclass
class QueryEvents:
    """Makes events of queries.

    :param hook: asks STS for the account of DynamoDB tables.
    :param database: where the queries ran.
    :param rows: runs a query of the catalog, which has the columns.
    :param unreadable: numbers of the queries whose SQL shows no dataset.
    """

    hook: RedshiftStatementsHook
    database: RedshiftDatabase
    rows: Rows
    unreadable: list[int] = field(default_factory=list)

    def of(self, queries: Sequence[PastQuery]) -> Iterator[tuple[str, FoundEvent]]:
        """Make the start and the end of each query.

        :param queries: the queries; their tables are looked up by one query of the catalog, before
            the first event.
        :returns: what identifies each event, and the event.
        """
        found = [analyze(one.text, default_database=self.database.database) for one in queries]
        columns = catalog_columns(self.rows, _tables(found))
        schemas = Schemas({table: tuple(name for name, _ in has) for table, has in columns.items()})
        for query in queries:
            lineage = analyze(query.text, schemas, default_database=self.database.database)
            if not lineage.inputs and not lineage.outputs:
                self.unreadable.append(query.query_id)
                continue
            own = {table: columns[table] for table in _tables([lineage]) if table in columns}
            yield from self._events(query, lineage, own)

    def _events(
        self, query: PastQuery, lineage: SqlLineage, columns: Any
    ) -> Iterator[tuple[str, FoundEvent]]:
        account = None
        if any(isinstance(one, DynamoDBTable) for one in lineage.inputs):
            account = self.hook.account_id
        place = place_of(
            self.database, self.hook.conn_region_name, account, self.hook.conn_partition
        )
        try:
            said = RedshiftLineage(
                lineage, place, query.text, columns, {}, str(query.query_id)
            ).as_operator_lineage()
        except UpdraftError:
            self.unreadable.append(query.query_id)  # a name that nothing can have
            return
        namespace = namespace_of(place)
        digest = sha256(" ".join(query.text.split()).encode()).hexdigest()[:12]
        job_facets: dict[str, Any] = {
            **said.job_facets,
            "jobType": job_type_job.JobTypeJobFacet(
                processingType="BATCH", integration="REDSHIFT", jobType="QUERY"
            ),
        }
        job = Job(
            namespace, f"{self.database.database}.{query.query_type.lower()}.{digest}", job_facets
        )
        name = f"{namespace}/{query.query_id}"
        run_id = str(generate_static_uuid(instant=query.started_at, data=name.encode()))
        run_facets: dict[str, Any] = dict(said.run_facets)
        start = RunEvent(
            eventTime=query.started_at.isoformat(),
            producer=_PRODUCER,
            run=Run(run_id, dict(run_facets)),
            job=job,
            eventType=RunState.START,
        )
        if query.error is not None:
            run_facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
                message=query.error, programmingLanguage="SQL"
            )
        end = RunEvent(
            eventTime=query.ended_at.isoformat(),
            producer=_PRODUCER,
            run=Run(run_id, run_facets),
            job=job,
            eventType=RunState.COMPLETE if query.error is None else RunState.FAIL,
            inputs=[one for one in said.inputs if isinstance(one, InputDataset)],
            outputs=[one for one in said.outputs if isinstance(one, OutputDataset)],
        )
        yield f"{run_id}-START", _found(start)
        yield f"{run_id}-END", _found(end)


def _tables(lineages: Sequence[SqlLineage]) -> list[RedshiftTable]:
    named = [
        dataset
        for lineage in lineages
        for dataset in (*lineage.inputs, *(output.dataset for output in lineage.outputs))
    ]
    return [one for one in named if isinstance(one, RedshiftTable)]


def _found(event: RunEvent) -> FoundEvent:
    body = Serde.to_json(event)
    return FoundEvent(json.loads(body), body.encode())
