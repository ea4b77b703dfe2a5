"""Statements that sqlglot parses: what each of them reads, and where it writes that."""

from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

from updraft.sql_lineage.expressions import influence_of, value_of
from updraft.sql_lineage.from_clause import add_sources, table_parts
from updraft.sql_lineage.names import RedshiftTable
from updraft.sql_lineage.origins import Influence, Origin, union
from updraft.sql_lineage.queries import QueryReader
from updraft.sql_lineage.relations import OpenColumns, Relation
from updraft.sql_lineage.scopes import Scope
from updraft.sql_lineage.table_contents import Reading, Table
from updraft.sql_lineage.tables import Tables
from updraft.sql_lineage.word_reader import SqlError


class StatementReader:
    """Reads one statement.

    :param tables: the tables of the script.
    :param reading: takes notes of what is read.
    """

    def __init__(self, tables: Tables, reading: Reading) -> None:
        self._tables = tables
        self._reading = reading
        self._queries = QueryReader(tables, reading)

    def read(self, node: exp.Expression) -> Relation | None:
        """Read a statement and apply it to the tables.

        :param node: the statement.
        :returns: what it gives back, if it is a query.
        :raises SqlError: when it is not a statement whose lineage can be found.
        """
        handlers: dict[type[exp.Expression], Callable[..., Relation | None]] = {
            exp.Insert: self._insert,
            exp.Update: self._update,
            exp.Delete: self._delete,
            exp.Merge: self._merge,
            exp.Create: self._create,
        }
        handler = handlers.get(type(node))
        if handler is not None:
            return handler(node)
        if isinstance(node, exp.Query | exp.Values):
            return self._query(node)
        raise SqlError(f"{node.key.upper()} is not supported")

    def write(self, table: Table, relation: Relation, names: Sequence[str] | None) -> None:
        """Write what a query gives to a table.

        :param table: the table.
        :param relation: what the query gives.
        :param names: the columns that are written in order, ``None`` for those of the table.
        """
        if names is None and table.complete:
            names = table.columns
        columns: dict[str, Origin] = {}
        if names is None:
            self._reading.leave_out(
                str(table.first_name),
                "its columns are not known, so those of the query cannot be matched to them: "
                "name them in the statement or give its schema",
            )
        else:
            placed = list(relation.placed())
            for name, column in zip(names, placed, strict=False):
                columns[name] = column.origin
            if len(placed) < len(names):
                self._note_open(relation)
        self._tables.write(table, columns, self._reading)

    def write_named(self, table: Table, relation: Relation) -> None:
        """Write what a query gives to a new table or to files, under the names of the query.

        :param table: the table.
        :param relation: what the query gives.
        """
        columns: dict[str, list[Origin]] = {}
        opens = []
        for place, item in enumerate(relation.items, 1):
            if isinstance(item, OpenColumns):
                opens.append(item)
            elif item.name is not None:
                columns.setdefault(item.name, []).append(item.origin)
            elif item.origin:
                self._reading.leave_out(
                    f"column {place} of {table.first_name}", "the query gives it no name"
                )
        if not table.temporary:
            self._note_open(relation)
        named = {name: union(origins) for name, origins in columns.items()}
        self._tables.write(table, named, self._reading, opens)

    def _note_open(self, relation: Relation) -> None:
        for label in relation.open_labels:
            self._reading.leave_out(f"{label}.*", "its schema is not known")

    def _query(self, node: exp.Expression) -> Relation | None:
        relation = self._queries.query(node)
        first = node
        while isinstance(first, exp.SetOperation | exp.Subquery):
            first = first.this
        into = first.args.get("into")
        if into is None:
            self._note_open(relation)
            return relation
        self._create_as(into.this, relation, temporary=bool(into.args.get("temporary")))
        return None

    def _insert(self, node: exp.Insert) -> None:
        self._queries.with_clause(node)
        target, names = self._target(node.this)
        source = node.args.get("expression")
        if source is not None:
            self.write(target, self._queries.query(source), names or None)
        elif node.args.get("default"):
            self._tables.write(target, {}, self._reading)
        else:
            raise SqlError("INSERT has no query")

    def _target(self, node: exp.Expression) -> tuple[Table, list[str]]:
        names: list[str] = []
        scope = self._queries.scope()
        if isinstance(node, exp.Schema):
            names = [scope.fold(one) for one in node.expressions]
            node = node.this
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise SqlError(f"{node.sql('redshift')} is no table to write to")
        return self._tables.find(table_parts(node, scope)), names

    def _create(self, node: exp.Create) -> None:
        if str(node.args.get("kind")).upper() not in ("TABLE", "VIEW"):
            raise SqlError(f"CREATE {node.args.get('kind')} is not supported")
        this = node.this
        definitions = this.expressions if isinstance(this, exp.Schema) else []
        table = this.this if isinstance(this, exp.Schema) else this
        query = node.args.get("expression")
        properties = node.args.get("properties")
        listed = list(properties.expressions) if properties is not None else []
        temporary = any(isinstance(one, exp.TemporaryProperty) for one in listed)
        names = [
            self._queries.scope().fold(one.this if isinstance(one, exp.ColumnDef) else one)
            for one in definitions
            if isinstance(one, exp.ColumnDef | exp.Identifier)
        ]
        self._queries.with_clause(node)
        if query is not None:
            relation = self._queries.query(query)
            if names:
                relation = relation.renamed(names)
            self._create_as(table, relation, temporary=temporary)
            return
        parts = table_parts(table, self._queries.scope())
        if node.args.get("exists") and self._tables.find(parts).created:
            return
        columns: list[str] | None = names
        for one in [*definitions, *listed]:
            if isinstance(one, exp.LikeProperty):
                model = self._tables.find(table_parts(one.this, self._queries.scope()))
                columns = [*names, *model.columns] if model.complete else None
            elif isinstance(one, exp.PartitionedByProperty) and columns is not None:
                columns += [column.name.lower() for column in one.find_all(exp.ColumnDef)]
        self._tables.create(parts, columns, temporary=temporary)

    def _create_as(self, node: exp.Expression, relation: Relation, *, temporary: bool) -> None:
        names = [column.name for column in relation.placed()]
        known = [name for name in names if name is not None]
        complete = relation.closed and len(known) == len(names)
        table = self._tables.create(
            table_parts(node, self._queries.scope()), known, temporary=temporary
        )
        table.complete = complete
        self.write_named(table, relation)

    def _update(self, node: exp.Update) -> None:
        self._queries.with_clause(node)
        target, scope = self._changed(node)
        columns: dict[str, list[Origin]] = {}
        for one in node.expressions:
            self._assignment(one, scope, columns)
        self._influences(node, scope)
        self._tables.write(target, _joined(columns), self._reading)

    def _delete(self, node: exp.Delete) -> None:
        self._queries.with_clause(node)
        target, scope = self._changed(node)
        self._influences(node, scope)
        if node.args.get("where") is None and not node.args.get("using"):
            self._tables.clear(target)
        else:
            self._tables.write(target, {}, self._reading)

    def _merge(self, node: exp.Merge) -> None:
        self._queries.with_clause(node)
        target, scope = self._changed(node, [node.args["using"]])
        influence_of(node.args["on"], Influence.JOIN, scope, self._queries)
        columns: dict[str, list[Origin]] = {}
        for when in node.args["whens"].expressions:
            if when.args.get("condition") is not None:
                influence_of(when.args["condition"], Influence.FILTER, scope, self._queries)
            action = when.args["then"]
            if isinstance(action, exp.Update):
                for one in action.expressions:
                    self._assignment(one, scope, columns)
            elif isinstance(action, exp.Insert):
                self._merge_insert(action, target, scope, columns)
        self._tables.write(target, _joined(columns), self._reading)

    def merge_removing_duplicates(self, node: exp.Merge) -> None:
        """Read ``MERGE`` with ``REMOVE DUPLICATES``: all columns are written, by their place.

        https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html

        :param node: the statement without these words.
        """
        self._queries.with_clause(node)
        target, scope = self._changed(node, [node.args["using"]])
        influence_of(node.args["on"], Influence.JOIN, scope, self._queries)
        source = next(
            (relation for name, relation in scope.sources.items() if name != self._target_name),
            Relation([]),
        )
        self.write(target, source, None)

    def _merge_insert(
        self,
        action: exp.Insert,
        target: Table,
        scope: Scope,
        columns: dict[str, list[Origin]],
    ) -> None:
        listed = action.this.expressions if isinstance(action.this, exp.Tuple) else []
        values = action.args.get("expression")
        names: Sequence[str] = [scope.fold(one) for one in listed]
        cells = values.expressions if isinstance(values, exp.Expression) else []
        if len(listed) == 1 and isinstance(listed[0], exp.Anonymous):
            # Without a list of columns sqlglot takes VALUES for a function.
            names, cells = target.columns, listed[0].expressions
            if not target.complete:
                self._reading.leave_out(
                    str(target.first_name),
                    "its columns are not known: name them in INSERT or give its schema",
                )
                return
        for name, cell in zip(names, cells, strict=False):
            columns.setdefault(name, []).append(value_of(cell, scope, self._queries))

    def _changed(
        self, node: exp.Expression, sources: Iterable[exp.Expression] | None = None
    ) -> tuple[Table, Scope]:
        """Find the table that a statement changes, and what its expressions can use."""
        changed = _changed_table(node)
        target, _ = self._target(changed)
        scope = self._queries.scope()
        if sources is None:
            using = node.args.get("using") or []
            sources = using if isinstance(using, list) else [using]
        self._queries.add_from(node, scope)
        for one in sources:
            add_sources(one, scope, self._queries)
        alias = changed.args.get("alias")
        self._target_name = scope.fold(alias.this if alias is not None else changed.this)
        if self._target_name not in scope.sources:
            scope.sources[self._target_name] = target.content.relation()
            if alias is None and isinstance(target.name, RedshiftTable):
                scope.tables[self._target_name] = target.name
        return target, scope

    def _assignment(
        self, node: exp.Expression, scope: Scope, columns: dict[str, list[Origin]]
    ) -> None:
        if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column):
            raise SqlError(f"{node.sql('redshift')} does not set a column")
        # What sqlglot calls the table may be a column of type SUPER, whose part is set.
        parts = [scope.fold(part) for part in node.this.parts]
        name = parts[1] if len(parts) > 1 and parts[0] == self._target_name else parts[-1]
        columns.setdefault(name, []).append(value_of(node.expression, scope, self._queries))

    def _influences(self, node: exp.Expression, scope: Scope) -> None:
        where = node.args.get("where")
        if where is not None:
            influence_of(where, Influence.FILTER, scope, self._queries)


def _changed_table(node: exp.Expression) -> exp.Expression:
    """Find the table of a statement; that of DELETE without FROM stands elsewhere."""
    tables = [node.this] if isinstance(node.this, exp.Expression) else node.args.get("tables") or []
    if len(tables) != 1:
        raise SqlError(f"{node.key.upper()} changes {len(tables)} tables instead of one")
    table: exp.Expression = tables[0]
    return table


def _joined(columns: dict[str, list[Origin]]) -> dict[str, Origin]:
    return {name: union(origins) for name, origins in columns.items()}
