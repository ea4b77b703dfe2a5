"""Cuts the items of a segment into files."""

from collections.abc import Iterator

from updraft.dynamodb.encoded_stream import EncodedStream
from updraft.dynamodb.formats import Item, ItemFormat

MAXIMUM_FILE_BYTES = 32 * 1024**3
"""A file ends early beyond this, well below 10,000 parts, the most that an upload can have."""

_LOOK_AT_SIZE_EVERY = 100  # items; the size matters to far less than that


class SegmentFiles:
    """Files over one iterator of items, each to be read to its end before the next is asked for.

    :param items: the items of the segment.
    :param item_format: how they are written.
    """

    def __init__(self, items: Iterator[Item], item_format: ItemFormat) -> None:
        self._left = items
        self._format = item_format
        self._stream: EncodedStream | None = None
        self.items = 0

    def next_file(self) -> EncodedStream | None:
        """Begin the next file.

        :returns: its content, ``None`` when all items are written.
        """
        first = next(self._left, None)
        if first is None:
            return None
        self._stream = EncodedStream(self._format.encode(self._items_of_file(first)))
        return self._stream

    def _items_of_file(self, first: Item) -> Iterator[Item]:
        yield first
        count = 1
        maximum = self._format.maximum_items_per_file
        try:
            while count < maximum and not self._is_full(count):
                item = next(self._left, None)
                if item is None:
                    return
                count += 1
                yield item
        finally:
            self.items += count

    def _is_full(self, count: int) -> bool:
        return (
            count % _LOOK_AT_SIZE_EVERY == 0
            and self._stream is not None
            and self._stream.size >= MAXIMUM_FILE_BYTES
        )
