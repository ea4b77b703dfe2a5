"""S3 URIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.s3_uri import S3Uri, parse_s3_uri


@given(key=st.text(), scheme=st.sampled_from(["s3", "s3a", "s3n"]))
def test_a_key_may_have_any_character(key, scheme):
    assert parse_s3_uri(f"{scheme}://bucket/{key}") == S3Uri("bucket", key)


def test_a_bucket_as_a_whole():
    assert parse_s3_uri("s3://bucket") == parse_s3_uri("s3://bucket/") == S3Uri("bucket", "")


@pytest.mark.parametrize(
    "uri",
    ["", "bucket/key", "https://bucket/key", "s3:/bucket", "s3://", "s3:///key", "s3://b?c/d"],
)
def test_anything_else_is_refused_with_its_value(uri):
    with pytest.raises(UpdraftError) as error:
        parse_s3_uri(uri)
    assert str(error.value) == f"{uri!r} is not an S3 URI; it looks like s3://bucket/prefix"
