"""Which columns give the value of an expression, and which only steer it.

The arguments of a function give its value. The condition of ``CASE``, and what a window is
partitioned or ordered by, choose among values without being in them: OpenLineage calls their
bearing indirect.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from updraft.sql_lineage.origins import (
    NOTHING,
    Influence,
    Origin,
    SourceColumn,
    Transformation,
    add,
)

if TYPE_CHECKING:
    from updraft.sql_lineage.queries import QueryReader
    from updraft.sql_lineage.scopes import Scope

_Step = tuple[exp.Expression, Transformation]

_OF_A_ROW = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)
"""Functions that sqlglot counts among the aggregates, but that give the value of one row."""

_PERCENTILES = (exp.PercentileCont, exp.PercentileDisc)

_DATE_PART_FIRST = frozenset({"DATEPART", "DATE_PART", "DATE_PART_YEAR", "PGDATE_PART"})


def value_of(node: exp.Expression, scope: "Scope", reader: "QueryReader") -> Origin:
    """Find the columns that give the value of an expression.

    :param node: the expression.
    :param scope: the names it can use.
    :param reader: evaluates subqueries in it.
    :returns: its origin.
    """
    while isinstance(node, exp.Alias | exp.Paren):
        node = node.this
    if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
        return scope.column(node)
    if isinstance(node, exp.Literal):
        return NOTHING
    found: dict[SourceColumn, Transformation] = {}
    # A stack and no recursion: a generated sum may have a thousand terms.
    stack: list[_Step] = [(node, Transformation.IDENTITY)]
    while stack:
        one, kind = stack.pop()
        if isinstance(one, exp.Column):
            if not isinstance(one.this, exp.Star):
                add(found, scope.column(one), kind)
        elif isinstance(one, exp.Query):
            relation = reader.query(one, scope)
            for column in list(relation.placed())[:1]:
                add(found, column.origin, kind)
        else:
            stack.extend(_values(one, kind, scope, reader))
    return found


def influence_of(
    node: exp.Expression, kind: Influence, scope: "Scope", reader: "QueryReader"
) -> None:
    """Note the columns of an expression that steers a query.

    :param node: the expression, such as a condition.
    :param kind: how it bears on the result.
    :param scope: the names it can use.
    :param reader: evaluates subqueries in it, and takes the notes.
    """
    notes = reader.reading.influences
    stack: list[exp.Expression] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, exp.Column):
            if not isinstance(one.this, exp.Star):
                for source in scope.column(one, quiet=True):
                    notes[source, kind] = None
        elif isinstance(one, exp.Query):
            relation = reader.query(one, scope)
            if not isinstance(one.parent, exp.Exists):
                for column in relation.placed():
                    for source in column.origin:
                        notes[source, kind] = None
        else:
            stack.extend(one.iter_expressions())


def _values(
    node: exp.Expression, kind: Transformation, scope: "Scope", reader: "QueryReader"
) -> Iterator[_Step]:
    """Go one level down to what gives the value, and note what only steers it."""
    if isinstance(node, exp.Paren | exp.Alias):
        yield node.this, kind
        return
    handler = next((_SPECIAL[one] for one in type(node).__mro__ if one in _SPECIAL), None)
    if handler is not None:
        values, steering = handler(node)
        for one, influence in steering:
            influence_of(one, influence, scope, reader)
        inner = _aggregated(node, kind)
    else:
        values = _arguments(node)
        inner = _aggregated(node, kind)
    for one in values:
        yield one, inner


def _aggregated(node: exp.Expression, kind: Transformation) -> Transformation:
    aggregate = isinstance(node, exp.AggFunc) and not isinstance(node, _OF_A_ROW)
    return max(kind, Transformation.AGGREGATION if aggregate else Transformation.TRANSFORMATION)


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    arguments = list(node.iter_expressions())
    if isinstance(node, exp.Anonymous) and node.name.upper() in _DATE_PART_FIRST:
        return arguments[1:]
    return arguments


_Parts = tuple[list[exp.Expression], list[tuple[exp.Expression, Influence]]]


def _present(*nodes: exp.Expression | None) -> list[exp.Expression]:
    return [node for node in nodes if isinstance(node, exp.Expression)]


def _case(node: exp.Expression) -> _Parts:
    branches: list[exp.Expression] = node.args.get("ifs") or []
    conditions = _present(node.args.get("this"), *(branch.this for branch in branches))
    values = _present(*(branch.args.get("true") for branch in branches), node.args.get("default"))
    return values, [(one, Influence.CONDITIONAL) for one in conditions]


def _if(node: exp.Expression) -> _Parts:
    values = _present(node.args.get("true"), node.args.get("false"))
    return values, [(node.this, Influence.CONDITIONAL)]


def _decode(node: exp.Expression) -> _Parts:
    first, *rest = node.expressions
    pairs = len(rest) // 2 * 2
    searched = [first, *rest[:pairs:2]]
    return [*rest[1:pairs:2], *rest[pairs:]], [(one, Influence.CONDITIONAL) for one in searched]


def _window(node: exp.Expression) -> _Parts:
    steering = [*(node.args.get("partition_by") or []), *_present(node.args.get("order"))]
    return [node.this], [(one, Influence.WINDOW) for one in steering]


def _within_group(node: exp.Expression) -> _Parts:
    order = node.args["expression"]
    inner = node.this
    while isinstance(inner, exp.Distinct | exp.Paren):
        inner = inner.this
    if any(isinstance(one, _PERCENTILES) for one in inner.find_all(*_PERCENTILES)):
        return [node.this, order], []
    return [node.this], [(order, Influence.SORT)]


def _filtered(node: exp.Expression) -> _Parts:
    return [node.this], [(node.args["expression"], Influence.FILTER)]


def _grouping(node: exp.Expression) -> _Parts:
    """Tell which grouping set a row is of, which is no value of a column."""
    return [], [(node, Influence.GROUP_BY)]


def _exists(node: exp.Expression) -> _Parts:
    return [], [(node, Influence.FILTER)]


_SPECIAL: dict[type, Callable[[exp.Expression], _Parts]] = {
    exp.Case: _case,
    exp.If: _if,
    exp.Nvl2: _if,
    exp.DecodeCase: _decode,
    exp.Window: _window,
    exp.WithinGroup: _within_group,
    exp.Filter: _filtered,
    exp.Exists: _exists,
    exp.Grouping: _grouping,
}
