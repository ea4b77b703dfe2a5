"""What every file format for DynamoDB items offers.

Items travel in the form in which DynamoDB's own JSON carries them, ``{"name": {"S": "text"}}``:
numbers stay the strings that the service sent, so that none of their 38 digits is lost, sets stay
lists under their type key, and binary values are base64 text. So most formats and the service
exchange items without looking into their values.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, Protocol, TypeAlias

from updraft.errors import UpdraftError

AttributeValue: TypeAlias = Mapping[str, Any]
"""One value under its type key: S, N, B, SS, NS, BS, M, L, BOOL or NULL."""

Item: TypeAlias = Mapping[str, AttributeValue]
"""All attributes of one item by name."""


class ItemFormatError(UpdraftError):
    """A file does not hold the items that its format promises."""


class ItemRecord(NamedTuple):
    """An item that was read from a file.

    :param position: number of its line or row in the file, from 1.
    :param item: the item; of a deleted one only the key.
    :param deleted: whether the record says that there is no such item any more, as those of an
        incremental export can.
    :param size: length in bytes of the JSON that it was read from, of which the item is at most
        the whole; 0 when it was read from something else.
    :param sound: whether reading it has shown already that DynamoDB takes all of its values.
    """

    position: int
    item: Item
    deleted: bool = False
    size: int = 0
    sound: bool = False


class RejectedRecord(NamedTuple):
    """A line or row that is no item.

    :param position: its number in the file, from 1.
    :param reason: a sentence that names file, place, what is wrong and the value.
    :param content: the line as it stands in the file; of a row a rendering in JSON.
    """

    position: int
    reason: str
    content: bytes


class ItemFormat(Protocol):
    """Reads and writes files of items.

    Writing is pull-based: the uploader asks for bytes, the format asks for items. That keeps one
    item (or one row group, for a columnar format) in memory and lets the library that uploads
    decide on the size of its parts.
    """

    @property
    def name(self) -> str:
        """Name of the format in the argument ``export_format`` or ``import_format``."""

    @property
    def file_suffix(self) -> str:
        """What the names of its files end with, such as ``.json.gz``; may be empty."""

    @property
    def maximum_items_per_file(self) -> int:
        """Number of items after which the next file starts."""

    @property
    def position_noun(self) -> str:
        """What the position of a record counts: ``line`` or ``row``."""

    def encode(self, items: Iterable[Item]) -> Iterator[bytes]:
        """Write the content of one file.

        :param items: the items of this file, at least one.
        :returns: the file's bytes in pieces of any size.
        :raises ItemFormatError: when the format cannot hold an item.
        """

    def decode(self, stream: BinaryIO, source: str) -> Iterator[ItemRecord | RejectedRecord]:
        """Read the items of one file.

        :param stream: the content of the file as it is stored; seekable.
        :param source: URI of the file, for error messages and for the suffix that tells how the
            file is compressed.
        :returns: items and what is none, in the order of the file.
        :raises ItemFormatError: when the file as a whole cannot be read on: a truncated or damaged
            compression, no such format at all. It names the file and the place.
        """
