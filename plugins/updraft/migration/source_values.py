"""Values as Python source: texts that are too long for a line are broken where people would."""

import re
from collections.abc import Iterator
from unicodedata import east_asian_width

from updraft.migration.tasks import Code

# Ruff's own default, so that generated files pass a project's linter that sets nothing else.
LINE_LENGTH = 88
_INDENT = 4
_QUOTES = 2
_QUOTE = '"""'
# However deep a text stands, so much of it goes into a line.
_SHORTEST_LINE = 20
_TEMPLATE = r"\{\{.*?\}\}|\{%.*?%\}"
_WORD = re.compile(rf"(?:{_TEMPLATE}|[^ \n])*[ \n]?", re.DOTALL)
# Parts of a word: a template or a variable of a shell with what follows, a folder, an item.
_TEXT = r"(?:(?!\$?\{)[^/,])"
_FRAGMENT = re.compile(
    rf"(?:{_TEMPLATE}|\$\{{[^{{}}]*\}}){_TEXT}*[/,]?|(?:\w+://|/)?{_TEXT}*[/,]|{_TEXT}+|[${{]",
    re.DOTALL,
)
# Steps of an expression: up to an operand, a bracket or an argument, or a method and its bracket.
_METHOD = r"(?<!updraft)\.(?=\w+\()"
_OPERAND = rf"(?:'[^']*'|\"[^\"]*\"|(?!{_METHOD})[^\s,(|'\"])"
_STEP = re.compile(
    rf"(?:\{{[{{%]\s+)?(?:{_METHOD})?{_OPERAND}*[\s,(|]+(?:[%}}]\}}[^\s]*)?|(?:{_METHOD})?{_OPERAND}+|['\"]"
)

_CALL = re.compile(
    rf"({_METHOD}\w+\((?:'[^']*'|[^'()])*\)(?:\s[%}}]\}}\S*)?)"
)  # with what ends the template
_NAME = re.compile(r"[^.:_-]*[.:_-]|[^.:_-]+", re.DOTALL)


def python(value: object, indent: int = 8, before: int = 0) -> str:
    """Write a value as Python code.

    :param value: text, number, boolean, none, code, or a list or dict of these.
    :param indent: column at which the line of the value begins.
    :param before: how many columns its name takes in that line.
    :returns: an expression.
    """
    if isinstance(value, Code):
        return value.text
    inner = indent + _INDENT
    if isinstance(value, list | tuple):
        return f"[{', '.join(python(item, inner) for item in value)}]"
    if isinstance(value, dict):
        entries = [
            f"{key!r}: {python(item, inner, len(repr(key)) + len(': '))}"
            for key, item in value.items()
        ]
        return f"{{{', '.join(entries)}}}"
    if not isinstance(value, str):
        return repr(value)
    room = LINE_LENGTH - indent - before - _QUOTES - len(",")
    if _width(value) <= room:
        return repr(value)
    lines = _broken(value, max(LINE_LENGTH - inner - _QUOTES, _SHORTEST_LINE))
    return f"({' '.join(map(repr, lines))})"


def script(text: str) -> str:
    """Write a text of several lines as one literal, its lines as they are.

    :param text: the text.
    :returns: a literal in triple quotes; lines too long for the file go on after a backslash.
    """
    # The quote at the end would belong to those that end the literal.
    text, end = (text[:-1], '\\"') if text.endswith('"') else (text, "")
    lines = []
    for line in text.split("\n"):
        room = LINE_LENGTH - len("\\") - line.count(_QUOTE) * len(_QUOTE) - len(end)
        pieces = _broken(line, max(room, _SHORTEST_LINE))
        lines.append(_visible_end("\\\n".join(map(_escaped, pieces))))
    return f"{_QUOTE}\\\n" + "\n".join(lines) + end + _QUOTE


def _escaped(piece: str) -> str:
    """Write a piece of a line between triple quotes, so that nothing of it is hidden or lost."""
    written = "".join(
        character if character.isprintable() and character != "\\" else repr(character)[1:-1]
        for character in piece
    )
    return written.replace(_QUOTE, '\\"' * len(_QUOTE))


def _visible_end(line: str) -> str:
    """Keep editors from taking away a space at the end of a line."""
    return f"{line[:-1]}\\x20" if line.endswith(" ") else line


def _width(text: str) -> int:
    """Count columns as ruff does: East Asian characters take two."""
    written = repr(text)[1:-1]
    if written.isascii():  # nearly always, and long texts are measured at each of their words
        return len(written)
    return sum(1 + (east_asian_width(character) in "WF") for character in written)


def _broken(text: str, room: int) -> list[str]:
    """Break a text into pieces that each fit into a line, at the end of words if that is enough."""
    lines = [""]
    for word in _WORD.findall(text):
        for part in _parts(word, room):
            if lines[-1].endswith("\n") or _width(lines[-1] + part) > room:
                lines.append("")
            lines[-1] += part
    return [line for line in lines if line]


def _parts(word: str, room: int) -> list[str]:
    """Keep a word whole, but for one too long for a line."""
    if _width(word) <= room:
        return [word]
    parts: list[str] = []
    for fragment in _FRAGMENT.findall(word):
        for step in [fragment] if _width(fragment) <= room else _steps(fragment, room):
            parts += [step] if _width(step) <= room else _names(step, room)
    return parts


def _steps(fragment: str, room: int) -> Iterator[str]:
    """Take an expression apart, and keep a method and what it is given together."""
    for index, part in enumerate(_CALL.split(fragment)):
        if index % 2 and _width(part) <= room:
            yield part
        else:
            yield from _STEP.findall(part)


def _names(step: str, room: int) -> list[str]:
    """Take a name apart at its dots and dashes, and where these are too far apart, anywhere."""
    names: list[str] = _NAME.findall(step)
    return [part for name in names for part in ([name] if _width(name) <= room else name)]
