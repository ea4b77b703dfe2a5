"""Texts of Terraform with ``${…}`` in them, taken apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interpolation:
    """What stands between ``${`` and ``}``."""

    expression: str


def template_parts(text: str) -> list[str | Interpolation] | None:
    """Take a text apart.

    :param text: a text with ``${…}``; ``$${`` and ``%%{`` stand for ``${`` and ``%{``.
    :returns: texts and interpolations; none when it has directives (``%{if …}``) or is not closed.
    """
    parts: list[str | Interpolation] = []
    literal, index = "", 0
    while index < len(text):
        if text.startswith(("$${", "%%{"), index):
            literal += text[index + 1 : index + 3]
            index += 3
        elif text.startswith("${", index):
            end = _closing_brace(text, index + 2)
            if end is None:
                return None
            parts += [literal, Interpolation(text[index + 2 : end].strip("~ \t\n"))]
            literal, index = "", end + 1
        elif text.startswith("%{", index):
            return None
        else:
            literal += text[index]
            index += 1
    return [part for part in (*parts, literal) if part != ""]


def _closing_brace(text: str, start: int) -> int | None:
    """Find the brace that closes an interpolation; quoted texts in it may nest others."""
    depth, index = 0, start
    while index < len(text):
        character = text[index]
        if character == '"':
            end = _closing_quote(text, index + 1)
            if end is None:
                return None
            index = end
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return index
            depth -= 1
        index += 1
    return None


def _closing_quote(text: str, start: int) -> int | None:
    index = start
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] == '"':
            return index
        elif text.startswith("$${", index):
            index += 2
        elif text.startswith("${", index):
            end = _closing_brace(text, index + 2)
            if end is None:
                return None
            index = end
        index += 1
    return None
