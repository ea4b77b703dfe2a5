"""Evaluates ``FROM`` and ``JOIN`` to what they give a query."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from updraft.sql_lineage.expressions import influence_of, value_of
from updraft.sql_lineage.names import RedshiftTable
from updraft.sql_lineage.origins import NOTHING, Influence, Origin, union, weakened
from updraft.sql_lineage.pivots import pivoted
from updraft.sql_lineage.relations import Column, Relation
from updraft.sql_lineage.scopes import Scope
from updraft.sql_lineage.word_reader import SqlError

if TYPE_CHECKING:
    from updraft.sql_lineage.queries import QueryReader


def add_sources(node: exp.Expression, scope: Scope, reader: "QueryReader") -> None:
    """Add a table of ``FROM``, or a join with its conditions, to a scope.

    :param node: the table, subquery, function, unnested array or join.
    :param scope: the scope.
    :param reader: evaluates queries.
    """
    if isinstance(node, exp.Join):
        _join(node, scope, reader)
        return
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table) and not node.alias:
        add_sources(node.this, scope, reader)  # joins in parentheses
    elif isinstance(node, exp.AtIndex):
        _with_index(node, scope, reader)
    elif isinstance(node, exp.Pivot):
        _unpivoted_object(node, scope, reader)
    else:
        _add_relation(node, scope, reader)
    for join in [*(node.args.get("joins") or []), *(node.args.get("laterals") or [])]:
        add_sources(join, scope, reader)


def table_parts(table: exp.Expression, scope: Scope) -> tuple[str, ...]:
    """Fold the parts of the name of a table.

    :param table: the table.
    :param scope: says how.
    :returns: one to three parts.
    :raises SqlError: when a part is missing.
    """
    if table.args.get("catalog") and not table.text("db"):
        raise SqlError(f"{table.sql('redshift')} names no schema")
    parts = tuple(
        scope.fold(part)
        for part in (table.args.get("catalog"), table.args.get("db"), table.args.get("this"))
        if isinstance(part, exp.Expression)
    )
    if not parts or not parts[-1]:
        raise SqlError("the name of a table is missing")
    return parts


def _add_relation(node: exp.Expression, scope: Scope, reader: "QueryReader") -> None:
    alias = node.args.get("alias")
    name: str | None = None
    if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
        relation, full_name = _table(node, scope, reader)
        name = scope.fold(node.this)
        if full_name is not None and (alias is None or alias.this is None):
            scope.tables[name] = full_name
    elif isinstance(node, exp.Subquery | exp.Query | exp.Values):
        relation = reader.query(node, scope.parent)
    elif isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
        relation = reader.query(node.this, scope)
    else:
        relation = _function(node, scope, reader)
    for pivot in node.args.get("pivots") or []:
        relation = pivoted(pivot, relation, scope, reader)
        alias = pivot.args.get("alias") or alias
    names: list[str] = []
    if alias is not None:
        names = [scope.fold(column) for column in alias.args.get("columns") or []]
        if alias.this is not None:
            name = scope.fold(alias.this)
    if relation.value is not None:
        _add_value(name or (names[0] if names else None), relation.value, scope, names)
        return
    if names:
        relation = relation.renamed(names)
    _add(name, relation, scope)


def _add(name: str | None, relation: Relation, scope: Scope) -> None:
    if name is None or name in scope.sources:
        # A name that no identifier can have: a subquery needs no alias.
        name = f"\0{len(scope.sources)}"
    scope.sources[name] = relation


def _add_value(name: str | None, value: Origin, scope: Scope, columns: Sequence[str] = ()) -> None:
    """Add values that come from an array or a function, as a column or as several."""
    items = [Column(column, value) for column in columns or (name,)]
    _add(name, Relation(items, value=value), scope)


def _table(
    node: exp.Table, scope: Scope, reader: "QueryReader"
) -> tuple[Relation, RedshiftTable | None]:
    parts = table_parts(node, scope)
    if len(parts) == 1:
        common = reader.common_table(parts[0])
        if common is not None:
            return common, None
    elif _knows(scope, parts[0]):
        return _path(parts, scope), None
    table = reader.tables.find(parts)
    reader.reading.read(table.content)
    name = table.name if isinstance(table.name, RedshiftTable) else None
    return table.content.relation(), name


def _knows(scope: Scope, alias: str) -> bool:
    found: Scope | None = scope
    while found is not None and alias not in found.sources:
        found = found.parent
    return found is not None


def _path(parts: tuple[str, ...], scope: Scope) -> Relation:
    """Unnest an array: what looks like a table is a path that begins at an alias.

    https://docs.aws.amazon.com/redshift/latest/dg/query-super.html#unnest
    """
    column = exp.column(*reversed([exp.to_identifier(part, quoted=True) for part in parts[:2]]))
    return Relation([], value=weakened(scope.column(column)))


def _function(node: exp.Expression, scope: Scope, reader: "QueryReader") -> Relation:
    inner = node.expressions if isinstance(node, exp.Unnest) else [node.this]
    values = [value_of(one, scope, reader) for one in inner if isinstance(one, exp.Expression)]
    return Relation([], value=weakened(union(values)))


def _with_index(node: exp.AtIndex, scope: Scope, reader: "QueryReader") -> None:
    """Unnest with ``AT``: the position of an element is no value of the array."""
    inner = node.this
    name = scope.fold(inner.args["alias"]) if isinstance(inner, exp.Alias) else None
    _add_value(name, weakened(value_of(inner, scope, reader)), scope)
    _add_value(scope.fold(node.expression), NOTHING, scope)


def _unpivoted_object(node: exp.Pivot, scope: Scope, reader: "QueryReader") -> None:
    """Unpivot an object: both its values and, with ``AT``, the names of its attributes.

    https://docs.aws.amazon.com/redshift/latest/dg/query-super.html#unpivoting
    """
    inner = node.this
    attribute = None
    if isinstance(inner, exp.AtIndex):
        attribute = scope.fold(inner.expression)
        inner = inner.this
    value = weakened(value_of(inner, scope, reader))
    _add_value(
        scope.fold(inner.args["alias"]) if isinstance(inner, exp.Alias) else None, value, scope
    )
    if attribute is not None:
        _add_value(attribute, value, scope)


def _join(node: exp.Join, scope: Scope, reader: "QueryReader") -> None:
    if not any(node.args.get(key) for key in ("on", "using", "kind", "side", "method")):
        scope.joined_from = len(scope.sources)
    count = len(scope.sources)
    add_sources(node.this, scope, reader)
    before, added = list(scope.sources)[scope.joined_from : count], list(scope.sources)[count:]
    if isinstance(node.args.get("on"), exp.Expression):
        influence_of(node.args["on"], Influence.JOIN, scope, reader)
    names = [scope.fold(one) for one in node.args.get("using") or []]
    if str(node.args.get("method") or "").upper() == "NATURAL":
        if not all(scope.sources[name].closed for name in [*before, *added]):
            scope.star_is_open = True
        else:
            left = [c.name for name in before for c in scope.sources[name].placed()]
            right = {c.name for name in added for c in scope.sources[name].placed()}
            names = [name for name in dict.fromkeys(left) if name is not None and name in right]
    _merge(names, (before, added), str(node.args.get("side") or "").upper(), scope, reader)


def _merge(
    names: list[str],
    sides: tuple[list[str], list[str]],
    kind: str,
    scope: Scope,
    reader: "QueryReader",
) -> None:
    """Join columns of equal names into one: that of the side whose rows are all there."""
    scope.star_is_open = scope.star_is_open or (bool(names) and scope.joined_from > 0)
    for name in names:
        left = scope.merged.get(name)
        if left is None:
            left = _of_several(name, sides[0], scope)
        right = _of_several(name, sides[1], scope)
        for origin in (left, right):
            for source in origin or ():
                reader.reading.influences[source, Influence.JOIN] = None
        values = {"RIGHT": [right], "FULL": [left, right]}.get(kind, [left])
        if any(one is None for one in values):
            reader.reading.leave_out(name, "which table of the join has it is not known")
        scope.merged[name] = union(one for one in values if one is not None)


def _of_several(name: str, aliases: list[str], scope: Scope) -> Origin | None:
    relations = [scope.sources[alias] for alias in aliases]
    found = [origin for one in relations for origin in one.known(name)]
    if not found:
        possible = [origin for one in relations for origin in one.possible(name)]
        return possible[0] if len(possible) == 1 else None
    return found[0] if len(found) == 1 else None
