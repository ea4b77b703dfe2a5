"""SQL as tokens and nested groups, so that constructs can be replaced and all else left as it is.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_commands.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

SPACE, STRING, BODY, QUOTED, NUMBER, WORD, PARAMETER, SYMBOL = (
    "space",
    "string",
    "body",
    "quoted",
    "number",
    "word",
    "parameter",
    "symbol",
)

# Backslashes escape in strings of Redshift; a name after a colon is a parameter of the Data API.
_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
    |(?P<string>(?:\b[eEnN])?'(?:[^'\\]|''|\\.)*')
    |(?P<body>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?P=tag)\$|\$\$.*?\$\$)
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<parameter>(?<!:):[^\W\d]\w*)
    |(?P<symbol>::|\|\||[<>!]=|<>|.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_CLOSERS = {"(": ")", "[": "]"}


class SqlError(Exception):
    """SQL that can't be executed; the text is the database's error message.

    :param message: what is wrong.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnsupportedSqlError(SqlError):
    """SQL of Redshift's that the local stack does not execute.

    :param construct: what it is.
    """

    def __init__(self, construct: str) -> None:
        super().__init__(
            f"the local stack does not execute {construct} (docs/local-redshift.md lists what it "
            "leaves out)"
        )


@dataclass
class Token:
    """A token.

    :param kind: what it is; comments are space.
    :param text: as it is written.
    :param start: where it begins in the text.
    """

    kind: str
    text: str
    start: int = -1

    def is_word(self, *words: str) -> bool:
        """Tell whether it is one of some words, in any case.

        :param words: the words, in lower case.
        """
        return self.kind == WORD and self.text.lower() in words


@dataclass
class Group:
    """What stands between brackets.

    :param opener: the opening bracket.
    :param nodes: what is inside.
    :param start: where it begins in the text.
    """

    opener: str
    nodes: list["Node"] = field(default_factory=list)
    start: int = -1


Node = Token | Group


def tokenize(text: str) -> list[Token]:
    """Split SQL.

    :param text: the SQL.
    :returns: all of it as tokens.
    :raises SqlError: when a string or a comment doesn't end.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text.startswith("/*", position):
            end = _end_of_comment(text, position)
            tokens.append(Token(SPACE, text[position:end], position))
            position = end
            continue
        match = _TOKEN.match(text, position)
        assert match is not None  # noqa: S101 - any character is a symbol
        kind = next(name for name in _KINDS if match[name] is not None)
        if kind == SYMBOL and match[0] in "'\"":
            what = "string" if match[0] == "'" else "identifier"
            rest = text[position : position + 60]
            raise SqlError(f'unterminated quoted {what} at or near "{rest}"')
        tokens.append(Token(kind, match[0], position))
        position = match.end()
    return tokens


_KINDS = (SPACE, STRING, BODY, QUOTED, NUMBER, WORD, PARAMETER, SYMBOL)


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for mark in _COMMENT.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise SqlError(f'unterminated /* comment at or near "{text[start : start + 60]}"')


def parse(tokens: Sequence[Token]) -> list[Node]:
    """Nest tokens by their brackets.

    :param tokens: the tokens.
    :returns: tokens and groups.
    :raises SqlError: when brackets don't match.
    """
    stack: list[Group] = [Group("")]
    for token in tokens:
        if token.kind == SYMBOL and token.text in _CLOSERS:
            stack.append(Group(token.text, start=token.start))
        elif token.kind == SYMBOL and token.text in _CLOSERS.values():
            group = stack.pop() if len(stack) > 1 else None
            if group is None or _CLOSERS[group.opener] != token.text:
                raise SqlError(f'syntax error at or near "{token.text}"')
            stack[-1].nodes.append(group)
        else:
            stack[-1].nodes.append(token)
    if len(stack) > 1:
        raise SqlError("syntax error at end of input")
    return stack[0].nodes


def render(nodes: Sequence[Node]) -> str:
    """Write nodes as text.

    :param nodes: tokens and groups.
    :returns: the SQL.
    """
    return "".join(_rendered(nodes))


def _rendered(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Group):
            yield node.opener
            yield from _rendered(node.nodes)
            yield _CLOSERS[node.opener]
        else:
            yield node.text


def sql(text: str) -> list[Node]:
    """Read a piece of SQL of our own.

    :param text: the SQL.
    :returns: its nodes.
    """
    return parse(tokenize(text))


def significant(nodes: Sequence[Node]) -> list[Node]:
    """Leave out spaces and comments.

    :param nodes: the nodes.
    :returns: the rest.
    """
    return [node for node in nodes if not (isinstance(node, Token) and node.kind == SPACE)]


def strip(nodes: Sequence[Node]) -> list[Node]:
    """Cut spaces and comments off both ends.

    :param nodes: the nodes.
    :returns: the rest.
    """
    begin, end = 0, len(nodes)
    while begin < end and is_space(nodes[begin]):
        begin += 1
    while end > begin and is_space(nodes[end - 1]):
        end -= 1
    return list(nodes[begin:end])


def is_space(node: Node) -> bool:
    """Tell whether a node is space or a comment."""
    return isinstance(node, Token) and node.kind == SPACE


def is_word(node: Node | None, *words: str) -> bool:
    """Tell whether a node is one of some words."""
    return isinstance(node, Token) and node.is_word(*words)


def is_symbol(node: Node | None, text: str) -> bool:
    """Tell whether a node is a symbol."""
    return isinstance(node, Token) and node.kind == SYMBOL and node.text == text


def is_name(node: Node | None) -> bool:
    """Tell whether a node can be a name."""
    return isinstance(node, Token) and node.kind in {WORD, QUOTED}


def is_parenthesis(node: Node | None) -> bool:
    """Tell whether a node is a group in parentheses."""
    return isinstance(node, Group) and node.opener == "("


def name_of(node: Node) -> str:
    """Read a name, which Redshift writes small.

    :param node: a word or a quoted identifier.
    :returns: the name.
    """
    assert isinstance(node, Token)  # noqa: S101 - the caller has looked
    if node.kind == QUOTED:
        return node.text[1:-1].replace('""', '"').lower()
    return node.text.lower()


def quote(name: str) -> str:
    """Write a name as an identifier.

    :param name: the name.
    :returns: it in quotation marks.
    """
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Write text as a string.

    :param value: the text.
    :returns: it in quotation marks, with backslashes doubled.
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def string_value(node: Node) -> str:
    """Read a string.

    :param node: a token of that kind.
    :returns: its text.
    """
    assert isinstance(node, Token)  # noqa: S101 - the caller has looked
    inner = node.text[node.text.index("'") + 1 : -1]
    return re.sub(
        r"''|\\(.)",
        lambda m: "'" if m[0] == "''" else _ESCAPES.get(m[1], m[1]),
        inner,
        flags=re.DOTALL,
    )


_ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0"}


def split(nodes: Sequence[Node], symbol: str = ",") -> list[list[Node]]:
    """Split nodes at a symbol of the same level.

    :param nodes: the nodes.
    :param symbol: what they are split at.
    :returns: what stands between; empty for no nodes at all.
    """
    if not strip(nodes):
        return []
    parts: list[list[Node]] = [[]]
    for node in nodes:
        if is_symbol(node, symbol):
            parts.append([])
        else:
            parts[-1].append(node)
    return [strip(part) for part in parts]


def next_significant(nodes: Sequence[Node], position: int) -> int:
    """Find the next node that is no space.

    :param nodes: the nodes.
    :param position: where to begin.
    :returns: its position; the number of nodes when there is none.
    """
    while position < len(nodes) and is_space(nodes[position]):
        position += 1
    return position


def statements(text: str) -> list[str]:
    """Split a script into its statements.

    :param text: statements with semicolons between them.
    :returns: the statements that are not empty, without semicolons.
    """
    parts = split(list(tokenize(text)), ";")
    return [render(part) for part in parts if significant(part)]
