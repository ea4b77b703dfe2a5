"""Recursive queries: where a value comes from after any number of rounds."""

from updraft.sql_lineage.names import RedshiftTable
from updraft.sql_lineage.origins import Origin, SourceColumn, Transformation
from updraft.sql_lineage.relations import Column, Item, Relation
from updraft.sql_lineage.table_contents import Table, TableContent


def repeating(first: Relation) -> tuple[Relation, TableContent]:
    """Stand in for the rows of the round before.

    :param first: what the part gives that does not read itself.
    :returns: the columns as the other part sees them, and the content that they are columns of.
    """
    name = RedshiftTable("", "", "rows of the round before")
    loop = TableContent(Table(name, None, created=True, temporary=True))
    items: list[Item] = [
        Column(item.name, {SourceColumn(loop, item.name): Transformation.IDENTITY})
        if isinstance(item, Column) and item.name is not None
        else item
        for item in first.items
    ]
    return Relation(items), loop


def closed_loop(whole: Relation, loop: TableContent) -> Relation:
    """Follow the columns round and round until nothing is added.

    :param whole: what both parts give, told by what they read and by the round before.
    :param loop: the content that stands for the round before; it learns where its columns come
        from.
    :returns: the columns, told only by what is read.
    """
    steps = {
        item.name: item.origin
        for item in whole.items
        if isinstance(item, Column) and item.name is not None
    }
    items: list[Item] = [
        item._replace(origin=_followed(item.origin, steps, loop))
        if isinstance(item, Column)
        else item
        for item in whole.items
    ]
    loop.columns = {
        item.name: [item.origin]
        for item in items
        if isinstance(item, Column) and item.name is not None
    }
    return Relation(items)


def _followed(origin: Origin, steps: dict[str, Origin], loop: TableContent) -> Origin:
    found: dict[SourceColumn, Transformation] = {}
    seen: dict[str, Transformation] = {}
    pending = list(origin.items())
    while pending:
        source, kind = pending.pop()
        if source.content is not loop:
            found[source] = max(found.get(source, kind), kind)
        elif source.column in steps and seen.get(source.column, 0) < kind:
            seen[source.column] = kind
            pending.extend((one, max(kind, before)) for one, before in steps[source.column].items())
    return found
