"""Where a value comes from: the columns that give it, and what was done to them on the way."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from updraft.sql_lineage.table_contents import TableContent


class Transformation(IntEnum):
    """What became of a value, the strongest last; the subtypes of OpenLineage's ``DIRECT``.

    https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet
    """

    IDENTITY = 1
    TRANSFORMATION = 2
    AGGREGATION = 3


class Influence(Enum):
    """How a column bears on a result without being in it; the subtypes of ``INDIRECT``."""

    JOIN = "JOIN"
    FILTER = "FILTER"
    GROUP_BY = "GROUP_BY"
    SORT = "SORT"
    WINDOW = "WINDOW"
    CONDITIONAL = "CONDITIONAL"


class SourceColumn(NamedTuple):
    """A column of a table as it was when a statement read it.

    :param content: what the table held.
    :param column: folded name of the column.
    """

    content: "TableContent"
    column: str


Origin = Mapping[SourceColumn, Transformation]
"""The columns that give a value."""

NOTHING: Origin = {}


def add(to: dict[SourceColumn, Transformation], origin: Origin, kind: Transformation) -> None:
    """Add an origin to another.

    :param to: what is added to.
    :param origin: what is added.
    :param kind: what was done to it at the least.
    """
    for source, before in origin.items():
        to[source] = max(to.get(source, kind), before, kind)


def union(origins: Iterable[Origin]) -> Origin:
    """Join the origins of values that come together in one column.

    :param origins: any number of them.
    :returns: all their columns.
    """
    first: Origin | None = None
    joined: dict[SourceColumn, Transformation] | None = None
    for origin in origins:
        if first is None or not first:
            first = origin
        elif origin is not first and origin:
            if joined is None:
                joined = dict(first)
            add(joined, origin, Transformation.IDENTITY)
    return joined if joined is not None else first or NOTHING


def the_only(found: Sequence[Origin | None]) -> Origin | None:
    """Choose among the origins that a name may mean.

    :param found: the origins, ``None`` for one that is not known.
    :returns: the origin if it is the same columns whichever is meant.
    """
    first = found[0] if found else None
    if first is None or any(one is None or one.keys() != first.keys() for one in found):
        return None
    return first


def weakened(origin: Origin) -> Origin:
    """Mark a value as transformed.

    :param origin: its origin.
    :returns: the same columns, none of them as identity.
    """
    changed: dict[SourceColumn, Transformation] = {}
    add(changed, origin, Transformation.TRANSFORMATION)
    return changed
