"""JSON that remembers where everything stood.

The standard library's reader forgets positions and keeps only the last of several equal keys.
Definitions repeat keys on purpose (the guide's own samples do), and a finding without line and
column sends the reader searching, hence a grammar of our own for a standard format.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from updraft.datapipeline.findings import Position
from updraft.datapipeline.open_values import OpenValue, Part, splice
from updraft.errors import UpdraftError

# The service takes at most 100 objects of 15,360 bytes (guide, "Web Service Limits").
LARGEST_TEXT = 8_000_000
DEEPEST_NESTING = 64


class JsonSyntaxError(UpdraftError):
    """The text is not JSON.

    :param message: what is wrong, one sentence.
    :param position: where.
    :param advice: what to do.
    """

    def __init__(self, message: str, position: Position, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.advice = advice


@dataclass(frozen=True, slots=True)
class JsonScalar:
    """A string, number, boolean or null: its Python value and its text in the file.

    :param parts: the texts and open values that a template makes it of, if any are open.
    """

    value: str | float | bool | None
    source: str
    position: Position
    parts: tuple[Part, ...] = ()

    @property
    def open_values(self) -> tuple[OpenValue, ...]:
        """What the value depends on and the file does not give."""
        return tuple(part for part in self.parts if isinstance(part, OpenValue))

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """The parts, of a value that is known its text."""
        return self.parts or (self.text,)

    @property
    def text(self) -> str:
        """The value as the service stores it, which knows only text."""
        return self.value if isinstance(self.value, str) else self.source


@dataclass(frozen=True, slots=True)
class JsonArray:
    """An array."""

    items: tuple["JsonValue", ...]
    position: Position
    depth: int
    trailing_commas: tuple[Position, ...] = ()


@dataclass(frozen=True, slots=True)
class JsonMember:
    """One key of an object with its value; equal keys are kept side by side."""

    key: str
    value: "JsonValue"
    position: Position


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object: its members in the order of the file."""

    members: tuple[JsonMember, ...]
    position: Position
    depth: int
    trailing_commas: tuple[Position, ...] = ()

    def values(self, key: str) -> tuple["JsonValue", ...]:
        """Give all values written for a key.

        :param key: the key.
        :returns: its values in the order of the file, none when the key is absent.
        """
        return tuple(member.value for member in self.members if member.key == key)


JsonValue = JsonScalar | JsonArray | JsonObject


def joined(parts: Sequence[Part], position: Position) -> JsonScalar:
    """Make one text of several parts.

    :param parts: texts and open values.
    :param position: where the text shall stand.
    :returns: the text; open values stand in it as expressions.
    """
    text = splice(parts)
    open_parts = any(isinstance(part, OpenValue) for part in parts)
    return JsonScalar(text, text, position, tuple(parts) if open_parts else ())


def depth_of(values: Iterable[JsonValue]) -> int:
    """Measure the nesting of a collection.

    :param values: what stands in it.
    :returns: 1 for a collection of scalars.
    """
    return 1 + max(
        (value.depth for value in values if not isinstance(value, JsonScalar)), default=0
    )


def parse_json(text: str) -> JsonValue:
    """Read a JSON text.

    :param text: the text; a byte order mark in front is ignored.
    :returns: the value with positions.
    :raises JsonSyntaxError: when it is not JSON, too large or nested too deeply.
    """
    start = Position(line=1, column=1)
    if len(text) > LARGEST_TEXT:
        raise JsonSyntaxError(
            f"The file has {len(text):,} characters; no definition is larger than {LARGEST_TEXT:,}",
            start,
            "Give the pipeline definition itself, not a file of data",
        )
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise JsonSyntaxError("The file is empty", start, "Give a pipeline definition in JSON")
    try:
        value: Any = _parser().parse(text)
    except VisitError as error:
        if isinstance(error.orig_exc, JsonSyntaxError):
            raise error.orig_exc from None
        raise
    except UnexpectedInput as error:
        raise _syntax_error(error, text) from None
    parsed: JsonValue = value
    return parsed


def plain(value: JsonValue) -> Any:
    """Drop the positions.

    :param value: a value with positions.
    :returns: dict, list, str, float, int, bool or None; of equal keys the last one wins.
    """
    if isinstance(value, JsonObject):
        return {member.key: plain(member.value) for member in value.members}
    if isinstance(value, JsonArray):
        return [plain(item) for item in value.items]
    return value.value


@cache
def _parser() -> Lark:
    grammar = resources.files("updraft.datapipeline").joinpath("json_text.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", transformer=JsonBuilder(), maybe_placeholders=False)


def position_of(token: Token) -> Position:
    """Say where a token stands.

    :param token: the token.
    :returns: its line and column.
    """
    return Position(line=token.line or 1, column=token.column or 1)


def with_whole_characters(text: str) -> str:
    """Join the two halves by which escapes write a character beyond U+FFFF.

    :param text: a text whose escapes were read one by one.
    :returns: the text; half of a pair, which is no character and goes into no file, is U+FFFD.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _decode(token: Token) -> Any:
    try:
        value = json.loads(token)
    except ValueError:
        # An integer beyond the interpreter's digit limit: its text is all that is needed.
        return str(token)
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise JsonSyntaxError(
            "The string holds half of a surrogate pair, which is no character",
            position_of(token),
            "Write the character itself, or both halves of its \\u escape",
        )
    return value


def _depth(values: list[JsonValue], opening: Token) -> int:
    depth = depth_of(values)
    if depth > DEEPEST_NESTING:
        raise JsonSyntaxError(
            f"The text is nested more than {DEEPEST_NESTING} levels deep",
            position_of(opening),
            "A pipeline definition needs four levels; look for brackets that are too many",
        )
    return depth


class JsonBuilder(Transformer[Token, JsonValue]):
    """Builds values while the parser runs, so that no deep tree is ever walked."""

    def scalar(self, children: list[Token]) -> JsonScalar:
        """Build a value that has no others in it."""
        token = children[0]
        return JsonScalar(_decode(token), str(token), position_of(token))

    def placeholder(self, children: list[Token]) -> JsonScalar:
        """Keep what a tool fills in."""
        token = children[0]
        return JsonScalar(str(token), str(token), position_of(token))

    def member(self, children: list[Any]) -> JsonMember:
        """Build a key with its value."""
        key, value = children
        return JsonMember(_decode(key), value, position_of(key))

    def object(self, children: list[Any]) -> JsonObject:
        """Build an object."""
        opening, *members = children
        trailing = [position_of(child) for child in members if isinstance(child, Token)]
        kept = tuple(child for child in members if isinstance(child, JsonMember))
        depth = _depth([member.value for member in kept], opening)
        return JsonObject(kept, position_of(opening), depth, tuple(trailing))

    def array(self, children: list[Any]) -> JsonArray:
        """Build an array."""
        opening, *items = children
        trailing = [position_of(child) for child in items if isinstance(child, Token)]
        kept = tuple(child for child in items if not isinstance(child, Token))
        return JsonArray(kept, position_of(opening), _depth(list(kept), opening), tuple(trailing))


def _syntax_error(error: UnexpectedInput, text: str) -> JsonSyntaxError:
    offset = error.pos_in_stream if error.pos_in_stream is not None else -1
    token = getattr(error, "token", None)
    if offset < 0 or offset >= len(text) or (token is not None and token.type == "$END"):
        lines = text.rstrip().split("\n")
        return JsonSyntaxError(
            "The file ends in the middle of the definition",
            Position(line=len(lines), column=len(lines[-1]) + 1),
            "Look for a bracket or a quote that is never closed",
        )
    found = text[offset]
    advice = {
        "'": "JSON wants double quotes around keys and strings",
        "$": "Fill in the template first: placeholders outside of strings are not JSON",
        "/": "Remove the comment: JSON has none",
        "#": "Remove the comment: JSON has none",
        '"': "Look for a missing comma or colon before it, a line break inside the string, "
        "or a backslash that starts no escape",
    }.get(found, "Look for a missing or surplus comma, bracket or quote just before it")
    return JsonSyntaxError(
        f"The file is not JSON: unexpected {found!r}",
        Position(line=max(error.line, 1), column=max(error.column, 1)),
        advice,
    )
