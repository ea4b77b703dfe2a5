"""Databases, schemas, tables and columns, as the Data API lists them."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.redshift_data.endpoints import Endpoints
from include.local.gateway.services.redshift_engine.tokens import SqlError

_PAGE = 1000


class CatalogOperations:
    """Functions by operation.

    :param endpoints: finds the warehouses.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "DescribeTable": self._describe_table,
            "ListDatabases": self._list_databases,
            "ListSchemas": self._list_schemas,
            "ListTables": self._list_tables,
        }

    def _list_databases(self, request: OperationRequest) -> Mapping[str, Any]:
        rows = self._query(
            request,
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' "
            "ORDER BY 1",
        )
        page, more = _page(rows, request)
        return {"Databases": [row[0] for row in page], **more}

    def _list_schemas(self, request: OperationRequest) -> Mapping[str, Any]:
        rows = self._query(
            request,
            "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_t%%' "
            "AND nspname LIKE %s ORDER BY 1",
            [request.parameters.get("SchemaPattern", "%")],
        )
        page, more = _page(rows, request)
        return {"Schemas": [row[0] for row in page], **more}

    def _list_tables(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        rows = self._query(
            request,
            "SELECT n.nspname, c.relname, CASE WHEN c.relkind <> 'r' THEN 'VIEW' "
            "WHEN n.nspname IN ('pg_catalog', 'information_schema') THEN 'SYSTEM TABLE' "
            "ELSE 'TABLE' END FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname NOT LIKE 'pg\\_t%%' "
            "AND n.nspname LIKE %s AND c.relname LIKE %s ORDER BY 1, 2",
            [given.get("SchemaPattern", "%"), given.get("TablePattern", "%")],
        )
        if "SchemaPattern" not in given:
            rows = [row for row in rows if row[0] not in {"pg_catalog", "information_schema"}]
        page, more = _page(rows, request)
        tables = [{"schema": schema, "name": name, "type": kind} for schema, name, kind in page]
        return {"Tables": tables, **more}

    def _describe_table(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        schema, table = given.get("Schema", "public"), given.get("Table", "")
        rows = self._query(
            request,
            "SELECT column_name, attnotnull, column_default, atttypid::regtype::text, "
            "t.typname, information_schema._pg_char_max_length(atttypid, atttypmod), "
            "information_schema._pg_numeric_precision(atttypid, atttypmod), "
            "information_schema._pg_numeric_scale(atttypid, atttypmod) "
            "FROM pg_catalog.rs_columns c JOIN pg_type t ON t.oid = atttypid "
            "WHERE schema_name = %s AND table_name = %s ORDER BY ordinal_position",
            [schema, table],
        )
        page, more = _page(rows, request)
        columns = []
        for name, required, default, _, kind, length, precision, scale in page:
            columns.append(
                {
                    "name": name,
                    "label": name,
                    "typeName": kind,
                    "nullable": 0 if required else 1,
                    "columnDefault": default or "",
                    "length": length or 0,
                    "precision": precision or length or 0,
                    "scale": scale or 0,
                    "schemaName": schema,
                    "tableName": table,
                    "isCaseSensitive": kind in {"varchar", "bpchar"},
                    "isCurrency": False,
                    "isSigned": precision is not None,
                }
            )
        return {"ColumnList": columns, "TableName": table, **more}

    def _query(
        self, request: OperationRequest, text: str, values: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        self._endpoints.fail_if_asked(request)
        endpoint = self._endpoints.find(request)
        try:
            connection, notes = endpoint.connect()
            try:
                cursor = connection.connection.execute(text.encode(), list(values) or None)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
                return rows
            finally:
                connection.connection.close()
                notes.close()
        except (psycopg.Error, SqlError) as error:
            message = str(error).strip().splitlines()[-1]
            raise AwsError("DatabaseConnectionException", message, 500) from error


def _page(
    rows: list[tuple[Any, ...]], request: OperationRequest
) -> tuple[list[tuple[Any, ...]], dict[str, str]]:
    first = int(request.parameters.get("NextToken") or 0)
    most = request.parameters.get("MaxResults") or _PAGE
    more = {"NextToken": str(first + most)} if len(rows) > first + most else {}
    return rows[first : first + most], more
