"""The objects of an export: data files and manifests, laid out as DynamoDB does.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import base64
import gzip
import hashlib
import json
import secrets
import string
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from include.local.gateway.services.dynamodb import ion_items
from include.local.gateway.services.dynamodb.history_store import Change, Image
from include.local.gateway.services.dynamodb.item_sizes import item_size
from include.local.gateway.services.dynamodb.object_store import ObjectStore

PARTITIONS = 4
"""Data files of an export: DynamoDB writes one or more per partition, for an empty one as well."""

_FAST = 3  # level of gzip
_NAME_LENGTH = 26
_NAME_LETTERS = string.ascii_lowercase + string.digits
_SUFFIXES = {"DYNAMODB_JSON": ".json.gz", "ION": ".ion.gz"}


class ExportedRecord:
    """What becomes one line of a data file.

    :param key: text that decides the file.
    :param size: bytes that DynamoDB bills for it.
    :param members: members of the line, DynamoDB's JSON each; ``Metadata`` is one of them.
    """

    def __init__(self, key: str, size: int, members: Mapping[str, Image]) -> None:
        self.key = key
        self.size = size
        self._members = members

    @classmethod
    def of_item(cls, item: Image) -> "ExportedRecord":
        """Make the record of a full export.

        :param item: the item.
        :returns: the record.
        """
        return cls(json.dumps(item), item_size(item), {"Item": item})

    @classmethod
    def of_change(cls, change: Change, *, old_images: bool) -> "ExportedRecord":
        """Make the record of an incremental export.

        :param change: the change.
        :param old_images: whether the view has them.
        :returns: the record.
        """
        stamp = {"WriteTimestampMicros": {"N": str(change.written_at)}}
        members: dict[str, Image] = {"Metadata": stamp, "Keys": change.key}
        if old_images and change.old is not None:
            members["OldImage"] = change.old
        if change.new is not None:
            members["NewImage"] = change.new
        size = sum(item_size(members[name]) for name in members if name != "Metadata")
        return cls(json.dumps(change.key), size, members)

    def line(self, output_format: str) -> bytes:
        """Write the line.

        :param output_format: ``DYNAMODB_JSON`` or ``ION``.
        :returns: the line with its end.
        """
        if output_format == "DYNAMODB_JSON":
            text = json.dumps(self._members, ensure_ascii=False, separators=(",", ":"))
            return text.encode("utf-8", "surrogatepass") + b"\n"
        struct = {name: ion_items.from_item(member) for name, member in self._members.items()}
        return ion_items.write(struct if "Item" in struct else {"Record": struct}) + b"\n"


class ExportWriter:
    """Writes the objects of one export.

    :param store: the bucket.
    :param prefix: prefix that the caller chose, may be empty.
    :param identifier: the export's id, last part of its ARN.
    :param output_format: ``DYNAMODB_JSON`` or ``ION``.
    :param incremental: whether the data files go to the folder that all incremental exports share.
    """

    def __init__(
        self,
        store: ObjectStore,
        prefix: str,
        identifier: str,
        output_format: str,
        *,
        incremental: bool,
    ) -> None:
        self._store = store
        self._format = output_format
        root = f"{prefix.rstrip('/')}/AWSDynamoDB" if prefix else "AWSDynamoDB"
        self._folder = f"{root}/{identifier}"
        self._data = f"{root}/data" if incremental else f"{self._folder}/data"
        self.files_manifest = f"{self._folder}/manifest-files.json"
        self.summary_manifest = f"{self._folder}/manifest-summary.json"

    def start(self) -> None:
        """Write the empty object by which DynamoDB tries whether it may write.

        :raises ObjectStoreError: when S3 refuses.
        """
        self._store.put(f"{self._folder}/_started", b"")

    def write_data(self, records: Iterable[ExportedRecord]) -> tuple[int, int]:
        """Write the data files and the manifest that lists them.

        :param records: what goes into them.
        :returns: how many records there are, and bytes that DynamoDB bills for them.
        :raises ObjectStoreError: when S3 refuses.
        """
        counts, size = [0] * PARTITIONS, 0
        with tempfile.TemporaryDirectory() as directory:
            paths = [Path(directory, str(number)) for number in range(PARTITIONS)]
            with ExitStack() as open_files:
                files = [
                    open_files.enter_context(gzip.open(path, "wb", compresslevel=_FAST))
                    for path in paths
                ]
                for record in records:
                    partition = zlib.crc32(record.key.encode()) % PARTITIONS
                    files[partition].write(record.line(self._format))
                    counts[partition] += 1
                    size += record.size
            entries = [self._upload(path, count) for path, count in zip(paths, counts, strict=True)]
        manifest = "".join(f"{json.dumps(entry, separators=(',', ':'))}\n" for entry in entries)
        self._put_with_checksum(self.files_manifest, manifest.encode())
        return sum(counts), size

    def _upload(self, path: Path, count: int) -> dict[str, Any]:
        name = "".join(secrets.choice(_NAME_LETTERS) for _ in range(_NAME_LENGTH))
        key = f"{self._data}/{name}{_SUFFIXES[self._format]}"
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "md5").digest()
        return {
            "itemCount": count,
            "md5Checksum": base64.b64encode(digest).decode(),
            "etag": self._store.upload(key, path),
            "dataFileS3Key": key,
        }

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write the manifest whose presence says that the export is complete.

        :param summary: its content.
        :raises ObjectStoreError: when S3 refuses.
        """
        body = json.dumps(summary, separators=(",", ":")).encode()
        self._put_with_checksum(self.summary_manifest, body)

    def _put_with_checksum(self, key: str, body: bytes) -> None:
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        self._store.put(f"{key.removesuffix('.json')}.checksum", base64.b64encode(digest))
        self._store.put(key, body)
