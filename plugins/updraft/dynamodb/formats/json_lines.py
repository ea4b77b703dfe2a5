"""What the formats with one JSON object per line have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, TypeAlias

from updraft.dynamodb.formats.base import Item, ItemFormatError, ItemRecord, RejectedRecord
from updraft.dynamodb.formats.compression import compressed
from updraft.dynamodb.formats.lossless_json import exact_json, parse_json
from updraft.dynamodb.formats.text_lines import joined, numbered_lines
from updraft.dynamodb.formats.value_errors import InexactNumberError, InvalidValueError

ReadItem: TypeAlias = tuple[Item | None, bool, bool]
"""The item of a line, or the key of one that is deleted, ``None`` when the line has none; whether
it is deleted; and whether it is known already that DynamoDB takes all of its values."""


class LineFormat(ABC):
    """A format with one record per line.

    :param compression: how its files are compressed when they are written.
    """

    name: str
    is_json = False
    """Whether its lines are JSON."""

    position_noun = "line"

    def __init__(self, compression: str = "NONE") -> None:
        self._compression = compression

    def encode(self, items: Iterable[Item]) -> Iterator[bytes]:
        """Write one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.encode`."""
        return compressed(joined(map(self.encode_item, items)), self._compression)

    def decode(self, stream: BinaryIO, source: str) -> Iterator[ItemRecord | RejectedRecord]:
        """Read one file, see :meth:`updraft.dynamodb.formats.base.ItemFormat.decode`."""
        for number, line in numbered_lines(stream, source):
            content = line.strip()
            if not content:
                continue
            try:
                item, deleted, sound = self.decode_line(content)
            except (InvalidValueError, RecursionError) as error:
                yield RejectedRecord(number, f"{source}, line {number}: {error}", line)
            else:
                if item is not None:
                    size = len(content) if self.is_json else 0
                    yield ItemRecord(number, item, deleted, size, sound)

    @abstractmethod
    def encode_item(self, item: Item) -> bytes:
        """Write one item.

        :param item: the item.
        :returns: one line, its line feed included.
        :raises ItemFormatError: when the item is none.
        """

    @abstractmethod
    def decode_line(self, content: bytes) -> ReadItem:
        """Read one line.

        :param content: the line without white space around it.
        :returns: what it says.
        :raises InvalidValueError: when it is no record.
        """


class JsonLineFormat(LineFormat):
    """A format with one JSON object per line."""

    is_json = True

    def decode_line(self, content: bytes) -> ReadItem:
        """Read one line, see :meth:`LineFormat.decode_line`."""
        try:
            return self.record(parse_json(content))
        except InexactNumberError:
            return self.record(exact_json(content))

    @abstractmethod
    def record(self, parsed: Any) -> ReadItem:
        """Read a record.

        :param parsed: the parsed line.
        :returns: what it says.
        :raises InvalidValueError: when it is no record.
        :raises InexactNumberError: when the line has to be parsed exactly.
        """


def malformed_item(item: Item, error: Exception) -> ItemFormatError:
    """Say that what should be written is no item.

    :param item: what it is.
    :param error: what went wrong with it.
    :returns: the error to raise.
    """
    return ItemFormatError(
        f"an item to write is not in the form of DynamoDB's JSON ({error!r}): {str(item)[:200]}"
    )
