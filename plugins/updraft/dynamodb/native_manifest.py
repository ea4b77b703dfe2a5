"""The manifests of DynamoDB's own exports.

``manifest-summary.json`` describes the export, ``manifest-files.json`` has one line for each data
file. Beside each lies its MD5 in base64.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.formats.lossless_json import Digits, exact_json
from updraft.dynamodb.formats.text_lines import excerpt
from updraft.dynamodb.formats.value_errors import InvalidValueError

MANIFEST_SUMMARY = "manifest-summary.json"
"""Name of the object that describes an export and marks it as complete."""

MANIFEST_FILES = "manifest-files.json"
"""Name of the object that lists the data files of an export."""

CHECKSUM_SUFFIXES = (".checksum", ".md5")
"""Ends of the names that the checksum of a manifest has, in place of ``.json``."""

_FULL_EXPORT = "2020-06-30"
_INCREMENTAL_EXPORT = "2023-08-01"
_FORMATS = frozenset({"DYNAMODB_JSON", "ION"})
_MD5_BYTES = 16


@dataclass(frozen=True)
class ExportSummary:
    """What ``manifest-summary.json`` says.

    :param incremental: whether the export holds changes rather than items.
    :param table_arn: ARN of the table.
    :param export_arn: ARN of the export.
    :param format_name: format of the data files, ``DYNAMODB_JSON`` or ``ION``.
    :param item_count: number of records in all data files.
    :param manifest_files_key: key of ``manifest-files.json`` where the export wrote it.
    :param bucket: bucket that the export was written to, ``None`` when it does not say.
    :param times: point in time or window of the export, ISO 8601 by field name.
    """

    incremental: bool
    table_arn: str
    export_arn: str
    format_name: str
    item_count: int
    manifest_files_key: str
    bucket: str | None
    times: Mapping[str, str]


def parse_summary(content: bytes, source: str) -> ExportSummary:
    """Read ``manifest-summary.json``.

    :param content: the object's bytes.
    :param source: its URI, for error messages.
    :returns: what it says.
    :raises ItemFormatError: when it is no summary, or that of an export that is not complete.
    """
    fields = _object(content, source)
    version = fields.get("version")
    if version not in {_FULL_EXPORT, _INCREMENTAL_EXPORT}:
        raise ItemFormatError(
            f"{source}: the manifest has version {version!r}; versions {_FULL_EXPORT} (full "
            f"export) and {_INCREMENTAL_EXPORT} (incremental export) can be read"
        )
    status = fields.get("exportStatus", "COMPLETED")
    if status != "COMPLETED":
        raise ItemFormatError(f"{source}: the export is not complete: its status is {status!r}")
    format_name = _text(fields, "outputFormat", source)
    if format_name not in _FORMATS:
        raise ItemFormatError(
            f"{source}: outputFormat is {format_name!r}; {' and '.join(sorted(_FORMATS))} can be "
            "read"
        )
    times = ("exportTime", "exportFromTime", "exportToTime")
    return ExportSummary(
        incremental=version == _INCREMENTAL_EXPORT
        or fields.get("exportType") == "INCREMENTAL_EXPORT",
        table_arn=_text(fields, "tableArn", source),
        export_arn=_text(fields, "exportArn", source),
        format_name=format_name,
        item_count=_count(fields, "itemCount", source),
        manifest_files_key=_text(fields, "manifestFilesS3Key", source),
        bucket=str(fields["s3Bucket"]) if fields.get("s3Bucket") else None,
        times={name: _text(fields, name, source) for name in times if fields.get(name)},
    )


def parse_files(content: bytes, bucket: str, source: str) -> list[DataFile]:
    """Read ``manifest-files.json``.

    :param content: the object's bytes.
    :param bucket: the bucket that it is in; the data files are there, too.
    :param source: its URI, for error messages.
    :returns: the data files in their order.
    :raises ItemFormatError: when a line is none of a data file, or one is named twice.
    """
    files: dict[str, DataFile] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{source}, line {number}"
        fields = _object(line.strip(), place)
        file = DataFile(
            uri=f"s3://{bucket}/{_text(fields, 'dataFileS3Key', place)}",
            item_count=_count(fields, "itemCount", place),
            md5=_md5(_text(fields, "md5Checksum", place), place),
            etag=str(fields["etag"]) if fields.get("etag") else None,
        )
        if file.uri in files:
            raise ItemFormatError(f"{place}: {file.uri} is named twice")
        files[file.uri] = file
    return list(files.values())


def check_total(summary: ExportSummary, files: list[DataFile], source: str) -> None:
    """Check that the two manifests of an export belong together.

    :param summary: what the one says.
    :param files: what the other says.
    :param source: URI of the first, for the error message.
    :raises ItemFormatError: when the numbers of items differ.
    """
    total = sum(file.item_count or 0 for file in files)
    if total != summary.item_count:
        raise ItemFormatError(
            f"{source}: the export has {summary.item_count:,} items, but its {len(files)} data "
            f"files have {total:,} according to {MANIFEST_FILES}"
        )


def verify_checksum(content: bytes, checksum: bytes, source: str, checksum_source: str) -> None:
    """Check a manifest.

    :param content: the manifest's bytes.
    :param checksum: the content of its checksum file.
    :param source: URI of the manifest, for the error message.
    :param checksum_source: URI of the checksum file, for the error message.
    :raises ItemFormatError: when the manifest is another one.
    """
    expected = _md5(checksum.decode(errors="replace").strip(), checksum_source)
    found = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode("ascii")
    if found != expected:
        raise ItemFormatError(
            f"{source}: its MD5 is {found}, {checksum_source} promises {expected}: the manifest "
            "was damaged or changed. Restore it, or export again."
        )


def _object(content: bytes, source: str) -> dict[str, Any]:
    try:
        fields = exact_json(content)
    except InvalidValueError as error:
        raise ItemFormatError(f"{source}: {error}") from error
    if not isinstance(fields, dict):
        raise ItemFormatError(f"{source}: this is no JSON object: {excerpt(content)}")
    return fields


def _text(fields: Mapping[str, Any], name: str, source: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise ItemFormatError(f"{source}: {name!r} is missing or no text: {excerpt(value)}")
    return value


def _count(fields: Mapping[str, Any], name: str, source: str) -> int:
    value = fields.get(name)
    if not isinstance(value, Digits) or not value.isdecimal():
        raise ItemFormatError(f"{source}: {name!r} is missing or no number: {excerpt(value)}")
    return int(value)


def _md5(text: str, source: str) -> str:
    """Write an MD5 in base64, also one that is given in hexadecimal digits."""
    try:
        if len(text) == 2 * _MD5_BYTES:
            return base64.b64encode(bytes.fromhex(text)).decode("ascii")
        if len(binascii.a2b_base64(text, strict_mode=True)) == _MD5_BYTES:
            return text
    except ValueError:
        pass
    raise ItemFormatError(f"{source}: this is no MD5 in base64: {excerpt(text)}")
