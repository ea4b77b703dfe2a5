"""Reads the tables of the Glue catalog: Parquet, CSV, JSON, Delta Lake and Iceberg."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
from botocore.exceptions import ClientError

from include.local.gateway.clients import client


class TableError(Exception):
    """A table cannot be read; the text becomes the reason of the failed query."""


_TYPES: Mapping[str, pa.DataType] = {
    "bigint": pa.int64(),
    "binary": pa.binary(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double": pa.float64(),
    "float": pa.float32(),
    "int": pa.int32(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
    "tinyint": pa.int8(),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


class CatalogTables:
    """The tables as a query sees them.

    :param endpoint_url: address of the gateway.
    :param region: Region of the catalog.
    """

    def __init__(self, endpoint_url: str, region: str) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._glue: Any = client(endpoint_url, region, "glue")
        self._s3: Any = client(endpoint_url, region, "s3")

    def read(self, database: str, name: str) -> pa.Table:
        """Read a table.

        :param database: its database.
        :param name: its name.
        :returns: all of its rows.
        :raises TableError: when there is no such table, or it is of another kind.
        """
        try:
            table = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            raise TableError(
                f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist"
            ) from error
        kind = {
            str(value).lower()
            for key, value in table.get("Parameters", {}).items()
            if key in {"classification", "spark.sql.sources.provider", "table_type"}
        }
        if "iceberg" in kind:
            return self._iceberg(table)
        if "delta" in kind:
            return self._delta(table)
        return self._files(table)

    def _iceberg(self, table: Mapping[str, Any]) -> pa.Table:
        from pyiceberg.table import StaticTable  # noqa: PLC0415 - slow to import

        properties = {
            "s3.access-key-id": "local",
            "s3.secret-access-key": "local",
            "s3.endpoint": self._endpoint_url,
            "s3.region": self._region,
        }
        found = StaticTable.from_metadata(table["Parameters"]["metadata_location"], properties)
        return found.scan().to_arrow()

    def _delta(self, table: Mapping[str, Any]) -> pa.Table:
        from deltalake import DeltaTable  # noqa: PLC0415 - slow to import
        from deltalake.exceptions import TableNotFoundError  # noqa: PLC0415

        location = table["StorageDescriptor"]["Location"].rstrip("/")
        options = {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ENDPOINT_URL": self._endpoint_url,
            "AWS_REGION": self._region,
        }
        try:
            return DeltaTable(location, storage_options=options).to_pyarrow_table()
        except TableNotFoundError as error:
            raise TableError(f"DELTA_LAKE_INVALID_TABLE: no Delta table at {location}") from error

    def _files(self, table: Mapping[str, Any]) -> pa.Table:
        storage = table["StorageDescriptor"]
        columns = [pa.field(c["Name"], _type(c["Type"])) for c in storage["Columns"]]
        keys = [pa.field(c["Name"], _type(c["Type"])) for c in table.get("PartitionKeys", ())]
        schema = pa.schema([*columns, *keys])
        parts = []
        for location, values in self._locations(table):
            for content in self._contents(location):
                rows = _read(content, storage, pa.schema(columns))
                for key, value in zip(keys, values, strict=True):
                    rows = rows.append_column(key, _repeated(value, len(rows), key.type))
                parts.append(rows)
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def _locations(self, table: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
        if not table.get("PartitionKeys"):
            yield table["StorageDescriptor"]["Location"], ()
            return
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=table["DatabaseName"], TableName=table["Name"]
        )
        for page in pages:
            for partition in page["Partitions"]:
                yield partition["StorageDescriptor"]["Location"], partition["Values"]

    def _contents(self, location: str) -> Iterator[bytes]:
        parts = urlsplit(location)
        prefix = parts.path.strip("/")
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=parts.netloc, Prefix=f"{prefix}/" if prefix else ""
        )
        for page in pages:
            for entry in page.get("Contents", ()):
                name = entry["Key"].rpartition("/")[2]
                if name and not name.startswith(("_", ".")) and entry["Size"]:
                    found = self._s3.get_object(Bucket=parts.netloc, Key=entry["Key"])
                    yield found["Body"].read()


def _type(name: str) -> pa.DataType:
    decimal = _DECIMAL.fullmatch(name)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if name.startswith(("varchar", "char")):
        return pa.string()
    if name not in _TYPES:
        raise TableError(f"NOT_SUPPORTED: the local stack reads no column of type {name}")
    return _TYPES[name]


def _repeated(value: str, count: int, kind: pa.DataType) -> pa.Array:
    return pa.array([value] * count, pa.string()).cast(kind)


def _read(content: bytes, storage: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """Read one file as the serialisation library of its table does."""
    serde = storage.get("SerdeInfo", {})
    library = str(serde.get("SerializationLibrary", "")).lower()
    if "parquet" in library:
        rows = pyarrow.parquet.read_table(io.BytesIO(content))
    elif "json" in library:
        options = pyarrow.json.ParseOptions(
            explicit_schema=schema, unexpected_field_behavior="ignore"
        )
        rows = pyarrow.json.read_json(io.BytesIO(content), parse_options=options)
    elif "lazysimple" in library or "opencsv" in library:
        rows = _read_csv(content, storage, schema, quoted="opencsv" in library)
    else:
        raise TableError(f"NOT_SUPPORTED: the local stack has no serialisation library {library!r}")
    by_name = {name.lower(): rows.column(name) for name in rows.column_names}
    missing = pa.nulls(len(rows))
    return pa.table(
        {f.name: by_name.get(f.name.lower(), missing).cast(f.type) for f in schema}, schema=schema
    )


def _read_csv(
    content: bytes, storage: Mapping[str, Any], schema: pa.Schema, *, quoted: bool
) -> pa.Table:
    given = storage["SerdeInfo"].get("Parameters", {})
    delimiter = given.get("separatorChar" if quoted else "field.delim") or (
        "," if quoted else "\x01"
    )
    skipped = storage.get("Parameters", {}).get("skip.header.line.count", "0")
    return pyarrow.csv.read_csv(
        io.BytesIO(content),
        read_options=pyarrow.csv.ReadOptions(
            column_names=schema.names, skip_rows=int(given.get("skip.header.line.count", skipped))
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, quote_char='"' if quoted else False
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=schema, null_values=["", "\\N"], strings_can_be_null=True
        ),
    )
