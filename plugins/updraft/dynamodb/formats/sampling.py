"""Looks at the first items of a file before it is written."""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping

import orjson

from updraft.dynamodb.formats.base import Item
from updraft.dynamodb.formats.lossless_json import dump_json

OTHER_ATTRIBUTES = "_other_attributes"
"""Column of a table format for what is in no column of its own, as DynamoDB JSON."""

MAXIMUM_COLUMNS = 1_000
"""Some tables use values as attribute names; a column for each of them would help nobody."""

_MAXIMUM_BYTES = 4 * 1024**2


class Sample:
    """The first items of a file, kept as JSON, which takes a tenth of the memory of the items.

    It ends early at 4 MiB.

    :param items: the items of the file.
    :param count: how many of them to look at.
    """

    def __init__(self, items: Iterable[Item], count: int) -> None:
        self._rest = iter(items)
        self._lines: list[bytes] = []
        size = 0
        for item in itertools.islice(self._rest, count):
            line = dump_json(item)
            self._lines.append(line)
            size += len(line)
            if size >= _MAXIMUM_BYTES:
                break

    def items(self) -> Iterator[Item]:
        """Return the items of the sample.

        :returns: one after the other.
        """
        return map(_parsed, self._lines)

    def all_items(self) -> Iterator[Item]:
        """Return the items of the whole file; the sample is empty afterwards.

        :returns: one after the other.
        """
        self._lines.reverse()
        while self._lines:
            yield _parsed(self._lines.pop())
        yield from self._rest


def _parsed(line: bytes) -> Item:
    try:
        item: Item = orjson.loads(line)
    except ValueError:  # half a surrogate pair
        item = json.loads(line)
    return item


def column_names(items: Iterable[Item], key_types: Mapping[str, str]) -> tuple[str, ...]:
    """Choose the columns for items.

    :param items: a sample of them.
    :param key_types: the key attributes.
    :returns: the key attributes, then others as they appear, without :data:`OTHER_ATTRIBUTES`.
    """
    names = dict.fromkeys(key_types)
    for item in items:
        for name in item:
            if name not in names and len(names) < MAXIMUM_COLUMNS:
                names[name] = None
    names.pop(OTHER_ATTRIBUTES, None)
    return tuple(names)
