"""What every file format for DynamoDB items offers.

Items travel in the form of DynamoDB's low-level interface, ``{"name": {"S": "text"}}``: numbers
stay the strings that the service sent, so that none of their 38 digits is lost, and sets stay
sets. Only binary values have two spellings, because boto3 decodes them to ``bytes`` while the
service's own JSON carries base64 text; formats take both.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol, TypeAlias

from updraft.errors import UpdraftError

AttributeValue: TypeAlias = Mapping[str, Any]
"""One value under its type key: S, N, B, SS, NS, BS, M, L, BOOL or NULL."""

Item: TypeAlias = Mapping[str, AttributeValue]
"""All attributes of one item by name."""


class ItemFormatError(UpdraftError):
    """A file does not hold the items that its format promises."""


class ItemFormat(Protocol):
    """Reads and writes files of items.

    Writing is pull-based: the uploader asks for bytes, the format asks for items. That keeps one
    item (or one row group, for a columnar format) in memory and lets the library that uploads
    decide on the size of its parts.
    """

    @property
    def name(self) -> str:
        """Name of the format in the argument ``export_format``."""

    @property
    def maximum_items_per_file(self) -> int:
        """Number of items after which the next file starts."""

    def encode(self, items: Iterable[Item]) -> Iterator[bytes]:
        """Write the content of one file.

        :param items: the items of this file, at least one.
        :returns: the file's bytes in pieces of any size.
        """

    def decode(self, stream: BinaryIO, source: str) -> Iterator[Item]:
        """Read the items of one file.

        :param stream: the content of the file.
        :param source: name of the file for error messages.
        :returns: the items in the order of the file, binary values as ``bytes``.
        :raises ItemFormatError: at the first piece that is no item, with its place.
        """
