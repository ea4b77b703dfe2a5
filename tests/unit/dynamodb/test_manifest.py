"""The manifest of version 3."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.formats import ItemFormatError
from updraft.dynamodb.manifest import parse_manifest, render_manifest


def test_layout_is_that_of_the_legacy_tool():
    assert render_manifest(["s3://b/p/f1", "s3://b/p/f2"]) == (
        b'{"name":"DynamoDB-export","version":3,\n'
        b'"entries": [\n'
        b'{"url":"s3://b/p/f1","mandatory":true},\n'
        b'{"url":"s3://b/p/f2","mandatory":true}\n'
        b"]}"
    )


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",))), unique=True))
def test_round_trip(names):
    urls = [f"s3://bucket/{name}" for name in names]
    content = render_manifest(urls)

    assert parse_manifest(content, "m") == urls
    assert json.loads(content)["version"] == 3


def test_old_schemes_are_rewritten():
    content = (
        b'{"version":3,"entries":[{"url":"s3n://b/f","mandatory":true},{"url":"s3a://b/s3n://g"}]}'
    )

    assert parse_manifest(content, "m") == ["s3://b/f", "s3://b/s3n://g"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "no JSON"),
        (b'{"version":2,"entries":[]}', "version 2"),
        (b"[]", "version None"),
        (b'{"version":3}', "'entries'"),
        (b'{"version":3,"entries":[{}]}', "'url'"),
        (b'{"version":3,"entries":[{"url":5}]}', "'url'"),
        (b'{"version":3,"entries":[{"url":"s3://b/f"},{"url":"s3n://b/f"}]}', "s3://b/f twice"),
    ],
)
def test_what_is_no_manifest_is_refused_by_name(content, message):
    with pytest.raises(ItemFormatError, match=f"s3://b/manifest: .*{message}"):
        parse_manifest(content, "s3://b/manifest")
