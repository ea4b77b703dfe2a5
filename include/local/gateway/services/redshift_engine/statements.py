"""Whole statements: what kind each is, and what PostgreSQL has to do for it."""

from collections.abc import Callable

from include.local.gateway.services.redshift_engine.definitions import alter, create, drop, grant
from include.local.gateway.services.redshift_engine.selects import find_selects
from include.local.gateway.services.redshift_engine.statement import (
    CHANGE,
    COPY,
    DEFINITION,
    QUERY,
    TRANSACTION,
    TRUNCATE,
    UNLOAD,
    UTILITY,
    Statement,
    expressed,
    finish,
    node_at,
    read_name,
)
from include.local.gateway.services.redshift_engine.tokens import (
    WORD,
    Node,
    SqlError,
    Token,
    is_parenthesis,
    is_symbol,
    is_word,
    name_of,
    parse,
    render,
    significant,
    sql,
    strip,
    tokenize,
)
from include.local.gateway.services.redshift_engine.utilities import (
    analyze,
    cancel,
    explain,
    plain,
    raw,
    set_parameter,
    show,
    vacuum,
)


def translate(text: str) -> Statement:
    """Translate a statement.

    :param text: one statement of Redshift's SQL.
    :returns: the statement for PostgreSQL.
    :raises SqlError: when it can't be.
    """
    nodes = strip(parse(_with_temporary_names(tokenize(text.strip().rstrip(";")))))
    words = significant(nodes)
    if not words:
        raise SqlError("cannot prepare empty statement")
    first = words[0]
    if any(is_symbol(node, ";") for node in nodes):
        raise SqlError("cannot insert multiple commands into a prepared statement")
    name = name_of(first) if isinstance(first, Token) and first.kind == WORD else ""
    if is_parenthesis(first) or name in {"select", "values"}:
        return _query(nodes)
    handler = _HANDLERS.get(name)
    if handler is None:
        raise SqlError(f'syntax error at or near "{render([first])}"')
    return handler(nodes)


def _with_temporary_names(tokens: list[Token]) -> list[Token]:
    """Join ``#`` and the name behind it, where a table is named."""
    result: list[Token] = []
    for token in tokens:
        last = result[-1] if result else None
        before = [one for one in result[:-1] if one.kind != "space"][-1:]
        if (
            is_symbol(last, "#")
            and token.kind == WORD
            and (not before or before[0].kind == WORD or before[0].text in {",", "(", "."})
        ):
            assert last is not None  # noqa: S101 - it is a symbol
            result[-1] = Token("quoted", f'"#{token.text.lower()}"', last.start)
        else:
            result.append(token)
    return result


def _query(nodes: list[Node]) -> Statement:
    into = any("into" in select.clauses for select in find_selects(nodes))
    return finish(DEFINITION if into else QUERY, nodes, expressed(nodes))


def _with(nodes: list[Node]) -> Statement:
    for position, node in enumerate(nodes):
        if is_word(node, "insert", "update", "delete"):
            return _change(nodes, position)
        if is_word(node, "select"):
            break
    return _query(nodes)


def _change(nodes: list[Node], position: int = 0) -> Statement:
    words = significant(nodes[position:])
    verb = name_of(words[0])
    start = 2 if is_word(words[1] if len(words) > 1 else None, "into", "from", "only") else 1
    if verb == "delete" and start == 1:
        at = nodes.index(words[0])
        nodes = [*nodes[: at + 1], *sql(" FROM "), *nodes[at + 1 :]]
    target, _ = read_name(words, start)
    return finish(CHANGE, nodes, expressed(nodes), target=target)


def _merge(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    target, end = read_name(words, 2 if is_word(words[1], "into") else 1)
    if not is_word(words[-2], "remove") or not is_word(words[-1], "duplicates"):
        return finish(CHANGE, nodes, expressed(nodes), target=target)
    if not is_word(words[end], "using"):
        raise SqlError(f'syntax error at or near "{render([words[end]])}"')
    using = nodes.index(words[end])
    on = next((at for at, node in enumerate(nodes) if is_word(node, "on")), None)
    if on is None:
        raise SqlError('syntax error at or near "REMOVE"')
    remove = nodes.index(words[-2])
    source = render(expressed(nodes[using + 1 : on])).strip()
    condition = render(expressed(nodes[on + 1 : remove])).strip()
    return finish(
        CHANGE,
        nodes,
        # The SQL is the caller's own, in another order.
        sql(f"CREATE TEMPORARY TABLE rs_merge AS SELECT DISTINCT * FROM {source}"),  # noqa: S608
        sql(f"DELETE FROM {target} USING {source} WHERE {condition}"),  # noqa: S608
        sql(f"INSERT INTO {target} SELECT * FROM pg_temp.rs_merge"),  # noqa: S608
        sql("DROP TABLE pg_temp.rs_merge"),
        target=target,
    )


def _truncate(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    name, end = read_name(words, 2 if is_word(node_at(words, 1), "table") else 1)
    if end < len(words):
        raise SqlError(f'syntax error at or near "{render([words[end]])}"')
    return finish(TRUNCATE, nodes, sql(f"TRUNCATE TABLE {name}"), target=name)


_HANDLERS: dict[str, Callable[[list[Node]], Statement]] = {
    "abort": plain(TRANSACTION),
    "alter": alter,
    "analyse": analyze,
    "analyze": analyze,
    "begin": plain(TRANSACTION),
    "call": plain(UTILITY),
    "cancel": cancel,
    "close": plain(UTILITY),
    "comment": plain(DEFINITION),
    "commit": plain(TRANSACTION),
    "copy": raw(COPY),
    "create": create,
    "deallocate": plain(UTILITY),
    "declare": plain(UTILITY),
    "delete": _change,
    "drop": drop,
    "end": plain(TRANSACTION),
    "execute": plain(QUERY),
    "explain": explain,
    "fetch": plain(QUERY),
    "grant": grant,
    "insert": _change,
    "lock": plain(UTILITY),
    "merge": _merge,
    "prepare": plain(UTILITY),
    "refresh": plain(DEFINITION),
    "reset": set_parameter,
    "revoke": grant,
    "rollback": plain(TRANSACTION),
    "set": set_parameter,
    "show": show,
    "start": plain(TRANSACTION),
    "truncate": _truncate,
    "unload": raw(UNLOAD),
    "update": _change,
    "vacuum": vacuum,
    "with": _with,
}
