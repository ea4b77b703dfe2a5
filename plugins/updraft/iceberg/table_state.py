"""Reads the metadata of an Iceberg table: its JSON, the manifest lists and the manifests.

.. seealso:: https://iceberg.apache.org/spec/#table-metadata-and-snapshots
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.partitioning import PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table.metadata import TableMetadata

_METADATA = (".avro", ".json", ".json.gz")

ReadObject = Callable[[str], bytes]
"""Gives the content of a file by its URI."""


@dataclass(frozen=True)
class TableSnapshot:
    """A snapshot.

    :param id: its id.
    :param moment: when its writer made it, a little before the commit.
    :param summary: its summary: ``operation``, ``added-records`` and so on, all as text.
    """

    id: int
    moment: datetime
    summary: Mapping[str, str]


@dataclass(frozen=True)
class TableFile:
    """A file that a snapshot consists of.

    :param content: ``DATA``, ``POSITION_DELETES`` or ``EQUALITY_DELETES``.
    :param partition: path of its partition, such as ``day=2026-11-23``; empty without one.
    :param records: number of its records.
    :param size: bytes.
    """

    content: str
    partition: str
    records: int
    size: int


class TableState:
    """A table as one metadata file describes it.

    :param metadata_location: URI of the metadata file, as the catalog has it.
    :param read: reads files.
    :raises UpdraftError: when pyiceberg is not installed, or the file is no metadata.
    """

    def __init__(self, metadata_location: str, read: ReadObject) -> None:
        self._io = _metadata_io(read)
        self._metadata = _parse(self._io, metadata_location)

    def snapshots(self) -> Sequence[TableSnapshot]:
        """List the snapshots of the current branch.

        :returns: the current snapshot and its ancestors that have not expired, the oldest first.
        """
        by_id: dict[int | None, Any] = {one.snapshot_id: one for one in self._metadata.snapshots}
        found = []
        current = by_id.get(self._metadata.current_snapshot_id)
        while current is not None:
            summary: Mapping[str, Any] = current.summary.model_dump() if current.summary else {}
            found.append(
                TableSnapshot(
                    current.snapshot_id,
                    datetime.fromtimestamp(current.timestamp_ms / 1000, UTC),
                    {name: str(getattr(value, "value", value)) for name, value in summary.items()},
                )
            )
            current = by_id.get(current.parent_snapshot_id)
        return found[::-1]

    @property
    def snapshot_count(self) -> int:
        """How many snapshots the metadata holds, those of other branches included."""
        return len(self._metadata.snapshots)

    def files(self, snapshot_id: int) -> Iterator[TableFile]:
        """List the files that a snapshot consists of.

        :param snapshot_id: id of the snapshot.
        :returns: data files and delete files, from the manifests.
        :raises UpdraftError: when there is no such snapshot.
        """
        snapshot = self._metadata.snapshot_by_id(snapshot_id)
        if snapshot is None:
            raise UpdraftError(f"The table has no snapshot {snapshot_id}; has it expired?")
        specs = self._metadata.specs()
        for manifest in snapshot.manifests(self._io):
            spec = specs[manifest.partition_spec_id]
            schema = self._schema_of(spec)
            for entry in manifest.fetch_manifest_entry(self._io, discard_deleted=True):
                file = entry.data_file
                partition = ""
                if spec.fields:
                    partition = spec.partition_to_path(file.partition, schema)
                yield TableFile(
                    file.content.name, partition, file.record_count, file.file_size_in_bytes
                )

    def _schema_of(self, spec: "PartitionSpec") -> "Schema":
        """Find the latest schema with all columns of a spec: it may be older than a dropped one."""
        sources = {field.source_id for field in spec.fields}
        for schema in (self._metadata.schema(), *reversed(self._metadata.schemas)):
            if sources <= set(schema.field_ids):
                return schema
        raise UpdraftError(f"No schema of the table has the columns of partition spec {spec}")


def _parse(file_io: "FileIO", location: str) -> "TableMetadata":
    # A DAG file that is parsed has to do without them: they take long to import.
    from pydantic import ValidationError  # noqa: PLC0415
    from pyiceberg.exceptions import ValidationError as IcebergValidationError  # noqa: PLC0415
    from pyiceberg.serializers import FromInputFile  # noqa: PLC0415

    try:
        return FromInputFile.table_metadata(file_io.new_input(location))
    except (IcebergValidationError, ValidationError, ValueError) as error:
        raise UpdraftError(f"{location} is no metadata of an Iceberg table: {error}") from error


def _metadata_io(read: ReadObject) -> "FileIO":
    """Make what pyiceberg reads files with; it refuses whatever is no metadata."""
    try:
        from pyiceberg.io import (  # noqa: PLC0415 - takes long
            FileIO,
            InputFile,
            InputStream,
            OutputFile,
        )
    except ImportError as error:
        raise UpdraftError(
            "Metrics of Iceberg tables need pyiceberg, which is not installed; add the line "
            "`pyiceberg` to requirements.txt"
        ) from error

    class MetadataFile(InputFile):
        def __len__(self) -> int:
            return len(read(self.location))

        def exists(self) -> bool:
            return True

        def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - of the interface
            if not self.location.endswith(_METADATA):
                raise UpdraftError(f"{self.location} is no metadata file, and is not read")
            return io.BytesIO(read(self.location))

    class MetadataIO(FileIO):
        def new_input(self, location: str) -> InputFile:
            return MetadataFile(location)

        def new_output(self, location: str) -> OutputFile:
            raise UpdraftError(f"{location} is not written: metrics only read")

        def delete(self, location: Any) -> None:
            raise UpdraftError(f"{location} is not deleted: metrics only read")

    return MetadataIO()
