"""The manifests of native exports."""

import base64
import hashlib
import json

import pytest

from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.formats import ItemFormatError
from updraft.dynamodb.native_manifest import (
    check_total,
    parse_files,
    parse_summary,
    verify_checksum,
)

SOURCE = "s3://b/p/AWSDynamoDB/1-a/manifest-summary.json"
FULL = {
    "version": "2020-06-30",
    "exportArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/t/export/1-a",
    "startTime": "2024-01-01T00:00:00.000Z",
    "endTime": "2024-01-01T00:10:00.000Z",
    "tableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
    "tableId": "x",
    "exportTime": "2024-01-01T00:00:00.000Z",
    "s3Bucket": "b",
    "s3Prefix": "p",
    "s3SseAlgorithm": "AES256",
    "s3SseKmsKeyId": None,
    "manifestFilesS3Key": "p/AWSDynamoDB/1-a/manifest-files.json",
    "billedSizeBytes": 0,
    "itemCount": 8,
    "outputFormat": "DYNAMODB_JSON",
}
INCREMENTAL = FULL | {
    "version": "2023-08-01",
    "exportTime": None,
    "exportFromTime": "2024-01-01T00:00:00.000Z",
    "exportToTime": "2024-01-02T00:00:00.000Z",
    "outputFormat": "ION",
    "outputView": "NEW_AND_OLD_IMAGES",
    "exportType": "INCREMENTAL_EXPORT",
}
MD5 = base64.b64encode(bytes(range(16))).decode()


def _parse(summary):
    return parse_summary(json.dumps(summary).encode(), SOURCE)


def test_full_export():
    summary = _parse(FULL)

    assert not summary.incremental
    assert summary.table_arn == "arn:aws:dynamodb:eu-west-1:123456789012:table/t"
    assert summary.format_name == "DYNAMODB_JSON"
    assert summary.item_count == 8
    assert summary.manifest_files_key == "p/AWSDynamoDB/1-a/manifest-files.json"
    assert summary.times == {"exportTime": "2024-01-01T00:00:00.000Z"}


def test_incremental_export():
    summary = _parse(INCREMENTAL)

    assert summary.incremental
    assert summary.format_name == "ION"
    assert list(summary.times) == ["exportFromTime", "exportToTime"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "2099-01-01"}, "version '2099-01-01'"),
        ({"version": None}, "version None"),
        ({"exportStatus": "IN_PROGRESS"}, "not complete: its status is 'IN_PROGRESS'"),
        ({"outputFormat": "PARQUET"}, "outputFormat is 'PARQUET'"),
        ({"outputFormat": None}, "'outputFormat' is missing"),
        ({"manifestFilesS3Key": ""}, "'manifestFilesS3Key' is missing"),
        ({"itemCount": "8"}, "'itemCount' is missing or no number"),
        ({"itemCount": -1}, "'itemCount' is missing or no number"),
        ({"itemCount": True}, "'itemCount' is missing or no number"),
    ],
)
def test_wrong_summaries_are_refused(change, message):
    with pytest.raises(ItemFormatError, match=message) as error:
        _parse(FULL | change)

    assert str(error.value).startswith(f"{SOURCE}: ")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"version":1,"version":2}'])
def test_what_is_no_summary_is_refused(content):
    with pytest.raises(ItemFormatError, match=SOURCE):
        parse_summary(content, SOURCE)


def _line(**change):
    fields = {
        "itemCount": 8,
        "md5Checksum": MD5,
        "etag": "e-1",
        "dataFileS3Key": "p/data/x.json.gz",
    }
    return json.dumps(fields | change).encode()


def test_data_files():
    content = _line() + b"\n" + _line(dataFileS3Key="p/ü #.gz", etag=None, itemCount=0) + b"\n\n"

    assert parse_files(content, "b", "m") == [
        DataFile("s3://b/p/data/x.json.gz", item_count=8, md5=MD5, etag="e-1"),
        DataFile("s3://b/p/ü #.gz", item_count=0, md5=MD5),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (_line(), "named twice"),
        (b"{", "is no JSON"),
        (b"5", "no JSON object"),
        (_line(dataFileS3Key=None), "'dataFileS3Key' is missing"),
        (_line(itemCount=1.5), "'itemCount' is missing or no number"),
        (_line(md5Checksum="short"), "no MD5"),
        (_line(md5Checksum="AAAA"), "no MD5"),
    ],
)
def test_wrong_lines_are_refused_by_number(line, message):
    with pytest.raises(ItemFormatError, match=f"^m, line 2: .*{message}"):
        parse_files(_line() + b"\n" + line, "b", "m")


def test_totals():
    check_total(_parse(FULL), [DataFile("a", item_count=3), DataFile("b", item_count=5)], SOURCE)

    with pytest.raises(ItemFormatError, match="has 8 items, but its 1 data files have 3"):
        check_total(_parse(FULL), [DataFile("a", item_count=3)], SOURCE)


def test_checksums():
    digest = hashlib.md5(b"content").digest()
    verify_checksum(b"content", base64.b64encode(digest), "m", "c")
    verify_checksum(b"content", base64.b64encode(digest) + b"\n", "m", "c")
    verify_checksum(b"content", digest.hex().encode(), "m", "c")

    with pytest.raises(ItemFormatError, match=r"^m: its MD5 is .*, c promises "):
        verify_checksum(b"other", base64.b64encode(digest), "m", "c")
    with pytest.raises(ItemFormatError, match=r"^c: this is no MD5"):
        verify_checksum(b"content", b"?", "m", "c")
