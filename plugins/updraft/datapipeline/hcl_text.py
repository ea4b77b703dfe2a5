"""HCL, Terraform's own syntax, as positioned values in the shape of Terraform's JSON syntax.

Blocks become objects under their labels, and expressions become texts with ``${…}`` around them
(Terraform's guide, "JSON Configuration Syntax"), so that what comes after knows one shape only.
"""

import json
import re
import textwrap

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError, UnexpectedInput

from updraft.datapipeline.findings import Position
from updraft.datapipeline.json_text import (
    DEEPEST_NESTING,
    LARGEST_TEXT,
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonSyntaxError,
    JsonValue,
    depth_of,
)

Node = Tree[Token]
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


def parse_hcl(text: str) -> JsonObject:
    """Read a file in HCL.

    :param text: the text.
    :returns: blocks and attributes; blocks that are repeated stand side by side.
    :raises JsonSyntaxError: when it is not HCL, too large or nested too deeply.
    """
    tree = parse_tree(text.replace("\r\n", "\n"))
    return _Reader(text.replace("\r\n", "\n")).body(tree.children[0], Position(line=1, column=1), 0)


def parse_expression(text: str) -> Node:
    """Read an expression.

    :param text: what stands between ``${`` and ``}``.
    :returns: the tree of the expression.
    :raises JsonSyntaxError: when it is none.
    """
    tree = parse_tree(f"value = ({text}\n)" if "<<" in text else f"value = ({text})")
    attributes = list(tree.find_data("attribute"))
    return trees(attributes[-1])[-1]


def parse_tree(text: str) -> Node:
    """Read a text as the library does.

    :param text: HCL.
    :returns: the tree with positions.
    :raises JsonSyntaxError: when it is not HCL, or too large.
    """
    start = Position(line=1, column=1)
    if len(text) > LARGEST_TEXT:
        message = f"The file has {len(text):,} characters; no configuration has {LARGEST_TEXT:,}"
        raise JsonSyntaxError(message, start, "Give the file with the pipeline")
    advice = "Look for a bracket, quote or equals sign that is missing or too many"
    try:
        return hcl2.parses_to_tree(text)
    except UnexpectedInput as error:
        position = Position(line=max(error.line, 1), column=max(error.column, 1))
        raise JsonSyntaxError("The file is not HCL", position, advice) from None
    except (LarkError, RecursionError):
        raise JsonSyntaxError("The file is not HCL", start, advice) from None


def trees(node: Node) -> list[Node]:
    """List the parts of a node without tokens, line breaks and comments.

    :param node: a node.
    :returns: its children that are nodes.
    """
    return [
        child
        for child in node.children
        if isinstance(child, Tree) and child.data != "new_line_or_comment"
    ]


def token_text(node: Node) -> str:
    """Give the text of a node's tokens.

    :param node: a node such as a name or a number.
    :returns: its text.
    """
    return "".join(str(child) for child in node.children if isinstance(child, Token))


def unescaped(text: str) -> str:
    """Replace the escapes of a quoted text.

    :param text: what stands between the quotes.
    :returns: the characters that are meant.
    """

    def character(match: re.Match[str]) -> str:
        escape = match[1]
        if len(escape) == 1:
            return _LETTERS.get(escape, escape)
        number = int(escape[1:], 16)
        surrogate = 0xD800 <= number <= 0xDFFF  # noqa: PLR2004 the range that Unicode sets aside
        return "\ufffd" if surrogate or number > 0x10FFFF else chr(number)  # noqa: PLR2004 Unicode

    return _ESCAPE.sub(character, text)


def heredoc(text: str) -> str:
    """Give the content of a text in several lines.

    :param text: from ``<<`` to the closing word.
    :returns: the lines; of ``<<-`` without the indentation they have in common.
    """
    opening, _, rest = text.partition("\n")
    lines = rest.rstrip().split("\n")[:-1]
    content = "".join(f"{line}\n" for line in lines)
    return textwrap.dedent(content) if opening.startswith("<<-") else content


def reference_path(node: Node) -> tuple[str, ...] | None:
    """Give the names of a reference such as ``aws_s3_bucket.logs[0].id``.

    :param node: an expression.
    :returns: its names; none when it is no reference, or one that has to be worked out.
    """
    inner = trees(node)
    if node.data == "identifier":
        return (token_text(node),)
    if node.data == "expr_term" and len(inner) == 1:
        return reference_path(inner[0])
    if node.data not in {"get_attr_expr_term", "index_expr_term"}:
        return None
    before, key = reference_path(inner[0]), _key(inner[1])
    return (*before, key) if before is not None and key is not None else None


def _key(node: Node) -> str | None:
    """Give the last name of a reference, none when it has to be worked out."""
    if node.data == "short_index":
        return token_text(node).strip(".")
    key = trees(node)[0]
    if node.data == "get_attr":
        return token_text(key)
    literal = [one for one in key.iter_subtrees() if one.data in {"int_lit", "string_part"}]
    return token_text(literal[0]) if len(literal) == 1 else None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def body(self, node: object, position: Position, level: int) -> JsonObject:
        if level > DEEPEST_NESTING:
            raise JsonSyntaxError(
                f"The text is nested more than {DEEPEST_NESTING} levels deep",
                position,
                "Look for brackets that are too many",
            )
        members: list[JsonMember] = []
        for child in trees(node) if isinstance(node, Tree) else ():
            if child.data == "attribute":
                name, value = trees(child)[0], trees(child)[-1]
                where = _position(child)
                members.append(JsonMember(token_text(name), self.value(value, level + 1), where))
            elif child.data == "block":
                members.append(self._block(child, level))
        return JsonObject(tuple(members), position, depth_of(one.value for one in members))

    def _block(self, node: Node, level: int) -> JsonMember:
        *labels, body = trees(node)
        where = _position(node)
        names = [
            _literal(label) if label.data == "string" else token_text(label) for label in labels
        ]
        value: JsonValue = self.body(body, where, level + 1)
        for name in reversed(names[1:]):
            value = JsonObject((JsonMember(name, value, where),), where, depth_of((value,)))
        return JsonMember(names[0], value, where)

    def value(self, node: Node, level: int) -> JsonValue:
        where = _position(node)
        inner = trees(node)
        if node.data == "expr_term" and len(inner) == 1 and not _in_brackets(node):
            node = inner[0]
        if level > DEEPEST_NESTING:
            return self.body(None, where, level)
        if node.data == "tuple":
            items = tuple(self.value(item, level + 1) for item in trees(node))
            return JsonArray(items, where, depth_of(items))
        if node.data == "object":
            members = tuple(self._element(one, level) for one in trees(node))
            return JsonObject(members, where, depth_of(one.value for one in members))
        if node.data in {"int_lit", "float_lit", "literal_value"}:
            return JsonScalar(json_value(token_text(node)), token_text(node), where)
        if node.data in {"heredoc_template", "heredoc_template_trim"}:
            # Its content begins on the next line.
            where = Position(line=where.line + 1, column=1)
        text = self._text_of(node)
        return JsonScalar(text, text, where)

    def _text_of(self, node: Node) -> str:
        if node.data == "string":
            return self._template(node)
        if node.data in {"heredoc_template", "heredoc_template_trim"}:
            return heredoc(token_text(node))
        return f"${{{self._source(node)}}}"

    def _element(self, node: Node, level: int) -> JsonMember:
        key, value = trees(node)[0], trees(node)[-1]
        term = trees(key)[0] if trees(key) else key
        inner = trees(term)
        if inner and inner[0].data == "string" and not _in_brackets(term):
            name = self._template(inner[0])
        elif inner and inner[0].data != "identifier":
            name = f"${{{self._source(term)}}}"
        else:
            name = token_text(inner[0]) if inner else token_text(key)
        return JsonMember(name, self.value(value, level + 1), _position(node))

    def _template(self, node: Node) -> str:
        text = ""
        for part in trees(node):
            inner = trees(part)
            text += self._source(inner[0]) if inner else unescaped(token_text(part))
        return text

    def _source(self, node: Node) -> str:
        return self._text[node.meta.start_pos : node.meta.end_pos].strip()


def json_value(text: str) -> str | float | bool | None:
    """Read a number, ``true``, ``false`` or ``null``.

    :param text: as written.
    :returns: its value; the text itself when it is too large a number.
    """
    try:
        value: str | float | bool | None = json.loads(text)
    except ValueError:
        return text
    return value


def _literal(node: Node) -> str:
    return unescaped("".join(token_text(part) for part in trees(node)))


def _in_brackets(node: Node) -> bool:
    return any(isinstance(child, Token) and child.type == "LPAR" for child in node.children)


def _position(node: Node) -> Position:
    meta = node.meta
    if meta.empty:
        return Position(line=1, column=1)
    return Position(line=meta.line, column=meta.column)
