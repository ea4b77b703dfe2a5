"""The files to import are found, or the error says why not."""

import base64
import hashlib
import json

import pytest

from updraft.dynamodb.destination import Content, S3Prefix, StoredObject
from updraft.dynamodb.formats import ItemFormatError
from updraft.dynamodb.import_files import SourceKind
from updraft.dynamodb.import_source import find_import_source, require_outside
from updraft.dynamodb.import_totals import ChangedExportError
from updraft.dynamodb.manifest import render_manifest
from updraft.dynamodb.service_errors import AccessDeniedError
from updraft.errors import UpdraftError


class Bucket:
    """Objects by URI."""

    def __init__(self, *uris, **contents):
        self.contents = dict.fromkeys(uris, b"x") | contents
        self.metadata = {}

    def objects(self, uri):
        folder = uri.rstrip("/") + "/"
        for found in sorted(self.contents):
            if found.startswith(folder):
                yield StoredObject(found.removeprefix(folder), len(self.contents[found]))

    def read(self, uri):
        if uri not in self.contents:
            return None
        return Content(self.contents[uri], self.metadata.get(uri, {}))


def _native(bucket, prefix="s3://bkt/p", export="01-a", *, incremental=False, item_count=3):
    folder = f"{prefix}/AWSDynamoDB/{export}"
    data = f"{prefix}/AWSDynamoDB/data" if incremental else f"{folder}/data"
    names = [f"{data}/{export}-{n}.json.gz" for n in range(2)]
    bucket.contents |= dict.fromkeys(names, b"12345")
    md5 = base64.b64encode(bytes(16)).decode()
    lines = [
        {"itemCount": 1 + n, "md5Checksum": md5, "etag": "e", "dataFileS3Key": name[9:]}
        for n, name in enumerate(names)
    ]
    summary = {
        "version": "2023-08-01" if incremental else "2020-06-30",
        "exportArn": f"arn:{export}",
        "tableArn": "arn:t",
        "manifestFilesS3Key": f"{folder[9:]}/manifest-files.json",
        "itemCount": item_count,
        "outputFormat": "DYNAMODB_JSON",
    }
    manifests = {
        "manifest-files": b"\n".join(json.dumps(line).encode() for line in lines),
        "manifest-summary": json.dumps(summary).encode(),
    }
    for name, content in manifests.items():
        bucket.contents[f"{folder}/{name}.json"] = content
        checksum = base64.b64encode(hashlib.md5(content).digest())
        bucket.contents[f"{folder}/{name}.checksum"] = checksum
    bucket.contents[f"{folder}/_started"] = b""
    return folder, names


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize(
    "below",
    ["", "/", "/AWSDynamoDB", "/AWSDynamoDB/01-a", "/AWSDynamoDB/01-a/manifest-summary.json"],
)
def test_native_exports_are_found_from_every_place(incremental, below):
    bucket = Bucket("s3://bkt/p/notes.txt")
    folder, names = _native(bucket, incremental=incremental)

    source = find_import_source(bucket, f"s3://bkt/p{below}")

    assert source.kind is SourceKind.NATIVE_EXPORT
    assert source.uri == folder
    assert source.format_name == "DYNAMODB_JSON"
    assert [(f.uri, f.size, f.item_count) for f in source.files] == [
        (names[0], 5, 1),
        (names[1], 5, 2),
    ]
    assert all(file.md5 and file.etag for file in source.files)
    assert source.summary.incremental is incremental


def test_several_native_exports_are_listed():
    bucket = Bucket()
    first, _ = _native(bucket)
    second, _ = _native(bucket, export="02-b", incremental=True)

    with pytest.raises(ItemFormatError, match=f"has 2 exports .*: {first}, {second}$"):
        find_import_source(bucket, "s3://bkt/p")
    assert find_import_source(bucket, second).uri == second


def test_an_export_that_is_not_complete_is_no_pile_of_files():
    bucket = Bucket(
        "s3://bkt/p/AWSDynamoDB/01-a/_started", "s3://bkt/p/AWSDynamoDB/01-a/data/x.json.gz"
    )

    for uri in ("s3://bkt/p", "s3://bkt/p/AWSDynamoDB"):
        with pytest.raises(ItemFormatError, match="01-a is still running or has failed"):
            find_import_source(bucket, uri)


def test_a_data_file_that_is_gone_is_named():
    bucket = Bucket()
    folder, names = _native(bucket)
    del bucket.contents[names[1]]

    with pytest.raises(
        ItemFormatError, match=f"{folder}/manifest-files.json names {names[1]}, but"
    ):
        find_import_source(bucket, "s3://bkt/p")


@pytest.mark.parametrize("name", ["manifest-summary", "manifest-files"])
@pytest.mark.parametrize("suffix", ["checksum", "md5"])
def test_a_manifest_that_was_changed_is_refused(name, suffix):
    bucket = Bucket()
    folder, _ = _native(bucket)
    bucket.contents[f"{folder}/{name}.{suffix}"] = base64.b64encode(bytes(16))

    with pytest.raises(ItemFormatError, match=f"^{folder}/{name}.json: its MD5 is "):
        find_import_source(bucket, "s3://bkt/p")


def test_checksums_of_manifests_may_be_missing():
    bucket = Bucket()
    folder, _ = _native(bucket)
    for uri in [uri for uri in bucket.contents if uri.endswith(".checksum")]:
        del bucket.contents[uri]

    assert find_import_source(bucket, "s3://bkt/p").uri == folder


def test_a_missing_list_of_files_is_named():
    bucket = Bucket()
    folder, _ = _native(bucket)
    del bucket.contents[f"{folder}/manifest-files.json"]

    with pytest.raises(ItemFormatError, match=f"names {folder}/manifest-files.json, but"):
        find_import_source(bucket, "s3://bkt/p")


def test_manifests_that_do_not_belong_together_are_refused():
    bucket = Bucket()
    _native(bucket, item_count=4)

    with pytest.raises(
        ItemFormatError, match="the export has 4 items, but its 2 data files have 3"
    ):
        find_import_source(bucket, "s3://bkt/p")


@pytest.mark.parametrize(
    "uri", ["s3://bkt/p", "s3n://bkt/p/", "s3://bkt/p/manifest", "s3://bkt//p//"]
)
def test_legacy_exports_are_found(uri):
    bucket = Bucket("s3://bkt/p/f2", "s3://bkt/p/f1", "s3://bkt/p/of-no-one")
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(["s3://bkt/p/f2", "s3://bkt/p/f1"])

    source = find_import_source(bucket, uri)

    assert source.kind is SourceKind.LEGACY_MANIFEST
    assert source.uri == "s3://bkt/p"
    assert source.format_name == "DATA_PIPELINE"
    assert [(file.uri, file.size) for file in source.files] == [
        ("s3://bkt/p/f2", 1),
        ("s3://bkt/p/f1", 1),
    ]


@pytest.mark.parametrize(
    ("suffix", "format_name"),
    [
        ("", "DATA_PIPELINE"),
        (".gz", "DATA_PIPELINE"),
        (".json.gz", "DYNAMODB_JSON"),
        (".json", "DYNAMODB_JSON"),
        (".jsonl", "DYNAMODB_JSON_LINES"),
        (".jsonl.zst", "DYNAMODB_JSON_LINES"),
        (".ion.gz", "ION"),
        (".csv.gz", "CSV"),
        (".parquet", "PARQUET"),
    ],
)
def test_the_names_tell_the_format(suffix, format_name):
    bucket = Bucket(f"s3://bkt/p/f{suffix}")
    expected = None if format_name == "DATA_PIPELINE" else format_name
    assert find_import_source(bucket, "s3://bkt/p").format_name == expected

    bucket.contents["s3://bkt/p/manifest"] = render_manifest([f"s3://bkt/p/f{suffix}"])
    assert find_import_source(bucket, "s3://bkt/p").format_name == format_name


def test_a_legacy_manifest_of_nothing_is_an_empty_export():
    bucket = Bucket(**{"s3://bkt/p/manifest": render_manifest([])})

    assert find_import_source(bucket, "s3://bkt/p").files == []


def test_a_file_of_a_manifest_that_is_gone_is_named():
    bucket = Bucket("s3://bkt/p/f1")
    urls = ["s3://bkt/p/f1", "s3://bkt/p/f2", "s3://bkt/p/f3"]
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(urls)

    with pytest.raises(
        ItemFormatError, match="s3://bkt/p/manifest names s3://bkt/p/f2 and 1 more, but"
    ):
        find_import_source(bucket, "s3://bkt/p")


def test_of_a_copied_export_the_copies_are_read(caplog):
    originals = ["s3://old/q/f1", "s3://old/q/sub/f2"]
    bucket = Bucket(*originals, "s3://bkt/p/f1", "s3://bkt/p/sub/f2")
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(originals)

    with caplog.at_level("INFO"):
        source = find_import_source(bucket, "s3://bkt/p")

    assert [file.uri for file in source.files] == ["s3://bkt/p/f1", "s3://bkt/p/sub/f2"]
    (message,) = caplog.messages
    assert "s3://bkt/p/manifest names files in s3://old/q/" in message
    assert "2 files beside it in s3://bkt/p/ are read instead" in message


@pytest.mark.parametrize(
    ("there", "advice"),
    [
        (["s3://old/q/f1", "s3://old/q/f2"], "Import s3://old/q/ instead, or copy the files to"),
        (["s3://old/q/f1"], "They are not in s3://old/q/ either: restore them, or export again"),
    ],
)
@pytest.mark.parametrize("copies", [[], ["s3://bkt/p/f1"]])
def test_a_manifest_that_was_copied_without_its_files_is_refused(there, advice, copies):
    bucket = Bucket(*there, *copies)
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(["s3://old/q/f1", "s3://old/q/f2"])

    with pytest.raises(ItemFormatError) as error:
        find_import_source(bucket, "s3://bkt/p")
    assert str(error.value).startswith(
        "s3://bkt/p/manifest lies in s3://bkt/p/ but names files in s3://old/q/, and "
        f"s3://old/q/{'f2 has' if copies else 'f1 and 1 more has'} no copy beside the manifest."
    )
    assert advice in str(error.value)


def test_a_place_that_may_not_be_listed_is_no_obstacle_to_saying_so():
    class Guarded(Bucket):
        def objects(self, uri):
            if uri.startswith("s3://old"):
                raise AccessDeniedError("s3:ListBucket on bucket 'old' is not permitted")
            return super().objects(uri)

    bucket = Guarded("s3://bkt/p/f1")
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(["s3://old/q/f1"])
    assert [file.uri for file in find_import_source(bucket, "s3://bkt/p").files] == [
        "s3://bkt/p/f1"
    ]

    del bucket.contents["s3://bkt/p/f1"]
    with pytest.raises(ItemFormatError, match=r"Copy them to s3://bkt/p/.*is not permitted"):
        find_import_source(bucket, "s3://bkt/p")


def test_two_files_never_become_one_copy():
    bucket = Bucket("s3://bkt/p/f1", "s3://old/q/f1")
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(["s3://bkt/p/f1", "s3://old/q/f1"])

    with pytest.raises(ItemFormatError, match="s3://old/q/f1 has no copy beside the manifest"):
        find_import_source(bucket, "s3://bkt/p")


def test_slashes_in_a_manifest_are_taken_as_in_a_prefix():
    bucket = Bucket("s3://bkt/p/day/f1")
    bucket.contents["s3://bkt/p/day/manifest"] = render_manifest(["s3n://bkt/p//day/f1"])

    source = find_import_source(bucket, "s3://bkt/p//day")

    assert [file.uri for file in source.files] == ["s3://bkt/p/day/f1"]


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize("copy", ["s3://bkt/copy/AWSDynamoDB/01-a", "s3://bkt/x/renamed"])
def test_of_a_copied_native_export_the_copies_are_read(incremental, copy):
    bucket = Bucket()
    folder, names = _native(bucket, incremental=incremental)
    data, data_copy = ((folder, copy), (_parent(folder) + "/data", _parent(copy) + "/data"))[
        incremental
    ]
    copies = [name.replace(data, data_copy) for name in names]
    _copy(bucket, folder, copy)
    _copy(bucket, data, data_copy)
    bucket.contents[f"{folder}/manifest-files.json"] = b"changed since"

    source = find_import_source(bucket, copy)

    assert source.uri == copy
    assert [file.uri for file in source.files] == copies

    del bucket.contents[copies[1]]
    with pytest.raises(ItemFormatError, match=f"{copy}/manifest-summary.json lies in .*{names[1]}"):
        find_import_source(bucket, copy)


def test_a_native_manifest_that_was_copied_alone_is_refused():
    bucket = Bucket()
    folder, _ = _native(bucket)
    summary = "manifest-summary.json"
    bucket.contents[f"s3://bkt/copy/{summary}"] = bucket.contents[f"{folder}/{summary}"]

    with pytest.raises(ItemFormatError, match=f"names files in {folder}/.*Import {folder}/ inst"):
        find_import_source(bucket, "s3://bkt/copy")


def _parent(uri):
    return uri.rpartition("/")[0]


def _copy(bucket, folder, copy):
    bucket.contents |= {
        uri.replace(folder, copy): content
        for uri, content in bucket.contents.items()
        if uri.startswith(f"{folder}/")
    }


@pytest.mark.parametrize("items", [3, 0])
def test_what_updraft_noted_of_its_export_is_checked_before_anything_is_read(items):
    bucket = Bucket(**{"s3://bkt/p/f1": b"12345", "s3://bkt/p/f2": b"678"})
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(["s3://bkt/p/f1", "s3://bkt/p/f2"])
    bucket.metadata["s3://bkt/p/manifest"] = {
        "updraft-items": str(items),
        "updraft-bytes": "8",
        "updraft-files": "2",
    }
    source = find_import_source(bucket, "s3://bkt/p")
    assert (source.totals.items, source.item_count) == (items, items)

    bucket.contents["s3://bkt/p/f2"] = b"67"
    with pytest.raises(
        ChangedExportError, match="wrote 8 bytes to 2 files, but there are 7 bytes in 2 files now"
    ):
        find_import_source(bucket, "s3://bkt/p")
    assert find_import_source(bucket, "s3://bkt/p", refuse_changed=False).totals == source.totals


def test_a_manifest_without_notes_promises_nothing():
    bucket = Bucket("s3://bkt/p/f1")
    bucket.contents["s3://bkt/p/manifest"] = render_manifest(["s3://bkt/p/f1"])

    assert find_import_source(bucket, "s3://bkt/p").totals is None


@pytest.mark.parametrize("uri", ["s3://bkt/dd", "s3://bkt/dd/", "s3://bkt/dd//"])
def test_an_object_with_repeated_slashes_in_its_key_is_neither_read_nor_passed_over(uri):
    bucket = Bucket("s3://bkt/dd/e.jsonl", "s3://bkt/dd//f.jsonl")

    with pytest.raises(ItemFormatError, match=r"repeated slashes in its key, s3://bkt/dd//f.jsonl"):
        find_import_source(bucket, uri)

    del bucket.contents["s3://bkt/dd//f.jsonl"]
    bucket.contents["s3://bkt/dd//"] = b""  # a folder that the console made
    assert [file.uri for file in find_import_source(bucket, uri).files] == ["s3://bkt/dd/e.jsonl"]


def test_without_manifest_every_file_counts_that_is_not_hidden():
    bucket = Bucket(
        "s3://bkt/p/0a1b",
        "s3://bkt/p/sub/c2d3",
        "s3://bkt/p/_SUCCESS",
        "s3://bkt/p/_temporary/0/part",
        "s3://bkt/p/.part.crc",
        "s3://bkt/p/sub/",
        "s3://bkt/p/sub_$folder$",
        "s3://bkt/p2/other",
    )

    source = find_import_source(bucket, "s3://bkt/p/")

    assert source.kind is SourceKind.FILES
    assert [file.uri for file in source.files] == ["s3://bkt/p/0a1b", "s3://bkt/p/sub/c2d3"]
    assert find_import_source(bucket, "s3://bkt").uri == "s3://bkt"


def test_a_single_file():
    bucket = Bucket("s3://bkt/p/a.csv", "s3://bkt/p/b.csv", "s3://bkt/p/b.csv.old")

    source = find_import_source(bucket, "s3://bkt/p/b.csv")

    assert [file.uri for file in source.files] == ["s3://bkt/p/b.csv"]
    assert (source.uri, source.format_name) == ("s3://bkt/p", "CSV")


@pytest.mark.parametrize("uri", ["s3://bkt/p", "s3://bkt/q", "s3://bkt/p/x/manifest", "s3://empty"])
def test_nothing_to_import_is_an_error(uri):
    bucket = Bucket("s3://bkt/p/_SUCCESS", "s3://bkt/pp/f")

    with pytest.raises(ItemFormatError, match=f"There is nothing to import below {uri}/"):
        find_import_source(bucket, uri)


def test_what_is_no_uri_is_an_error():
    with pytest.raises(UpdraftError, match="is not an S3 URI"):
        find_import_source(Bucket(), "/tmp/export")


def test_an_export_that_is_not_complete_is_no_source():
    bucket = Bucket("s3://bkt/p/x_1_00000_00000", "s3://bkt/p/_updraft/x/00000.json")

    with pytest.raises(ItemFormatError, match="s3://bkt/p/ holds an export that is not complete"):
        find_import_source(bucket, "s3://bkt/p")


def test_the_receipt_of_an_import_does_not_make_an_export_incomplete():
    bucket = Bucket("s3://bkt/p/file", "s3://bkt/p/_updraft/import_x.json")

    assert [file.uri for file in find_import_source(bucket, "s3://bkt/p").files] == [
        "s3://bkt/p/file"
    ]


@pytest.mark.parametrize("manifest", ["manifest", "manifest-summary.json"])
def test_several_exports_below_a_prefix_are_no_source(manifest):
    days = [f"s3://bkt/p/{day}" for day in (21, 22)]
    bucket = Bucket(*(f"{day}/{name}" for day in days for name in ("data", manifest)))

    with pytest.raises(ItemFormatError, match="has exports below it; name one") as error:
        find_import_source(bucket, "s3://bkt/p")
    assert all(f"{day}/{manifest}" in str(error.value) for day in days)


def test_what_is_written_stays_out_of_what_is_read():
    source = find_import_source(Bucket("s3://bkt/p/file"), "s3://bkt/p")

    require_outside(source, "dead_letter_s3_uri", None)
    require_outside(source, "dead_letter_s3_uri", S3Prefix("bkt", "p2"))
    require_outside(source, "dead_letter_s3_uri", S3Prefix("other", "p/rejected"))
    with pytest.raises(UpdraftError, match="dead_letter_s3_uri: s3://bkt/p/rejected is a part of"):
        require_outside(source, "dead_letter_s3_uri", S3Prefix("bkt", "p/rejected"))
