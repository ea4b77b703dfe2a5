"""Reading the objects of an import: DYNAMODB_JSON, Ion and CSV, compressed or not.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any, BinaryIO, cast

from amazon.ion.exceptions import IonException

from include.local.gateway.services.dynamodb import ion_items

# Cells may hold as much as an item; the limit is the csv module's, for the whole process.
csv.field_size_limit(2**20)

_BUFFER = 2**20


@dataclass(frozen=True, slots=True)
class Candidate:
    """What stands at one place of an object.

    :param index: the place, counted from 0.
    :param item: the item as DynamoDB's JSON has it, None when it is none.
    :param problem: why it is none.
    """

    index: int
    item: dict[str, Any] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """How the objects of an import are read.

    :param name: ``DYNAMODB_JSON``, ``ION`` or ``CSV``.
    :param compression: ``NONE``, ``GZIP`` or ``ZSTD``.
    :param key_types: type of each attribute of a key of the table or its indexes.
    :param delimiter: of CSV.
    :param header: names of the columns of CSV; None when the first line has them.
    """

    name: str
    compression: str
    key_types: Mapping[str, str]
    delimiter: str = ","
    header: list[str] | None = None


class CountedStream(io.RawIOBase):
    """A file that knows how much was read from it.

    :param file: the file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer.

        :param buffer: the buffer.
        :returns: how many bytes.
        """
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        self.count += len(chunk)
        return len(chunk)


def decompressed(body: BufferedIOBase, compression: str) -> CountedStream:
    """Open an object.

    :param body: its bytes.
    :param compression: ``NONE``, ``GZIP`` or ``ZSTD``.
    :returns: its content.
    """
    file: Any = body
    if compression == "GZIP":
        file = gzip.GzipFile(fileobj=body)
    elif compression == "ZSTD":
        import zstandard  # noqa: PLC0415 - only here, so that the stack starts without it

        compressed: Any = body
        file = zstandard.ZstdDecompressor().stream_reader(compressed, read_across_frames=True)
    return CountedStream(file)


def candidates(stream: CountedStream, source: SourceFormat) -> Iterator[Candidate]:
    """Read what stands in an object.

    :param stream: its content.
    :param source: how to read it.
    :returns: items and what should be some. Where the object breaks off or can't be read on, the
        last one says so.
    """
    readers = {"CSV": _csv, "DYNAMODB_JSON": _dynamodb_json, "ION": _ion}
    index = -1
    buffered = io.BufferedReader(cast("Any", stream), _BUFFER)
    try:
        for candidate in readers[source.name](buffered, source):
            index = candidate.index
            yield candidate
    except (OSError, EOFError, zlib.error, ValueError, csv.Error, IonException) as error:
        # UnicodeDecodeError and amazon.ion's own errors of form are ValueErrors.
        yield Candidate(index + 1, None, f"The object can't be read on from here: {error}")
    except Exception as error:
        if type(error).__name__ != "ZstdError":
            raise
        yield Candidate(index + 1, None, f"The object can't be read on from here: {error}")


def _dynamodb_json(stream: io.BufferedReader, source: SourceFormat) -> Iterator[Candidate]:
    del source
    for index, line in enumerate(stream):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            yield Candidate(index, None, f"The item is not valid JSON: {error}")
            continue
        yield _item_of(index, record)


def _item_of(index: int, record: Any) -> Candidate:
    item = record.get("Item") if isinstance(record, dict) else None
    if not isinstance(item, dict):
        return Candidate(index, None, 'The line is not of the form {"Item": {...}}')
    return Candidate(index, item)


def _ion(stream: io.BufferedReader, source: SourceFormat) -> Iterator[Candidate]:
    del source
    for index, value in enumerate(ion_items.read(cast("BinaryIO", stream))):
        try:
            struct = value["Item"]
            yield Candidate(index, ion_items.to_item(struct))
        except (KeyError, TypeError):
            yield Candidate(index, None, "The value is not of the form {Item:{...}}")
        except ValueError as error:
            yield Candidate(index, None, str(error))


def _csv(stream: io.BufferedReader, source: SourceFormat) -> Iterator[Candidate]:
    text = codecs.getreader("utf-8-sig")(stream)
    rows = csv.reader(_lines(text), delimiter=source.delimiter, strict=True)
    header = source.header if source.header is not None else next(rows, [])
    index = -1
    for row in rows:
        if not row:
            continue
        index += 1
        if len(row) != len(header):
            yield Candidate(index, None, f"{len(row)} columns where the header has {len(header)}")
            continue
        yield Candidate(
            index,
            {
                name: {source.key_types.get(name, "S"): cell}
                for name, cell in zip(header, row, strict=True)
                if cell
            },
        )


def _lines(text: codecs.StreamReader) -> Iterator[str]:
    """Split at line feeds alone, as CSV does, where ``readline`` splits at U+2028 as well."""
    rest = ""
    while piece := text.read(_BUFFER):
        *lines, rest = (rest + piece).split("\n")
        for line in lines:
            yield f"{line}\n"
    if rest:
        yield rest
