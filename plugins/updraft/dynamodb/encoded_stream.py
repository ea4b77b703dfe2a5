"""Presents bytes that are made on demand as a file that can be read."""

import io
from collections.abc import Iterator
from typing import cast


class EncodedStream(io.RawIOBase):
    """A readable file over an iterator of byte strings, in constant memory.

    A read returns exactly the size that was asked for until the content ends, because uploaders
    take a short read for the end of the file, or send it as a part that S3 refuses as too small.

    :param pieces: the content.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._buffer = bytearray()
        self.size = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Read the next bytes.

        :param size: number of bytes; negative or ``None`` for all that is left.
        :returns: that many bytes, fewer only at the end of the content.
        """
        wanted = float("inf") if size is None or size < 0 else size
        while len(self._buffer) < wanted:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self.size += len(piece)
            self._buffer += piece
        taken = cast("int", min(wanted, len(self._buffer)))
        result = bytes(memoryview(self._buffer)[:taken])
        del self._buffer[:taken]
        return result
