"""Statements that make, change and remove objects of the database."""

from include.local.gateway.services.redshift_engine.data_types import translate_type
from include.local.gateway.services.redshift_engine.expressions import translate_expressions
from include.local.gateway.services.redshift_engine.statement import (
    APPEND,
    DEFINITION,
    Statement,
    expressed,
    finish,
    node_at,
    read_name,
)
from include.local.gateway.services.redshift_engine.table_definitions import (
    TableDesign,
    encoding,
    read_table_attributes,
    translate_column,
    translate_columns,
)
from include.local.gateway.services.redshift_engine.tokens import (
    BODY,
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

_REFUSED_OBJECTS = (
    *("external", "library", "model", "datashare", "masking", "rls", "identity", "template"),
)


def create(nodes: list[Node]) -> Statement:  # noqa: PLR0911 - one kind after the other
    """Translate CREATE of whatever it is."""
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
        return finish(DEFINITION, nodes, expressed(written))
    if kinds[:1] == ["user"]:
        return finish(DEFINITION, nodes, _user(nodes))
    if kinds[:1] == ["database"]:
        name, _ = read_name(words, 2)
        return finish(DEFINITION, nodes, sql(f"CREATE DATABASE {name}"), alone=True)
    if "function" in kinds[:3] or "procedure" in kinds[:3]:
        return finish(DEFINITION, nodes, _routine(nodes))
    if kinds[:1] == ["schema"]:
        cut = next((at for at, node in enumerate(nodes) if is_word(node, "quota")), len(nodes))
        return finish(DEFINITION, nodes, translate_expressions(nodes[:cut]))
    if kinds[:1] in (["group"], ["role"]):
        return finish(DEFINITION, nodes, translate_expressions(nodes))
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
        created = [*sql(f"{head} {columns} "), *expressed(tail)]
    else:
        if not isinstance(group, Group):
            raise SqlError("syntax error at end of input")
        created = sql(f"{head} ({translate_columns(group, design)})")
    notes = [] if design.is_empty else [sql(design.note(name))]
    return finish(DEFINITION, nodes, created, *notes)


def _create_materialized_view(nodes: list[Node], words: list[Node]) -> Statement:
    name, end = read_name(words, 3)
    query = next((at for at, node in enumerate(words) if at >= end and is_word(node, "as")), None)
    if query is None:
        raise SqlError("syntax error at end of input")
    read_table_attributes(words[end:query], TableDesign())
    tail = nodes[nodes.index(words[query]) :]
    created = [*sql(f"CREATE MATERIALIZED VIEW {name} "), *expressed(tail)]
    return finish(DEFINITION, nodes, created)


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


def alter(nodes: list[Node]) -> Statement:
    """Translate ALTER."""
    words = significant(nodes)
    if is_word(words[1] if len(words) > 1 else None, *_REFUSED_OBJECTS):
        raise UnsupportedSqlError(f"ALTER {name_of(words[1]).upper()}")
    if is_word(words[1], "user"):
        return finish(DEFINITION, nodes, _user(nodes))
    if not is_word(words[1], "table"):
        return finish(DEFINITION, nodes, translate_expressions(nodes))
    name, end = read_name(words, 2)
    action = words[end:]
    if is_word(node_at(action, 0), "append"):
        return Statement(APPEND, nodes, target=name, alone=True)
    if is_word(node_at(action, 0), "add") and not is_word(
        node_at(action, 1), "constraint", "primary", "unique", "foreign"
    ):
        design = TableDesign()
        column = action[2:] if is_word(node_at(action, 1), "column") else action[1:]
        created = sql(f"ALTER TABLE {name} ADD COLUMN {translate_column(column, design)}")
        notes = [] if design.is_empty else [sql(design.note(name))]
        return finish(DEFINITION, nodes, created, *notes)
    if is_word(node_at(action, 0), "alter"):
        return _alter_column(nodes, name, action)
    if is_word(node_at(action, 1), "foreign") or is_word(node_at(action, 3), "foreign"):
        raise UnsupportedSqlError("ALTER TABLE … ADD FOREIGN KEY")
    return finish(DEFINITION, nodes, translate_expressions(nodes))


def _alter_column(nodes: list[Node], name: str, action: list[Node]) -> Statement:
    design = TableDesign()
    rest = action[2:] if is_word(node_at(action, 1), "column") else action[1:]
    if is_word(node_at(rest, 1), "type"):
        column = quote(name_of(rest[0]))
        kind = render(translate_type(rest[2:]))
        return finish(
            DEFINITION, nodes, sql(f"ALTER TABLE {name} ALTER COLUMN {column} TYPE {kind}")
        )
    if is_word(node_at(rest, 1), "encode"):
        design.encodings[name_of(rest[0])] = encoding(node_at(rest, 2))
    else:
        read_table_attributes(
            [node for node in rest if not is_symbol(node, ",")]
            if not is_word(node_at(rest, 0), "distkey")
            else [rest[0], *rest[1:]]
            if is_parenthesis(node_at(rest, 1))
            else _key(rest),
            design,
        )
    return finish(DEFINITION, nodes, sql(design.note(name)))


def _key(rest: list[Node]) -> list[Node]:
    """Write ``DISTKEY column`` of ALTER TABLE as CREATE TABLE does."""
    return [rest[0], Group("(", rest[1:2]), *rest[2:]]


def drop(nodes: list[Node]) -> Statement:
    """Translate DROP."""
    words = significant(nodes)
    if is_word(node_at(words, 1), *_REFUSED_OBJECTS):
        raise UnsupportedSqlError(f"DROP {name_of(words[1]).upper()}")
    alone = is_word(node_at(words, 1), "database")
    return finish(DEFINITION, nodes, translate_expressions(nodes), alone=alone)


def grant(nodes: list[Node]) -> Statement:
    """Translate GRANT and REVOKE."""
    words = significant(nodes)
    if is_word(node_at(words, 1), "assumerole", "role"):
        raise UnsupportedSqlError(f"GRANT and REVOKE of {name_of(words[1]).upper()}")
    return finish(DEFINITION, nodes, translate_expressions(nodes))
