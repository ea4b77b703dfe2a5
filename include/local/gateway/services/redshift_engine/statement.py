"""What a translated statement is, and what all translations share."""

from dataclasses import dataclass, field

from include.local.gateway.services.redshift_engine.expressions import translate_expressions
from include.local.gateway.services.redshift_engine.selects import translate_selects
from include.local.gateway.services.redshift_engine.tokens import (
    PARAMETER,
    Group,
    Node,
    SqlError,
    Token,
    is_name,
    is_symbol,
    name_of,
    quote,
    render,
)

QUERY, CHANGE, DEFINITION, UTILITY, TRANSACTION = (
    "query",
    "change",
    "definition",
    "utility",
    "transaction",
)


TRUNCATE, APPEND, COPY, UNLOAD = "truncate", "append", "copy", "unload"


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


def finish(kind: str, nodes: list[Node], *written: list[Node], **more: object) -> Statement:
    """Put a translated statement together.

    :param kind: what it is.
    :param nodes: Redshift's SQL.
    :param written: what PostgreSQL executes, with names of parameters still in it.
    :param more: other attributes of the statement.
    """
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


def expressed(nodes: list[Node]) -> list[Node]:
    """Translate queries and expressions.

    :param nodes: Redshift's SQL.
    :returns: PostgreSQL's.
    """
    return translate_expressions(translate_selects(nodes))


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


def node_at(nodes: list[Node], position: int) -> Node | None:
    """Give the node at a position, None behind the end."""
    return nodes[position] if position < len(nodes) else None
