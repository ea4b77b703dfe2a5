"""Finds the files to import below a prefix.

A native export is found by its ``manifest-summary.json``, a legacy one by its ``manifest``. Without
either, every object counts whose path below the prefix has no part that begins with ``_`` or ``.``,
as in Hadoop.
"""

import re
from typing import NoReturn

from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.file_names import common_format, format_of_name
from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.import_copies import copied_files, places_beside
from updraft.dynamodb.import_files import (
    LISTED_AT_MOST,
    ImportSource,
    ObjectReader,
    SourceKind,
    with_sizes,
)
from updraft.dynamodb.import_totals import ChangedExportError, ExportTotals
from updraft.dynamodb.manifest import MANIFEST, parse_manifest
from updraft.dynamodb.native_export_search import NativeExportSearch
from updraft.dynamodb.native_manifest import MANIFEST_FILES, MANIFEST_SUMMARY
from updraft.errors import ArgumentError, UpdraftError
from updraft.s3_uri import parse_s3_uri

_FOLDER_MARKER = "_$folder$"
_SEGMENT_CHECKPOINT = re.compile(r"_updraft/[^/]+/\d{5,}\.json")


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
    source = _find(reader, bucket, key)
    if refuse_changed and source.totals is not None:
        problem = source.totals.size_problem(source.files)
        if problem is not None:
            raise ChangedExportError(problem)
    return source


def _find(reader: ObjectReader, bucket: str, key: str) -> ImportSource:
    native, finder = NativeExportSearch(reader, bucket), _Finder(reader)
    key = re.sub("/+", "/", key).strip("/")
    parent, _, name = f"{bucket}/{key}".rpartition("/")
    if name in {MANIFEST, MANIFEST_SUMMARY, MANIFEST_FILES}:
        folder = f"s3://{parent}"
        found = finder.legacy(folder) if name == MANIFEST else native.right_in(folder)
        if found is not None:
            return found
    folder = f"s3://{bucket}/{key}".rstrip("/")
    return (
        native.right_in(folder)
        or finder.legacy(folder)
        or native.below(folder)
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
        raise ArgumentError(
            f"{argument}: {place.uri} is a part of {read.uri}, which is read; choose a prefix "
            "beside it"
        )


class _Finder:
    """Looks for the kinds of sources that are no native exports."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

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
            files=with_sizes(self._reader, files, uri),
            # The legacy tool gave its files names without a suffix.
            format_name=common_format(files) or "DATA_PIPELINE",
            totals=ExportTotals.noted_at(uri, content.metadata),
        )

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
            shown = ", ".join(manifests[:LISTED_AT_MOST])
            more = len(manifests) - LISTED_AT_MOST
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


def _as_path(url: str, manifest: str) -> str:
    """Take repeated slashes as one, as in prefixes."""
    try:
        bucket, key = parse_s3_uri(url)
    except UpdraftError as error:
        raise ItemFormatError(f"{manifest}: {error}") from None
    return f"s3://{bucket}/{re.sub('/+', '/', key).lstrip('/')}"


def _is_hidden(path: str) -> bool:
    if not path or path.endswith(("/", _FOLDER_MARKER)):  # stands for a folder, or for this one
        return True
    return any(part.startswith(("_", ".")) for part in path.split("/"))
