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


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)))))
def test_round_trip(names):
    urls = [f"s3://bucket/{name}" for name in names]
    content = render_manifest(urls)

    assert parse_manifest(content, "m") == urls
    assert json.loads(content)["version"] == 3


def test_old_scheme_is_rewritten():
    content = b'{"version":3,"entries":[{"url":"s3n://b/f","mandatory":true}]}'

    assert parse_manifest(content, "m") == ["s3://b/f"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "no JSON"),
        (b'{"version":2,"entries":[]}', "version 2"),
        (b"[]", "version None"),
        (b'{"version":3}', "'entries'"),
        (b'{"version":3,"entries":[{}]}', "'url'"),
    ],
)
def test_what_is_no_manifest_is_refused_by_name(content, message):
    with pytest.raises(ItemFormatError, match=f"s3://b/manifest: .*{message}"):
        parse_manifest(content, "s3://b/manifest")
