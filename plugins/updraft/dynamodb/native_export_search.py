"""Finds the files of an export that DynamoDB itself has made."""

from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.import_copies import copied_native_files, not_copied
from updraft.dynamodb.import_files import (
    LISTED_AT_MOST,
    ImportSource,
    ObjectReader,
    SourceKind,
    with_sizes,
)
from updraft.dynamodb.native_manifest import (
    CHECKSUM_SUFFIXES,
    MANIFEST_FILES,
    MANIFEST_SUMMARY,
    check_total,
    parse_files,
    parse_summary,
    verify_checksum,
)
from updraft.s3_uri import parse_s3_uri

_NATIVE_FOLDER = "AWSDynamoDB"


class NativeExportSearch:
    """Looks for native exports.

    :param reader: lists and reads objects.
    :param bucket: name of the bucket.
    """

    def __init__(self, reader: ObjectReader, bucket: str) -> None:
        self._reader = reader
        self._bucket = bucket

    def right_in(self, folder: str) -> ImportSource | None:
        """Look for the manifests of an export right in a folder.

        :param folder: URI of the folder, without a slash at its end.
        :returns: the files, ``None`` when there are no manifests.
        :raises ItemFormatError: when a manifest is damaged or names files that are not there.
        """
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
            files=with_sizes(self._reader, files, files_uri),
            format_name=summary.format_name,
            summary=summary,
        )

    def below(self, folder: str) -> ImportSource | None:
        """Look for an export in a folder that exports were written to.

        :param folder: URI of the folder, without a slash at its end.
        :returns: the files, ``None`` when there is no export.
        :raises ItemFormatError: when there are several, or none is complete.
        """
        is_itself = folder.endswith(f"/{_NATIVE_FOLDER}")
        parent = folder if is_itself else f"{folder}/{_NATIVE_FOLDER}"
        exports: dict[str, bool] = {}
        for found in self._reader.objects(parent):
            export, _, name = found.name.partition("/")
            if export != "data":  # incremental exports share this folder for their data
                exports[export] = exports.get(export, False) or name == MANIFEST_SUMMARY
        complete = sorted(f"{parent}/{export}" for export, done in exports.items() if done)
        if len(complete) > 1:
            shown = ", ".join(complete[:LISTED_AT_MOST])
            more = len(complete) - LISTED_AT_MOST
            raise ItemFormatError(
                f"{folder}/ has {len(complete)} exports of DynamoDB; name one of them: {shown}"
                f"{f' and {more} more' if more > 0 else ''}"
            )
        if exports and not complete:
            raise ItemFormatError(
                f"No export in {parent}/ has a {MANIFEST_SUMMARY}: {', '.join(sorted(exports))} is "
                "still running or has failed"
            )
        return self.right_in(complete[0]) if complete else None

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
