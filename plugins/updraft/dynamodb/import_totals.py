"""What Updraft notes of an export at its manifest, against which its files are checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updraft.dynamodb.counted_nouns import counted
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.manifest import manifest_details
from updraft.errors import PermanentError

_ADVICE = (
    "Data files were shortened, changed or replaced since. Restore them, or export again; to "
    "read them as they are, copy them to a prefix without the manifest."
)


class ChangedExportError(ItemFormatError, PermanentError):
    """The data files of an export are no longer those that it wrote."""


@dataclass(frozen=True)
class ExportTotals:
    """What an export has written, all data files together.

    :param manifest: URI of its manifest.
    :param items: number of items.
    :param bytes: size in bytes.
    :param files: number of files.
    """

    manifest: str
    items: int
    bytes: int
    files: int

    @classmethod
    def noted_at(cls, manifest: str, metadata: Mapping[str, str]) -> "ExportTotals | None":
        """Read the metadata of a manifest.

        :param manifest: its URI.
        :param metadata: its user metadata, keys in lower case.
        :returns: the totals, ``None`` for a manifest of the legacy tool and for a copy that was
            made without the metadata.
        """
        details = manifest_details(metadata)
        numbers = [details.get(name, "") for name in ("items", "bytes", "files")]
        if not all(number.isdecimal() for number in numbers):
            return None
        return cls(manifest, *map(int, numbers))

    def size_problem(self, files: Sequence[DataFile]) -> str | None:
        """Check the sizes, for which nothing needs to be read.

        :param files: the files that the manifest names, with their sizes.
        :returns: what is wrong, ``None`` if nothing is.
        """
        found = sum(file.size or 0 for file in files)
        if (found, len(files)) == (self.bytes, self.files):
            return None
        return (
            f"{self.manifest}: the export wrote {counted(self.bytes, 'byte')} to "
            f"{counted(self.files, 'file')}, but there are {counted(found, 'byte')} in "
            f"{counted(len(files), 'file')} now. {_ADVICE}"
        )

    def problem(self, records: int) -> str | None:
        """Check the number of records after all were read.

        :param records: their number, those that are no items included.
        :returns: what is wrong, ``None`` if nothing is.
        """
        if records == self.items:
            return None
        return (
            f"{self.manifest}: the export wrote {counted(self.items, 'item')}, but its files hold "
            f"{counted(records, 'record')} now. {_ADVICE}"
        )
