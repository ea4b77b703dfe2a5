"""Numbers of things in messages."""

import pytest

from updraft.dynamodb.counted_nouns import counted


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1234, "1,234 files")]
)
def test_one_thing_is_singular(count, words):
    assert counted(count, "file") == words
