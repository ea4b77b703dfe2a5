"""The primary key of an item as something that can be compared."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from updraft.dynamodb.formats import Item
from updraft.dynamodb.formats.canonical_numbers import canonical_number

ItemKey: TypeAlias = tuple[str, ...]
"""Values of the key attributes, the partition key first."""


class KeyReader:
    """Reads the key of items of one table.

    :param key_types: type (S, N or B) of each key attribute, the partition key first.
    """

    def __init__(self, key_types: Mapping[str, str]) -> None:
        self._attributes = [
            (name, key_type, key_type == "N") for name, key_type in key_types.items()
        ]
        self._has_number = "N" in key_types.values()

    def key(self, item: Item) -> ItemKey:
        """Read the key.

        :param item: an item, or just its key attributes.
        :returns: the values of the key attributes, equal for equal keys.
        :raises KeyError: when the item lacks one, or it has another type.
        """
        values = [item[name][key_type] for name, key_type, _ in self._attributes]
        if self._has_number:
            for place, (_, _, numeric) in enumerate(self._attributes):
                if numeric:
                    values[place] = canonical_number(values[place])
        return tuple(values)

    def attributes(self, item: Item) -> dict[str, Mapping[str, Any]]:
        """Take the key out of an item.

        :param item: the item.
        :returns: its key attributes with their types.
        :raises KeyError: when the item lacks one.
        """
        return {name: item[name] for name, _, _ in self._attributes}
