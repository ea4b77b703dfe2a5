"""Reads the data of a table of the Data Catalog from S3.

Parquet, CSV and JSON lines are read by pyarrow, Iceberg tables by pyiceberg. Anything else is
refused.
"""

import io
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.services.glue.background import WorkError

_PAUSE = 0.1  # seconds

_ARROW_TYPES = {
    "bigint": pa.int64(),
    "binary": pa.binary(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double": pa.float64(),
    "float": pa.float32(),
    "int": pa.int32(),
    "smallint": pa.int16(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us"),
    "tinyint": pa.int8(),
}


def read_table(endpoint_url: str, region: str, table: Mapping[str, Any]) -> pa.Table:
    """Read all rows of a table.

    :param endpoint_url: address of the gateway.
    :param region: Region of the bucket.
    :param table: the table as GetTable describes it.
    :returns: the rows, with the columns of the partitions.
    :raises WorkError: when its format is none of those above, or a file can't be read.
    """
    parameters = table.get("Parameters", {})
    if parameters.get("table_type", "").upper() == "ICEBERG":
        return _read_iceberg(endpoint_url, region, parameters["metadata_location"])
    storage = table.get("StorageDescriptor", {})
    kind = table_format(table)
    columns = [*storage.get("Columns", ()), *table.get("PartitionKeys", ())]
    parts = []
    for key, body in objects(endpoint_url, region, storage["Location"]):
        part = read_file(kind, body, storage, key)
        for name, value in partition_values(key).items():
            part = part.append_column(name, pa.array([value] * len(part), pa.string()))
        parts.append(_typed(part, columns))
    try:
        return pa.concat_tables(parts or [_typed(None, columns)], promote_options="permissive")
    except pa.ArrowException as error:
        raise WorkError(f"The files of {table['Name']} do not fit together: {error}") from error


def table_format(table: Mapping[str, Any]) -> str:
    """Say in which format the files of a table are.

    :param table: the table as GetTable describes it.
    :returns: ``parquet``, ``csv`` or ``json``.
    :raises WorkError: when it is none of them.
    """
    storage = table.get("StorageDescriptor", {})
    library = storage.get("SerdeInfo", {}).get("SerializationLibrary", "")
    told = f"{table.get('Parameters', {}).get('classification', '')} {library}".lower()
    for word, kind in (("parquet", "parquet"), ("json", "json"), ("csv", "csv"), ("lazy", "csv")):
        if word in told:
            return kind
    raise WorkError(
        f"The local stack reads tables in Parquet, CSV, JSON and Iceberg; {table['Name']} is none "
        f"of them (classification and SerDe: {told.strip() or 'none'})"
    )


def hold(endpoint_url: str, region: str, location: str, stop_asked: threading.Event) -> None:
    """Wait as long as there is an object ``_hold``, by which a test keeps work going on.

    :param endpoint_url: address of the gateway.
    :param region: Region that requests are signed for.
    :param location: ``s3://`` URI of the folder that the object would be in.
    :param stop_asked: ends the waiting.
    """
    parts = urlsplit(location)
    s3: Any = client(endpoint_url, region, "s3")
    key = f"{parts.path.strip('/')}/_hold".lstrip("/")
    while not stop_asked.wait(_PAUSE):
        try:
            s3.head_object(Bucket=parts.netloc, Key=key)
        except ClientError:
            return


def objects(endpoint_url: str, region: str, location: str) -> Iterator[tuple[str, bytes]]:
    """Read the objects below a URI, but for those whose name begins with ``_`` or a dot.

    :param endpoint_url: address of the gateway.
    :param region: Region that requests are signed for.
    :param location: ``s3://`` URI.
    :returns: key and content.
    :raises WorkError: when the bucket can't be read.
    """
    parts = urlsplit(location)
    s3: Any = client(endpoint_url, region, "s3")
    prefix = parts.path.lstrip("/")
    try:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=parts.netloc, Prefix=prefix)
        for entry in (entry for page in pages for entry in page.get("Contents", ())):
            key = entry["Key"]
            name = key.rsplit("/", 1)[-1]
            # "orders" must not take in "orders_old/…".
            if key[len(prefix) :][:1] not in {"", "/"} and prefix and not prefix.endswith("/"):
                continue
            if entry["Size"] and not name.startswith(("_", ".")):
                yield key, s3.get_object(Bucket=parts.netloc, Key=key)["Body"].read()
    except ClientError as error:
        raise WorkError(f"{location} can't be read: {error}") from error


def read_file(kind: str, body: bytes, storage: Mapping[str, Any], key: str) -> pa.Table:
    """Read one file.

    :param kind: ``parquet``, ``csv`` or ``json``.
    :param body: its content.
    :param storage: the storage descriptor of its table; empty for what the file itself says.
    :param key: its key, for the error message.
    :returns: its rows.
    :raises WorkError: when it is no such file.
    """
    try:
        if kind == "parquet":
            return pyarrow.parquet.read_table(io.BytesIO(body))
        if kind == "json":
            return pyarrow.json.read_json(io.BytesIO(body))
        return _read_csv(body, storage)
    except pa.ArrowException as error:
        raise WorkError(f"{key} is no {kind} file: {error}") from error


def partition_values(key: str) -> dict[str, str]:
    """Read the values of partitions in a key.

    :param key: such as ``orders/day=2026-11-02/part-0.parquet``.
    :returns: value by name.
    """
    folders = [part.partition("=") for part in key.split("/")[:-1] if "=" in part]
    return {name: unquote(value) for name, _, value in folders}


def _read_csv(body: bytes, storage: Mapping[str, Any]) -> pa.Table:
    parameters = storage.get("SerdeInfo", {}).get("Parameters", {})
    skipped = {**storage.get("Parameters", {}), **parameters}.get("skip.header.line.count", "0")
    names = [column["Name"] for column in storage.get("Columns", ())]
    return pyarrow.csv.read_csv(
        io.BytesIO(body),
        read_options=pyarrow.csv.ReadOptions(skip_rows=int(skipped), column_names=names)
        if names
        else None,
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=parameters.get("separatorChar", parameters.get("field.delim", ","))
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            strings_can_be_null=True, null_values=["", "NULL"]
        ),
    )


def _read_iceberg(endpoint_url: str, region: str, metadata_location: str) -> pa.Table:
    from pyiceberg.table import StaticTable  # noqa: PLC0415 - slow

    properties = {
        "s3.endpoint": endpoint_url,
        "s3.region": region,
        "s3.access-key-id": "local",
        "s3.secret-access-key": "local",
        "s3.force-virtual-addressing": "false",
    }
    return StaticTable.from_metadata(metadata_location, properties).scan().to_arrow()


def _typed(rows: pa.Table | None, columns: list[Mapping[str, Any]]) -> pa.Table:
    """Give the columns that the catalog names, in its types where they have a simple one."""
    arrays, names = [], []
    for column in columns:
        name, kind = column["Name"], column.get("Type", "string").lower()
        wanted = _arrow_type(kind)
        found = _column(rows, name) if rows is not None else None
        if found is None:
            found = pa.nulls(0 if rows is None else len(rows), wanted or pa.string())
        elif wanted is not None and found.type != wanted:
            try:
                found = found.cast(wanted)
            except pa.ArrowException as error:
                raise WorkError(f"Column {name} is no {kind}: {error}") from error
        arrays.append(found)
        names.append(name)
    return pa.table(arrays, names=names)


def _column(rows: pa.Table, name: str) -> Any:
    """Find a column; the catalog has names in lower case."""
    matching = [number for number, has in enumerate(rows.column_names) if has.lower() == name]
    return rows.column(matching[0]) if matching else None


def _arrow_type(kind: str) -> Any:
    if kind.startswith("decimal("):
        precision, _, scale = kind[8:-1].partition(",")
        return pa.decimal128(int(precision), int(scale or 0))
    if kind.startswith(("varchar", "char")):
        return pa.string()
    return _ARROW_TYPES.get(kind)
