"""Compresses files of items, and decompresses them by the end of their names, as Hadoop does.

The suffixes are those of Hadoop's ``CompressionCodecFactory``, by which the legacy tool read its
input. Its block formats of Snappy, LZ4 and LZO are not supported and refused by name.
"""

import bz2
import gzip
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from updraft.dynamodb.formats.base import ItemFormatError
from updraft.dynamodb.formats.written_pieces import WrittenPieces

COMPRESSION_SUFFIXES = {"NONE": "", "GZIP": ".gz", "ZSTD": ".zst"}
"""What each compression that can be written adds to the name of a file."""

DECOMPRESSION_ERRORS = (EOFError, OSError, zlib.error)
"""What :func:`decompressed` raises at content that is damaged or breaks off."""

_CHUNK_BYTES = 128 * 1024
_UNSUPPORTED = (".snappy", ".lz4", ".lzo", ".lzo_deflate", ".xz", ".z", ".zip", ".7z", ".br", ".sz")
_SIGNATURES = {
    b"\x1f\x8b": "compressed with gzip; its name has to end with .gz",
    b"(\xb5/\xfd": "compressed with Zstandard; its name has to end with .zst",
    b"BZh91AY&SY": "compressed with bzip2; its name has to end with .bz2",
    b"PK\x03\x04": "a ZIP archive; unpack it",
    b"\xff\x06\x00\x00sNaPpY": "compressed with Snappy; compress it with gzip instead",
    b"\x04\x22\x4d\x18": "compressed with LZ4; compress it with gzip instead",
    b"PAR1\x15": "a Parquet file; import it with the format PARQUET",
    b"Obj\x01": "an Avro file, which no format reads",
    b"\xe0\x01\x00\xea": "a file of binary Ion, while DynamoDB exports Ion as text",
}


def decompressed(stream: BinaryIO, source: str) -> Iterator[bytes]:
    """Read a file without its compression.

    :param stream: its content as it is stored.
    :param source: its URI, whose end tells how it is compressed.
    :returns: its content in pieces.
    :raises ItemFormatError: when this compression is not supported, or the name does not tell it.
    :raises EOFError: when it breaks off; this one and the following are
        :data:`DECOMPRESSION_ERRORS`.
    :raises OSError: when it is damaged.
    :raises zlib.error: when it is damaged.
    """
    name = source.rpartition("/")[2].lower()
    if name.endswith(".gz"):
        return _read(gzip.GzipFile(fileobj=stream, mode="rb"), stream)
    if name.endswith(".bz2"):
        return _read(bz2.BZ2File(stream), stream)
    if name.endswith(".deflate"):
        return _inflated(stream)
    if name.endswith(".zst"):
        return _read_zstandard(stream)
    suffix = next((suffix for suffix in _UNSUPPORTED if name.endswith(suffix)), None)
    if suffix is not None:
        raise ItemFormatError(
            f"{source}: files that end with {suffix} cannot be read; readable are files without "
            "compression and those that end with .gz, .bz2, .deflate or .zst"
        )
    return _plain(stream, source)


def compressed(pieces: Iterable[bytes], compression: str) -> Iterator[bytes]:
    """Compress a file.

    The result depends on the content alone: it holds no name and no time.

    :param pieces: its content.
    :param compression: one of :data:`COMPRESSION_SUFFIXES`.
    :returns: the compressed content in pieces.
    """
    if compression == "GZIP":
        return _gzipped(pieces)
    if compression == "ZSTD":
        return _with_zstandard(pieces)
    return iter(pieces)


def _read(file: Any, stream: BinaryIO) -> Iterator[bytes]:
    # read() would drop what it has when the next piece is damaged.
    while chunk := file.read1(_CHUNK_BYTES):
        yield chunk
    _refuse_empty(stream)


def _refuse_empty(stream: BinaryIO) -> None:
    """Refuse a file without any byte: compressed, even no content takes some."""
    if stream.tell() == 0:
        raise EOFError("it is empty")


def _inflated(stream: BinaryIO) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    block = stream.read(_CHUNK_BYTES)
    while block:
        if chunk := inflater.decompress(block, _CHUNK_BYTES):
            yield chunk
        if inflater.eof:
            block = inflater.unused_data or stream.read(_CHUNK_BYTES)
            if block:
                inflater = zlib.decompressobj()
        else:
            block = inflater.unconsumed_tail or stream.read(_CHUNK_BYTES)
    while chunk := inflater.decompress(inflater.unconsumed_tail, _CHUNK_BYTES):
        yield chunk
    if not inflater.eof:
        raise EOFError("Compressed file ended before the end-of-stream marker was reached")


def _read_zstandard(stream: BinaryIO) -> Iterator[bytes]:
    import pyarrow as pa

    with pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
        _refuse_empty(stream)


def _plain(stream: BinaryIO, source: str) -> Iterator[bytes]:
    chunk = stream.read(_CHUNK_BYTES)
    for signature, what in _SIGNATURES.items():
        if chunk.startswith(signature):
            raise ItemFormatError(f"{source}: this is {what}")
    while chunk:
        yield chunk
        chunk = stream.read(_CHUNK_BYTES)


def _gzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # Level 1 takes a quarter of the time of level 6, for files a few per cent larger.
    deflater = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in pieces:
        if chunk := deflater.compress(piece):
            yield chunk
    yield deflater.flush()


def _with_zstandard(pieces: Iterable[bytes]) -> Iterator[bytes]:
    import pyarrow as pa

    sink = WrittenPieces()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as file:
        for piece in pieces:
            file.write(piece)
            if chunk := sink.take():
                yield chunk
    yield sink.take()
