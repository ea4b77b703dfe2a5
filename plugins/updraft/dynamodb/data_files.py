"""Files of items, and what is known about them before they are read."""

import base64
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

from updraft.dynamodb.formats.base import (
    ItemFormat,
    ItemFormatError,
    ItemRecord,
    RejectedRecord,
)

_DRAINED_BYTES = 64 * 1024


@dataclass(frozen=True)
class DataFile:
    """A file of items.

    :param uri: its URI.
    :param size: its size in bytes, ``None`` when it is not known.
    :param item_count: number of items that its manifest promises.
    :param md5: MD5 of its bytes that its manifest promises, in base64.
    :param etag: ETag that its manifest promises.
    """

    uri: str
    size: int | None = None
    item_count: int | None = None
    md5: str | None = None
    etag: str | None = None


class ItemFiles(Protocol):
    """Opens files of items."""

    def open(self, file: DataFile) -> BinaryIO:
        """Open a file.

        :param file: the file.
        :returns: its content as it is stored, seekable.
        :raises UpdraftError: when it cannot be read.
        """


class ChecksumStream(io.RawIOBase):
    """A file that is read from its start to its end, and whose MD5 is checked there.

    A reader that jumps ends the check: what it read cannot be summed up.

    :param stream: the file.
    :param md5: the MD5 that it must have, in base64.
    :param source: URI of the file, for the error message.
    """

    def __init__(self, stream: BinaryIO, md5: str, source: str) -> None:
        super().__init__()
        self._stream = stream
        self._expected = md5
        self._source = source
        self._hash: Any = hashlib.md5(usedforsecurity=False)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that one can jump in it."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Jump.

        :param offset: number of bytes.
        :param whence: from where, see :meth:`io.IOBase.seek`.
        :returns: the new position.
        """
        before = self._stream.tell()
        position = self._stream.seek(offset, whence)
        if position != before:
            self._hash = None
        return position

    def readinto(self, buffer: Any, /) -> int:
        """Read the next bytes.

        :param buffer: where they go.
        :returns: how many they are, 0 at the end.
        :raises ItemFormatError: at the end, when the MD5 is another one.
        """
        content = self._stream.read(len(buffer))
        if content:
            if self._hash is not None:
                self._hash.update(content)
        elif len(buffer):
            self._check()
        buffer[: len(content)] = content
        return len(content)

    def _check(self) -> None:
        if self._hash is None:
            return
        found = base64.b64encode(self._hash.digest()).decode("ascii")
        if found != self._expected:
            raise ItemFormatError(
                f"{self._source}: its MD5 is {found}, its manifest promises {self._expected}: the "
                "file was damaged or replaced. Restore it, or export again."
            )


def read_records(
    file: DataFile, stream: BinaryIO, item_format: ItemFormat
) -> Iterator[ItemRecord | RejectedRecord]:
    """Read a file, and check at its end that it is what its manifest promises.

    :param file: the file.
    :param stream: its content as it is stored, seekable.
    :param item_format: how it is written.
    :returns: its items and what is none.
    :raises ItemFormatError: when it is damaged, or not what the manifest promises.
    """
    if file.md5 is not None:
        stream = cast("BinaryIO", ChecksumStream(stream, file.md5, file.uri))
    count = 0
    for record in item_format.decode(stream, file.uri):
        count += 1
        yield record
    while file.md5 is not None and stream.read(_DRAINED_BYTES):
        pass  # a decompressor may stop before the end of the file, where the MD5 is checked
    if file.item_count is not None and count != file.item_count:
        raise ItemFormatError(
            f"{file.uri}: it holds {count:,} records, its manifest promises {file.item_count:,}"
        )
