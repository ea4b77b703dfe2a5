"""Whole statements: what kind each is, and what PostgreSQL has to do for it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from include.local.gateway.services.redshift_engine.data_types import translate_type
from include.local.gateway.services.redshift_engine.expressions import translate_expressions
from include.local.gateway.services.redshift_engine.selects import find_selects, translate_selects
from include.local.gateway.services.redshift_engine.table_definitions import (
    TableDesign,
    encoding,
    read_table_attributes,
    translate_column,
    translate_columns,
)
from include.local.gateway.services.redshift_engine.tokens import (
    BODY,
    PARAMETER,
    WORD,
    Group,
    Node,
    SqlError,
    Token,
    UnsupportedSqlError,
    is_name,
    is_parenthesis,
    is_symbol,
    is_word,
    name_of,
    parse,
    quote,
    render,
    significant,
    split,
    sql,
    strip,
    tokenize,
)

QUERY, CHANGE, DEFINITION, UTILITY, TRANSACTION = (
    "query",
    "change",
    "definition",
    "utility",
    "transaction",
)
TRUNCATE, APPEND, COPY, UNLOAD = "truncate", "append", "copy", "unload"

# Settings of Redshift's that change no result here.
_SETTINGS = {
    *("query_group", "wlm_query_slot_count", "enable_result_cache_for_session"),
    *(
        "analyze_threshold_percent",
        "describe_field_name_in_uppercase",
        "max_cursor_result_set_size",
    ),
    *("error_on_nondeterministic_update", "mv_enable_aqmv_for_session", "activate_aqua"),
    *("enable_vacuum_boost", "stored_proc_log_min_messages", "compupdate", "statupdate"),
}
_REFUSED_SETTINGS = {"enable_case_sensitive_identifier", "downcase_delimited_identifier"}
_REFUSED_OBJECTS = (
    *("external", "library", "model", "datashare", "masking", "rls", "identity", "template"),
)


@dataclass
class Statement:
    """A statement, ready for PostgreSQL.

    :param kind: what it is.
    :param nodes: Redshift's SQL, without spaces at the ends.
    :param sql: what PostgreSQL executes, in order; the last one gives rows and their number.
    :param parameters: names of the parameters, in the order of their numbers in :attr:`sql`.
    :param target: table that it writes to, as SQL.
    :param alone: whether it can't run in a transaction with others.
    """

    kind: str
    nodes: list[Node]
    sql: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)
    target: str | None = None
    alone: bool = False


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


def _finish(kind: str, nodes: list[Node], *written: list[Node], **more: object) -> Statement:
    statement = Statement(kind, nodes)
    for one in written:
        statement.sql.append(render(_numbered(one, statement.parameters)))
    for name, value in more.items():
        setattr(statement, name, value)
    return statement


def _numbered(nodes: list[Node], names: list[str]) -> list[Node]:
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Group):
            result.append(Group(node.opener, _numbered(node.nodes, names)))
        elif node.kind == PARAMETER:
            names.append(node.text[1:])
            result.append(Token("symbol", f"${len(names)}"))
        else:
            result.append(node)
    return result


def _expressed(nodes: list[Node]) -> list[Node]:
    return translate_expressions(translate_selects(nodes))


def _query(nodes: list[Node]) -> Statement:
    into = any("into" in select.clauses for select in find_selects(nodes))
    return _finish(DEFINITION if into else QUERY, nodes, _expressed(nodes))


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
    return _finish(CHANGE, nodes, _expressed(nodes), target=target)


def _merge(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    target, end = read_name(words, 2 if is_word(words[1], "into") else 1)
    if not is_word(words[-2], "remove") or not is_word(words[-1], "duplicates"):
        return _finish(CHANGE, nodes, _expressed(nodes), target=target)
    if not is_word(words[end], "using"):
        raise SqlError(f'syntax error at or near "{render([words[end]])}"')
    using = nodes.index(words[end])
    on = next((at for at, node in enumerate(nodes) if is_word(node, "on")), None)
    if on is None:
        raise SqlError('syntax error at or near "REMOVE"')
    remove = nodes.index(words[-2])
    source = render(_expressed(nodes[using + 1 : on])).strip()
    condition = render(_expressed(nodes[on + 1 : remove])).strip()
    return _finish(
        CHANGE,
        nodes,
        # The SQL is the caller's own, in another order.
        sql(f"CREATE TEMPORARY TABLE rs_merge AS SELECT DISTINCT * FROM {source}"),  # noqa: S608
        sql(f"DELETE FROM {target} USING {source} WHERE {condition}"),  # noqa: S608
        sql(f"INSERT INTO {target} SELECT * FROM pg_temp.rs_merge"),  # noqa: S608
        sql("DROP TABLE pg_temp.rs_merge"),
        target=target,
    )


def read_name(words: list[Node], start: int) -> tuple[str, int]:
    """Read the name of a table.

    :param words: nodes without spaces.
    :param start: where it begins.
    :returns: the name as SQL, and the position behind it.
    :raises SqlError: when there is none.
    """
    position = start
    parts: list[str] = []
    while position < len(words) and is_name(words[position]):
        parts.append(quote(name_of(words[position])))
        if position + 1 < len(words) and is_symbol(words[position + 1], "."):
            position += 2
        else:
            return ".".join(parts), position + 1
    found = render([words[position]]) if position < len(words) else "end of input"
    raise SqlError(f'syntax error at or near "{found}"')


def _create(nodes: list[Node]) -> Statement:  # noqa: PLR0911 - one kind after the other
    words = significant(nodes)
    kinds = [name_of(word) for word in words[1:6] if is_name(word)]
    if kinds[:1] and kinds[0] in _REFUSED_OBJECTS:
        raise UnsupportedSqlError(f"CREATE {kinds[0].upper()}")
    if "table" in kinds[:3]:
        return _create_table(nodes, words)
    if kinds[:1] == ["materialized"]:
        return _create_materialized_view(nodes, words)
    if "view" in kinds[:3]:
        written = _without_tail(nodes, ("with", "no", "schema", "binding"))
        return _finish(DEFINITION, nodes, _expressed(written))
    if kinds[:1] == ["user"]:
        return _finish(DEFINITION, nodes, _user(nodes))
    if kinds[:1] == ["database"]:
        name, _ = read_name(words, 2)
        return _finish(DEFINITION, nodes, sql(f"CREATE DATABASE {name}"), alone=True)
    if "function" in kinds[:3] or "procedure" in kinds[:3]:
        return _finish(DEFINITION, nodes, _routine(nodes))
    if kinds[:1] == ["schema"]:
        cut = next((at for at, node in enumerate(nodes) if is_word(node, "quota")), len(nodes))
        return _finish(DEFINITION, nodes, translate_expressions(nodes[:cut]))
    if kinds[:1] in (["group"], ["role"]):
        return _finish(DEFINITION, nodes, translate_expressions(nodes))
    raise UnsupportedSqlError(f"CREATE {' '.join(kinds[:1]).upper()}".strip())


def _create_table(nodes: list[Node], words: list[Node]) -> Statement:
    at = next(position for position, node in enumerate(words) if is_word(node, "table"))
    temporary = any(is_word(node, "temp", "temporary") for node in words[1:at])
    start = at + 1
    exists = ""
    if is_word(words[start], "if"):
        exists, start = "IF NOT EXISTS ", start + 3
    name, end = read_name(words, start)
    if name.startswith('"#'):
        temporary = True
    design = TableDesign()
    rest = words[end:]
    group = rest.pop(0) if rest and is_parenthesis(rest[0]) else None
    query = next((position for position, node in enumerate(rest) if is_word(node, "as")), None)
    read_table_attributes(rest[:query], design)
    head = f"CREATE {'TEMPORARY ' if temporary else ''}TABLE {exists}{name}"
    if query is not None:
        # The raw nodes from AS on: spaces matter there.
        tail = nodes[nodes.index(rest[query]) :]
        columns = render(translate_expressions([group])) if group is not None else ""
        created = [*sql(f"{head} {columns} "), *_expressed(tail)]
    else:
        if not isinstance(group, Group):
            raise SqlError("syntax error at end of input")
        created = sql(f"{head} ({translate_columns(group, design)})")
    notes = [] if design.is_empty else [sql(design.note(name))]
    return _finish(DEFINITION, nodes, created, *notes)


def _create_materialized_view(nodes: list[Node], words: list[Node]) -> Statement:
    name, end = read_name(words, 3)
    query = next((at for at, node in enumerate(words) if at >= end and is_word(node, "as")), None)
    if query is None:
        raise SqlError("syntax error at end of input")
    read_table_attributes(words[end:query], TableDesign())
    tail = nodes[nodes.index(words[query]) :]
    created = [*sql(f"CREATE MATERIALIZED VIEW {name} "), *_expressed(tail)]
    return _finish(DEFINITION, nodes, created)


def _without_tail(nodes: list[Node], tail: tuple[str, ...]) -> list[Node]:
    words = significant(nodes)[-len(tail) :]
    if all(is_word(node, word) for node, word in zip(words, tail, strict=True)):
        return strip(nodes[: nodes.index(words[0])])
    return nodes


def _user(nodes: list[Node]) -> list[Node]:
    result: list[Node] = []
    words = significant(nodes)
    position = 0
    while position < len(words):
        node = words[position]
        then = words[position + 1] if position + 1 < len(words) else None
        if is_word(node, "password") and is_word(then, "disable"):
            position += 2
            continue
        if is_word(node, "createuser", "nocreateuser"):
            node = Token(WORD, "SUPERUSER" if is_word(node, "createuser") else "NOSUPERUSER")
        if is_word(node, "syslog") or (is_word(node, "session") and is_word(then, "timeout")):
            position += 3
            continue
        result += [*translate_expressions([node]), Token("space", " ")]
        position += 1
    return result


def _routine(nodes: list[Node]) -> list[Node]:
    words = significant(nodes)
    for position, node in enumerate(words):
        if is_word(node, "language"):
            language = name_of(words[position + 1]) if len(words) > position + 1 else ""
            if language not in {"sql", "plpgsql"}:
                raise UnsupportedSqlError(f"routines in the language {language}")
    result: list[Node] = []
    for node in nodes:
        if isinstance(node, Token) and node.kind == BODY:
            mark = node.text[: node.text.index("$", 1) + 1]
            inner = parse(tokenize(node.text[len(mark) : -len(mark)]))
            result.append(Token(BODY, f"{mark}{render(translate_expressions(inner))}{mark}"))
        elif isinstance(node, Group):
            result.append(_signature(node))
        else:
            result.append(node)
    return result


def _signature(group: Group) -> Group:
    written: list[str] = []
    for part in split(group.nodes):
        nodes = significant(part)
        texts = [render([node]) for node in nodes]
        written.append(" ".join(texts).replace(" (", "("))
    return Group("(", sql(", ".join(written)))


def _alter(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    if is_word(words[1] if len(words) > 1 else None, *_REFUSED_OBJECTS):
        raise UnsupportedSqlError(f"ALTER {name_of(words[1]).upper()}")
    if is_word(words[1], "user"):
        return _finish(DEFINITION, nodes, _user(nodes))
    if not is_word(words[1], "table"):
        return _finish(DEFINITION, nodes, translate_expressions(nodes))
    name, end = read_name(words, 2)
    action = words[end:]
    if is_word(_at(action, 0), "append"):
        return Statement(APPEND, nodes, target=name, alone=True)
    if is_word(_at(action, 0), "add") and not is_word(
        _at(action, 1), "constraint", "primary", "unique", "foreign"
    ):
        design = TableDesign()
        column = action[2:] if is_word(_at(action, 1), "column") else action[1:]
        created = sql(f"ALTER TABLE {name} ADD COLUMN {translate_column(column, design)}")
        notes = [] if design.is_empty else [sql(design.note(name))]
        return _finish(DEFINITION, nodes, created, *notes)
    if is_word(_at(action, 0), "alter"):
        return _alter_column(nodes, name, action)
    if is_word(_at(action, 1), "foreign") or is_word(_at(action, 3), "foreign"):
        raise UnsupportedSqlError("ALTER TABLE … ADD FOREIGN KEY")
    return _finish(DEFINITION, nodes, translate_expressions(nodes))


def _alter_column(nodes: list[Node], name: str, action: list[Node]) -> Statement:
    design = TableDesign()
    rest = action[2:] if is_word(_at(action, 1), "column") else action[1:]
    if is_word(_at(rest, 1), "type"):
        column = quote(name_of(rest[0]))
        kind = render(translate_type(rest[2:]))
        return _finish(
            DEFINITION, nodes, sql(f"ALTER TABLE {name} ALTER COLUMN {column} TYPE {kind}")
        )
    if is_word(_at(rest, 1), "encode"):
        design.encodings[name_of(rest[0])] = encoding(_at(rest, 2))
    else:
        read_table_attributes(
            [node for node in rest if not is_symbol(node, ",")]
            if not is_word(_at(rest, 0), "distkey")
            else [rest[0], *rest[1:]]
            if is_parenthesis(_at(rest, 1))
            else _key(rest),
            design,
        )
    return _finish(DEFINITION, nodes, sql(design.note(name)))


def _key(rest: list[Node]) -> list[Node]:
    """Write ``DISTKEY column`` of ALTER TABLE as CREATE TABLE does."""
    return [rest[0], Group("(", rest[1:2]), *rest[2:]]


def _drop(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    if is_word(_at(words, 1), *_REFUSED_OBJECTS):
        raise UnsupportedSqlError(f"DROP {name_of(words[1]).upper()}")
    alone = is_word(_at(words, 1), "database")
    return _finish(DEFINITION, nodes, translate_expressions(nodes), alone=alone)


def _truncate(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    name, end = read_name(words, 2 if is_word(_at(words, 1), "table") else 1)
    if end < len(words):
        raise SqlError(f'syntax error at or near "{render([words[end]])}"')
    return _finish(TRUNCATE, nodes, sql(f"TRUNCATE TABLE {name}"), target=name)


def _vacuum(nodes: list[Node]) -> Statement:
    words = significant(nodes)[1:]
    while words and is_word(words[0], "full", "sort", "delete", "only", "reindex", "recluster"):
        words.pop(0)
    table = ""
    if words and is_name(words[0]) and not is_word(words[0], "to", "boost"):
        table, _ = read_name(words, 0)
    return _finish(UTILITY, nodes, sql(f"VACUUM {table}"), alone=True)


def _analyze(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    if is_word(_at(words, 1), "compression"):
        raise UnsupportedSqlError("ANALYZE COMPRESSION")
    cut = next(
        (at for at, node in enumerate(words) if at and is_word(node, "predicate", "all")),
        len(words),
    )
    end = nodes.index(words[cut]) if cut < len(words) else len(nodes)
    return _finish(UTILITY, nodes, translate_expressions(nodes[:end]))


def _set(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    at = 2 if is_word(_at(words, 1), "session", "local") else 1
    setting = _at(words, at)
    if setting is not None and is_name(setting):
        name = name_of(setting)
        if name in _REFUSED_SETTINGS:
            raise UnsupportedSqlError(f"the setting {name}")
        if name in _SETTINGS:
            nodes = [Token(WORD, f"updraft.{name}") if node is setting else node for node in nodes]
    kind = TRANSACTION if is_word(setting, "transaction") else UTILITY
    return _finish(kind, nodes, translate_expressions(nodes))


def _show(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    if len(words) != 2 and not is_word(_at(words, 1), "time", "session"):  # noqa: PLR2004
        raise UnsupportedSqlError("SHOW of objects; ask the svv_ views")
    name = name_of(words[1])
    if name in _SETTINGS:
        text = f"SELECT coalesce(current_setting('updraft.{name}', true), '') AS {name}"
        return _finish(QUERY, nodes, sql(text))
    return _finish(QUERY, nodes, nodes)


def _explain(nodes: list[Node]) -> Statement:
    return _finish(QUERY, nodes, _expressed(nodes))


def _plain(kind: str, *, alone: bool = False) -> Callable[[list[Node]], Statement]:
    return lambda nodes: _finish(kind, nodes, _expressed(nodes), alone=alone)


def _raw(kind: str) -> Callable[[list[Node]], Statement]:
    return lambda nodes: Statement(kind, nodes)


def _grant(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    if is_word(_at(words, 1), "assumerole", "role"):
        raise UnsupportedSqlError(f"GRANT and REVOKE of {name_of(words[1]).upper()}")
    return _finish(DEFINITION, nodes, translate_expressions(nodes))


def _cancel(nodes: list[Node]) -> Statement:
    words = significant(nodes)
    number = render(words[1:2])
    if not number.isdigit():
        raise SqlError("CANCEL needs the number of a process")
    return _finish(QUERY, nodes, sql(f"SELECT pg_cancel_backend({number})"))


def _at(nodes: list[Node], position: int) -> Node | None:
    return nodes[position] if position < len(nodes) else None


_HANDLERS: dict[str, Callable[[list[Node]], Statement]] = {
    "abort": _plain(TRANSACTION),
    "alter": _alter,
    "analyse": _analyze,
    "analyze": _analyze,
    "begin": _plain(TRANSACTION),
    "call": _plain(UTILITY),
    "cancel": _cancel,
    "close": _plain(UTILITY),
    "comment": _plain(DEFINITION),
    "commit": _plain(TRANSACTION),
    "copy": _raw(COPY),
    "create": _create,
    "deallocate": _plain(UTILITY),
    "declare": _plain(UTILITY),
    "delete": _change,
    "drop": _drop,
    "end": _plain(TRANSACTION),
    "execute": _plain(QUERY),
    "explain": _explain,
    "fetch": _plain(QUERY),
    "grant": _grant,
    "insert": _change,
    "lock": _plain(UTILITY),
    "merge": _merge,
    "prepare": _plain(UTILITY),
    "refresh": _plain(DEFINITION),
    "reset": _set,
    "revoke": _grant,
    "rollback": _plain(TRANSACTION),
    "set": _set,
    "show": _show,
    "start": _plain(TRANSACTION),
    "truncate": _truncate,
    "unload": _raw(UNLOAD),
    "update": _change,
    "vacuum": _vacuum,
    "with": _with,
}
