"""Crawls of AWS Glue as OpenLineage events."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import external_query_run, job_type_job
from openlineage.client.serde import Serde
from openlineage.client.uuid import generate_static_uuid

from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.lineage.event_text import FoundEvent
from updraft.lineage.naming import DatasetName, dynamodb_table, s3_prefix
from updraft.operators.glue_lineage import described_table

_PRODUCER = "https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlerHistory.html"
_JDBC = "jdbc:"


class CrawlEvents:
    """Makes events of what crawls have changed.

    :param hook: asks the Data Catalog.
    """

    def __init__(self, hook: GlueClientHook) -> None:
        self._hook = hook
        self._connections: dict[str, str] = {}

    def of(
        self, crawler: str, crawl: Mapping[str, Any], database: str, table: Mapping[str, Any]
    ) -> Iterator[tuple[str, FoundEvent]]:
        """Make the start and the end of a crawl, as far as a table goes.

        Each table is a job of its own, so that it hangs on its own source and on no other.

        :param crawler: name of the crawler.
        :param crawl: the crawl as ListCrawls tells it.
        :param database: the database of the table.
        :param table: the table as GetTables tells it.
        :returns: what identifies each event, and the event.
        :raises UpdraftError: when the source of the table has no name that lineage knows.
        """
        source = self._source(table)
        name, facets = described_table(self._hook, database, table)
        began, ended = _utc(crawl["StartTime"]), _utc(crawl["EndTime"])
        identity = f"{crawl['CrawlId']}/{database}/{table['Name']}"
        run_id = str(generate_static_uuid(instant=began, data=identity.encode()))
        place = name.namespace
        job = Job(
            place,
            f"crawler.{crawler}.{database}.{table['Name']}",
            {
                "jobType": job_type_job.JobTypeJobFacet(
                    processingType="BATCH", integration="GLUE", jobType="CRAWLER"
                )
            },
        )
        run = Run(
            run_id,
            {
                "externalQuery": external_query_run.ExternalQueryRunFacet(
                    externalQueryId=crawl["CrawlId"], source="glue"
                )
            },
        )
        shared: dict[str, Any] = {"producer": _PRODUCER, "run": run, "job": job}
        start = RunEvent(eventTime=began.isoformat(), eventType=RunState.START, **shared)
        end = RunEvent(
            eventTime=ended.isoformat(),
            eventType=RunState.COMPLETE,
            inputs=[InputDataset(*source)],
            outputs=[OutputDataset(*name, facets=dict(facets))],
            **shared,
        )
        yield f"{run_id}-START", _found(start)
        yield f"{run_id}-END", _found(end)

    def _source(self, table: Mapping[str, Any]) -> DatasetName:
        location = str(table.get("StorageDescriptor", {}).get("Location") or "")
        if location.startswith(("s3://", "s3a://", "s3n://")):
            return s3_prefix(location)
        if ":dynamodb:" in location:
            return dynamodb_table(location)
        connection = table.get("Parameters", {}).get("connectionName")
        if connection and location:
            return DatasetName(self._server(connection), location)
        raise UpdraftError(
            f"table {table['Name']!r} is at {location or 'no place'!r}, which is neither in S3 nor "
            "in DynamoDB nor behind a connection"
        )

    def _server(self, connection: str) -> str:
        """Name the server of a connection as OpenLineage does, such as ``postgres://host:5432``."""
        if connection not in self._connections:
            found = self._hook.request(
                "GetConnection", f"connection {connection!r}", Name=connection, HidePassword=True
            )
            url = found["Connection"].get("ConnectionProperties", {}).get("JDBC_CONNECTION_URL", "")
            parts = urlsplit(url.removeprefix(_JDBC))
            if not url.startswith(_JDBC) or not parts.hostname:
                raise UpdraftError(
                    f"connection {connection!r} has no JDBC URL with a host: {url!r}"
                )
            scheme = {"postgresql": "postgres"}.get(parts.scheme, parts.scheme)
            port = f":{parts.port}" if parts.port else ""
            self._connections[connection] = f"{scheme}://{parts.hostname}{port}"
        return self._connections[connection]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _found(event: RunEvent) -> FoundEvent:
    body = Serde.to_json(event)
    return FoundEvent(json.loads(body), body.encode())
