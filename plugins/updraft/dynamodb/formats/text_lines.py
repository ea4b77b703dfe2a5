"""Reads and writes files line by line."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.formats.compression import DECOMPRESSION_ERRORS, decompressed

MAXIMUM_LINE_BYTES = 16 * 1024**2
"""No item makes a longer line: 400 kB, six bytes for each in the worst JSON, two images of it."""

_PIECE_BYTES = 64 * 1024
_LONGEST_EXCERPT = 80
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def numbered_lines(stream: BinaryIO, source: str) -> Iterator[tuple[int, bytes]]:
    """Read the lines of a file, whatever its compression.

    :param stream: its content as it is stored.
    :param source: its URI, whose end tells how it is compressed.
    :returns: number of each line, from 1, and the line without its line feed.
    :raises ItemFormatError: when it is damaged, breaks off, is compressed in an unknown way, or
        has a line longer than any item. It names the line.
    """
    number = 0
    rest = b""
    try:
        for chunk in decompressed(stream, source):
            lines = chunk.split(b"\n")
            lines[0] = rest + lines[0]
            rest = lines.pop()
            for line in lines:
                number += 1
                yield number, line if number > 1 else line.removeprefix(_BYTE_ORDER_MARK)
            if len(rest) > MAXIMUM_LINE_BYTES:
                raise ItemFormatError(
                    f"{source}, line {number + 1}: there is no line end within "
                    f"{MAXIMUM_LINE_BYTES:,} bytes, so this is no file of items: {excerpt(rest)}"
                )
    except DECOMPRESSION_ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # reading failed, not decompressing
        raise ItemFormatError(
            f"{source}, line {number + 1}: the compressed file is damaged or breaks off here "
            f"({error}). Restore it from where it was copied, or export again."
        ) from error
    if rest:
        yield number + 1, rest if number else rest.removeprefix(_BYTE_ORDER_MARK)


def joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Put short pieces together to longer ones, which cost less to hand on.

    :param lines: the pieces.
    :returns: the same bytes in pieces of about 64 KiB.
    """
    pieces: list[bytes] = []
    size = 0
    for line in lines:
        pieces.append(line)
        size += len(line)
        if size >= _PIECE_BYTES:
            yield b"".join(pieces)
            pieces.clear()
            size = 0
    if pieces:
        yield b"".join(pieces)


def excerpt(value: object) -> str:
    """Show a value in an error message.

    :param value: any value; of bytes the text is shown.
    :returns: its representation, shortened.
    """
    if isinstance(value, bytes):
        value = value[: 4 * _LONGEST_EXCERPT].decode(errors="replace").rstrip()
    elif isinstance(value, str):
        value = value[: 4 * _LONGEST_EXCERPT]
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_EXCERPT else shown[:_LONGEST_EXCERPT] + "…"
