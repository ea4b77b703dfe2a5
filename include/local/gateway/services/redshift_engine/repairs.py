"""Second readings of a statement that PostgreSQL did not understand.

Two things need the catalog to be told from others: a name that stands for an earlier item of the
same list ("lateral column alias"), and points that lead into a SUPER value. PostgreSQL looks
first; where it finds no such column or table, and only there, the other reading is tried.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_list.html
"""

from collections.abc import Sequence

import psycopg

from include.local.gateway.services.redshift_engine.expressions import is_reference
from include.local.gateway.services.redshift_engine.selects import (
    aliases_of,
    find_selects,
    path_call,
    split_list,
)
from include.local.gateway.services.redshift_engine.tokens import (
    Group,
    Node,
    is_name,
    is_symbol,
    name_of,
    parse,
    render,
    sql,
    tokenize,
)

_UNKNOWN_NAME = (
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedTable,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.WrongObjectType,
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.SyntaxError,
    psycopg.errors.InvalidColumnReference,
)


def repaired(text: str, error: psycopg.Error) -> str | None:
    """Read a statement in another way.

    :param text: the statement, as PostgreSQL got it.
    :param error: what it said.
    :returns: the statement written otherwise; None when there is no other reading.
    """
    place = error.diag.statement_position
    if not isinstance(error, _UNKNOWN_NAME) or place is None:
        return None
    nodes = parse(tokenize(text))
    path = _levels(nodes, int(place) - 1)
    if path is None:
        return None
    levels, position = path
    level = levels[-1]
    if not is_name(level[position]):
        return None
    if isinstance(error, psycopg.errors.UndefinedColumn) and is_reference(level, position):
        return _with_alias(nodes, levels, position)
    return _with_path(nodes, levels, position)


def _levels(nodes: list[Node], offset: int) -> tuple[list[list[Node]], int] | None:
    for position, node in enumerate(nodes):
        if isinstance(node, Group):
            deeper = _levels(node.nodes, offset)
            if deeper is not None:
                return [nodes, *deeper[0]], deeper[1]
        elif node.start == offset:
            return [nodes], position
    return None


def _with_alias(nodes: list[Node], levels: list[list[Node]], position: int) -> str | None:
    name = name_of(levels[-1][position])
    within = position
    for depth in range(len(levels) - 1, -1, -1):
        level = levels[depth]
        if depth < len(levels) - 1:
            within = next(
                at
                for at, node in enumerate(level)
                if isinstance(node, Group) and node.nodes is levels[depth + 1]
            )
        for select in find_selects(level):
            chosen = select.clause(level, "select")
            if select.begin < within <= select.begin + len(chosen):
                for value, alias in split_list(chosen)[1]:
                    if alias == name and value and _start(value) < _start([levels[-1][position]]):
                        if render(value).strip().lower() == name:
                            return None
                        levels[-1][position : position + 1] = [Group("(", value)]
                        return render(nodes)
                return None
    return None


def _start(nodes: Sequence[Node]) -> int:
    return next((node.start for node in nodes if node.start >= 0), -1)


def _with_path(nodes: list[Node], levels: list[list[Node]], position: int) -> str | None:
    level = levels[-1]
    end = position + 1
    while end < len(level):
        node = level[end]
        if isinstance(node, Group) and node.opener == "[":
            end += 1
        elif is_symbol(node, ".") and end + 1 < len(level) and is_name(level[end + 1]):
            end += 2
        else:
            break
    path = level[position:end]
    if len(path) < 2:  # noqa: PLR2004 - a column and a step
        return None
    known = {
        alias
        for above in levels
        for select in find_selects(above)
        for alias in aliases_of(select.clause(above, "from"))
    }
    names = [node for node in path if is_name(node)]
    qualified = name_of(names[0]) in known and len(names) > 1
    written = path_call(path, columns=1 if qualified else 0)
    if not written.startswith("rs_path("):
        return None
    replacement = sql(written)
    if end == len(level) or not is_symbol(level[end], "::"):
        alias = _needs_name(level, position, end)
        if alias:
            replacement += sql(f' AS "{name_of(names[-1])}"')
    level[position:end] = replacement
    return render(nodes)


def _needs_name(level: list[Node], position: int, end: int) -> bool:
    """Tell whether a path is an item of a list by itself, which gets the name of its last step."""
    for select in find_selects(level):
        chosen = select.clause(level, "select")
        begin = select.begin + 1
        if begin <= position < begin + len(chosen):
            before = [node for node in level[begin:position] if _says(node)]
            after = [node for node in level[end : begin + len(chosen)] if _says(node)]
            first = not before or is_symbol(before[-1], ",") or _is_distinct(before)
            return first and (not after or is_symbol(after[0], ","))
    return False


def _is_distinct(nodes: list[Node]) -> bool:
    return len(nodes) == 1 and render(nodes).lower() == "distinct"


def _says(node: Node) -> bool:
    return bool(render([node]).strip())
