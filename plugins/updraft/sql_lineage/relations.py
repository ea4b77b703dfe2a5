"""What a table, a subquery or a join gives to the query around it: columns with their origins."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from updraft.sql_lineage.origins import NOTHING, Origin, the_only, union


class Column(NamedTuple):
    """A column whose name and place are known.

    :param name: its folded name, ``None`` when only the server knows it.
    :param origin: where its value comes from.
    """

    name: str | None
    origin: Origin


class OpenColumns(NamedTuple):
    """All columns of something whose schema is not known.

    :param origin: gives the origin of the column of a name, provided that it has one; ``None``
        when that cannot be told.
    :param label: names the thing in messages.
    :param hidden: names that it does not give, as they were excluded or come once for two tables.
    """

    origin: Callable[[str], Origin | None]
    label: str
    hidden: frozenset[str] = frozenset()


Item = Column | OpenColumns


@dataclass(slots=True)
class Relation:
    """What stands behind a name in ``FROM``, or what a query gives.

    :param items: its columns in order.
    :param value: the origin of the value if it is one, such as an element of an array that is
        unnested: what is behind a dot is then a path inside it.
    """

    items: Sequence[Item]
    value: Origin | None = None
    _known: dict[str, list[Origin]] = field(default_factory=dict, init=False)
    _open: list[OpenColumns] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        for item in self.items:
            if isinstance(item, OpenColumns):
                self._open.append(item)
            elif item.name is not None:
                self._known.setdefault(item.name, []).append(item.origin)

    @property
    def closed(self) -> bool:
        """Whether all its columns are known."""
        return not self._open

    @property
    def open_labels(self) -> list[str]:
        """Names of the things in it whose schemas are not known."""
        return sorted({item.label for item in self._open})

    def known(self, name: str) -> list[Origin]:
        """List the columns that surely have a name.

        :param name: the folded name.
        :returns: their origins.
        """
        return self._known.get(name, [])

    def possible(self, name: str) -> list[Origin | None]:
        """List what may have a column of a name, as its schema is not known.

        :param name: the folded name.
        :returns: the origins of these columns if they exist.
        """
        return [item.origin(name) for item in self._open if name not in item.hidden]

    def find(self, name: str) -> Origin | None:
        """Find a column that must be in the relation.

        :param name: the folded name.
        :returns: its origin, ``None`` when there is none or several could be meant.
        """
        return the_only(self.known(name) or self.possible(name))

    def placed(self) -> Iterator[Column]:
        """Go through the columns whose place is known: all before the first unknown schema."""
        for item in self.items:
            if isinstance(item, OpenColumns):
                return
            yield item

    def without(self, names: Iterable[str]) -> "Relation":
        """Leave columns out.

        :param names: their folded names.
        :returns: the other columns.
        """
        hidden = frozenset(names)
        return Relation(
            [
                item._replace(hidden=item.hidden | hidden)
                if isinstance(item, OpenColumns)
                else item
                for item in self.items
                if isinstance(item, OpenColumns) or item.name not in hidden
            ]
        )

    def renamed(self, names: Sequence[str]) -> "Relation":
        """Give columns new names by their place, as ``AS t(a, b)`` does.

        :param names: the folded names, at most as many as there are columns.
        :returns: the columns under these names. Where the place of a column is not known, its
            origin is not either.
        """
        placed = list(self.placed())
        given = [
            Column(name, placed[at].origin if at < len(placed) else NOTHING)
            for at, name in enumerate(names)
        ]
        if len(given) < len(placed) or self.closed:
            return Relation([*given, *self.items[len(given) :]])
        return Relation(given)


def stacked(left: Relation, right: Relation, *, values_of_right: bool) -> Relation:
    """Put the rows of a query under those of another.

    :param left: gives the names.
    :param right: what is joined by place.
    :param values_of_right: whether values of the right side get into the result, which they do
        not with ``EXCEPT``.
    :returns: the result. The columns of the left side whose place is not known are only those of
        the left side, for what they meet on the right cannot be told.
    """
    if not values_of_right:
        return left
    others = list(right.placed())
    items: list[Item] = []
    for at, column in enumerate(left.placed()):
        other = others[at].origin if at < len(others) else NOTHING
        items.append(Column(column.name, union((column.origin, other))))
    return Relation([*items, *left.items[len(items) :]])
