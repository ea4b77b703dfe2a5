"""Turns what a library writes to a file into pieces to hand on."""

import io
from typing import Any


class WrittenPieces(io.RawIOBase):
    """A file to write to that gives away what was written, so that it never holds much."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def write(self, content: Any, /) -> int:
        """Write.

        :param content: the bytes.
        :returns: their number.
        """
        piece = bytes(content)
        self._pieces.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return how much was written so far, in bytes."""
        return self._size

    def take(self) -> bytes:
        """Take away what was written since the last time.

        :returns: the bytes.
        """
        content = b"".join(self._pieces)
        self._pieces.clear()
        return content
