"""The tools: each is given a script and the schemas, and gives an answer in the same form."""

from collections.abc import Callable, Iterator
from typing import Any

import openlineage_sql
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node
from sqlglot.lineage import lineage as column_lineage
from sqlglot.optimizer.qualify import qualify

from benchmarks.sql_lineage.corpus import Answer, Edge, schemas
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Session
from updraft.sql_lineage.schemas import parse_schemas

_SCHEMAS = parse_schemas(schemas(), Session())
_SQLGLOT_SCHEMAS: dict[str, Any] = {"dev": {}}
for _table, _columns in schemas().items():
    _schema, _name = _table.split(".")
    _SQLGLOT_SCHEMAS["dev"].setdefault(_schema, {})[_name] = dict.fromkeys(_columns, "varchar")


_WITHOUT_LINEAGE = (exp.Command, exp.Analyze, exp.Comment, exp.Grant, exp.Set)


def updraft(sql: str) -> Answer:
    """Ask Updraft.

    :param sql: the script.
    :returns: the answer.
    """
    found = analyze(sql, _SCHEMAS).as_json()
    edges = {(column, source) for column, sources in found["columns"].items() for source in sources}
    edges |= {
        (column, source)
        for result in found["results"]
        for column, sources in result["columns"].items()
        for source in sources
    }
    return Answer(
        frozenset(found["inputs"]),
        frozenset(found["outputs"]),
        frozenset(edges),
        bool(found["errors"]),
    )


def openlineage(sql: str) -> Answer:
    """Ask OpenLineage's parser as the provider does: with a default schema.

    :param sql: the script.
    :returns: the answer.
    """
    return _openlineage(sql, "public")


def openlineage_without_schema(sql: str) -> Answer:
    """Ask OpenLineage's parser without a default schema, and complete names afterwards.

    :param sql: the script.
    :returns: the answer.
    """
    return _openlineage(sql, None)


def _openlineage(sql: str, default_schema: str | None) -> Answer:
    try:
        found = openlineage_sql.parse([sql], dialect="redshift", default_schema=default_schema)
    except RuntimeError:
        found = None
    if found is None:
        return Answer(frozenset(), frozenset(), frozenset(), failed=True)
    outputs = frozenset(_completed(str(table)) for table in found.out_tables)
    written = next(iter(outputs)) if len(outputs) == 1 else None
    edges = set()
    for column in found.column_lineage:
        name = column.descendant.name.lower()
        table = _completed(str(column.descendant.origin)) if column.descendant.origin else written
        for source in column.lineage:
            origin = _completed(str(source.origin)) if source.origin else "?"
            written_column = f"{table}.{name}" if table else name
            edges.add((written_column, f"{origin}.{source.name.lower()}"))
    return Answer(
        frozenset(_completed(str(table)) for table in found.in_tables),
        outputs,
        frozenset(edges),
        bool(found.errors),
    )


def _completed(name: str) -> str:
    parts = [part.strip('"').lower() for part in name.split(".")]
    return ".".join(["dev", "public"][: 3 - len(parts)] + parts)


def plain_sqlglot(sql: str) -> Answer:
    """Ask sqlglot: tables by a walk over the tree, columns by its own lineage, by statement.

    :param sql: the script.
    :returns: the answer.
    """
    inputs: set[str] = set()
    outputs: set[str] = set()
    edges: set[Edge] = set()
    try:
        trees = sqlglot.parse(sql, dialect="redshift")
    except SqlglotError:
        return Answer(frozenset(), frozenset(), frozenset(), failed=True)
    for tree in trees:
        if tree is None or isinstance(tree, _WITHOUT_LINEAGE):
            continue
        if isinstance(tree, exp.Create) and tree.kind not in ("TABLE", "VIEW"):
            continue
        target, names = _target(tree)
        common = {one.alias for one in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            if table is not target and not (table.name in common and not table.db) and table.name:
                inputs.add(_full_name(table))
        if target is not None:
            outputs.add(_full_name(target))
        query = tree if isinstance(tree, exp.Query) else tree.args.get("expression")
        if isinstance(query, exp.Query):
            edges.update(_sqlglot_edges(query, names, target))
    return Answer(frozenset(inputs), frozenset(outputs), frozenset(edges))


def _target(tree: exp.Expression) -> tuple[exp.Table | None, list[str]]:
    if isinstance(tree, exp.Select):
        into = tree.args.get("into")
        return (into.this if into is not None else None), []
    if not isinstance(
        tree, exp.Create | exp.Insert | exp.Update | exp.Delete | exp.Merge | exp.Copy
    ):
        return None, []
    this = tree.this
    names: list[str] = []
    if isinstance(this, exp.Schema):
        names = [one.name for one in this.expressions]
        this = this.this
    return (this if isinstance(this, exp.Table) else None), names


def _full_name(table: exp.Table) -> str:
    return _completed(".".join(part.name for part in table.parts))


def _sqlglot_edges(query: exp.Query, names: list[str], target: exp.Table | None) -> Iterator[Edge]:
    try:
        qualified = qualify(
            query.copy(),
            dialect="redshift",
            schema=_SQLGLOT_SCHEMAS,
            catalog="dev",
            db="public",
            validate_qualify_columns=False,
            infer_schema=True,
        )
        selected = [one.alias_or_name for one in qualified.selects]
        for place, name in enumerate(selected):
            written = names[place] if place < len(names) else name
            if target is not None:
                written = f"{_full_name(target)}.{written}"
            node = column_lineage(
                name,
                query.copy(),
                schema=_SQLGLOT_SCHEMAS,
                dialect="redshift",
                catalog="dev",
                db="public",
                infer_schema=True,
                validate_qualify_columns=False,
            )
            yield from ((written.lower(), source) for source in _leaves(node))
    except (SqlglotError, ValueError, KeyError, AttributeError):
        return


def _leaves(node: Node) -> Iterator[str]:
    for one in node.walk():
        if isinstance(one.source, exp.Table) and not one.downstream:
            yield f"{_full_name(one.source)}.{one.name.rsplit('.', 1)[-1].strip(chr(34)).lower()}"


CONTENDERS: dict[str, Callable[[str], Answer]] = {
    "Updraft": updraft,
    "openlineage-sql": openlineage,
    "openlineage-sql, no default_schema": openlineage_without_schema,
    "sqlglot": plain_sqlglot,
}
