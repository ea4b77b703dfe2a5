"""``PIVOT`` and ``UNPIVOT``: values that become columns, and columns that become values.

https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html
"""

from typing import TYPE_CHECKING

from sqlglot import exp

from updraft.sql_lineage.expressions import influence_of, value_of
from updraft.sql_lineage.origins import NOTHING, Influence, union
from updraft.sql_lineage.relations import Column, Relation
from updraft.sql_lineage.scopes import Scope

if TYPE_CHECKING:
    from updraft.sql_lineage.queries import QueryReader


def pivoted(node: exp.Pivot, relation: Relation, scope: Scope, reader: "QueryReader") -> Relation:
    """Evaluate what stands behind a table.

    :param node: the clause.
    :param relation: the table.
    :param scope: the names that it can use, beside the columns of the table.
    :param reader: evaluates queries.
    :returns: its columns.
    """
    inner = reader.scope(scope)
    inner.sources[""] = relation
    if node.args.get("unpivot"):
        return _columns_to_values(node, relation, inner, reader)
    return _values_to_columns(node, relation, inner, reader)


def _values_to_columns(
    node: exp.Pivot, relation: Relation, scope: Scope, reader: "QueryReader"
) -> Relation:
    used = {scope.fold(column.this) for column in node.find_all(exp.Column)}
    values = [value_of(one, scope, reader) for one in node.expressions]
    for field in node.args.get("fields") or []:
        influence_of(field.this, Influence.CONDITIONAL, scope, reader)
    names = [scope.fold(one) for one in node.args.get("columns") or []]
    made = [Column(name, values[at % len(values)]) for at, name in enumerate(names)]
    return Relation([*relation.without(used).items, *made])


def _columns_to_values(
    node: exp.Pivot, relation: Relation, scope: Scope, reader: "QueryReader"
) -> Relation:
    made: list[Column] = []
    used: set[str] = set()
    for name, field in zip(node.expressions, node.args.get("fields") or [], strict=False):
        columns = [
            one.this if isinstance(one, exp.PivotAlias | exp.Alias) else one
            for one in field.expressions
        ]
        used.update(scope.fold(column.this) for column in columns if isinstance(column, exp.Column))
        value = union(value_of(column, scope, reader) for column in columns)
        made += [Column(scope.fold(field.this), NOTHING), Column(scope.fold(name), value)]
    return Relation([*relation.without(used).items, *made])
