"""The schema that a table without a schema turns out to have."""

from collections.abc import Iterable, Mapping

from updraft.dynamodb.formats import Item


class ObservedAttributes:
    """Names and types of the top-level attributes in the items that passed by.

    Not thread-safe: each segment keeps its own, and :meth:`add_types` unites
    them.

    :param maximum: number of pairs of name and type to remember. Some tables use values as
        attribute names; for them the memory must not grow with the table.
    """

    def __init__(self, maximum: int = 1000) -> None:
        self._maximum = maximum
        self._pairs: set[tuple[str, str]] = set()

    def observe(self, items: Iterable[Item]) -> None:
        """Remember the attributes of some items.

        :param items: the items.
        """
        if len(self._pairs) >= self._maximum:
            return
        pairs = self._pairs
        for item in items:
            for name, value in item.items():
                for key in value:
                    if (name, key) not in pairs:
                        pairs.add((name, key))

    def add_types(self, types: Mapping[str, Iterable[str]]) -> None:
        """Add what another segment saw.

        :param types: type keys by attribute name.
        """
        self._pairs.update((name, key) for name, keys in types.items() for key in keys)

    def types(self) -> dict[str, list[str]]:
        """Return what was seen.

        :returns: type keys by attribute name, both sorted; at most ``maximum`` names.
        """
        types: dict[str, list[str]] = {}
        for name, key in sorted(self._pairs)[: self._maximum]:
            types.setdefault(name, []).append(key)
        return types
