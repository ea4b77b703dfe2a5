"""Finds the files to import below a prefix.

A native export is found by its ``manifest-summary.json``, a legacy one by its ``manifest``. Without
either, every object counts whose path below the prefix has no part that begins with ``_`` or ``.``,
as in Hadoop.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NoReturn, Protocol

from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import Content, S3Prefix
from updraft.dynamodb.file_names import common_format, format_of_name
from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.import_copies import (
    ObjectLister,
    copied_files,
    copied_native_files,
    not_copied,
    places_beside,
    sizes_of,
)
from updraft.dynamodb.import_totals import ExportTotals
from updraft.dynamodb.manifest import MANIFEST, parse_manifest
from updraft.dynamodb.native_manifest import (
    CHECKSUM_SUFFIXES,
    MANIFEST_FILES,
    MANIFEST_SUMMARY,
    ExportSummary,
    check_total,
    parse_files,
    parse_summary,
    verify_checksum,
)
from updraft.errors import UpdraftError
from updraft.s3_uri import parse_s3_uri

__all__ = [
    "ImportSource",
    "ObjectReader",
    "SourceKind",
    "find_import_source",
    "require_outside",
]

_NATIVE_FOLDER = "AWSDynamoDB"
_FOLDER_MARKER = "_$folder$"
_LISTED_AT_MOST = 20
_SEGMENT_CHECKPOINT = re.compile(r"_updraft/[^/]+/\d{5,}\.json")


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


def find_import_source(
    reader: ObjectReader, uri: str, *, refuse_changed: bool = True
) -> ImportSource:
    """Find the files to import.

    :param reader: lists and reads objects.
    :param uri: ``s3://bucket/prefix``, or the URI of a manifest or a single file.
    :param refuse_changed: whether files must have the size that Updraft noted when it wrote them.
    :returns: the files.
    :raises ChangedExportError: when they have another size.
    :raises UpdraftError: when it is no S3 URI.
    :raises ItemFormatError: when there is nothing to import, a manifest is damaged or names files
        that are not there, or there are several exports below the prefix.
    """
    bucket, key = parse_s3_uri(uri)
    finder = _Finder(reader, bucket)
    source = _find(finder, bucket, key)
    if refuse_changed and source.totals is not None:
        source.totals.check_files(source.files)
    return source


def _find(finder: "_Finder", bucket: str, key: str) -> ImportSource:
    key = re.sub("/+", "/", key).strip("/")
    parent, _, name = f"{bucket}/{key}".rpartition("/")
    if name in {MANIFEST, MANIFEST_SUMMARY, MANIFEST_FILES}:
        folder = f"s3://{parent}"
        found = finder.legacy(folder) if name == MANIFEST else finder.native(folder)
        if found is not None:
            return found
    folder = f"s3://{bucket}/{key}".rstrip("/")
    return (
        finder.native(folder)
        or finder.legacy(folder)
        or finder.native_below(folder)
        or finder.files(folder)
        or finder.single_file(folder)
        or finder.nothing(folder)
    )


def require_outside(source: ImportSource, argument: str, place: S3Prefix | None) -> None:
    """Check that what is written does not end up among the files that are read.

    :param source: the files.
    :param argument: name of the argument with the place, for the error message.
    :param place: where something is going to be written, if anywhere.
    :raises UpdraftError: when that is below the prefix of the files.
    """
    if place is None:
        return
    read = S3Prefix.parse(source.uri)
    if place.bucket == read.bucket and place.key_prefix.startswith(read.key_prefix):
        raise UpdraftError(
            f"{argument}: {place.uri} is a part of {read.uri}, which is read; choose a prefix "
            "beside it"
        )


class _Finder:
    """Looks for one kind of source after the other."""

    def __init__(self, reader: ObjectReader, bucket: str) -> None:
        self._reader = reader
        self._bucket = bucket

    def native(self, folder: str) -> ImportSource | None:
        """Look for the manifests of a native export right in a folder."""
        uri = f"{folder}/{MANIFEST_SUMMARY}"
        content = self._read_checked(uri)
        if content is None:
            return None
        summary = parse_summary(content, uri)
        original = summary.manifest_files_key.rpartition("/")[0]
        is_copy = original != parse_s3_uri(folder).key
        files_uri = f"{folder}/{MANIFEST_FILES}"
        files_content = self._read_checked(files_uri)
        if files_content is None:
            named = f"s3://{summary.bucket or self._bucket}/{summary.manifest_files_key}"
            if is_copy:
                raise not_copied(
                    self._reader, [named], manifest=uri, original=named.rpartition("/")[0]
                )
            raise ItemFormatError(f"{uri} names {files_uri}, but there is no such object.")
        files = parse_files(files_content, self._bucket, files_uri)
        check_total(summary, files, uri)
        if is_copy:
            files = copied_native_files(self._reader, files, summary, manifest=uri)
        return ImportSource(
            uri=folder,
            kind=SourceKind.NATIVE_EXPORT,
            files=self._with_sizes(files, files_uri),
            format_name=summary.format_name,
            summary=summary,
        )

    def legacy(self, folder: str) -> ImportSource | None:
        """Look for the manifest of a legacy export right in a folder."""
        uri = f"{folder}/{MANIFEST}"
        content = self._reader.read(uri)
        if content is None:
            return None
        files = [DataFile(_as_path(url, uri)) for url in parse_manifest(content.body, uri)]
        outside = [file.uri for file in files if not file.uri.startswith(f"{folder}/")]
        if outside:
            original, places = places_beside(outside, folder)
            files = copied_files(self._reader, files, places, manifest=uri, original=original)
        return ImportSource(
            uri=folder,
            kind=SourceKind.LEGACY_MANIFEST,
            files=self._with_sizes(files, uri),
            # The legacy tool gave its files names without a suffix.
            format_name=common_format(files) or "DATA_PIPELINE",
            totals=ExportTotals.noted_at(uri, content.metadata),
        )

    def native_below(self, folder: str) -> ImportSource | None:
        """Look for a native export in a folder that exports were written to."""
        is_itself = folder.endswith(f"/{_NATIVE_FOLDER}")
        parent = folder if is_itself else f"{folder}/{_NATIVE_FOLDER}"
        exports: dict[str, bool] = {}
        for found in self._reader.objects(parent):
            export, _, name = found.name.partition("/")
            if export != "data":  # incremental exports share this folder for their data
                exports[export] = exports.get(export, False) or name == MANIFEST_SUMMARY
        complete = sorted(f"{parent}/{export}" for export, done in exports.items() if done)
        if len(complete) > 1:
            shown = ", ".join(complete[:_LISTED_AT_MOST])
            more = len(complete) - _LISTED_AT_MOST
            raise ItemFormatError(
                f"{folder}/ has {len(complete)} exports of DynamoDB; name one of them: {shown}"
                f"{f' and {more} more' if more > 0 else ''}"
            )
        if exports and not complete:
            raise ItemFormatError(
                f"No export in {parent}/ has a {MANIFEST_SUMMARY}: {', '.join(sorted(exports))} is "
                "still running or has failed"
            )
        return self.native(complete[0]) if complete else None

    def files(self, folder: str) -> ImportSource | None:
        """Take every object below a folder that is not hidden, unless a manifest says more."""
        files = []
        manifests = []
        for found in self._reader.objects(folder):
            if _SEGMENT_CHECKPOINT.fullmatch(found.name):
                raise ItemFormatError(
                    f"{folder}/ holds an export that is not complete: it has {found.name} and no "
                    f"{MANIFEST}. It is running, or has failed; run it to its end first."
                )
            hidden = _is_hidden(found.name)
            if not hidden and "" in found.name.split("/"):
                raise ItemFormatError(
                    f"{folder}/ has an object with repeated slashes in its key, "
                    f"{folder}/{found.name}. In a prefix they are taken as one, so that none can "
                    "tell whether to read it or not. Copy it to a key without them, or copy the "
                    "others to a prefix of their own."
                )
            if found.name.rpartition("/")[2] in {MANIFEST, MANIFEST_SUMMARY}:
                manifests.append(f"{folder}/{found.name}")
            if not hidden:
                files.append(DataFile(f"{folder}/{found.name}", found.size))
        if manifests:
            shown = ", ".join(manifests[:_LISTED_AT_MOST])
            more = len(manifests) - _LISTED_AT_MOST
            raise ItemFormatError(
                f"{folder}/ has exports below it; name one of their manifests: {shown}"
                f"{f' and {more} more' if more > 0 else ''}"
            )
        if not files:
            return None
        return ImportSource(folder, SourceKind.FILES, files, common_format(files))

    def single_file(self, uri: str) -> ImportSource | None:
        """Look whether the URI is that of a file."""
        folder, _, name = uri.rpartition("/")
        for found in self._reader.objects(folder):
            if found.name == name:
                files = [DataFile(uri, found.size)]
                return ImportSource(folder, SourceKind.FILES, files, format_of_name(uri))
            if found.name > name:
                return None
        return None

    def nothing(self, folder: str) -> NoReturn:
        """Say that nothing was found."""
        raise ItemFormatError(
            f"There is nothing to import below {folder}/: it has neither a {MANIFEST_SUMMARY}, a "
            f"{MANIFEST} nor other files (those whose path has a part that begins with '_' or '.' "
            "do not count)"
        )

    def _read_checked(self, uri: str) -> bytes | None:
        """Read a manifest, and check it if its checksum is there."""
        content = self._reader.read(uri)
        if content is None:
            return None
        for suffix in CHECKSUM_SUFFIXES:
            checksum_uri = uri.removesuffix(".json") + suffix
            checksum = self._reader.read(checksum_uri)
            if checksum is not None:
                verify_checksum(content.body, checksum.body, uri, checksum_uri)
        return content.body

    def _with_sizes(self, files: Sequence[DataFile], manifest: str) -> list[DataFile]:
        """Find the sizes of files that a manifest names."""
        sizes = sizes_of(self._reader, (file.uri for file in files))
        missing = [file.uri for file in files if file.uri not in sizes]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise ItemFormatError(
                f"{manifest} names {missing[0]}{more}, but there is no such object. Restore it, or "
                "export again."
            )
        return [replace(file, size=sizes[file.uri]) for file in files]


def _as_path(url: str, manifest: str) -> str:
    """Take repeated slashes as one, as in prefixes."""
    try:
        bucket, key = parse_s3_uri(url)
    except UpdraftError as error:
        raise ItemFormatError(f"{manifest}: {error}") from None
    return f"s3://{bucket}/{re.sub('/+', '/', key).lstrip('/')}"


def _is_hidden(path: str) -> bool:
    if path.endswith(("/", _FOLDER_MARKER)):  # stands for a folder
        return True
    return any(part.startswith(("_", ".")) for part in path.split("/"))
