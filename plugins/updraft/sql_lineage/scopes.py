"""Which column a name means: the tables of a query, its aliases, and the queries around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from updraft.sql_lineage.names import RedshiftTable, Session
from updraft.sql_lineage.origins import NOTHING, Origin, the_only, weakened
from updraft.sql_lineage.relations import Column, Item, OpenColumns, Relation
from updraft.sql_lineage.table_contents import Reading


@dataclass(slots=True)
class Scope:
    """The names that a query can use.

    :param session: folds names.
    :param reading: takes notes of what cannot be told.
    :param parent: the scope around a subquery, ``None`` for the outermost.
    :param sources: what ``FROM`` gives, by alias, in order.
    :param tables: full names of those sources that have no alias of their own.
    :param merged: columns that ``USING`` or ``NATURAL`` has joined into one.
    :param aliases: columns of the select list so far, as Amazon Redshift lets later ones use them:
        https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
    :param pseudo_columns: names that stand for no column, such as ``level``.
    :param star_is_open: whether the order of the columns cannot be told.
    :param joined_from: number of the sources before the last comma in ``FROM``, which joins do not
        reach.
    """

    session: Session
    reading: Reading
    parent: "Scope | None" = None
    sources: dict[str, Relation] = field(default_factory=dict)
    tables: dict[str, RedshiftTable] = field(default_factory=dict)
    merged: dict[str, Origin] = field(default_factory=dict)
    aliases: dict[str, Origin | None] = field(default_factory=dict)
    pseudo_columns: frozenset[str] = frozenset()
    star_is_open: bool = False
    joined_from: int = 0

    def fold(self, identifier: exp.Expression) -> str:
        """Fold a name as the parser gives it.

        :param identifier: the name.
        :returns: its text, in lower case unless it keeps its case.
        """
        return fold(identifier, self.session)

    def column(self, column: exp.Column, *, quiet: bool = False) -> Origin:
        """Find what a column of a query means.

        :param column: the column; what looks like the name of a table may be one, or a column of
            type ``SUPER`` with a path behind it.
        :param quiet: whether to take no note if it cannot be told.
        :returns: its origin, nothing when it cannot be told.
        """
        parts = [self.fold(part) for part in column.parts]
        if parts == ["default"] and not column.this.args.get("quoted"):
            return NOTHING  # the keyword in SET and VALUES
        origin, reason = self._qualified(parts) if len(parts) > 1 else self.plain(parts[0])
        if origin is None:
            if not quiet:
                self.reading.leave_out(".".join(parts), reason, _line(column))
            return NOTHING
        return origin

    def star(self, alias: str | None) -> list[Item] | None:
        """Expand a star.

        :param alias: the alias before its dot, ``None`` for a star alone.
        :returns: the columns, ``None`` when there is no such alias.
        """
        if alias is not None:
            scope: Scope | None = self
            while scope is not None and alias not in scope.sources:
                scope = scope.parent
            return None if scope is None else list(scope.sources[alias].items)
        if self.star_is_open:
            return [OpenColumns(lambda name: self.plain(name)[0], self._labels())]
        items: list[Item] = []
        relations = list(self.sources.values())
        if self.merged:
            items.extend(Column(name, origin) for name, origin in self.merged.items())
            relations = [one.without(self.merged) for one in relations]
        for relation in relations:
            items.extend(relation.items)
        return items

    def _labels(self) -> str:
        return " and ".join(
            sorted({label for one in self.sources.values() for label in one.open_labels})
        )

    def _qualified(self, parts: list[str]) -> tuple[Origin | None, str]:
        scope: Scope | None = self
        while scope is not None:
            if parts[0] in scope.sources:
                return _of_relation(scope.sources[parts[0]], parts)
            found = scope.by_full_name(parts)
            if found is not None:
                return found
            scope = scope.parent
        origin, reason = self.plain(parts[0])
        return (None if origin is None else weakened(origin)), reason

    def by_full_name(self, parts: list[str]) -> tuple[Origin | None, str] | None:
        """Find a column by ``schema.table.column`` or ``database.schema.table.column``.

        :param parts: the folded parts of the name.
        :returns: its origin and why it has none, ``None`` when no table has that name.
        """
        for alias, table in self.tables.items():
            for length in (2, 3):
                if len(parts) > length and tuple(parts[:length]) == table[-length:]:
                    return _of_relation(self.sources[alias], parts[length - 1 :])
        return None

    def plain(self, name: str) -> tuple[Origin | None, str]:
        """Find a column by its own name.

        :param name: its folded name.
        :returns: its origin, ``None`` when it cannot be told, and the reason for that.
        """
        if name in self.pseudo_columns or name in self.merged:
            return self.merged.get(name, NOTHING), ""
        known = [one for relation in self.sources.values() for one in relation.known(name)]
        if known:
            return the_only(known), "several tables have it"
        possible = [one for relation in self.sources.values() for one in relation.possible(name)]
        if name in self.aliases:
            return the_only([*possible, self.aliases[name]]), (
                f"it is an alias of the select list, and {self._labels()} may have it as well: "
                "the schema is not known"
            )
        if possible:
            outer = self.parent.surely(name) if self.parent is not None else []
            also = ", or of a query around" if outer else ""
            return the_only([*possible, *outer]), (
                f"it may be of {self._labels()}{also}: no schema tells it"
            )
        return self.parent.plain(name) if self.parent else (None, "no table in FROM has it")

    def surely(self, name: str) -> list[Origin]:
        """List the columns that surely have a name, here or in the queries around.

        :param name: the folded name.
        :returns: their origins.
        """
        known = [one for relation in self.sources.values() for one in relation.known(name)]
        if known or self.parent is None:
            return known
        return self.parent.surely(name)


def fold(identifier: exp.Expression, session: Session) -> str:
    """Fold a name as the parser gives it.

    :param identifier: the name.
    :param session: says how.
    :returns: its text, in lower case unless it keeps its case.
    """
    return session.fold(identifier.name, quoted=bool(identifier.args.get("quoted")))


def _of_relation(relation: Relation, parts: list[str]) -> tuple[Origin | None, str]:
    if relation.value is not None:
        return weakened(relation.value), ""
    name = parts[1]
    origin = relation.find(name)
    if origin is None:
        reason = (
            f"{parts[0]} has several columns of that name"
            if relation.known(name)
            else f"{parts[0]} has no such column, or its place cannot be told"
        )
        return None, reason
    return (origin if len(parts) == 2 else weakened(origin)), ""  # noqa: PLR2004 alias and column


def _line(column: exp.Column) -> int | None:
    line: Mapping[str, object] = column.this.meta if isinstance(column.this, exp.Expression) else {}
    found = line.get("line")
    return found if isinstance(found, int) else None
