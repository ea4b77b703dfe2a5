"""The files that an import reads, as they were found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import Content
from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.import_copies import ObjectLister, sizes_of
from updraft.dynamodb.import_totals import ExportTotals
from updraft.dynamodb.native_manifest import ExportSummary

LISTED_AT_MOST = 20
"""Number of exports that an error message names where there are several."""


class SourceKind(Enum):
    """How the files of an import were found."""

    NATIVE_EXPORT = "native export"
    LEGACY_MANIFEST = "manifest"
    FILES = "files"


class ObjectReader(ObjectLister, Protocol):
    """The operations on objects that finding the files needs."""

    def read(self, uri: str) -> Content | None:
        """Read a small object.

        :param uri: its URI.
        :returns: its bytes and its metadata, ``None`` when there is no such object.
        """


@dataclass(frozen=True)
class ImportSource:
    """The files to import.

    :param uri: URI of the prefix that they, or their manifest, lie right below, without a slash
        at its end.
    :param kind: how they were found.
    :param files: the files, with their sizes.
    :param format_name: their format as far as manifest and names tell, ``None`` otherwise.
    :param summary: what a native export says about itself.
    :param totals: what Updraft has noted of its own export.
    """

    uri: str
    kind: SourceKind
    files: Sequence[DataFile]
    format_name: str | None
    summary: ExportSummary | None = None
    totals: ExportTotals | None = None

    @property
    def item_count(self) -> int | None:
        """Number of records in all files, ``None`` when no manifest says it."""
        if self.totals is not None:
            return self.totals.items
        counts = [file.item_count for file in self.files]
        return None if None in counts else sum(count or 0 for count in counts)


def with_sizes(reader: ObjectReader, files: Sequence[DataFile], manifest: str) -> list[DataFile]:
    """Find the sizes of files that a manifest names.

    :param reader: lists objects.
    :param files: the files.
    :param manifest: URI of the manifest, for the error message.
    :returns: the files with their sizes.
    :raises ItemFormatError: when one is not there.
    """
    sizes = sizes_of(reader, (file.uri for file in files))
    missing = [file.uri for file in files if file.uri not in sizes]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ItemFormatError(
            f"{manifest} names {missing[0]}{more}, but there is no such object. Restore it, or "
            "export again."
        )
    return [replace(file, size=sizes[file.uri]) for file in files]
