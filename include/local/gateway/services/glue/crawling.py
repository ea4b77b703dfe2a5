"""One crawl: from objects in S3 to tables and partitions of the Data Catalog.

A folder that holds files, or folders named ``key=value`` with files, becomes a table named after
it. Where AWS would join folders with equal columns to one table with unnamed partition keys, the
crawl fails and says so.
"""

import gzip
import re
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
from botocore.exceptions import ClientError

from include.local.gateway.services.dynamodb.object_store import client
from include.local.gateway.services.glue.background import WorkError
from include.local.gateway.services.glue.table_data import (
    hold,
    objects,
    partition_values,
    read_file,
)

_HADOOP = "org.apache.hadoop"
_FORMATS = {
    "parquet": (
        f"{_HADOOP}.hive.ql.io.parquet.MapredParquetInputFormat",
        f"{_HADOOP}.hive.ql.io.parquet.MapredParquetOutputFormat",
        f"{_HADOOP}.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "json": (
        f"{_HADOOP}.mapred.TextInputFormat",
        f"{_HADOOP}.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "csv": (
        f"{_HADOOP}.mapred.TextInputFormat",
        f"{_HADOOP}.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        f"{_HADOOP}.hive.serde2.lazy.LazySimpleSerDe",
    ),
}
_BATCH = 100
_OWNER = "UPDATED_BY_CRAWLER"


class _Found:
    """What was found below one folder."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.schema: Any = None
        self.partitions: dict[tuple[tuple[str, str], ...], str] = {}
        self.objects = self.bytes = self.rows = 0

    def columns(self) -> list[dict[str, str]]:
        keys = {name for values in self.partitions for name, _ in values}
        return [
            {"Name": field.name.lower(), "Type": _hive_type(field.type)}
            for field in self.schema
            if field.name.lower() not in keys
        ]


class Crawl:
    """A crawl of the S3 targets of a crawler.

    :param endpoint_url: address of the gateway.
    :param region: Region.
    :param crawler: the crawler as GetCrawler describes it.
    :param stop_asked: whether to end.
    """

    def __init__(
        self,
        endpoint_url: str,
        region: str,
        crawler: Mapping[str, Any],
        stop_asked: threading.Event,
    ) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._crawler = crawler
        self._stop_asked = stop_asked
        self._glue: Any = client(endpoint_url, region, "glue")
        self._changes: dict[str, dict[str, Any]] = {}

    def run(self) -> dict[str, dict[str, Any]]:
        """Crawl.

        :returns: what was changed, as in the summary of ListCrawls.
        :raises WorkError: when a target is none in S3, or holds what can't be read.
        """
        targets = {k: v for k, v in (self._crawler.get("Targets") or {}).items() if v}
        others = sorted(set(targets) - {"S3Targets"})
        if others:
            raise WorkError(f"The local stack crawls S3 alone, not {', '.join(others)}")
        seen = set()
        for target in targets.get("S3Targets", ()):
            for location, found in self._folders(target):
                seen.add(self._write(location, found))
        self._write_off(seen)
        return self._changes

    def _folders(self, target: Mapping[str, Any]) -> Iterator[tuple[str, _Found]]:
        path = target["Path"]
        bucket = urlsplit(path).netloc
        folders: dict[str, _Found] = {}
        hold(self._endpoint_url, self._region, path, self._stop_asked)
        for key, body in objects(self._endpoint_url, self._region, path):
            if self._stop_asked.is_set():
                return
            if any(fnmatchcase(key, pattern) for pattern in target.get("Exclusions", ())):
                continue
            self._take(folders, bucket, key, body)
        by_schema: dict[str, str] = {}
        for location, found in folders.items():
            other = by_schema.setdefault(str(found.schema), location)
            if other != location:
                raise WorkError(
                    f"{other} and {location} have the same columns. AWS would make one table of "
                    "them, with partition keys that it names itself; the local stack does not"
                )
        yield from folders.items()

    def _take(self, folders: dict[str, _Found], bucket: str, key: str, body: bytes) -> None:
        values = tuple((name.lower(), value) for name, value in partition_values(key).items())
        folder = key.rsplit("/", 1)[0] if "/" in key else ""
        root = re.split(r"(?:^|/)[^/=]+=", folder, maxsplit=1)[0]
        plain = gzip.decompress(body) if key.endswith(".gz") else body
        kind = _kind(key.removesuffix(".gz"), plain)
        found = folders.setdefault(
            f"s3://{bucket}/{root}/" if root else f"s3://{bucket}/", _Found(kind)
        )
        if found.kind != kind:
            raise WorkError(f"{key} is {kind}, while other files beside it are {found.kind}")
        rows = read_file(kind, plain, {}, key)
        schemas = [rows.schema] if found.schema is None else [found.schema, rows.schema]
        try:
            found.schema = pa.unify_schemas(schemas, promote_options="permissive")
        except pa.ArrowException as error:
            raise WorkError(f"{key} does not fit the files beside it: {error}") from error
        found.objects, found.bytes = found.objects + 1, found.bytes + len(body)
        found.rows += len(rows)
        found.partitions.setdefault(values, f"s3://{bucket}/{folder}/")

    def _write(self, location: str, found: _Found) -> str:
        name = self._table_name(location)
        keys = next(iter(found.partitions))
        table = {
            "Name": name,
            "Owner": "owner",
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": key, "Type": "string"} for key, _ in keys],
            "Parameters": {
                "classification": found.kind,
                "CrawlerSchemaDeserializerVersion": "1.0",
                "CrawlerSchemaSerializerVersion": "1.0",
                "objectCount": str(found.objects),
                "recordCount": str(found.rows),
                "sizeKey": str(found.bytes),
                "typeOfData": "file",
                _OWNER: self._crawler["Name"],
                **({"skip.header.line.count": "1"} if found.kind == "csv" else {}),
            },
            "StorageDescriptor": _storage(location, found),
        }
        database = self._crawler["DatabaseName"]
        existing = self._existing(name)
        if existing is None:
            self._glue.create_table(DatabaseName=database, TableInput=table)
            self._note("TABLE", "ADD", name)
        elif _looks(existing) != _looks(table) and self._may("UpdateBehavior"):
            self._glue.update_table(DatabaseName=database, TableInput=table)
            self._note("TABLE", "UPDATE", name)
        if keys:
            self._write_partitions(name, found)
        return name

    def _write_partitions(self, name: str, found: _Found) -> None:
        database = self._crawler["DatabaseName"]
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=name
        )
        known = {tuple(entry["Values"]) for page in pages for entry in page["Partitions"]}
        wanted = [
            {
                "Values": [value for _, value in values],
                "StorageDescriptor": _storage(location, found),
            }
            for values, location in found.partitions.items()
            if tuple(value for _, value in values) not in known
        ]
        for start in range(0, len(wanted), _BATCH):
            self._glue.batch_create_partition(
                DatabaseName=database,
                TableName=name,
                PartitionInputList=wanted[start : start + _BATCH],
            )
        for partition in wanted:
            self._note("PARTITION", "ADD", f"{name}:{','.join(partition['Values'])}")

    def _write_off(self, seen: set[str]) -> None:
        """Deal with tables of this crawler whose files are gone, as its policy says."""
        policy = (self._crawler.get("SchemaChangePolicy") or {}).get("DeleteBehavior")
        if self._stop_asked.is_set() or policy == "LOG":
            return
        database = self._crawler["DatabaseName"]
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=database)
        for table in [table for page in pages for table in page["TableList"]]:
            parameters = table.get("Parameters", {})
            if parameters.get(_OWNER) != self._crawler["Name"] or table["Name"] in seen:
                continue
            if policy == "DELETE_FROM_DATABASE":
                self._glue.delete_table(DatabaseName=database, Name=table["Name"])
                self._note("TABLE", "DELETE", table["Name"])
            elif "DEPRECATED_BY_CRAWLER" not in parameters:
                stamp = str(int(datetime.now(UTC).timestamp() * 1000))
                members = ("Name", "TableType", "PartitionKeys", "StorageDescriptor")
                changed = {member: table[member] for member in members if member in table}
                changed["Parameters"] = {**parameters, "DEPRECATED_BY_CRAWLER": stamp}
                self._glue.update_table(DatabaseName=database, TableInput=changed)
                self._note("TABLE", "UPDATE", table["Name"])

    def _existing(self, name: str) -> dict[str, Any] | None:
        database = self._crawler["DatabaseName"]
        try:
            table: dict[str, Any] = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise WorkError(str(error)) from error
        return table

    def _table_name(self, location: str) -> str:
        parts = urlsplit(location)
        last = parts.path.strip("/").rsplit("/", 1)[-1] or parts.netloc
        name = re.sub(r"[^a-z0-9_]", "_", last.lower())
        return f"{self._crawler.get('TablePrefix') or ''}{name}"

    def _may(self, behavior: str) -> bool:
        return (self._crawler.get("SchemaChangePolicy") or {}).get(behavior) != "LOG"

    def _note(self, kind: str, change: str, name: str) -> None:
        noted = self._changes.setdefault(kind, {}).setdefault(
            change, {"Details": {"names": []}, "Count": 0}
        )
        noted["Details"]["names"].append(name)
        noted["Count"] += 1


def _storage(location: str, found: _Found) -> dict[str, Any]:
    reads, writes, library = _FORMATS[found.kind]
    parameters = {"csv": {"field.delim": ","}, "parquet": {"serialization.format": "1"}}
    header = {"skip.header.line.count": "1"} if found.kind == "csv" else {}
    return {
        "Columns": found.columns(),
        "Location": location,
        "InputFormat": reads,
        "OutputFormat": writes,
        "SerdeInfo": {
            "SerializationLibrary": library,
            "Parameters": parameters.get(found.kind, {}),
        },
        "Parameters": {"classification": found.kind, **header},
    }


def _looks(table: Mapping[str, Any]) -> Any:
    storage = table["StorageDescriptor"]
    ignored = "DEPRECATED_BY_CRAWLER"
    return storage["Columns"], storage["Location"], ignored in table.get("Parameters", {})


def _kind(key: str, body: bytes) -> str:
    if body.startswith(b"PAR1"):
        return "parquet"
    if body.lstrip()[:1] in {b"{", b"["}:
        return "json"
    if key.endswith((".csv", ".txt")) or b"," in body.partition(b"\n")[0]:
        return "csv"
    raise WorkError(f"{key} is neither Parquet, nor JSON lines, nor CSV with commas")


def _hive_type(kind: Any) -> str:
    names = {
        "bool": "boolean", "date32[day]": "date", "double": "double", "float": "float",
        "int16": "smallint", "int32": "int", "int64": "bigint", "int8": "tinyint",
        "string": "string", "large_string": "string", "binary": "binary", "null": "string",
    }  # fmt: skip
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{_hive_type(field.type)}' for field in kind)}>"
    if pa.types.is_list(kind):
        return f"array<{_hive_type(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{_hive_type(kind.key_type)},{_hive_type(kind.item_type)}>"
    if str(kind) not in names:
        raise WorkError(f"The local stack has no name for the type {kind}")
    return names[str(kind)]
