"""UNLOAD: writes the result of a query into files of the local S3.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

import bz2
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote as percent_encoded

import psycopg
import pyarrow as pa
import zstandard
from pyarrow import parquet

from include.local.gateway.services.redshift_engine import statements
from include.local.gateway.services.redshift_engine.execution import Column, Connection, Outcome
from include.local.gateway.services.redshift_engine.load_options import (
    Parameters,
    UnloadCommand,
    read_unload,
)
from include.local.gateway.services.redshift_engine.selects import find_selects
from include.local.gateway.services.redshift_engine.statement import QUERY, Statement
from include.local.gateway.services.redshift_engine.storage import Bucket, Surroundings
from include.local.gateway.services.redshift_engine.tokens import SqlError, UnsupportedSqlError
from include.local.gateway.services.redshift_engine.value_types import type_name

_MOST_BYTES = int(6.2 * 2**30)
_LEAST_BYTES = 5 * 2**20
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
Row = Sequence[str | None]


class Unloader:
    """Executes UNLOAD.

    :param surroundings: what the warehouse has around it.
    :param notes: a connection of the owner of the catalog.
    """

    def __init__(self, surroundings: Surroundings, notes: psycopg.Connection) -> None:
        self._surroundings = surroundings
        self._notes = notes

    def __call__(self, connection: Connection, statement: Statement) -> Outcome:
        """Unload.

        :param connection: the connection.
        :param statement: the UNLOAD.
        :returns: an outcome without rows.
        :raises SqlError: when it can't be done.
        """
        command = read_unload(statement.nodes)
        self._surroundings.authorize(command.parameters.roles, command.parameters.keys)
        _check(command)
        query = statements.translate(command.query)
        if query.kind != QUERY:
            raise SqlError("UNLOAD takes a SELECT")
        if any("limit" in select.clauses for select in find_selects(query.nodes)):
            raise SqlError("Limit clause is not supported")
        bucket = Bucket(
            self._surroundings, command.target, command.parameters.text("region", "") or None
        )
        if not command.parameters.has("allowoverwrite"):
            _require_room(bucket, command.parameters)
        outcome = connection.readings(query.sql[0])
        unload = _Unload(command, bucket, outcome, self._surroundings.slices)
        unload.write()
        self._note(connection.query_id, unload)
        return Outcome(count=outcome.count)

    def _note(self, query: int, unload: "_Unload") -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        for slice_number, (uri, lines, size) in enumerate(unload.files):
            self._notes.execute(
                "INSERT INTO pg_catalog.stl_unload_log VALUES "
                "(100, %s, %s, 0, %s, %s, %s, %s, %s, %s)",
                [query, slice_number, uri, unload.started, now, lines, size, unload.kind],
            )


class _Unload:
    """One UNLOAD."""

    def __init__(
        self, command: UnloadCommand, bucket: Bucket, outcome: Outcome, slices: int
    ) -> None:
        self.started = datetime.now(UTC).replace(tzinfo=None)
        self.files: list[tuple[str, int, int]] = []
        self._parameters = command.parameters
        self._bucket = bucket
        self._columns = outcome.columns or []
        self._rows = outcome.rows
        self._slices = slices
        kinds = ("csv", "parquet", "json")
        self.kind = next((name for name in kinds if self._parameters.has(name)), "text")
        self._parallel = self._parameters.text("parallel", "on") in {"on", "true"}

    def write(self) -> None:
        partitions = self._parameters.columns
        names = [column.name for column in self._columns]
        if len(set(names)) < len(names):
            raise SqlError("UNLOAD needs a name of its own for each column")
        for name in partitions:
            if name not in names:
                raise SqlError(f'Partition column "{name}" is not in the result of the query')
        if partitions and len(partitions) == len(names) and not self._parameters.include:
            raise SqlError("All columns are used as partition columns")
        if not partitions:
            self._write_rows("", self._columns, self._rows)
        else:
            self._write_partitions(names)
        if self._parameters.has("manifest"):
            self._write_manifest()

    def _write_partitions(self, names: list[str]) -> None:
        places = [names.index(name) for name in self._parameters.columns]
        kept = [
            at
            for at in range(len(names))
            if self._parameters.include or names[at] not in self._parameters.columns
        ]
        groups: dict[str, list[Row]] = {}
        for row in self._rows:
            folder = "".join(f"{names[at]}={_folder(row[at])}/" for at in places)
            groups.setdefault(folder, []).append([row[at] for at in kept])
        columns = [self._columns[at] for at in kept]
        for folder, rows in groups.items():
            self._clean(folder)
            self._write_rows(folder, columns, rows)

    def _clean(self, folder: str) -> None:
        if self._parameters.has("cleanpath"):
            for key in list(self._bucket.list()):
                if key.startswith(f"{self._bucket.prefix}{folder}"):
                    self._bucket.delete(key)

    def _write_rows(self, folder: str, columns: list[Column], rows: Sequence[Row]) -> None:
        slices = self._slices if self._parallel else 1
        parts = [rows[at::slices] for at in range(slices)]
        for number, part in enumerate(parts):
            if not part and number:
                continue
            for piece, (body, count) in enumerate(self._pieces(columns, part)):
                name = f"{number:04d}_part_{piece:02d}" if self._parallel else f"{piece:03d}"
                key = f"{self._bucket.prefix}{folder}{name}{self._extension()}"
                packed = self._packed(body)
                self._bucket.write(key, packed)
                self.files.append((f"s3://{self._bucket.bucket}/{key}", count, len(packed)))

    def _pieces(self, columns: list[Column], rows: Sequence[Row]) -> Iterator[tuple[bytes, int]]:
        if self.kind == "parquet":
            yield _parquet(columns, rows), len(rows)
            return
        most = self._parameters.count("maxfilesize", _MOST_BYTES)
        line = self._line(columns)
        head = self._head(columns)
        body, count = io.BytesIO(), 0
        body.write(head)
        for row in rows:
            text = line(row).encode()
            if count and body.tell() + len(text) > most:
                yield body.getvalue(), count
                body, count = io.BytesIO(), 0
                body.write(head)
            body.write(text)
            count += 1
        yield body.getvalue(), count

    def _head(self, columns: list[Column]) -> bytes:
        if not self._parameters.has("header"):
            return b""
        delimiter = self._parameters.text("delimiter", "," if self.kind == "csv" else "|")
        return (delimiter.join(column.name for column in columns) + "\n").encode()

    def _line(self, columns: list[Column]) -> Callable[[Row], str]:
        parameters = self._parameters
        null = parameters.text("null", "")
        if self.kind == "json":
            return lambda row: _json_line(columns, row)
        if parameters.has("fixedwidth"):
            widths = [int(part.rpartition(":")[2]) for part in _widths(parameters, len(columns))]
            return lambda row: _fixed_line(row, widths, null)
        delimiter = parameters.text("delimiter", "," if self.kind == "csv" else "|")
        if self.kind == "csv":
            special = {delimiter, '"', "\n", "\r"}
            return lambda row: (
                delimiter.join(null if one is None else _csv_field(one, special) for one in row)
                + "\n"
            )
        escapes, quotes = parameters.has("escape"), parameters.has("addquotes")
        return lambda row: (
            delimiter.join(
                null if one is None else _field(one, delimiter, escapes, quotes) for one in row
            )
            + "\n"
        )

    def _extension(self) -> str:
        if self._parameters.has("extension"):
            return "." + self._parameters.text("extension", "").removeprefix(".")
        if self.kind == "parquet":
            return ".parquet"
        packed = {"gzip": ".gz", "bzip2": ".bz2", "zstd": ".zst"}
        return next((mark for name, mark in packed.items() if self._parameters.has(name)), "")

    def _packed(self, body: bytes) -> bytes:
        if self._parameters.has("gzip"):
            return gzip.compress(body)
        if self._parameters.has("bzip2"):
            return bz2.compress(body)
        if self._parameters.has("zstd"):
            return zstandard.ZstdCompressor().compress(body)
        return body

    def _write_manifest(self) -> None:
        verbose = self._parameters.text("manifest", "") == "verbose"
        entries: list[dict[str, Any]] = []
        for uri, count, size in self.files:
            entry: dict[str, Any] = {"url": uri}
            if verbose or self.kind == "parquet":
                entry["meta"] = {"content_length": size}
            if verbose:
                entry["meta"]["record_count"] = count
            entries.append(entry)
        manifest: dict[str, Any] = {"entries": entries}
        if verbose:
            manifest["schema"] = {
                "elements": [
                    {"name": column.name, "type": {"base": type_name(column.oid)}}
                    for column in self._columns
                ]
            }
            manifest["meta"] = {
                "content_length": sum(size for _, _, size in self.files),
                "record_count": sum(count for _, count, _ in self.files),
            }
            manifest["author"] = {"name": "Amazon Redshift", "version": "1.0.0"}
        body = json.dumps(manifest, indent=2).encode()
        self._bucket.write(f"{self._bucket.prefix}manifest", body)


def _check(command: UnloadCommand) -> None:  # noqa: C901 - one rule after the other
    parameters = command.parameters
    if parameters.has("parquet"):
        for name in ("header", "delimiter", "addquotes", "escape", "null", "gzip", "bzip2", "zstd"):
            if parameters.has(name):
                raise SqlError(f"{name.upper()} is not supported for UNLOAD to PARQUET")
    if parameters.has("json"):
        for name in ("header", "delimiter", "addquotes", "escape", "null", "fixedwidth"):
            if parameters.has(name):
                raise SqlError(f"{name.upper()} is not supported for UNLOAD to JSON")
    if parameters.has("fixedwidth") and parameters.has("header"):
        raise SqlError("HEADER is not supported with FIXEDWIDTH")
    if parameters.has("allowoverwrite") and parameters.has("cleanpath"):
        raise SqlError("ALLOWOVERWRITE and CLEANPATH can't be used together")
    if parameters.columns and parameters.text("parallel", "on") in {"off", "false"}:
        raise UnsupportedSqlError("UNLOAD with both PARTITION BY and PARALLEL OFF")
    if parameters.has("maxfilesize") and not (
        _LEAST_BYTES <= parameters.count("maxfilesize", 0) <= _MOST_BYTES
    ):
        raise SqlError("MAXFILESIZE must be between 5MB and 6.2GB")


def _require_room(bucket: Bucket, parameters: Parameters) -> None:
    found = list(bucket.list())
    if not found:
        return
    if parameters.has("cleanpath"):
        if not parameters.columns:  # else the folders of the partitions that are written
            for key in found:
                bucket.delete(key)
        return
    raise SqlError(
        "Specified unload destination on S3 is not empty. Consider using a different bucket / "
        "prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option."
    )


def _folder(value: str | None) -> str:
    return _NO_VALUE if value is None else percent_encoded(value, safe=" -:.,_+")


def _csv_field(value: str, special: set[str]) -> str:
    if any(mark in value for mark in special):
        return '"' + value.replace('"', '""') + '"'
    return value


def _field(value: str, delimiter: str, escapes: bool, quotes: bool) -> str:
    if escapes:
        marks = {"\\", delimiter, "\n", "\r", *("\"'" if quotes else ())}
        value = "".join(f"\\{mark}" if mark in marks else mark for mark in value)
    return f'"{value}"' if quotes else value


def _widths(parameters: Parameters, count: int) -> list[str]:
    parts = parameters.text("fixedwidth", "").split(",")
    if len(parts) != count or not all(part.rpartition(":")[2].strip().isdigit() for part in parts):
        raise SqlError("FIXEDWIDTH needs a width for each column, such as id:4,name:10")
    return parts


def _fixed_line(row: Row, widths: list[int], null: str) -> str:
    return (
        "".join(
            (null if one is None else one).ljust(width)[:width]
            for one, width in zip(row, widths, strict=True)
        )
        + "\n"
    )


def _json_line(columns: list[Column], row: Row) -> str:
    members = (
        f"{json.dumps(column.name)}:{_json_value(column, value)}"
        for column, value in zip(columns, row, strict=True)
        if value is not None
    )
    return "{" + ",".join(members) + "}\n"


def _json_value(column: Column, value: str) -> str:
    kind = type_name(column.oid)
    if kind in {"int2", "int4", "int8", "numeric", "float4", "float8", "super"}:
        return value
    if kind == "bool":
        return "true" if value == "t" else "false"
    return json.dumps(value, ensure_ascii=False)


def _decimal(column: Column) -> pa.DataType:
    if column.modifier < 0:
        return pa.decimal128(38, 10)
    return pa.decimal128((column.modifier - 4) >> 16, (column.modifier - 4) & 0x7FF)


_ARROW: dict[str, tuple[Callable[[Column], pa.DataType], Callable[[str], Any]]] = {
    "int2": (lambda _: pa.int16(), int),
    "int4": (lambda _: pa.int32(), int),
    "int8": (lambda _: pa.int64(), int),
    "float4": (lambda _: pa.float32(), float),
    "float8": (lambda _: pa.float64(), float),
    "bool": (lambda _: pa.bool_(), lambda value: value == "t"),
    "date": (lambda _: pa.date32(), lambda value: datetime.fromisoformat(value).date()),
    "timestamp": (lambda _: pa.timestamp("us"), datetime.fromisoformat),
    "timestamptz": (lambda _: pa.timestamp("us", "UTC"), datetime.fromisoformat),
    "numeric": (_decimal, Decimal),
}


def _parquet(columns: list[Column], rows: Sequence[Row]) -> bytes:
    arrays, fields = [], []
    for at, column in enumerate(columns):
        kind, read = _ARROW.get(type_name(column.oid), (lambda _: pa.string(), str))
        values = [None if row[at] is None else read(str(row[at])) for row in rows]
        if pa.types.is_decimal(kind(column)) and column.modifier < 0:
            values = [None if one is None else round(one, 10) for one in values]
        fields.append(pa.field(column.name, kind(column)))
        try:
            arrays.append(pa.array(values, kind(column)))
        except pa.ArrowException as error:
            raise SqlError(f'Column "{column.name}" does not fit into Parquet: {error}') from error
    buffer = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), buffer)
    return buffer.getvalue()
