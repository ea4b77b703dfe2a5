"""Executes one query."""

import json
import logging
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from include.local.gateway.clients import client
from include.local.gateway.services.athena.catalog_tables import CatalogTables, TableError
from include.local.gateway.services.athena.query_executions import (
    CANCELLED,
    FAILED,
    SUCCEEDED,
    QueryExecution,
    QueryExecutions,
)
from include.local.gateway.services.athena.results import QueryResult
from include.local.gateway.services.athena.translation import QueryError, parse_query, to_duckdb

_LOG = logging.getLogger(__name__)


class Execution:
    """The execution of a query, in a thread of its own.

    :param executions: where its state is kept.
    :param execution: what is executed.
    :param result: file for the result.
    :param endpoint_url: address of the gateway.
    """

    def __init__(
        self,
        executions: QueryExecutions,
        execution: QueryExecution,
        *,
        result: Path,
        endpoint_url: str,
    ) -> None:
        self._executions = executions
        self._execution = execution
        self._result = result
        self._endpoint_url = endpoint_url
        self._connection = duckdb.connect()
        self._thread = threading.Thread(target=self._run, name=execution.id, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Cancel; a query that has ended stays what it is."""
        if self._executions.end(self._execution, CANCELLED, "Query was cancelled by the user"):
            threading.Thread(target=self._interrupt, daemon=True).start()

    def _interrupt(self) -> None:
        # An interruption between two statements has no effect on the next one.
        while self._thread.is_alive():
            with suppress(duckdb.Error):  # it has just been closed
                self._connection.interrupt()
            self._thread.join(0.05)

    def _run(self) -> None:
        if not self._executions.begin(self._execution):
            return
        state, reason = SUCCEEDED, None
        try:
            self._write(self._query())
        except (duckdb.Error, QueryError, TableError) as error:
            state, reason = FAILED, str(error)
        except (BotoCoreError, ClientError) as error:
            state, reason = FAILED, f"HIVE_FILESYSTEM_ERROR: {error}"
        except Exception as error:  # noqa: BLE001 - a query has to end, whatever happens
            _LOG.exception("Query %s failed", self._execution.id)
            state, reason = FAILED, f"GENERIC_INTERNAL_ERROR: {error!r}"
        finally:
            self._connection.close()
        self._executions.end(self._execution, state, reason)

    def _query(self) -> QueryResult:
        execution = self._execution
        tables = CatalogTables(self._endpoint_url, execution.region)
        views: dict[tuple[str, str], str] = {}

        def view(database: str, name: str) -> str:
            if (database, name) not in views:
                views[database, name] = f"table_{len(views)}"
                rows = tables.read(database, name)
                execution.scanned += rows.nbytes
                self._connection.register(views[database, name], rows)
            return views[database, name]

        sql = to_duckdb(
            parse_query(execution.query), execution.database, execution.parameters, view
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        found = self._connection.execute(sql)
        description = found.description or []
        return QueryResult.of(
            [column[0] for column in description],
            [str(column[1]) for column in description],
            found.fetchall(),
        )

    def _write(self, result: QueryResult) -> None:
        parts = urlsplit(self._execution.output)
        s3: Any = client(self._endpoint_url, self._execution.region, "s3")
        key = parts.path.lstrip("/")
        s3.put_object(Bucket=parts.netloc, Key=key, Body=result.csv())
        columns = json.dumps(result.columns()).encode()  # Athena's own format is not public
        s3.put_object(Bucket=parts.netloc, Key=f"{key}.metadata", Body=columns)
        result.save(self._result)
