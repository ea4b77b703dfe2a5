"""Text as a stream of bytes and back, compressed if need be, in constant memory."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from updraft.errors import PermanentError

_CHUNK = 1024**2
_GZIP = 16 + zlib.MAX_WBITS
_NO_WORK: Callable[[], None] = lambda: None  # noqa: E731 - a default


class UnreadableFileError(PermanentError):
    """A file is not what it should be."""


def chunks(file: BinaryIO, *, compressed: bool) -> Iterator[bytes]:
    """Read a file piece by piece.

    :param file: the file.
    :param compressed: whether it is compressed with gzip.
    :returns: its content, not compressed.
    :raises UnreadableFileError: when it is no file of gzip, or broken.
    """
    source = gzip.GzipFile(fileobj=file) if compressed else file
    try:
        while chunk := source.read(_CHUNK):
            yield chunk
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFileError(f"it can't be read as gzip: {error}") from error


def texts(pieces: Iterable[bytes]) -> Iterator[str]:
    """Decode UTF-8.

    :param pieces: pieces of bytes, cut anywhere.
    :returns: pieces of text.
    :raises UnreadableFileError: when it is no UTF-8; it says where.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    at = 0
    try:
        for piece in pieces:
            kept = len(decoder.getstate()[0])
            at -= kept  # where what is decoded now begins
            text = decoder.decode(piece)
            at += kept + len(piece)
            yield text
        at -= len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"it is no UTF-8 at byte {at + error.start + 1:,}: {error.reason}"
        ) from None


def encoded(pieces: Iterable[str]) -> Iterator[bytes]:
    """Encode as UTF-8.

    :param pieces: pieces of text.
    :returns: their bytes.
    :raises UnreadableFileError: when there is half a surrogate pair in it.
    """
    for number, piece in enumerate(pieces, start=1):
        try:
            yield piece.encode()
        except UnicodeEncodeError as error:
            raise UnreadableFileError(f"record {number:,} has no UTF-8: {error.reason}") from None


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Compress with gzip; the same bytes always become the same bytes.

    :param pieces: pieces of bytes.
    :returns: pieces of a file of gzip, without name and time.
    """
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


class PieceStream(io.RawIOBase):
    """Pieces of bytes as a file that is read from its beginning to its end.

    :param pieces: the pieces.
    :param watch: is called before each piece; what it raises ends the reading.
    """

    def __init__(self, pieces: Iterable[bytes], watch: Callable[[], None] = _NO_WORK) -> None:
        super().__init__()
        self._pieces = iter(pieces)
        self._watch = watch
        self._left = memoryview(b"")
        self.size = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: "memoryview", /) -> int:  # type: ignore[override]
        """Read the next bytes.

        :param buffer: where they go.
        :returns: how many they are, 0 at the end.
        """
        while not self._left:
            self._watch()
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        self.size += count
        return count


def stream(pieces: Iterable[bytes], watch: Callable[[], None]) -> tuple[BinaryIO, PieceStream]:
    """Make a file of pieces.

    :param pieces: the pieces.
    :param watch: is called before each piece; what it raises ends the reading.
    :returns: the file, buffered, and what counts its bytes.
    """
    raw = PieceStream(pieces, watch)
    return io.BufferedReader(raw, _CHUNK), raw
