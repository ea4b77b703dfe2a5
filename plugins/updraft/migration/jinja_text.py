"""Writing Jinja templates: expressions, string literals, and text that must stay text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jinja2 import Environment

# How the service prints an instant that no function formats.
_PLAIN_INSTANT = "%Y-%m-%dT%H:%M:%S"
# It only cuts templates into pieces.
_LEXER = Environment(keep_trailing_newline=True)  # noqa: S701 renders nothing


@dataclass(frozen=True, slots=True)
class JinjaCode:
    """A Jinja expression and what it yields."""

    text: str
    kind: Literal["text", "number", "instant"]


JinjaText = tuple[str | JinjaCode, ...]


def parameter_code(name: str) -> str:
    """Write the value of a parameter as an expression of Jinja.

    :param name: the parameter.
    :returns: an expression that reads it from ``params``.
    """
    # Jinja takes `params.items` for the method of the dict. No method starts with "my", as the
    # names of parameters should.
    return f"params.{name}" if name.startswith("my") else f"params[{jinja_string(name)}]"


def jinja_string(text: str) -> str:
    r"""Write a text as a string literal of Jinja.

    :param text: any text.
    :returns: the literal in single quotes.
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return "'" + escaped.replace("\n", "\\n").replace("\r", "\\r") + "'"


def is_text(value: JinjaText) -> bool:
    """Tell whether a value is text, so that ``+`` concatenates.

    :param value: the value.
    :returns: false for a single number or instant.
    """
    return len(value) != 1 or isinstance(value[0], str) or value[0].kind == "text"


def to_template(value: JinjaText) -> str:
    """Write a value as a template.

    :param value: literal texts and expressions in order.
    :returns: a template that renders to the texts as they are and the results of the expressions.
    """
    pieces: list[str] = []
    merged: list[str | JinjaCode] = []
    for piece in value:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    if merged and isinstance(merged[-1], str) and merged[-1].endswith("\n"):
        # Jinja swallows one line break at the end of a template.
        merged[-1:] = [merged[-1][:-1], JinjaCode("'\\n'", "text")]
    for index, piece in enumerate(merged):
        if isinstance(piece, JinjaCode):
            text = piece.text
            if piece.kind == "instant":
                text = f"{text}.strftime({jinja_string(_PLAIN_INSTANT)})"
            pieces.append(f"{{{{ {text} }}}}")
        else:
            followed_by_code = index + 1 < len(merged)
            pieces.append(_escape(piece, followed_by_code=followed_by_code))
    return "".join(pieces)


def map_literals(template: str, change: Callable[[str], str]) -> str:
    """Change the literal texts of a template and leave its expressions as they are.

    :param template: the template.
    :param change: gives the new text for a literal one.
    :returns: the changed template.
    """
    tokens = _LEXER.lex(template)
    return "".join(change(text) if kind == "data" else text for _, kind, text in tokens)


def _escape(text: str, *, followed_by_code: bool) -> str:
    escaped: list[str] = []
    for index, character in enumerate(text):
        following = text[index + 1] if index + 1 < len(text) else ("{" if followed_by_code else "")
        opens = character == "{" and following in {"{", "%", "#"}
        # Jinja turns each end of a line into a line feed.
        special = "{" if opens else character if character == "\r" else ""
        escaped.append(f"{{{{ {jinja_string(special)} }}}}" if special else character)
    return "".join(escaped)
