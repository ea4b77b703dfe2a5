"""What a comparison keeps of items: key and digest, and of those in files also the place.

Each record is the length of the key in two bytes, the key, and a payload whose length is that of
its side: the digest alone for the table, place and digest for the export.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from updraft.dynamodb.item_digest import DIGEST_BYTES
from updraft.dynamodb.spill_files import PARTITIONS, SpillFile

LEVELS = 4
"""How often records can be spread over partitions; each time takes another byte of the hash."""

DELETED = bytes(DIGEST_BYTES)
"""Stands in place of a digest where an export says that there is no such item any more."""

_PLACE = struct.Struct(">IQ")  # big-endian: the order of its bytes is the order of the records
_LENGTH_BYTES = 2

TABLE_PAYLOAD = DIGEST_BYTES
EXPORT_PAYLOAD = _PLACE.size + DIGEST_BYTES


class Place(NamedTuple):
    """Where a record of an export is.

    :param file: number of its file, from 0.
    :param position: number of its line or row, from 1.
    """

    file: int
    position: int


def table_record(key: bytes, digest: bytes) -> tuple[int, bytes]:
    """Make the record of an item in the table.

    :param key: its key.
    :param digest: its digest.
    :returns: number of its partition, and the record.
    """
    return _partition(key, 0), _record(key, digest)


def export_record(key: bytes, file: int, position: int, digest: bytes) -> tuple[int, bytes]:
    """Make the record of an item in a file.

    :param key: its key.
    :param file: number of its file, from 0.
    :param position: number of its line or row, from 1.
    :param digest: its digest, or :data:`DELETED`.
    :returns: number of its partition, and the record.
    """
    return _partition(key, 0), _record(key, _PLACE.pack(file, position) + digest)


def place_and_digest(payload: bytes) -> tuple[Place, bytes]:
    """Read the payload of an item in a file.

    :param payload: the payload.
    :returns: where it is, and its digest.
    """
    return Place(*_PLACE.unpack_from(payload)), payload[_PLACE.size :]


def records(chunks: Iterable[bytes], payload_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    """Read records.

    :param chunks: the bytes of whole records.
    :param payload_bytes: length of the payload of each.
    :returns: their keys and payloads.
    """
    for chunk in chunks:
        start, end = 0, len(chunk)
        while start < end:
            key_start = start + _LENGTH_BYTES
            key_end = key_start + int.from_bytes(chunk[start:key_start], "big")
            start = key_end + payload_bytes
            yield chunk[key_start:key_end], chunk[key_end:start]


def spread(chunks: Iterable[bytes], payload_bytes: int, level: int) -> SpillFile:
    """Spread the records of one partition over the partitions of a file of its own.

    :param chunks: the bytes of whole records.
    :param payload_bytes: length of the payload of each.
    :param level: how often they have been spread already.
    :returns: the file; the caller closes it.
    """
    finer = SpillFile()
    try:
        for chunk in chunks:
            finer.add(
                (_partition(key, level), _record(key, payload))
                for key, payload in records([chunk], payload_bytes)
            )
        finer.finish()
    except BaseException:
        finer.close()
        raise
    return finer


def _record(key: bytes, payload: bytes) -> bytes:
    return len(key).to_bytes(_LENGTH_BYTES, "big") + key + payload


def _partition(key: bytes, level: int) -> int:
    # Not Python's own hash, which is another one in each process: differences keep their order.
    return (zlib.crc32(key) >> (8 * level)) % PARTITIONS
