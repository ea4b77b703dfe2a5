"""Bytes on demand, read as a file."""

from hypothesis import given
from hypothesis import strategies as st

from updraft.dynamodb.encoded_stream import EncodedStream


@given(st.lists(st.binary(max_size=30)), st.integers(1, 50))
def test_reads_are_of_the_size_asked_for_until_the_end(pieces, size):
    stream = EncodedStream(iter(pieces))
    content = b"".join(pieces)
    reads = []
    while chunk := stream.read(size):
        reads.append(chunk)

    assert b"".join(reads) == content
    assert all(len(read) == size for read in reads[:-1])
    assert stream.size == len(content)


def test_reading_everything():
    assert EncodedStream(iter([b"a", b"", b"b"])).read() == b"ab"


def test_no_more_is_made_than_is_read():
    made = []

    def pieces():
        for number in range(1000):
            made.append(number)
            yield b"x" * 10

    EncodedStream(pieces()).read(25)

    assert len(made) == 3
