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

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.services.glue.background import WorkError
from include.local.gateway.services.glue.crawled_folder import CrawledFolder, kind_of
from include.local.gateway.services.glue.table_data import (
    hold,
    objects,
    partition_values,
)

_BATCH = 100
_OWNER = "UPDATED_BY_CRAWLER"


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

    def _folders(self, target: Mapping[str, Any]) -> Iterator[tuple[str, CrawledFolder]]:
        path = target["Path"]
        bucket = urlsplit(path).netloc
        folders: dict[str, CrawledFolder] = {}
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

    def _take(self, folders: dict[str, CrawledFolder], bucket: str, key: str, body: bytes) -> None:
        values = tuple((name.lower(), value) for name, value in partition_values(key).items())
        folder = key.rsplit("/", 1)[0] if "/" in key else ""
        root = re.split(r"(?:^|/)[^/=]+=", folder, maxsplit=1)[0]
        plain = gzip.decompress(body) if key.endswith(".gz") else body
        kind = kind_of(key.removesuffix(".gz"), plain)
        found = folders.setdefault(
            f"s3://{bucket}/{root}/" if root else f"s3://{bucket}/", CrawledFolder(kind)
        )
        if found.kind != kind:
            raise WorkError(f"{key} is {kind}, while other files beside it are {found.kind}")
        found.add(key, values, f"s3://{bucket}/{folder}/", len(body), plain)

    def _write(self, location: str, found: CrawledFolder) -> str:
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
            "StorageDescriptor": found.storage(location),
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

    def _write_partitions(self, name: str, found: CrawledFolder) -> None:
        database = self._crawler["DatabaseName"]
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=name
        )
        known = {tuple(entry["Values"]) for page in pages for entry in page["Partitions"]}
        wanted = [
            {
                "Values": [value for _, value in values],
                "StorageDescriptor": found.storage(location),
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


def _looks(table: Mapping[str, Any]) -> Any:
    storage = table["StorageDescriptor"]
    ignored = "DEPRECATED_BY_CRAWLER"
    return storage["Columns"], storage["Location"], ignored in table.get("Parameters", {})
