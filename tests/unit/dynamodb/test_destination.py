"""S3 URIs."""

import pytest

from updraft.dynamodb.destination import S3Prefix
from updraft.errors import UpdraftError


@pytest.mark.parametrize(
    ("uri", "bucket", "prefix", "normal"),
    [
        ("s3://bucket/a/b", "bucket", "a/b", "s3://bucket/a/b"),
        ("s3://bucket/a//b/", "bucket", "a/b", "s3://bucket/a/b"),
        ("s3n://bucket/a", "bucket", "a", "s3://bucket/a"),
        ("s3://bucket", "bucket", "", "s3://bucket"),
        ("s3://bucket/", "bucket", "", "s3://bucket"),
        ("s3://bucket/a b#c?d=é", "bucket", "a b#c?d=é", "s3://bucket/a b#c?d=é"),
    ],
)
def test_parts_of_a_uri(uri, bucket, prefix, normal):
    location = S3Prefix.parse(uri)

    assert location == S3Prefix(bucket, prefix)
    assert location.uri == normal
    assert location.key_prefix == (f"{prefix}/" if prefix else "")


@pytest.mark.parametrize("uri", ["", "bucket/key", "http://bucket/key", "s3://", "s3:///key", None])
def test_what_is_no_s3_uri_is_refused_with_its_value(uri):
    with pytest.raises(UpdraftError, match="is not an S3 URI; it looks like s3://bucket/prefix"):
        S3Prefix.parse(uri)
