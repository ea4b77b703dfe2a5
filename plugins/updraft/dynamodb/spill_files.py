"""Keeps more records than memory holds, sorted into partitions, in a temporary file."""

import contextlib
import os
import tempfile
import threading
from array import array
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from updraft.errors import UpdraftError

PARTITIONS = 256
"""Number of partitions of a file."""

CHUNK_BYTES = 32 * 1024
"""Bytes of a partition that are gathered in memory, 8 MB for all, before they go to the disk."""


class NamelessFile:
    """A temporary file that the system removes together with the process, however that ends.

    It lies in Python's directory for temporary files, which the variable ``TMPDIR`` sets.

    :param buffering: size of its buffer as for :func:`open`.
    """

    def __init__(self, buffering: int = -1) -> None:
        with explained_disk_errors():
            self._file = tempfile.TemporaryFile(buffering=buffering)  # noqa: SIM115 - see close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the disk space back."""
        with contextlib.suppress(OSError):  # what a full disk has kept in the buffer
            self._file.close()


@contextlib.contextmanager
def explained_disk_errors() -> Iterator[None]:
    """Turn errors of the operating system into one that stands on its own.

    :raises UpdraftError: in their place.
    """
    try:
        yield
    except OSError as error:
        raise UpdraftError(
            f"Temporary files in {tempfile.gettempdir()} cannot be used: {error.strerror}. Free "
            "some space, or let the environment variable TMPDIR name a directory with more of it."
        ) from error


class SpillFile(NamelessFile):
    """Records by partition, written first and read afterwards."""

    def __init__(self) -> None:
        super().__init__(buffering=0)
        self._lock = threading.Lock()
        self._end = 0
        self._buffers = [bytearray() for _ in range(PARTITIONS)]
        # Places in the file as machine integers: tuples would take ten times the memory.
        self._offsets = [array("Q") for _ in range(PARTITIONS)]
        self._lengths = [array("L") for _ in range(PARTITIONS)]

    def add(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Add records; safe in several threads.

        :param records: the number of its partition, from 0, and the bytes of each.
        :raises UpdraftError: when there is no space left.
        """
        with self._lock:
            for partition, record in records:
                buffer = self._buffers[partition]
                buffer += record
                if len(buffer) >= CHUNK_BYTES:
                    self._write(partition)

    def finish(self) -> None:
        """Write what is left in memory; nothing can be added afterwards.

        :raises UpdraftError: when there is no space left.
        """
        with self._lock:
            for partition in range(PARTITIONS):
                self._write(partition)
            self._buffers = []

    def size(self, partition: int) -> int:
        """Tell how much is in a partition.

        :param partition: its number.
        :returns: bytes of its records.
        """
        return sum(self._lengths[partition])

    def chunks(self, partition: int) -> Iterator[bytes]:
        """Read a partition.

        :param partition: its number.
        :returns: pieces, each of which begins and ends with a record.
        :raises UpdraftError: when the disk fails.
        """
        for offset, length in zip(self._offsets[partition], self._lengths[partition], strict=True):
            with explained_disk_errors():
                chunk = os.pread(self._file.fileno(), length, offset)
            if len(chunk) != length:
                raise UpdraftError(f"A temporary file in {tempfile.gettempdir()} has lost its end")
            yield chunk

    def _write(self, partition: int) -> None:
        buffer = self._buffers[partition]
        if not buffer:
            return
        self._offsets[partition].append(self._end)
        self._lengths[partition].append(len(buffer))
        left = memoryview(buffer)
        with explained_disk_errors():
            while left:
                written = os.pwrite(self._file.fileno(), left, self._end)
                left = left[written:]
                self._end += written
        self._buffers[partition] = bytearray()
