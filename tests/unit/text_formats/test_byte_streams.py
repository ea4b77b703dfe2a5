"""Text as bytes and back, piece by piece."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.text_formats.byte_streams import (
    UnreadableFileError,
    chunks,
    compressed,
    encoded,
    stream,
    texts,
)


@given(text=st.text(st.characters(codec="utf-8")), size=st.integers(1, 4))
def test_text_comes_back_however_it_is_cut(text, size):
    content = text.encode()
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    assert "".join(texts(pieces)) == text


@pytest.mark.parametrize(
    ("pieces", "byte"), [([b"ab\xff"], 3), ([b"ab", b"c\xc3", b"("], 4), ([b"abc\xe2\x82"], 4)]
)
def test_what_is_no_utf8_is_named_by_its_byte(pieces, byte):
    with pytest.raises(UnreadableFileError, match=f"no UTF-8 at byte {byte}:"):
        list(texts(pieces))


def test_half_a_pair_has_no_utf8():
    with pytest.raises(UnreadableFileError, match="record 2"):
        list(encoded(["a", "\ud800"]))


@given(pieces=st.lists(st.binary(max_size=20)))
def test_gzip_comes_back_and_is_always_the_same(pieces):
    packed = b"".join(compressed(pieces))
    assert packed == b"".join(compressed([b"".join(pieces)]))
    assert b"".join(chunks(io.BytesIO(packed), compressed=True)) == b"".join(pieces)


def test_all_members_of_a_gzip_file_are_read():
    file = io.BytesIO(gzip.compress(b"a") + gzip.compress(b"b"))
    assert b"".join(chunks(file, compressed=True)) == b"ab"


@pytest.mark.parametrize("content", [b"plain text", gzip.compress(b"a" * 99, mtime=0)[:-9]])
def test_what_is_no_gzip_is_refused(content):
    with pytest.raises(UnreadableFileError, match="gzip"):
        list(chunks(io.BytesIO(content), compressed=True))


@given(pieces=st.lists(st.binary(max_size=9)), size=st.integers(1, 5))
def test_pieces_are_a_file(pieces, size):
    file, counter = stream(iter(pieces), lambda: None)
    read = []
    while part := file.read(size):
        read.append(part)
    assert b"".join(read) == b"".join(pieces)
    assert counter.size == len(b"".join(pieces))


def test_what_the_watch_raises_ends_the_file():
    def watch():
        raise UnreadableFileError("over")

    file, _ = stream(iter([b"a"]), watch)
    with pytest.raises(UnreadableFileError, match="over"):
        file.read()
