"""Evaluates queries to the columns they give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from updraft.sql_lineage.expressions import influence_of, value_of
from updraft.sql_lineage.from_clause import add_sources
from updraft.sql_lineage.origins import Influence
from updraft.sql_lineage.recursion import closed_loop, repeating
from updraft.sql_lineage.relations import Column, Item, OpenColumns, Relation, stacked
from updraft.sql_lineage.scopes import Scope, fold
from updraft.sql_lineage.table_contents import Reading
from updraft.sql_lineage.tables import Tables
from updraft.sql_lineage.word_reader import SqlError

_SAME_NAME_AS_FUNCTION = (exp.Avg, exp.Count, exp.Max, exp.Min, exp.Sum, exp.Coalesce)


@dataclass(slots=True, eq=False)
class CommonTable:
    """A query in ``WITH``.

    :param query: what it reads.
    :param names: names for its columns; empty for those of the query.
    :param visible: what else in ``WITH`` it can use.
    :param relation: what it gives, once it was needed.
    """

    query: exp.Expression
    names: list[str]
    visible: "Mapping[str, CommonTable]" = field(default_factory=dict)
    relation: Relation | None = None
    recursive: bool = False
    running: bool = False


class QueryReader:
    """Evaluates the queries of a statement.

    :param tables: the tables of the script.
    :param reading: takes notes of what is read.
    """

    def __init__(self, tables: Tables, reading: Reading) -> None:
        self.tables = tables
        self.reading = reading
        self._visible: Mapping[str, CommonTable] = {}

    def scope(self, parent: Scope | None = None) -> Scope:
        """Make an empty scope.

        :param parent: the scope around it.
        :returns: the scope.
        """
        return Scope(self.tables.session, self.reading, parent)

    def with_clause(self, node: exp.Expression) -> None:
        """Make the queries in a statement's ``WITH`` known to all that follows.

        :param node: the statement.
        """
        self._visible = self._common_tables(node)

    def common_table(self, name: str) -> Relation | None:
        """Evaluate a query in ``WITH``, once, when it is used.

        :param name: its folded name.
        :returns: what it gives, ``None`` when there is none of that name.
        """
        found = self._visible.get(name)
        if found is None:
            return None
        if found.relation is None:
            if found.running:
                raise SqlError(f"{name} reads itself and has no rows to begin with")
            found.running = True
            outer, self._visible = self._visible, found.visible
            try:
                self._evaluate(found)
            finally:
                self._visible = outer
        return found.relation

    def query(self, node: exp.Expression, parent: Scope | None = None) -> Relation:
        """Evaluate a query.

        :param node: ``SELECT``, a set operation, ``VALUES``, or one of them in parentheses.
        :param parent: the scope around it.
        :returns: the columns it gives.
        """
        outer = self._visible
        try:
            while True:
                self._visible = self._common_tables(node)
                if not isinstance(node, exp.Subquery | exp.Paren):
                    break
                if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
                    scope = self.scope(parent)
                    add_sources(node.this, scope, self)
                    return Relation(scope.star(None) or [])
                node = node.this
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, parent)
            if isinstance(node, exp.Values):
                return self._values(node, parent)
            return self._select(node, parent)
        finally:
            self._visible = outer

    def _common_tables(self, node: exp.Expression) -> Mapping[str, CommonTable]:
        clause = clause_of(node, "with")
        if clause is None:
            return self._visible
        session = self.tables.session
        visible = dict(self._visible)
        recursive = bool(clause.args.get("recursive"))
        for one in clause.expressions:
            alias = one.args["alias"]
            names = [fold(column, session) for column in alias.args.get("columns") or []]
            table = CommonTable(one.this, names, dict(visible), recursive=recursive)
            visible[fold(alias.this, session)] = table
            if recursive:
                table.visible = visible
        return visible

    def _evaluate(self, table: CommonTable) -> None:
        query = table.query
        while isinstance(query, exp.Subquery | exp.Paren) and clause_of(query, "with") is None:
            query = query.this
        if not (table.recursive and isinstance(query, exp.SetOperation)):
            table.relation = _renamed(self.query(query), table.names)
            return
        # The first part gives the rows that the second one begins with.
        table.relation = Relation([])
        first = _renamed(self.query(query.this), table.names)
        table.relation, loop = repeating(first)
        whole = _renamed(self.query(query), table.names)
        table.relation = closed_loop(whole, loop)
        self.tables.contents[loop] = None

    def _set_operation(self, node: exp.Expression, parent: Scope | None) -> Relation:
        # From the innermost left side up without recursion: there may be hundreds of UNION ALL.
        chain = []
        left: exp.Expression = node
        while isinstance(left, exp.SetOperation) and (
            left is node or clause_of(left, "with") is None
        ):
            chain.append(left)
            left = left.this
        result = self.query(left, parent)
        for operation in reversed(chain):
            right = self.query(operation.expression, parent)
            kept = not isinstance(operation, exp.Except)
            if kept and not (result.closed and right.closed):
                labels = ", ".join({**dict.fromkeys(result.open_labels + right.open_labels)})
                self.reading.leave_out(
                    "*", f"which columns meet is not known without the schema of {labels}"
                )
            result = stacked(result, right, values_of_right=kept)
        return result

    def _values(self, node: exp.Expression, parent: Scope | None) -> Relation:
        scope = self.scope(parent)
        result = Relation([])
        for at, row in enumerate(node.expressions):
            cells = row.expressions if isinstance(row, exp.Tuple) else [row]
            items = [
                Column(f"column{place}", value_of(cell, scope, self))
                for place, cell in enumerate(cells, 1)
            ]
            result = (
                stacked(result, Relation(items), values_of_right=True) if at else Relation(items)
            )
        return result

    def _select(self, node: exp.Expression, parent: Scope | None) -> Relation:
        if not isinstance(node, exp.Select):
            raise SqlError(f"{node.key.upper()} is not supported as a query")
        scope = self.scope(parent)
        self.add_from(node, scope)
        if node.args.get("connect") is not None:
            # https://docs.aws.amazon.com/redshift/latest/dg/r_CONNECT_BY_clause.html
            scope.pseudo_columns = frozenset({"level", "prior"})
            influence_of(node.args["connect"], Influence.JOIN, scope, self)
        items = self._select_list(node, scope)
        self._clauses(node, scope)
        return Relation(items)

    def add_from(self, node: exp.Expression, scope: Scope) -> None:
        """Add what ``FROM`` and ``JOIN`` of a statement give to a scope.

        :param node: the statement.
        :param scope: the scope.
        """
        clause = clause_of(node, "from")
        if clause is not None:
            add_sources(clause.this, scope, self)
        for join in [*(node.args.get("joins") or []), *(node.args.get("laterals") or [])]:
            add_sources(join, scope, self)

    def _select_list(self, node: exp.Select, scope: Scope) -> list[Item]:
        items: list[Item] = []
        for one in node.expressions:
            star = one.this if isinstance(one, exp.Column) else one
            if isinstance(star, exp.Star):
                items.extend(self._star(one, star, scope))
                continue
            origin = value_of(one, scope, self)
            name = self._name(one, scope)
            items.append(Column(name, origin))
            if isinstance(one, exp.Alias) and name is not None:
                scope.aliases.setdefault(name, origin)
        return items

    def _star(self, node: exp.Expression, star: exp.Star, scope: Scope) -> Sequence[Item]:
        alias = scope.fold(node.parts[-2]) if isinstance(node, exp.Column) else None
        items = scope.star(alias)
        if items is None:
            self.reading.leave_out(f"{alias}.*", "no table in FROM has that name")
            return [OpenColumns(lambda _: None, str(alias))]
        excluded = star.args.get("except_") or star.args.get("except")
        if excluded:
            return Relation(items).without(scope.fold(one) for one in excluded).items
        return items

    def _name(self, node: exp.Expression, scope: Scope) -> str | None:
        """Name a column of the select list as Amazon Redshift does, if that is certain."""
        if isinstance(node, exp.Alias):
            return scope.fold(node.args["alias"])
        while isinstance(node, exp.Paren | exp.Cast):
            node = node.this
        if isinstance(node, exp.Column):
            return scope.fold(node.this)
        if isinstance(node, exp.Dot):
            return scope.fold(node.expression) if node.expression.name else None
        if isinstance(node, _SAME_NAME_AS_FUNCTION):
            return str(node.key)
        if isinstance(node, exp.Anonymous):
            return self.tables.session.fold(node.name)
        return None

    def _clauses(self, node: exp.Select, scope: Scope) -> None:
        for key, kind in _CLAUSES:
            clause = node.args.get(key)
            if isinstance(clause, exp.Expression):
                influence_of(clause, kind, scope, self)
        for window in node.args.get("windows") or []:
            influence_of(window, Influence.WINDOW, scope, self)


_CLAUSES = (
    ("where", Influence.FILTER),
    ("group", Influence.GROUP_BY),
    ("having", Influence.FILTER),
    ("qualify", Influence.FILTER),
    ("order", Influence.SORT),
)


def clause_of(node: exp.Expression, name: str) -> exp.Expression | None:
    """Find a clause whose key is a keyword of Python, which sqlglot has spelled in two ways.

    :param node: the statement.
    :param name: ``from`` or ``with``.
    :returns: the clause, if the statement has it.
    """
    return node.args.get(f"{name}_") or node.args.get(name)


def _renamed(relation: Relation, names: list[str]) -> Relation:
    return relation.renamed(names) if names else relation
