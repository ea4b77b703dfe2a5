"""Copies within S3, at the local stack."""

import gzip

import pytest

from tests.integration.copy_tasks import Bucket, arguments, attempt
from updraft.aws.s3_copy import copy_object
from updraft.aws.s3_stream import ObjectChangedError
from updraft.compat import AirflowException, AirflowFailException
from updraft.operators import copy_base
from updraft.operators.kill_switch import TaskStoppedError
from updraft.operators.s3_to_s3 import CopyS3ToS3Operator
from updraft.s3_uri import S3Uri

pytestmark = pytest.mark.integration

MEBIBYTE = 1024**2


@pytest.fixture
def bucket(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return Bucket(local_stack.endpoint_url)


def run(**more):
    return CopyS3ToS3Operator(**arguments(**more)).execute(attempt())


def between(bucket, source, target, **more):
    return run(source_s3_uri=bucket.uri(source), dest_s3_uri=bucket.uri(target), **more)


@pytest.mark.parametrize(
    ("target", "key"), [("b", "b"), ("b/", "b/file.csv"), ("", "file.csv")], ids=repr
)
def test_a_file_goes_to_a_file_or_a_directory(bucket, target, key):
    bucket.put("a/file.csv", b"x,y\n", Metadata={"origin": "test"}, ContentType="text/csv")
    assert between(bucket, "a/file.csv", target) == {"files": 1, "bytes": 4, "rows": None}
    copy = bucket.client.get_object(Bucket=bucket.name, Key=key)
    assert (copy["Body"].read(), copy["Metadata"]) == (b"x,y\n", {"origin": "test"})
    assert copy["ContentType"] == "text/csv"


def test_a_directory_goes_to_a_directory_and_a_retry_changes_nothing(bucket):
    for key in ("in/a", "in/b/c", "in/b/", "in2/d"):
        bucket.put(key, key.encode())
    for _ in range(2):
        assert between(bucket, "in/", "out/")["files"] == 2
        assert bucket.keys("out") == ["out/a", "out/b/c"]
    assert bucket.get("out/b/c") == b"in/b/c"


def test_gzip_is_put_on_and_taken_off(bucket):
    bucket.put("plain/a.csv", b"1,2\n")
    between(bucket, "plain/", "packed/", dest_compression="gzip")
    assert bucket.keys("packed") == ["packed/a.csv.gz"]
    assert gzip.decompress(bucket.get("packed/a.csv.gz")) == b"1,2\n"
    between(bucket, "packed/", "again/", source_compression="gzip")
    assert bucket.keys("again") == ["again/a.csv"]
    assert bucket.get("again/a.csv") == b"1,2\n"
    between(bucket, "plain/a.csv", "exact", dest_compression="gzip")
    assert gzip.decompress(bucket.get("exact")) == b"1,2\n"


def test_gzip_to_gzip_is_copied_as_it_is(bucket):
    bucket.put("a.gz", b"whatever it is")
    between(bucket, "a.gz", "b.gz", source_compression="gzip", dest_compression="gzip")
    assert bucket.get("b.gz") == b"whatever it is"


def test_two_files_never_become_one(bucket):
    bucket.put("twice/a", b"1")
    bucket.put("twice/a.gz", gzip.compress(b"2"))
    with pytest.raises(AirflowException, match=r"twice/a and .*twice/a.gz would both become"):
        between(bucket, "twice/", "once/", source_compression="gzip")
    assert bucket.keys("once") == []


def test_formats_are_changed_row_by_row(bucket):
    bucket.put("a.csv", b'1,a\\,b,\\n\n2,say "x",\n')
    result = between(bucket, "a.csv", "a.tsv", source_format="csv", dest_format="tsv")
    assert bucket.get("a.tsv") == b'1\ta,b\t\\n\n2\tsay "x"\t\n'
    assert result == {"files": 1, "bytes": len(bucket.get("a.tsv")), "rows": 2}


def test_a_log_becomes_csv(bucket):
    bucket.put("log", b"GET /a 200\nPUT /b,c 404\n")
    between(
        bucket,
        "log",
        "log.csv",
        source_format="regex",
        source_format_options={"input_regex": r"(\S+) (\S+) (\d+)"},
        dest_format="csv",
    )
    assert bucket.get("log.csv") == b"GET,/a,200\nPUT,/b\\,c,404\n"


@pytest.mark.parametrize(
    ("body", "more", "message"),
    [
        (b"a\\", {"source_format": "csv", "dest_format": "tsv"}, "the last one, ends with"),
        (b"a\n\xff", {"source_format": "csv", "dest_format": "tsv"}, "no UTF-8 at byte 3"),
        (b"plain", {"source_compression": "gzip"}, "can't be read as gzip"),
        (
            b"a\tb\n",
            {
                "source_format": "csv",
                "dest_format": "tsv",
                "dest_format_options": {"escape_char": ""},
            },
            "column 1 of row 1 has the separator",
        ),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_written(bucket, body, more, message):
    uri = bucket.put("bad", body)
    bucket.put("target", b"old")
    with pytest.raises(AirflowFailException, match=f"{uri}: .*{message}"):
        between(bucket, "bad", "target", **more)
    assert bucket.get("target") == b"old"


@pytest.mark.parametrize(
    ("source", "target", "more", "message"),
    [
        ("a/", "b", {}, "a directory has a slash at its end"),
        ("a", "a", {}, "where the source is already"),
        ("x/a", "x/", {}, "where the source is already"),
        ("a/", "a/b/", {}, "one is within the other"),
        ("a/b/", "a/", {}, "one is within the other"),
        ("", "b/", {}, "one is within the other"),
        ("a", "b", {"source_format": "csv"}, "only one of them is given"),
        ("a", "b", {"dest_compression": "lzo"}, "dest_compression: 'lzo' is unknown"),
        ("a", "b", {"max_concurrency": 0}, "max_concurrency"),
    ],
)
def test_wrong_arguments_fail_for_good(bucket, source, target, more, message):
    with pytest.raises(AirflowFailException, match=message):
        between(bucket, source, target, **more)


def test_what_is_not_there_is_named(bucket):
    with pytest.raises(AirflowException, match="source_s3_uri: There is no object 'none'"):
        between(bucket, "none", "b")
    with pytest.raises(AirflowException, match="there are no objects below"):
        between(bucket, "none/", "b/")


def copy_in_parts(bucket, watch=lambda: None):
    return copy_object(
        bucket.client,
        S3Uri(bucket.name, "large"),
        S3Uri(bucket.name, "copy"),
        watch=watch,
        largest_single_copy=6 * MEBIBYTE,
        part_bytes=5 * MEBIBYTE,
    )


def test_a_large_object_is_copied_in_parts_with_all_that_belongs_to_it(bucket):
    body = bytes(range(256)) * (11 * MEBIBYTE // 256)
    bucket.put("large", body, Metadata={"origin": "test"}, ContentType="text/csv")
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key="copy")
    assert copy_in_parts(bucket) == len(body)
    copy = bucket.client.get_object(Bucket=bucket.name, Key="copy")
    assert copy["Body"].read() == body
    assert (copy["Metadata"], copy["ContentType"]) == ({"origin": "test"}, "text/csv")
    assert copy["ETag"].endswith('-3"')  # it really was in parts
    assert bucket.uploads() == []


def test_a_copy_in_parts_that_is_stopped_leaves_nothing(bucket):
    bucket.put("large", b"x" * (11 * MEBIBYTE))
    looks = iter([None, None])

    def watch():
        if next(looks, "over") == "over":
            raise TaskStoppedError("told to stop")

    with pytest.raises(TaskStoppedError):
        copy_in_parts(bucket, watch)
    assert bucket.keys("copy") == []
    assert bucket.uploads() == []


def test_an_object_that_changes_is_not_copied_in_pieces(bucket):
    bucket.put("large", b"x" * (11 * MEBIBYTE))

    def watch():
        bucket.put("large", b"y" * (11 * MEBIBYTE))

    with pytest.raises(ObjectChangedError, match="changed while it was copied"):
        copy_in_parts(bucket, watch)
    assert bucket.keys("copy") == []


def test_a_killed_copy_through_the_worker_leaves_the_old_object(bucket, monkeypatch):
    monkeypatch.setattr(copy_base, "UPLOAD_PART_BYTES", 5 * MEBIBYTE)
    bucket.put("long", b"x" * (12 * MEBIBYTE))
    bucket.put("long.gz", b"old")
    operator = CopyS3ToS3Operator(
        **arguments(
            source_s3_uri=bucket.uri("long"),
            dest_s3_uri=bucket.uri("long.gz"),
            dest_compression="gzip",
        )
    )
    real = operator.kill_switch.check
    looks = iter(range(5))

    def check(end=None):
        if next(looks, None) is None:
            operator.on_kill()
        real(end)

    monkeypatch.setattr(operator.kill_switch, "check", check)
    with pytest.raises(AirflowException, match="told to stop"):
        operator.execute(attempt())
    assert bucket.get("long.gz") == b"old"
    assert bucket.uploads() == []


def test_an_upload_that_a_killed_attempt_has_left_is_removed(bucket):
    bucket.put("a", b"1")
    for key in ("a.gz", "a.gz.other"):
        bucket.client.create_multipart_upload(Bucket=bucket.name, Key=key)
    between(bucket, "a", "a.gz", dest_compression="gzip")
    assert bucket.uploads() == ["a.gz.other"]
