"""Results of statements: kept as the Data API gives them back."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from include.local.gateway.errors import AwsError
from include.local.gateway.services.redshift_engine.execution import Outcome
from include.local.gateway.services.redshift_engine.value_types import (
    FLOATING,
    TRUTH,
    WHOLE,
    precision_and_scale,
    type_name,
)

_PAGE_BYTES = 1_000_000
_MOST_BYTES = 500 * 2**20


class ResultTooLargeError(Exception):
    """A result is larger than the Data API gives back."""


def save_result(path: Path, outcome: Outcome, connection: psycopg.Connection, form: str) -> int:
    """Keep a result.

    :param path: its file.
    :param outcome: the result.
    :param connection: looks up the tables of columns.
    :param form: ``JSON`` or ``CSV``.
    :returns: its size in bytes.
    :raises ResultTooLargeError: when it is larger than 500 MB.
    """
    columns = outcome.columns or []
    kinds = [type_name(column.oid) for column in columns]
    size = sum(len(value) for row in outcome.rows for value in row if value is not None)
    if size > _MOST_BYTES:
        raise ResultTooLargeError
    kept = {
        "form": form,
        "size": size,
        "columns": _metadata(outcome, connection),
        "kinds": kinds,
        "rows": outcome.rows,
    }
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(kept))
    temporary.replace(path)
    return size


def _metadata(outcome: Outcome, connection: psycopg.Connection) -> list[dict[str, Any]]:
    columns = outcome.columns or []
    numbers = sorted({column.table for column in columns if column.table})
    tables: dict[tuple[int, int], tuple[str, str, bool, str]] = {}
    if numbers:
        rows = connection.execute(
            "SELECT c.oid::int8, a.attnum, n.nspname, c.relname, a.attnotnull, "
            "coalesce(pg_get_expr(d.adbin, d.adrelid), '') FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
            "WHERE c.oid = ANY(%s::oid[]) AND a.attnum > 0",
            [numbers],
        )
        for oid, number, schema, table, required, default in rows.fetchall():
            tables[oid, number] = (schema, table, required, default)
    found = []
    for column in columns:
        kind = type_name(column.oid)
        precision, scale = precision_and_scale(column.oid, column.modifier)
        origin = ("", "", False, "")
        schema, table, required, default = tables.get((column.table, column.number), origin)
        found.append(
            {
                "name": column.name,
                "label": column.name,
                "typeName": kind,
                "precision": precision,
                "scale": scale,
                "length": 0,
                "nullable": 0 if required else 1,
                "isCaseSensitive": kind in {"varchar", "bpchar", "char"},
                "isCurrency": False,
                "isSigned": kind in WHOLE | FLOATING | {"numeric"},
                "schemaName": schema,
                "tableName": table,
                "columnDefault": default,
            }
        )
    return found


def read_page(path: Path, token: str | None, form: str) -> dict[str, Any]:
    """Give a part of a result.

    :param path: its file.
    :param token: where the part begins; None for the first one.
    :param form: the form that is asked for, ``JSON`` or ``CSV``.
    :returns: the members of the answer.
    :raises AwsError: when the result has another form, or the token is none of ours.
    """
    kept = json.loads(path.read_text())
    if kept["form"] != form:
        other = "GetStatementResultV2" if form == "JSON" else "GetStatementResult"
        message = f"The result has the format {kept['form']}; use {other}"
        raise AwsError("ValidationException", message)
    rows = kept["rows"]
    if token is not None and not (token.isdigit() and int(token) < len(rows)):
        raise AwsError("ValidationException", f"NextToken {token!r} is not valid")
    first = int(token or 0)
    last, size = first, 0
    while last < len(rows) and (last == first or size < _PAGE_BYTES):
        size += sum(len(value) for value in rows[last] if value is not None) + 10
        last += 1
    page = rows[first:last]
    answer: dict[str, Any] = {"ColumnMetadata": kept["columns"], "TotalNumRows": len(rows)}
    if last < len(rows):
        answer["NextToken"] = str(last)
    if form == "CSV":
        names = [column["name"] for column in kept["columns"]]
        answer["Records"] = [{"CSVRecords": _csv(names if first == 0 else None, page)}]
        answer["ResultFormat"] = "CSV"
    else:
        kinds = kept["kinds"]
        answer["Records"] = [
            [_field(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in page
        ]
    return answer


def _field(value: str | None, kind: str) -> Mapping[str, Any]:
    if value is None:
        return {"isNull": True}
    if kind in WHOLE:
        return {"longValue": int(value)}
    if kind in FLOATING and value.lower() not in {"nan", "infinity", "-infinity"}:
        return {"doubleValue": float(value)}
    if kind in TRUTH:
        return {"booleanValue": value == "t"}
    if kind == "super":
        return {"stringValue": json.dumps(json.loads(value), separators=(",", ":"))}
    return {"stringValue": value}


def _csv(names: list[str] | None, rows: list[list[str | None]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    if names is not None:
        writer.writerow(names)
    writer.writerows([["" if one is None else one for one in row] for row in rows])
    return buffer.getvalue()
