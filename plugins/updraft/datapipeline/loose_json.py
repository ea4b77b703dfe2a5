"""JSON that is none, read as it is plainly meant.

Files of definitions are often templates or sources that a tool cleans up before they are put: they
hold comments, line breaks inside of texts, single quotes or ``True``. What they mean is beyond
doubt, so that refusing them would help nobody; whoever reads them is told what is not JSON.
"""

import json
import re
from functools import cache
from importlib import resources
from typing import Any

from lark import Lark, Token
from lark.exceptions import LarkError

from updraft.datapipeline.findings import Position
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonBuilder,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonSyntaxError,
    JsonValue,
    position_of,
    with_whole_characters,
)

_START = re.compile(
    r"(?:\s|//[^\n]*|/\*[\s\S]*?\*/|#[^\n]*|\{%[\s\S]*?%\}|\{#[\s\S]*?#\})*[\[{](?![%#])"
)
# Larger files are no definitions, and reading them would take its time.
_LARGEST = 2_000_000
_STATEMENT = re.compile(r"\{%[\s\S]*?%\}")
_ESCAPE = re.compile(
    r"\\(?:(?P<json>[\"\\/bfnrt]|u[0-9a-fA-F]{4})|x(?P<hex>[0-9a-fA-F]{2})|(?P<any>[\s\S]))"
)
_QUOTE = re.compile(r"\\[\s\S]|\"")
# Of JavaScript, Python, Ruby and YAML.
_CONSTANTS: dict[str, bool | None] = {
    "true": True,
    "false": False,
    "null": None,
    "none": None,
    "nil": None,
    "undefined": None,
    "nan": None,
}


def looks_like_json(text: str) -> bool:
    """Tell whether a text is meant as JSON.

    :param text: the text.
    :returns: true when the first thing in it that is no comment is a bracket.
    """
    return _START.match(text) is not None


def statement_of_template(text: str) -> Position | None:
    """Find where a template decides or repeats something.

    :param text: the text.
    :returns: the place of the first statement such as ``{% for … %}``.
    """
    found = _STATEMENT.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    return Position(line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))


def parse_loose_json(text: str) -> tuple[JsonValue, ...]:
    """Read a text that is nearly JSON.

    :param text: the text, of one or several documents.
    :returns: the documents; none when brackets and quotes don't close, or it is nested too deeply.
    """
    if len(text) > _LARGEST:
        return ()
    try:
        documents: Any = _parser().parse(text)
    except (LarkError, JsonSyntaxError, RecursionError):
        return ()
    read: tuple[JsonValue, ...] = documents
    return read


@cache
def _parser() -> Lark:
    grammar = resources.files("updraft.datapipeline").joinpath("loose_json.lark").read_text("utf-8")
    return Lark(
        grammar,
        parser="lalr",
        start="documents",
        transformer=_LooseBuilder(),
        maybe_placeholders=False,
    )


class _LooseBuilder(JsonBuilder):
    def documents(self, children: list[JsonValue]) -> tuple[JsonValue, ...]:
        return tuple(one for one in children if isinstance(one, JsonObject | JsonArray))

    def text(self, children: list[Token]) -> JsonScalar:
        text = _text(children[0])
        return JsonScalar(text, text, position_of(children[0]))

    def number(self, children: list[Token]) -> JsonScalar:
        return JsonScalar(float(children[0]), str(children[0]), position_of(children[0]))

    def name(self, children: list[Token]) -> JsonScalar:
        token = children[0]
        folded = token.casefold()
        if folded in _CONSTANTS:
            value = _CONSTANTS[folded]
            return JsonScalar(value, json.dumps(value), position_of(token))
        return JsonScalar(str(token), str(token), position_of(token))

    def placeholder(self, children: list[Token]) -> JsonScalar:
        token = children[0]
        text = re.sub(r"^\$(\w+)$", r"${\1}", token)
        return JsonScalar(text, text, position_of(token))

    def member(self, children: list[Any]) -> JsonMember:
        key, value = children
        name = str(key) if key.type == "NAME" else _text(key)
        return JsonMember(name, value, position_of(key))


def _text(token: Token) -> str:
    # Within single quotes, a double one is a character as any other.
    inner = _QUOTE.sub(_quoted, token[1:-1]) if token.type == "SINGLE" else token[1:-1]
    return with_whole_characters(json.loads(f'"{_ESCAPE.sub(_kept, inner)}"', strict=False))


def _quoted(found: re.Match[str]) -> str:
    return '\\"' if found[0] == '"' else found[0]


def _kept(escape: re.Match[str]) -> str:
    """Leave a backslash that starts no escape where it is; one before a quote has done its work."""
    if escape["json"] is not None:
        return escape[0]
    if escape["hex"] is not None:
        return f"\\u00{escape['hex']}"
    return "'" if escape["any"] == "'" else f"\\\\{escape['any']}"
